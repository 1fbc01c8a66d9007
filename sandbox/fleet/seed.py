"""Fleets to look at, to test and to measure with: `seed("demo")`, `seed("small")`, `seed("10000")`.

Seeding writes straight into the store and Lambda's model of this process, so it takes a fraction of a second. What is
seeded depends on the day and the seed number alone: digests, dates, revision ids.
"""

from dataclasses import replace
from datetime import date, timedelta

from sandbox import clock
from sandbox.ecr import backend, layers
from sandbox.fleet.deploys import Deploy, Seeded, put_function
from sandbox.fleet.functions import FUNCTIONS, DemoFunction
from sandbox.fleet.golden import seed_golden
from sandbox.fleet.images import PRODUCTION, REPOSITORIES, AppImage, Repository
from sandbox.fleet.lifecycle_policies import put_policies
from sandbox.fleet.scans import set_scan
from sandbox.fleet.sized import SMALL, Size, seed_sized
from sandbox.fleet.traffic import seed_traffic
from sandbox.fleet.triggers import put_triggers
from sandbox.images.bases import all_releases
from sandbox.lambda_.image_rules import ARCHITECTURES
from sandbox.lambda_.model import ACTIVE, Code, Condition, Settings
from sandbox.store.content_store import PUBLIC, STORE, namespace


def seed(name: str, today: date | None = None, **options: int) -> None:
    """Fill this process with a fleet: "demo", "small", "none", or a number of functions as text.

    Dates are relative to `today`, in UTC. `options` are fields of Size. Raises ValueError for any other name, for
    options of a fleet that has none, and for a size that cannot be.
    """
    today = today or clock.now().date()
    if name == "small" or name.isdecimal():
        size = replace(SMALL, **options) if name == "small" else Size(int(name), **options)
        _seed_bases(today)
        seed_sized(size, today)
        return
    if name not in ("demo", "none"):
        raise ValueError(f"no fleet is called {name!r}: demo, small, none, or a number of functions")
    if options:
        raise ValueError(f"the fleet {name!r} has no {', '.join(options)} to set: only small and numbers have")
    if name == "demo":
        _seed_bases(today)
        _seed_demo(today)


def _seed_bases(today: date) -> None:
    for stream in all_releases(today):
        for release in stream:
            for image, tags in release.tagged(newest=release is stream[-1]):
                STORE.push(PUBLIC, release.stream.repository, image, tags, pushed_at=release.created)


def _seed_demo(today: date) -> None:
    seed_golden(today)
    for repository in REPOSITORIES:
        backend.create_repository(repository.account, repository.region, repository.name)
        if repository.account == PRODUCTION:  # staging has never switched it on: its layers are copied
            layers.enable_mounting(repository.account, repository.region)
        for image in repository.images:
            _push(repository, image, today)
    put_policies()
    for function in FUNCTIONS:
        put_function(_demo_function(function, today))
        seed_traffic(function)
    put_triggers()
    for repository in REPOSITORIES:
        for image in repository.images:
            if image.deleted:
                where = namespace(repository.account, repository.region)
                STORE.delete_manifest(where, repository.name, image.build(today).digest)


def _push(repository: Repository, image: AppImage, today: date) -> None:
    where = namespace(repository.account, repository.region)
    pushed_at = image.built(today) + timedelta(minutes=3)
    # Oldest first: each push takes the moving tags from the one before.
    STORE.push(where, repository.name, image.build(today), [image.tag, *image.moving], pushed_at=pushed_at)
    set_scan(repository, image, today)


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
