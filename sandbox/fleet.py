"""Fleets to look at and to measure: `seed("demo")`, or `seed("1000")` for that many functions.

Seeding writes straight into the store and Lambda's model of this process, so it takes a fraction of a second. What is
seeded depends on the day alone: digests, dates, revision ids.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sandbox import ecr, ecr_scans
from sandbox.bases import all_releases
from sandbox.fleet_apps import build_app
from sandbox.fleet_functions import FUNCTIONS, DemoFunction
from sandbox.fleet_images import EUROPE, PRODUCTION, REPOSITORIES, AppImage, Repository
from sandbox.images import Image
from sandbox.lambda_images import ARCHITECTURES
from sandbox.lambda_model import ACTIVE, LATEST, Alias, Code, Condition, Function, Settings, Version, space, timestamp
from sandbox.store import PUBLIC, STORE, namespace

VERSIONS_PER_FUNCTION = 5
FUNCTIONS_PER_REPOSITORY = 100


@dataclass(frozen=True)
class Deploy:
    """Code and settings that were deployed and published at a moment."""

    code: Code
    at: datetime
    settings: Settings


@dataclass(frozen=True)
class Seeded:
    """A function to put in place: its n-th deploy is version n, $LATEST runs the last one."""

    account: str
    region: str
    name: str
    deploys: Sequence[Deploy]
    aliases: Mapping[str, int]
    split: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    condition: Condition = ACTIVE


def seed(name: str, today: date | None = None) -> None:
    """Fill this process with a fleet: "demo", "none", or a number of functions as text.

    Dates are relative to `today`, in UTC. Raises ValueError for any other name.
    """
    today = today or datetime.now(UTC).date()
    if name == "demo":
        _seed_bases(today)
        _seed_demo(today)
    elif name.isdecimal():
        _seed_bases(today)
        _seed_many(int(name), today)
    elif name != "none":
        raise ValueError(f"no fleet is called {name!r}: demo, none, or a number of functions")


def _seed_bases(today: date) -> None:
    for stream in all_releases(today):
        for release in stream:
            for image, tags in release.tagged(newest=release is stream[-1]):
                STORE.push(PUBLIC, release.stream.repository, image, tags, pushed_at=release.created)


def _seed_demo(today: date) -> None:
    for repository in REPOSITORIES:
        ecr.create_repository(repository.account, repository.region, repository.name)
        for image in repository.images:
            _push(repository, image, today)
    for function in FUNCTIONS:
        put_function(_demo_function(function, today))
    for repository in REPOSITORIES:
        for image in repository.images:
            if image.deleted:
                where = namespace(repository.account, repository.region)
                STORE.delete_manifest(where, repository.name, image.build(today).digest)


def _push(repository: Repository, image: AppImage, today: date) -> None:
    where = namespace(repository.account, repository.region)
    pushed_at = image.built(today) + timedelta(minutes=3)
    # Oldest first: each push takes the moving tags from the one before.
    digest = STORE.push(where, repository.name, image.build(today), [image.tag, *image.moving], pushed_at=pushed_at)
    # Staging stays unscanned: "not scanned" is not "no findings".
    if repository.account == PRODUCTION and len(image.architectures) == 1:
        ecr_scans.set_findings(where, repository.name, digest, _findings(image))


def _findings(image: AppImage) -> list[dict[str, str]]:
    """What a scan of an image finds: the more, the older its base."""
    severities = ["LOW", *["MEDIUM", "HIGH"] * image.behind]
    if image.base == "python:3.9":
        severities += ["HIGH", "CRITICAL"]
    return [
        {
            "name": f"CVE-2026-{20100 + 17 * number}",
            "severity": severity,
            "uri": f"https://alas.aws.amazon.com/cve/html/CVE-2026-{20100 + 17 * number}.html",
            "description": "An example finding in an operating system package.",
        }
        for number, severity in enumerate(severities)
    ]


def _demo_function(function: DemoFunction, today: date) -> Seeded:
    trouble = function.trouble
    return Seeded(
        account=function.repository.account,
        region=function.repository.region,
        name=function.name,
        deploys=[_demo_deploy(function, position, today) for position in range(len(function.deploys))],
        aliases=function.aliases,
        split=function.split,
        tags=function.tags,
        condition=Condition(trouble.state, trouble.code, trouble.reason) if trouble else ACTIVE,
    )


def _demo_deploy(function: DemoFunction, position: int, today: date) -> Deploy:
    source, tag = function.pulls_from or function.repository, function.deploys[position]
    image = source.image(tag)
    before, after = (part.count(tag) for part in (function.deploys[:position], function.deploys[position + 1 :]))
    settings = Settings(
        role=f"arn:aws:iam::{function.repository.account}:role/lambda/{function.name}",
        architecture=ARCHITECTURES[image.architectures[0]],
        description=function.description,
        timeout=function.timeout,
        # Where the same image was deployed once more, it was for more memory.
        memory=function.memory // 2 if after else function.memory,
        environment=function.variables,
        image_config={"Command": list(function.command)} if function.command else {},
    )
    code = Code(f"{source.uri}:{function.by_tag or tag}", source.uri, image.build(today).digest)
    # A name's length spreads the deploys over the day, the same way each time.
    later = timedelta(days=before, hours=2, minutes=7 * len(function.name))
    return Deploy(code, image.built(today) + later, settings)


def put_function(seeded: Seeded) -> Function:
    """Put a function with its published versions and aliases in place, Active (or as told) and settled."""
    functions = space(seeded.account, seeded.region)
    arn = f"arn:aws:lambda:{seeded.region}:{seeded.account}:function:{seeded.name}"
    versions = {}
    for deploy in seeded.deploys:
        number = functions.next_number(seeded.name)
        versions[number] = _version(arn, number, deploy, seeded)
    function = Function(
        seeded.account,
        seeded.region,
        seeded.name,
        _version(arn, LATEST, seeded.deploys[-1], seeded),
        versions,
        dict(_aliases(arn, seeded)),
        dict(seeded.tags),
    )
    functions.add(function)
    return function


def _version(arn: str, number: str, deploy: Deploy, seeded: Seeded) -> Version:
    revision = _revision(f"{arn}:{number}", deploy.code.digest)
    return Version(
        number,
        deploy.code,
        deploy.settings,
        modified=timestamp(deploy.at),
        condition=seeded.condition,
        revision=revision,
        settled_revision=revision,
    )


def _aliases(arn: str, seeded: Seeded) -> Iterable[tuple[str, Alias]]:
    for name, version in seeded.aliases.items():
        second = seeded.split.get(name)
        weights = {str(second[0]): second[1]} if second else {}
        yield name, Alias(name, str(version), weights=weights, revision=_revision(f"{arn}:{name}", str(version)))


def _revision(arn: str, content: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}#{content}"))


def _seed_many(count: int, today: date) -> None:
    """So many functions of 5 versions and 2 aliases each, over a repository per 100; few distinct images."""
    images = [_numbered_image(number, today) for number in range(1, VERSIONS_PER_FUNCTION + 2)]
    repositories = [f"fleet/app-{number:03d}" for number in range(-(-count // FUNCTIONS_PER_REPOSITORY))]
    host = f"{PRODUCTION}.dkr.ecr.{EUROPE}.amazonaws.com"
    settings = Settings(role=f"arn:aws:iam::{PRODUCTION}:role/lambda/fleet", timeout=30, memory=512)
    for repository in repositories:
        ecr.create_repository(PRODUCTION, EUROPE, repository)
        for tag, image in enumerate(images, start=1):
            STORE.push(namespace(PRODUCTION, EUROPE), repository, image, [f"v{tag}", "live"], pushed_at=image.created)
    for number in range(count):
        uri = f"{host}/{repositories[number // FUNCTIONS_PER_REPOSITORY]}"
        first = number % 2  # half the fleet is one image behind
        deploys = [
            Deploy(Code(f"{uri}:v{tag + 1}", uri, images[tag].digest), images[tag].created, settings)
            for tag in range(first, first + VERSIONS_PER_FUNCTION)
        ]
        aliases = {"live": VERSIONS_PER_FUNCTION - number % 3, "canary": VERSIONS_PER_FUNCTION}
        put_function(Seeded(PRODUCTION, EUROPE, f"fn-{number:05d}", deploys, aliases, tags={"team": "fleet"}))


def _numbered_image(number: int, today: date) -> Image:
    behind = max(0, 4 - number)
    built = datetime.combine(today - timedelta(days=8 - number), time(6, 30), UTC)
    return build_app("tools", f"{number}.0.0", base="python:3.12", behind=behind, built=built, today=today)
