"""Images by what people have at hand: the beginning of a digest, or a tag."""

import re
from dataclasses import dataclass

from django.db.models import Q

from functions_app.domain.images.roles import Role
from functions_app.domain.pasted.reading import read
from functions_app.domain.pasted.things import DigestStart, ImageNamed
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
    runs: bool  # a function could run it: no index, no part of one, no artifact


def of_repository(thing: ImageNamed, path: str = "") -> Q:
    """What must be of the repository that a pasted text names; `path` leads to it ("repository__")."""
    place = {f"{path}region": thing.region, f"{path}account__account_id": thing.account}
    return Q(**{f"{path}name": thing.repository}, **{name: value for name, value in place.items() if value})


def find_images(search: str, within: Q | None = None) -> tuple[FoundImage, ...]:
    """Images whose digest begins so, that have exactly this tag, or that a reference names; the newest first.

    Six queries at most, none for nothing: more than one word is no digest and no tag. `within`: what must be of the
    repository (`repository__...`).
    """
    things = read(search)
    for thing in things:
        if isinstance(thing, ImageNamed) and (thing.digest or thing.tag):
            named = (within or Q()) & of_repository(thing, "repository__")
            if found := _called(thing.digest or thing.tag, named):
                return found
    start = next((thing.digits for thing in things if isinstance(thing, DigestStart)), "")
    return _called(start or search.strip(), within or Q())


def _called(word: str, within: Q) -> tuple[FoundImage, ...]:
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
            "repository__account__colour", "gone_at", "role",
        )[: 2 * FOUND]
    )  # fmt: skip
    found = [row for row in rows if match or (row[2], row[1]) in pairs][:FOUND]
    tags: dict[tuple[int, str], list[str]] = {}
    held = Tag.objects.filter(repository_id__in={row[2] for row in found}, digest__in={row[1] for row in found})
    for repository, digest, name in held.order_by("name").values_list("repository_id", "digest", "name"):
        tags.setdefault((repository, digest), []).append(name)
    return tuple(
        FoundImage(
            pk, digest, uri, account, colour, tuple(tags.get((repository, digest), ())), gone_at is not None,
            role == Role.IMAGE,
        )
        for pk, digest, repository, uri, account, colour, gone_at, role in found
    )  # fmt: skip
