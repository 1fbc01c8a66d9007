"""The releases of a base as the API lists them: for one platform, page by page, and how much runs each."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.inventory.bases.use_counts import Asked, UseCounts, count_uses
from functions_app.services.snapshot.live_on_bases import label

PAGE_SIZE = 50
COLUMNS = ("platform", "created_at", "current", "tag", "manifest_digest")


@dataclass(frozen=True)
class ListedRelease:
    """A release, and how many functions and aliases run it."""

    pk: int
    label: str
    platform: str
    created_at: datetime
    current: bool
    digest: str
    functions: int
    aliases: int


@dataclass(frozen=True)
class ReleaseList:
    """A page of releases for one platform, the newest first; `platforms` are all that there are releases for."""

    stream: BaseStream
    platform: str
    platforms: tuple[str, ...]
    rows: tuple[ListedRelease, ...]
    total: int
    page: int
    pages: int


def release_list(pk: int, platform: str, page: int, today: date) -> ReleaseList:
    """A page of the releases for a platform ("": the most used). Three queries. Raises NOT_FOUND."""
    stream = BaseStream.objects.filter(pk=pk).first()
    if stream is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such base image.", next_step="Look for it by name in Base images."
        )
    counts, releases, platforms = _read(pk, today)
    chosen = platform or next(iter(platforms), "")
    listed = [release for release in releases if release.platform == chosen]
    pages = max(1, -(-len(listed) // PAGE_SIZE))
    page = min(max(1, page), pages)
    rows = tuple(_row(release, counts) for release in listed[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    return ReleaseList(stream, chosen, platforms, rows, len(listed), page, pages)


def every_release(pk: int, platform: str, today: date) -> list[ListedRelease]:
    """All releases for a platform ("": for all), the newest first. Two queries."""
    counts, releases, _ = _read(pk, today)
    return [_row(release, counts) for release in releases if platform in ("", release.platform)]


def _read(pk: int, today: date) -> tuple[UseCounts, list[BaseRelease], tuple[str, ...]]:
    """What runs each release, the releases, and their platforms, the most used first."""
    counts = count_uses(pk, (), today, over=False)
    releases = list(BaseRelease.objects.filter(stream=pk).order_by("-created_at", "pk").only(*COLUMNS))
    used = Counter({release.platform: 0 for release in releases})
    for release in releases:
        used[release.platform] += counts.aliases_on[release.pk]
    platforms = tuple(sorted(used, key=lambda name: (-used[name], name)))
    return counts, releases, platforms


def _row(release: BaseRelease, counts: UseCounts) -> ListedRelease:
    return ListedRelease(
        *(release.pk, label(release), release.platform, release.created_at, release.current),
        release.manifest_digest,
        functions=sum(each.functions for each in counts.among(Asked(release.pk))),
        aliases=counts.aliases_on[release.pk],
    )
