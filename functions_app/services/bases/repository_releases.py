"""Releases of a company's base that nobody polled: images of its own repository, where that is synced.

The moving tag may have passed over a release between two polls, or before the first. ECR still lists its image, and
says when it was pushed. Which of a repository's images are releases is told by their tags, now or before; where a
repository is one stream's alone and nothing else is tagged in it, images without a tag are what the moving tag left.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from functions_app.domain.bases.release_tags import TagRule
from functions_app.domain.errors import DrydockError
from functions_app.domain.images.manifests import Platform, chain_ids
from functions_app.domain.rebase.tags import is_rebased
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseRelease, BaseStream, Image, Repository, Tag, TagMove
from functions_app.services.bases.release_dating import date_releases
from functions_app.services.bases.streams import fits

COLUMNS = ("digest", "os", "architecture", "variant", "diff_ids", "layers", "created_at")
DATED = (
    "platform", "chain_id", "manifest_digest", "index_digest", "tag", "built_at", "created_at", "first_seen_at",
    "returned_at", "current",
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """What names an image as a release: a tag (empty: one that it had, or none), and the index that holds it."""

    tag: str
    index_digest: str = ""


def find_releases(now: datetime) -> int:
    """Keep the releases of company streams that lie in synced repositories and are not known yet; how many are new.

    Two queries for each such stream, four more where its repository holds something that is not known; layers are read
    of those images alone that are named as releases. What they hold beside their layers is read by the next poll.
    """
    streams = list(BaseStream.objects.filter(own=True, enabled=True))
    refs = {stream.pk: ref for stream in streams if (ref := _ref(stream))}
    names = {ref.name for ref in refs.values()}
    repositories = {row.uri: row for row in Repository.objects.filter(uri__in=names, gone_at=None)} if names else {}
    streams_of: dict[str, list[BaseStream]] = defaultdict(list)
    for stream in streams:
        if stream.pk in refs and refs[stream.pk].name in repositories:
            streams_of[refs[stream.pk].name].append(stream)
    return sum(
        _find(stream, refs[stream.pk].tag, repositories[name], alone=len(members) == 1, now=now)
        for name, members in streams_of.items()
        for stream in members
    )


def _ref(stream: BaseStream) -> ImageRef | None:
    try:
        return ImageRef.parse(stream.reference)
    except DrydockError:
        return None


def _find(stream: BaseStream, moving: str, repository: Repository, *, alone: bool, now: datetime) -> int:
    releases = list(stream.releases.order_by().values_list("platform", "chain_id", "manifest_digest"))
    known, held = {row[:2] for row in releases}, {row[2] for row in releases}
    images = Image.objects.filter(repository=repository, is_index=False, inspected_at__isnull=False)
    candidates = images.exclude(diff_ids=[]).exclude(os__in=["", "unknown"])
    digests = set(candidates.order_by().values_list("digest", flat=True)) - held
    if not digests:
        return 0
    named = _named(stream, moving, repository, digests, alone=alone)
    found = candidates.filter(digest__in=digests & named.keys()).order_by("pushed_at", "pk")
    fresh: dict[tuple[str, str], BaseRelease] = {}
    for digest, os, architecture, variant, diff_ids, layers, created_at in found.values_list(*COLUMNS):
        platform, chain = str(Platform(os, architecture, variant)), chain_ids(diff_ids)[-1]
        if (platform, chain) in known or not fits(platform, stream):
            continue
        fresh[platform, chain] = BaseRelease(
            stream=stream,
            platform=platform,
            chain_id=chain,
            diff_ids=diff_ids,
            layers=layers,
            manifest_digest=digest,
            index_digest=named[digest].index_digest,
            tag=named[digest].tag[:120],
            built_at=created_at,
            first_seen_at=now,
            size_bytes=sum(layer.get("size", 0) for layer in layers),
        )
    return _store(stream, list(fresh.values())) if fresh else 0


@transaction.atomic
def _store(stream: BaseStream, fresh: list[BaseRelease]) -> int:
    BaseStream.objects.select_for_update().get(pk=stream.pk)
    known = list(stream.releases.only(*DATED))
    taken = {(row.platform, row.chain_id) for row in known}
    fresh = [row for row in fresh if (row.platform, row.chain_id) not in taken]
    date_releases(stream, known, fresh, [row for row in known if row.current], ())
    for row in fresh:
        row.save(force_insert=True)
    return len(fresh)


def _named(
    stream: BaseStream, moving: str, repository: Repository, digests: Iterable[str], *, alone: bool
) -> Mapping[str, Named]:
    """Of these images those that are releases. What the moving tag points to now is left to the poll."""
    rule = TagRule(moving, stream.own, stream.tag_pattern)
    tags = dict(Tag.objects.filter(repository=repository).values_list("name", "digest"))
    children = _children(repository)
    named: dict[str, Named] = {}
    for was in TagMove.objects.filter(repository=repository).exclude(from_digest="").order_by("pk"):
        if was.tag == moving or rule.names(was.tag):
            _add(named, children, was.from_digest, "" if was.tag == moving else was.tag)
    history = [each.tag for each in rule.history(tags)]
    if alone and {tag for tag in tags if not is_rebased(tag)} <= {moving, *history}:
        tagged = {*tags.values(), *(child for digest in tags.values() for child in children.get(digest, ()))}
        of_an_index = {child for each in children.values() for child in each}
        for digest in digests:
            if digest not in tagged and digest not in of_an_index:
                named.setdefault(digest, Named(""))
    for tag in reversed(history):
        _add(named, children, tags[tag], tag)
    for digest in (tags.get(moving, ""), *children.get(tags.get(moving, ""), ())):
        named.pop(digest, None)
    return named


def _add(named: dict[str, Named], children: Mapping[str, list[str]], digest: str, tag: str) -> None:
    named[digest] = Named(tag)
    for child in children.get(digest, ()):
        named[child] = Named(tag, digest)


def _children(repository: Repository) -> Mapping[str, list[str]]:
    """The images in each index of a repository."""
    indexes = Image.objects.filter(repository=repository, is_index=True).values_list("digest", "entries")
    return {digest: [entry["digest"] for entry in entries or ()] for digest, entries in indexes}
