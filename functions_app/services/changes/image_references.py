"""What people type for an image: a tag, a digest or its beginning, REPOSITORY:TAG, REPOSITORY@DIGEST, ECR's address."""

import re
from dataclasses import dataclass

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.refs import ImageRef, is_digest, is_repository, is_tag, repository_of
from functions_app.models import Function, Image, Repository, Tag

_SCHEME = re.compile(r"(?:https?|docker|oci)://")
_DIGITS = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")
# Fewer digits with nothing that says so are a build's number; so many are how Drydock itself shows a digest.
_BARE = re.compile(r"[0-9a-fA-F]{12,64}")
_LOOKED_AT = 50  # images whose digests begin alike


def repository_uri(function: Function) -> str:
    """HOST/NAME of the repository the function is deployed from; '' while that is not known."""
    return repository_of(function.image_uri)


def read_reference(text: str, function: Function) -> ImageRef:
    """Read what was chosen or typed for a function; what names no host is of its own repository, then of its region.

    Two queries at most. Raises INVALID, saying what can be written, and AMBIGUOUS.
    """
    given, own = _SCHEME.sub("", text.strip(), count=1), repository_uri(function)
    if not given:
        raise DrydockError(Code.INVALID, "Choose an image from the list, or type its tag or digest.")
    name, sign, end = given.rpartition("@")
    if sign or given.startswith(("sha256:", "sha512:")):
        return _by_digest(_repository(name, function), end, function, given)
    if _BARE.fullmatch(given) and not Tag.objects.filter(repository__uri=own, name=given).exists():
        return _by_digest("", given, function, given)
    if own and is_tag(given.removeprefix(":")):
        return ImageRef.parse(f"{own}:{given.removeprefix(':')}")
    name, _, tag = given.rpartition(":")
    reference = ImageRef.parse(f"{_repository(name, function)}:{tag}" if name and is_tag(tag) else given).canonical
    if not reference.reference:
        raise DrydockError(
            Code.INVALID,
            f"{given} names a repository, but no image in it.",
            next_step="Add :TAG or @sha256:DIGEST.",
        )
    return reference


@dataclass(frozen=True)
class Understood:
    """What was typed, read: digest or tag, the repository it is in, and the tags that the digest has now."""

    reference: str
    repository: str
    digest: str
    tags: tuple[str, ...]


def understood(text: str, function: Function) -> Understood | None:
    """What is typed as a list says it back; None for what names no image, or several. Three queries at most."""
    try:
        read = read_reference(text, function) if text.strip() else None
    except DrydockError:  # words to search for, or half a reference: said where it is planned with
        return None
    if read is None:
        return None
    tags = Tag.objects.filter(repository__uri=read.name, digest=read.digest) if read.digest else Tag.objects.none()
    names = tags.order_by("-since", "-name").values_list("name", flat=True)[:4]
    return Understood(read.reference, read.repository, read.digest, tuple(names))


def _repository(name: str, function: Function) -> str:
    """HOST/NAME for a repository's name alone, where the function's region has it: of its own account first."""
    if not is_repository(name):
        return name
    found = Repository.objects.filter(name=name, region=function.region, gone_at=None).order_by("uri")
    rows = list(found.values_list("account_id", "uri"))
    own = [uri for account, uri in rows if account == function.account_id]
    if len(rows) > 1 and not own:
        raise DrydockError(
            Code.AMBIGUOUS,
            f"{len(rows)} repositories are called {name}.",
            next_step=f"Name one with its host: {', '.join(uri for _, uri in rows[:3])}",
        )
    return (own or [uri for _, uri in rows] or [name])[0]


def _by_digest(repository: str, end: str, function: Function, given: str) -> ImageRef:
    """The image of this digest, or whose digest begins so; in `repository` alone, where one is named."""
    own, whole = repository_uri(function), is_digest(end)
    found = _found(repository, end, function)
    if not found:
        if whole and (repository or own):
            return ImageRef.parse(f"{repository or own}@{end}").canonical
        if own and is_tag(given):
            return ImageRef.parse(f"{own}:{given}")
        raise _nothing_begins_so(given, end)
    if len({digest for _, digest in found}) > 1:
        raise DrydockError(
            Code.AMBIGUOUS,
            f"{len(found)} images begin with {given[:80]}.",
            next_step=f"Type more of it: {', '.join(digest[7:31] for _, digest in found[:3])}",
        )
    return ImageRef.parse("@".join(found[0]))


def _found(repository: str, end: str, function: Function) -> list[tuple[str, str]]:
    """Repository's URI and digest of what begins so and is there: only the nearest to the function. One query."""
    match = _DIGITS.fullmatch(end.lower())
    if match is None:
        return []
    # A range, which an index serves; a prefix with LIKE is a scan on SQLite. After f comes g.
    rows = Image.objects.filter(digest__gte=f"sha256:{match[1]}", digest__lt=f"sha256:{match[1]}g", gone_at=None)
    rows = rows.filter(repository__region=function.region, repository__gone_at=None)
    if repository:
        rows = rows.filter(repository__uri=ImageRef.parse(repository).canonical.name)
    known = rows.order_by("repository__uri", "digest").values_list(
        "repository__uri", "repository__account_id", "digest"
    )[:_LOOKED_AT]
    own = repository_uri(function)
    far = [(0 if uri == own else 1 if account == function.account_id else 2) for uri, account, _ in known]
    return [(uri, digest) for (uri, _, digest), at in zip(known, far, strict=True) if at == min(far)]


def _nothing_begins_so(given: str, end: str) -> DrydockError:
    if _DIGITS.fullmatch(end.lower()):
        return DrydockError(
            Code.INVALID,
            f"{given[:80]!r} is not a whole digest, and begins no image that Drydock knows in the function's region.",
            next_step="Sync, if it was pushed just now, or type the whole digest.",
        )
    return DrydockError(
        Code.INVALID,
        f"{given[:80]!r} is not a whole digest.",
        next_step="A digest is sha256: and 64 digits of 0-9 and a-f. Copy it from the list.",
    )
