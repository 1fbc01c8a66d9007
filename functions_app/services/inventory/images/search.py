"""Images by what people have at hand: the beginning of a digest, or a tag."""

import re
from dataclasses import dataclass

from django.db.models import Q

from functions_app.models import Image, Tag

FOUND = 20
DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")


@dataclass(frozen=True)
class FoundImage:
    """An image that a search found."""

    pk: int
    digest: str
    uri: str
    account: str
    colour: str
    tags: tuple[str, ...]
    gone: bool


def find_images(search: str, within: Q | None = None) -> tuple[FoundImage, ...]:
    """Images whose digest begins so, or that have exactly this tag, the newest first. Three queries, none for nothing.

    More than one word is no digest and no tag. `within`: what must be of the repository (`repository__...`).
    """
    word, within = search.strip(), within or Q()
    if not word or " " in word:
        return ()
    named = (
        Tag.objects.filter(within, name=word)
        .order_by("-since", "repository_id")
        .values_list("repository_id", "digest")[:FOUND]
    )
    pairs = set(named)
    wanted = Q(repository_id__in={repository for repository, _ in pairs}, digest__in={digest for _, digest in pairs})
    if match := DIGEST.fullmatch(word.lower()):
        # A range, which an index serves; a prefix with LIKE is a scan on SQLite. After f comes g.
        wanted |= Q(digest__gte=f"sha256:{match[1]}", digest__lt=f"sha256:{match[1]}g")
    elif not pairs:
        return ()
    rows = (
        Image.objects.filter(wanted, within)
        .order_by("gone_at", "-pushed_at", "pk")
        .values_list(
            "pk", "digest", "repository_id", "repository__uri", "repository__account__name",
            "repository__account__colour", "gone_at",
        )[: 2 * FOUND]
    )  # fmt: skip
    found = [row for row in rows if match or (row[2], row[1]) in pairs][:FOUND]
    tags: dict[tuple[int, str], list[str]] = {}
    held = Tag.objects.filter(repository_id__in={row[2] for row in found}, digest__in={row[1] for row in found})
    for repository, digest, name in held.order_by("name").values_list("repository_id", "digest", "name"):
        tags.setdefault((repository, digest), []).append(name)
    return tuple(
        FoundImage(pk, digest, uri, account, colour, tuple(tags.get((repository, digest), ())), gone_at is not None)
        for pk, digest, repository, uri, account, colour, gone_at in found
    )
