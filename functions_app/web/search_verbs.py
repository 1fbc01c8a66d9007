"""What can be done with the one thing that a search found, by whoever looks: the lines below it in the box."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from functions_app.domain import aws_console
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.functions import LATEST
from functions_app.services.inventory.anything.find import ways_back_of
from functions_app.services.inventory.anything.found import Found, FoundFunction, FoundRepository
from functions_app.services.inventory.images.search import FoundImage
from functions_app.web.html.chips import short

PATCHED = (Freshness.STALE, Freshness.END_OF_LIFE)
BACKS = 3  # aliases to roll back that are offered by name
ELSEWHERE = "in the AWS console"


@dataclass(frozen=True)
class Option:
    """One line: it leads somewhere, in another tab with `outside`, or copies a text."""

    icon: str
    label: str
    href: str = ""
    detail: str = ""
    chip: str | SafeString = ""
    copy: str = ""
    outside: bool = False


def verbs(found: Found, functions_first: bool, *, changes: bool) -> tuple[str, tuple[Option, ...]]:
    """What the one thing is called, and what can be done with it; nothing where several may be meant.

    One query, for an operator's function.
    """
    function = found.the_function
    if function and (functions_first or not (found.images or found.repositories)):
        return function.name, tuple(_of_function(function, changes=changes))
    if len(found.images) == 1:
        return short(found.images[0].digest), tuple(_of_image(found.images[0], changes=changes))
    if len(found.repositories) == 1 and not found.images:
        return found.repositories[0].name, tuple(_of_repository(found.repositories[0]))
    return "", ()


def _of_function(row: FoundFunction, *, changes: bool) -> Iterator[Option]:
    if changes and not row.gone:
        yield from _changes(row)
    qualified = f"{row.arn}:{row.qualifier}" if row.qualifier else row.arn
    yield Option("copy", "Copy its ARN", copy=qualified, detail=qualified)
    yield from _outside("Open it", "" if row.gone else aws_console.function(row.place.region, row.name))
    group = row.log_group or f"/aws/lambda/{row.name}"
    yield from _outside("Open its log group", aws_console.log_group(row.place.region, group), group)


def _changes(row: FoundFunction) -> Iterator[Option]:
    """Each leads to a form, and none of them changes anything by itself."""
    alias = row.qualifier if not (row.qualifier.isdigit() or row.qualifier.startswith(LATEST)) else ""
    to = f"?{urlencode({'alias': alias})}" if alias else ""
    form = reverse("function-deploy", args=[row.pk])
    yield Option("rocket", f"Deploy an image to {alias}" if alias else "Deploy an image", form + to)
    if row.freshness in PATCHED:
        yield Option("bolt", "Patch its base", reverse("function-patch", args=[row.pk]))
    backs = [back for back in ways_back_of(row.pk) if alias in ("", back)]
    for back in backs[:BACKS]:
        yield Option("arrow-back-up", f"Roll back {back}", f"{form}#rollback")
    called = f"?{urlencode({'qualifier': row.qualifier})}" if row.qualifier else ""
    yield Option("send", "Invoke", reverse("function-invoke", args=[row.pk]) + called)


def _of_image(row: FoundImage, *, changes: bool) -> Iterator[Option]:
    if changes and row.runs and not row.gone:
        yield Option("rocket", "Deploy it to ...", reverse("image-deploy", args=[row.pk]))
    reference = f"{row.uri}@{row.digest}"
    yield Option("copy", "Copy its reference", copy=reference, detail=reference)
    yield from _outside("Open it", "" if row.gone else aws_console.image(row.uri, row.digest))


def _of_repository(row: FoundRepository) -> Iterator[Option]:
    yield Option("copy", "Copy its URI", copy=row.uri, detail=row.uri)
    yield from _outside("Open it", aws_console.repository(row.uri))


def _outside(what: str, href: str, detail: str = "") -> Iterator[Option]:
    if href:
        yield Option("external-link", f"{what} {ELSEWHERE}", href, detail, outside=True)
