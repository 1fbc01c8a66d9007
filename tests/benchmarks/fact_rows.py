"""What else there is to know of the fleet: policies, days of the burn-down, scans, forecasts, files of layers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from functions_app import clock
from functions_app.domain.fleet.lifecycle_policies import Expiring
from functions_app.domain.images.scans import Finding, FindingPlace
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packing import VERSION, pack
from functions_app.models import (
    Account,
    BaseRelease,
    FreshnessDay,
    FreshnessPolicy,
    Image,
    ImageScan,
    LayerFiles,
    LifecycleForecast,
)
from tests.benchmarks.release_rows import GOLDEN, LAMBDA, NOW, STREAMS, digest, name_of

DAYS = 90
SCANNED, FINDINGS, MOST_FINDINGS = 5, 20, 1_000  # each so manieth image; findings of each, and of the first read one
EXPIRING = 20  # images of each repository, of which a tenth is in use
BASE_FILES, APP_FILES = 20_000, 5_000
READ = 4  # images whose own layers were read, and releases of the first of Lambda's streams


def fill_facts(accounts: Sequence[Account], images: Sequence[Image]) -> None:
    """Fill the tables that pages show beside the fleet itself."""
    FreshnessPolicy.objects.update_or_create(account=None, tag_key="", tag_value="", defaults={"max_days": 30})
    FreshnessPolicy.objects.create(account=accounts[1], tag_key="team", max_days=90, max_releases=10)
    FreshnessDay.objects.bulk_create(_days(accounts), batch_size=1000)
    read = list(_read_images(images))
    ImageScan.objects.bulk_create(_scans(images, read[0]), batch_size=500)
    _forecasts(images)
    LayerFiles.objects.bulk_create(_layer_files(read))


def _days(accounts: Sequence[Account]) -> Iterator[FreshnessDay]:
    today = clock.now().date()  # pages show the days before theirs
    for ago in range(DAYS):
        for account in accounts:
            for number in range(GOLDEN, STREAMS):
                counts = {"current": 60 + ago % 7, "stale": 10 + (ago * number) % 90, "overdue": ago % 10}
                yield FreshnessDay(
                    day=today - timedelta(days=ago), account=account, base_name=name_of(number), **counts
                )


def _read_images(images: Sequence[Image]) -> Iterator[Image]:
    """Images in use on releases whose layers are read."""
    layers = {layer for release in _read_releases() for layer in release.diff_ids}
    found = (image for number, image in enumerate(images) if number % 10 and layers.issuperset(image.diff_ids[:6]))
    yield from (image for image, _ in zip(found, range(READ), strict=False))


def _read_releases() -> Sequence[BaseRelease]:
    found = BaseRelease.objects.filter(stream__name=LAMBDA[0], platform="linux/amd64")
    return list(found.order_by("-created_at")[:READ])


def _scans(images: Sequence[Image], first: Image) -> Iterator[ImageScan]:
    for image in {image.pk: image for image in (first, *images[::SCANNED])}.values():
        count = MOST_FINDINGS if image is first else FINDINGS
        findings = [
            Finding(
                f"CVE-2026-{number:05d}",
                ("CRITICAL", "HIGH", "MEDIUM", "LOW")[number * 4 // count],
                "A made-up weakness of a library that many images hold",
                "https://nvd.nist.gov/",
                (FindingPlace(f"package-{number}", "1.0", "1.1", f"usr/lib/package-{number}/file-{number}.so"),),
            )
            for number in range(count)
        ]
        yield ImageScan(
            image=image,
            status="COMPLETE",
            completed_at=NOW,
            severities=dict.fromkeys(("CRITICAL", "HIGH", "MEDIUM", "LOW"), count // 4),
            findings=[finding.as_json() for finding in findings],
            findings_at=NOW,
            read_at=NOW,
        )


def _forecasts(images: Sequence[Image]) -> None:
    """Each repository's policy would take its oldest images away, most of which nobody uses."""
    by_repository = groupby(sorted(enumerate(images), key=lambda pair: pair[1].repository_id), _repository)
    forecasts, expiring = [], []
    for repository, pairs in by_repository:
        numbered = list(pairs)
        unused = [image for number, image in numbered if number % 10 == 0]
        used = [image for number, image in numbered if number % 10]
        going = [*unused[-EXPIRING + EXPIRING // 10 :], *used[-EXPIRING // 10 :]]
        expiring += going
        entries = [Expiring(image.digest, 1, pushed_at=NOW.isoformat()).as_json() for image in going]
        forecasts.append(
            LifecycleForecast(
                repository_id=repository, policy='{"rules": []}', expiring=entries, read_at=NOW, attempted_at=NOW
            )
        )
    LifecycleForecast.objects.bulk_create(forecasts)
    for image in expiring:
        image.expiry_rule = 1
    Image.objects.bulk_update(expiring, ["expiry_rule"], batch_size=500)


def _repository(pair: tuple[int, Image]) -> int:
    return pair[1].repository_id


def _layer_files(read: Sequence[Image]) -> Iterator[LayerFiles]:
    base = dict.fromkeys(layer for release in _read_releases() for layer in release.diff_ids)
    own = dict.fromkeys(layer for image in read for layer in image.diff_ids if layer not in base)
    largest = {release.diff_ids[1] for release in _read_releases()}  # the language
    for layer in base:
        yield _layer(layer, BASE_FILES if layer in largest else 100, "usr/lib")
    for layer in own:
        yield _layer(layer, APP_FILES // 3, "var/task")


def _layer(diff_id: str, files: int, folder: str) -> LayerFiles:
    entries = tuple(
        FileEntry(
            f"{folder}/package-{number // 20}/file-{number}.so",
            "file",
            1_000 + number,
            # One file of twenty differs from layer to layer.
            digest(f"{number} {diff_id if number % 20 == 0 else ''}").removeprefix("sha256:"),
            mode=0o644,
        )
        for number in range(files)
    )
    packages = [Package("rpm", f"package-{number}", f"1.{number}", entries[0].path) for number in range(files // 20)]
    contents = LayerContents(entries, tuple(packages), sum(entry.size for entry in entries))
    return LayerFiles(
        diff_id=diff_id,
        read_at=NOW,
        file_count=files,
        size_bytes=contents.size_bytes,
        files=pack(contents),
        packed_as=VERSION,
        packages=[package.as_json() for package in packages],
    )
