"""Detection of one image among 12,000 releases; 10,000 images judged anew after a release came out."""

import gc
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import django

from tests.benchmarks.figures import mark, percentile, table

if TYPE_CHECKING:
    from functions_app.services.bases.verdicts import Bench

LIMIT_MICROSECONDS, LIMIT_SECONDS = 1000.0, 5.0
TURNS = 5  # detections of each image


def main() -> None:
    """Fill, detect each image, publish releases, judge anew; print times, queries and memory."""
    django.setup()
    from django.db import connection

    from dashboard import broker
    from functions_app.services.bases.verdicts import judge_images
    from tests.benchmarks import base_rows
    from tests.benchmarks.release_rows import NOW

    broker.ensure()
    base_rows.fill()
    judge_images(now=NOW)  # as they stand before the release: what is measured is a poll's everyday work
    print(f"## Base images, {connection.vendor}\n")
    detections()
    judgements()


def detections() -> None:
    """One image at a time, by what its base is found by."""
    from functions_app.domain.bases.detection import ImageShape, detect
    from functions_app.models import BaseRelease, Image
    from functions_app.services.bases.verdicts import Bench
    from tests.benchmarks import release_rows
    from tests.benchmarks.release_rows import NOW

    kept = memory_of_a_bench()
    started = time.perf_counter()
    bench = Bench.prepare(NOW)
    prepared = time.perf_counter() - started
    indexed = clock(lambda: index(bench))
    times: dict[str, list[float]] = defaultdict(list)
    rows = Image.objects.order_by("pk").values_list("diff_ids", "architecture", "annotations", "base_tier")
    for diff_ids, architecture, annotations, tier in rows:

        def look() -> object:
            shape = ImageShape.of(diff_ids, f"linux/{architecture}", annotations=annotations)  # noqa: B023
            return detect(shape, bench.releases)

        times[tier] += [clock(look) for _ in range(TURNS)]
    everyone = [each for tier in times.values() for each in tier]
    worst = percentile(everyone, 0.99) * 1e6
    print(
        f"Detection of one image among {BaseRelease.objects.count():,} releases of {release_rows.STREAMS} streams for "
        f"two platforms, its chain ids worked out each time: p99 {worst:.0f} µs "
        f"(promised: under {LIMIT_MICROSECONDS:.0f}{mark(worst < LIMIT_MICROSECONDS)}). "
        f"Reading the releases takes {prepared * 1000:.0f} ms, the indexes that only images without a whole release "
        f"need {indexed * 1000:.0f} ms more; together they keep {kept / 2**20:.0f} MiB.\n"
    )
    lines = [
        [
            tier,
            f"{len(found) // TURNS:,}",
            f"{percentile(found, 0.5) * 1e6:.0f}",
            f"{percentile(found, 0.99) * 1e6:.0f}",
        ]
        for tier, found in times.items()
    ]
    print(table(["found by", "images", "p50 µs", "p99 µs"], lines), "\n")


def memory_of_a_bench() -> int:
    """Bytes that the releases and all indexes of them keep."""
    from functions_app.services.bases.verdicts import Bench
    from tests.benchmarks.release_rows import NOW

    tracemalloc.start()
    bench = Bench.prepare(NOW)
    index(bench)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept


def index(bench: "Bench") -> None:
    """Have the indexes made that are made when first asked for."""
    bench.releases.sharing(["sha256:none"], "linux/amd64")
    bench.releases.by_digest("sha256:none")
    bench.releases.by_reference("registry.example/none:1")


def judgements() -> None:
    """All images after one release of the stream that most of them stand on, and after a poll without news."""
    from functions_app.models import Image
    from functions_app.services.bases.verdicts import judge_images
    from functions_app.services.snapshot.function_summaries import refresh_summaries
    from tests.benchmarks import base_rows
    from tests.benchmarks.release_rows import NOW

    now = NOW + timedelta(hours=1)
    lines = [
        measured("no release", lambda: judge_images(now=now)),
        measured("one release of the base of most", lambda: judge_images(now=now, refresh=False), release=1),
        measured("the functions' summaries after it", refresh_summaries),
        measured("another release, summaries with it", lambda: judge_images(now=now), release=2),
    ]
    judged, with_summaries = lines[1][2], lines[3][2]
    total = Image.objects.count()
    print(
        f"{total:,} images judged anew after a release of the stream that {base_rows.POPULAR:.0%} of them stand on: "
        f"{judged:.1f} s (promised: under {LIMIT_SECONDS:.0f} s{mark(judged < LIMIT_SECONDS)}). "
        f"Each is live in a function of its own; with the summaries of those functions {with_summaries:.1f} s.\n"
    )
    shown = [[name, f"{changed:,}", f"{seconds:.2f}", queries] for name, changed, seconds, queries in lines]
    print(table(["judged after", "changed", "s", "queries"], shown), "\n")


def measured(name: str, action: Callable[[], int], *, release: int = 0) -> tuple[str, int, float, int]:
    """What an action changed, how long it took and how many queries it made, after so many releases came out."""
    if release:
        publish(release)
    gc.collect()
    with counted() as queries:
        started = time.perf_counter()
        changed = action()
        seconds = time.perf_counter() - started
    return name, changed, seconds, len(queries)


def publish(beyond: int) -> None:
    """A release of the stream that most images stand on, for both platforms."""
    from functions_app.models import BaseStream
    from tests.benchmarks import release_rows

    stream = BaseStream.objects.get(name=release_rows.name_of(release_rows.GOLDEN))
    stream.releases.filter(current=True).update(current=False)
    for platform in release_rows.PLATFORMS:
        edition = release_rows.RELEASES - 1 + beyond
        release_rows.release(stream, release_rows.GOLDEN, platform, edition, current=True).save()


def clock(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement sent to the database within; executemany counts as one."""
    from django.db import connection

    statements: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield statements


if __name__ == "__main__":
    main()
