"""Read a base stream from its registry: what the moving tag points to, and the releases before it by their tags.

Nothing is stored here, so that streams can be read in parallel. A moving tag that did not move costs one HEAD, and
once a day the list of tags, which alone tells of a release that moved no other tag.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from functions_app.domain.bases.history import NOTHING_READ, Progress, newer
from functions_app.domain.bases.release_tags import DatedTag, TagRule, newest_before
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease, BaseStream
from functions_app.registry.client import Registry
from functions_app.services.bases.release_reader import ReleaseReader

BACKFILL = 20  # tags of earlier releases that are asked for at one poll of a stream
LOOKUPS = 12  # of them at most, for releases that images claim or suggest
BEFORE = 3  # tags before the day on which an image was built


@dataclass(frozen=True)
class Wanted:
    """Releases that images may stand on: by their tags, and by the days on which those images were built."""

    tags: frozenset[str] = frozenset()
    moments: tuple[datetime, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or self.moments)


NOTHING_WANTED = Wanted()


@dataclass(frozen=True)
class Known:
    """What is known of a stream before it is read.

    `tag_digest` is what its tag pointed to when all there was could be read; empty where it must be read anew.
    `digests`, `tags` and `manifests` (with their platforms) are those of releases that need not be read again;
    `incomplete` the digests of those that were kept without all that is to be known of them, with their tags.
    """

    tag_digest: str = ""
    digests: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    manifests: Mapping[str, str] = field(default_factory=dict)
    incomplete: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = NOTHING_READ
    wanted: Wanted = NOTHING_WANTED

    def leaves_something(self, now: datetime) -> bool:
        """Whether earlier releases are to be read, or looked for, although the tag did not move."""
        looked_up = {*self.progress.missing, *self.progress.read, *self.tags}
        missing = [digest for digest in self.incomplete if digest not in self.progress.missing]
        more = not self.progress.done or self.progress.to_be_listed(now)
        return bool(more or missing or self.wanted.tags - looked_up)


@dataclass(frozen=True)
class CurrentReading:
    """The releases `digest` stands for: those read, and by their manifest those known, with the digest around each.

    `problem`: what could not be read, try again. `broken_off`: it was not asked for everything.
    """

    digest: str
    releases: tuple[BaseRelease, ...]
    kept: Mapping[str, str]
    problem: Problem | None = None
    broken_off: bool = False


@dataclass(frozen=True)
class PastReading:
    """Earlier releases; `names` are tags of digests that are known, `tags` all that fit, the newest first."""

    releases: tuple[BaseRelease, ...]
    names: Mapping[str, str]
    tags: tuple[str, ...]
    progress: Progress
    problem: Problem | None = None


def read_current(registry: Registry, stream: BaseStream, ref: ImageRef, known: Known) -> CurrentReading | None:
    """Read what a stream's tag points to, or give None when it did not move.

    The releases are rows that are not saved and have no stream yet. Raises DrydockError when the tag cannot be read.
    """
    head = registry.head(ref.repository, ref.tag, unless=known.tag_digest)
    if head is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{ref.name} has no tag {ref.tag}.",
            next_step="Check the stream's reference, or switch the stream off.",
        )
    if head.digest == known.tag_digest:
        return None
    found = ReleaseReader(registry, stream, ref.repository, known.manifests).current(head.digest)
    return CurrentReading(head.digest, tuple(found.releases), found.kept, found.problem, found.broken_off)


def read_past(
    registry: Registry,
    stream: BaseStream,
    ref: ImageRef,
    tags: Callable[[], Iterable[str]],
    known: Known,
    now: datetime,
) -> PastReading:
    """Read some of the earlier releases: those that came since, those that images may stand on, then ever older ones.

    What was read before an error is kept, and the next poll goes on from there.
    """
    past = _Past(registry, stream, ref, known)
    history: list[DatedTag] = []
    problem: Problem | None = None
    try:
        history = TagRule(ref.tag, stream.own, stream.tag_pattern).history(tags())
        past.read(history)
    except DrydockError as error:
        problem = error.problem
    progress = past.progress
    if history or not problem:
        progress = progress.listed(history, past.asked, known.wanted.tags, now)
    names = {digest: tag.tag for digest, tag in past.names.items()}
    return PastReading(tuple(past.releases), names, tuple(each.tag for each in history), progress, problem)


class _Past:
    """Reads tags of one stream's history, so many at a time."""

    def __init__(self, registry: Registry, stream: BaseStream, ref: ImageRef, known: Known) -> None:
        self._registry, self._repository, self._known = registry, ref.repository, known
        self._reader = ReleaseReader(registry, stream, ref.repository, known.manifests)
        self._rule = TagRule(ref.tag, stream.own, stream.tag_pattern)
        self.releases: list[BaseRelease] = []
        self.names: dict[str, DatedTag] = {}
        self.progress = known.progress
        self.asked = {*known.tags, *known.progress.read}
        self._left = BACKFILL

    def read(self, history: Sequence[DatedTag]) -> None:
        """Read as much as one poll may. Raises DrydockError for what another try may mend."""
        self._onwards(newer(history, self.asked))
        self._incomplete()
        self._look_up(history)
        self._onwards(history)

    def _onwards(self, tags: Iterable[DatedTag]) -> None:
        for tag in tags:
            if tag.tag in self.asked:
                continue
            if self._left <= 0:
                return
            self._ask(tag)
            self.asked.add(tag.tag)  # it is listed: whoever has nothing behind it need not be asked again

    def _incomplete(self) -> None:
        missing = [digest for digest in self._known.incomplete if digest not in self.progress.missing]
        for digest in missing[: self._left]:
            self._left -= 1
            found = self._reader.earlier(digest, self._known.incomplete[digest])
            self.releases += found
            self.progress = self.progress if found else self.progress.in_vain([digest])

    def _look_up(self, history: Sequence[DatedTag]) -> None:
        listed = {each.tag: each for each in history}
        claimed = [listed.get(tag, DatedTag((), tag)) for tag in sorted(self._known.wanted.tags)]
        near = [each for at in self._known.wanted.moments for each in newest_before(history, at, BEFORE)]
        new = [each for each in dict.fromkeys((*claimed, *near)) if each.tag not in self.asked]
        # What was asked for in vain may have been pushed since.
        new = [each for each in new if each.tag in listed or each.tag not in self.progress.missing]
        for tag in new[: min(LOOKUPS, self._left)]:
            if self._ask(tag) or tag.tag in listed:
                self.asked.add(tag.tag)
            else:
                self.progress = self.progress.in_vain([tag.tag])

    def _ask(self, tag: DatedTag) -> bool:
        """Read the release behind a tag, unless it is known; whether there is such a tag."""
        self._left -= 1
        head = self._registry.head(self._repository, tag.tag)
        if head is None:
            return False
        if head.digest in self._known.digests or head.digest in self._reader.seen:
            self.names[head.digest] = max(tag, self.names.get(head.digest, tag))
        else:
            self.releases += self._reader.earlier(head.digest, tag.tag)
        return True
