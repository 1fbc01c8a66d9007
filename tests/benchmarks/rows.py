"""A fleet straight into the tables: 10,000 functions, 100,000 versions, 20,000 aliases, 50,000 images, 100,000 tags.

Its images stand on 12,000 base releases; the product itself judges them. What else the pages show: fact_rows.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

from django.core.management import call_command

from functions_app.models import (
    Account,
    Alias,
    AliasMove,
    BaseRelease,
    Function,
    Image,
    Repository,
    Scope,
    Tag,
    Version,
)
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.snapshot import function_summaries
from tests.benchmarks import fact_rows
from tests.benchmarks.release_rows import GOLDEN, NOW, PLATFORMS, RELEASES, digest, fill_releases
from tests.benchmarks.settled import settle

REGIONS = ("eu-west-1", "us-east-1")
FUNCTIONS, VERSIONS, IMAGES, REPOSITORIES = 10_000, 10, 50_000, 200
CROWDED = 1_000  # of the images lie in the first repository
UNUSED = 10  # each so manieth image is not used
POPULAR = 0.4  # of the images stand on the first of Lambda's streams
WORDS = ("orders", "invoice", "thumbnail", "ledger", "mailer", "search", "export", "webhook", "billing", "audit")


def fill() -> None:
    """Migrate and fill an empty database, the same rows every time."""
    call_command("migrate", verbosity=0)
    random = Random(7)  # noqa: S311 - reproducible rows
    accounts = Account.objects.bulk_create(
        Account(name=name, account_id=str(number) * 12, colour=colour, regions=list(REGIONS))
        for number, (name, colour) in enumerate((("production", "red"), ("staging", "teal"), ("tools", "blue")), 1)
    )
    Scope.objects.bulk_create(
        Scope(account=account, region=region, attempted_at=NOW, synced_at=NOW)
        for account in accounts
        for region in REGIONS
    )
    releases = fill_releases()
    images = _images(accounts, releases, random)
    functions = _functions(accounts, images, random)
    _versions(functions, [image for number, image in enumerate(images) if number % UNUSED], random)
    fact_rows.fill_facts(accounts, images)
    judge_images(now=NOW, refresh=False)
    function_summaries.refresh_summaries(now=NOW)
    settle()


def _images(accounts: list[Account], releases: list[BaseRelease], random: Random) -> list[Image]:
    repositories = Repository.objects.bulk_create(
        Repository(
            account=(account := accounts[number % len(accounts)]),
            region=REGIONS[number % 2],
            name=f"team-{number % 20}/service-{number}",
            arn=f"arn:aws:ecr:eu-west-1:{account.account_id}:repository/team-{number % 20}/service-{number}",
            uri=f"{account.account_id}.dkr.ecr.eu-west-1.amazonaws.com/team-{number % 20}/service-{number}",
            synced_at=NOW,
        )
        for number in range(REPOSITORIES)
    )
    images = Image.objects.bulk_create(_image_rows(repositories, releases, random), batch_size=500)
    _tags(images)
    return images


def _image_rows(repositories: Sequence[Repository], releases: Sequence[BaseRelease], random: Random) -> Iterator[Image]:
    for number in range(IMAGES):
        base = _base(releases, random)
        own = [digest(f"{layer} {number}") for layer in ("packages", "requirements", "code")]
        yield Image(
            repository=repositories[0 if number < CROWDED else number % REPOSITORIES],
            digest=digest(f"image {number}"),
            media_type="application/vnd.oci.image.manifest.v1+json",
            size_bytes=180_000_000 + number,
            architecture=base.platform.partition("/")[2],
            os="linux",
            created_at=NOW - timedelta(hours=number + 1),
            pushed_at=NOW - timedelta(hours=number),
            synced_at=NOW,
            inspected_at=NOW,
            layers=[
                *base.layers,
                *({"digest": digest(f"packed {each}"), "size": 9_000_000, "media_type": "tar+gzip"} for each in own),
            ],
            diff_ids=[*base.diff_ids, *own],
            history=[
                {"created_by": f"COPY step {step} /var/task", "empty_layer": False, "created": None}
                for step in range(len(base.diff_ids) + len(own))
            ],
            settings={"entrypoint": ["/lambda-entrypoint.sh"], "command": ["app.handler"], "env_keys": ["STAGE"]},
            labels={"org.opencontainers.image.revision": f"{number:040x}"},
        )


def _base(releases: Sequence[BaseRelease], random: Random) -> BaseRelease:
    """Most stand on one stream; a third on its current release, a third on the five before, the others on any."""
    stream = GOLDEN if random.random() < POPULAR else random.randrange(len(releases) // (len(PLATFORMS) * RELEASES))
    age = random.choice((0, random.randrange(1, 6), random.randrange(RELEASES)))
    return releases[(stream * len(PLATFORMS) + (random.random() < 0.2)) * RELEASES + RELEASES - 1 - age]


def _tags(images: list[Image]) -> None:
    """Two tags an image: its build, and the week it was built in; and in each repository one moving tag."""
    newest = {image.repository_id: image for image in reversed(images)}
    rows = [Tag(repository_id=key, name="main", digest=image.digest, since=NOW) for key, image in newest.items()]
    for number, image in enumerate(images):
        rows += [
            Tag(repository_id=image.repository_id, name=name, digest=image.digest, since=NOW)
            for name in (f"build-{number}", f"{number % 50 + 1}.{number // 50}")
        ]
    Tag.objects.bulk_create(rows, batch_size=2000)


def _functions(accounts: list[Account], images: list[Image], random: Random) -> list[Function]:
    rows = []
    for number in range(FUNCTIONS):
        account, region = accounts[number % 3], REGIONS[number % 2]
        name = f"{WORDS[number % len(WORDS)]}-{WORDS[number // 10 % len(WORDS)]}-{number:05d}"
        image = images[number % IMAGES]
        rows.append(
            Function(
                account=account,
                region=region,
                name=name,
                arn=f"arn:aws:lambda:{region}:{account.account_id}:function:{name}",
                architecture="x86_64",
                memory_mb=512,
                timeout_s=30,
                last_modified=NOW - timedelta(minutes=number),
                revision_id=str(number),
                digest=image.digest,
                image_uri=f"{image.repository.uri}:main",
                state=random.choice(("Active", "Active", "Active", "Active", "Inactive", "Failed")),
                last_update_status="Successful",
                tags={
                    "team": f"team-{number % 20}",
                    "stage": f"stage-{number % 3}",
                    "service": f"service-{number % 500}",
                },
                owner=f"team-{number % 20}",
                synced_at=NOW,
                detailed_at=NOW,
                aliases_synced_at=NOW,
                partly_read=False,
            )
        )
    return Function.objects.bulk_create(rows, batch_size=500)


def _versions(functions: list[Function], images: list[Image], random: Random) -> None:
    versions, aliases = [], []
    for function in functions:
        for ordinal in range(VERSIONS):
            image = random.choice(images)
            uri = image.repository.uri
            versions.append(
                Version(
                    function=function,
                    number=str(ordinal) if ordinal else "$LATEST",
                    ordinal=ordinal,
                    digest=image.digest,
                    image=image,
                    image_uri=f"{uri}:main" if ordinal % 2 else f"{uri}@{image.digest}",
                    last_modified=NOW - timedelta(days=VERSIONS - ordinal),
                )
            )
        for name, newest in (("live", 8), ("canary", 9)):
            split = name == "canary" and random.random() < 0.2
            aliases.append(
                Alias(
                    function=function,
                    name=name,
                    version=str(newest),
                    second_version="8" if split else "",
                    second_weight=0.1 if split else 0,
                    revision_id="1",
                    synced_at=NOW,
                )
            )
    Version.objects.bulk_create(versions, batch_size=2000)
    Alias.objects.bulk_create(aliases, batch_size=2000)
    AliasMove.objects.bulk_create(
        (
            AliasMove(
                function=alias.function, alias=alias.name, version=str(number), at=NOW - timedelta(days=9 - number)
            )
            for alias in aliases
            for number in range(7, int(alias.version) + 1)
        ),
        batch_size=2000,
    )
