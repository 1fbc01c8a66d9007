"""12,000 base releases and 10,000 images on them straight into the tables, each image live in a function."""

from random import Random

from django.core.management import call_command

from functions_app.models import Account, Alias, BaseRelease, Function, Image, Repository, Version
from tests.benchmarks.release_rows import GOLDEN, NOW, PLATFORMS, RELEASES, digest, fill_releases
from tests.benchmarks.settled import settle

IMAGES, REPOSITORIES = 10_000, 200
POPULAR = 0.4  # of the images stand on the first stream
# What an image is: on a whole release; squashed and annotated; on a release that is not known; on no base.
MIX = {"whole release": 88, "squashed, annotated": 4, "unknown release": 4, "no known base": 4}


def fill() -> None:
    """Migrate and fill an empty database, the same rows every time."""
    call_command("migrate", verbosity=0)
    random = Random(11)  # noqa: S311 - reproducible rows
    releases = fill_releases()
    _images(releases, random)
    settle()


def _images(releases: list[BaseRelease], random: Random) -> None:
    account = Account.objects.create(name="production", account_id="1" * 12, regions=["eu-west-1"])
    repositories = Repository.objects.bulk_create(
        Repository(
            account=account,
            region="eu-west-1",
            name=f"team/service-{number}",
            arn=f"arn:aws:ecr:eu-west-1:{account.account_id}:repository/team/service-{number}",
            uri=f"{account.account_id}.dkr.ecr.eu-west-1.amazonaws.com/team/service-{number}",
            synced_at=NOW,
        )
        for number in range(REPOSITORIES)
    )
    kinds = random.choices(list(MIX), weights=list(MIX.values()), k=IMAGES)
    by_stream = len(PLATFORMS) * RELEASES
    rows = []
    for number, kind in enumerate(kinds):
        popular = releases[GOLDEN * by_stream : (GOLDEN + 1) * by_stream]
        base = random.choice(popular if random.random() < POPULAR else releases)
        rows.append(_image(number, kind, base, repositories[number % REPOSITORIES]))
    _functions(account, Image.objects.bulk_create(rows, batch_size=500))


def _image(number: int, kind: str, base: BaseRelease, repository: Repository) -> Image:
    own = [digest(f"requirements {number}"), digest(f"code {number}")]
    layers = {
        "whole release": [*base.diff_ids, *own],
        "squashed, annotated": [digest(f"squashed {number}")],
        # All but the language's layer: no whole release, and the runtime's layer speaks for the stream.
        "unknown release": [base.diff_ids[0], digest(f"unseen {number}"), *base.diff_ids[2:6], *own],
        "no known base": [digest(f"debian {number % 50}"), *own],
    }[kind]
    annotated = {"org.opencontainers.image.base.digest": base.index_digest} if kind == "squashed, annotated" else {}
    return Image(
        repository=repository,
        digest=digest(f"image {number}"),
        media_type="application/vnd.oci.image.manifest.v1+json",
        os="linux",
        architecture=base.platform.partition("/")[2],
        diff_ids=layers,
        annotations=annotated,
        settings={"entrypoint": ["/lambda-entrypoint.sh"], "env_keys": ["LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"]},
        history=[{"created_by": f"COPY step {step}", "empty_layer": False, "created": None} for step in layers],
        synced_at=NOW,
        inspected_at=NOW,
    )


def _functions(account: Account, images: list[Image]) -> None:
    functions = Function.objects.bulk_create(
        (
            Function(
                account=account,
                region="eu-west-1",
                name=f"function-{number:05d}",
                arn=f"arn:aws:lambda:eu-west-1:{account.account_id}:function:function-{number:05d}",
                architecture="x86_64",
                memory_mb=512,
                timeout_s=30,
                last_modified=NOW,
                revision_id=str(number),
                digest=image.digest,
                state="Active",
                last_update_status="Successful",
                synced_at=NOW,
                detailed_at=NOW,
                aliases_synced_at=NOW,
                partly_read=False,
            )
            for number, image in enumerate(images)
        ),
        batch_size=500,
    )
    pairs = list(zip(functions, images, strict=True))
    Version.objects.bulk_create(
        (
            Version(
                function=function, number=name, ordinal=ordinal, digest=image.digest, image=image, last_modified=NOW
            )
            for function, image in pairs
            for ordinal, name in enumerate(("$LATEST", "1"))
        ),
        batch_size=2000,
    )
    Alias.objects.bulk_create(
        (Alias(function=function, name="live", version="1", revision_id="1", synced_at=NOW) for function in functions),
        batch_size=2000,
    )
