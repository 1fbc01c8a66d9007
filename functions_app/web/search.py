"""One box: what a pasted text names, then what can be done with it. As a page, and as what the box lists."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from functions_app.domain.pasted.reading import LONGEST
from functions_app.domain.pasted.things import (
    AccountNumber,
    DigestStart,
    FunctionNamed,
    ImageNamed,
    LogGroup,
    LogStream,
    OwnPage,
    RunNumber,
    Words,
)
from functions_app.domain.text import counted, storable
from functions_app.services.inventory.anything.find import find
from functions_app.services.inventory.anything.found import Found
from functions_app.services.people import access
from functions_app.web.html.badges import run_status
from functions_app.web.html.chips import account, short
from functions_app.web.http import HtmxHttpRequest, actor_of, page
from functions_app.web.search_verbs import Option, verbs

FUNCTIONS, IMAGES, REPOSITORIES, RUNS = "Functions", "Images", "Repositories", "Runs"
BASES, ACCOUNTS, OWNERS = "Base images", "Accounts", "Owners"
ORDER = (FUNCTIONS, REPOSITORIES, IMAGES, RUNS, ACCOUNTS, BASES, OWNERS)
LEADING = {  # before functions
    AccountNumber: (ACCOUNTS,),
    RunNumber: (RUNS,),
    DigestStart: (IMAGES,),
    ImageNamed: (IMAGES, REPOSITORIES),
}
READ_THERE = "Is it in an account and region that are read? Settings, Accounts, says which."
TRIES = {
    FunctionNamed: READ_THERE,
    LogGroup: f"No image function writes to it, as far as is known. {READ_THERE}",
    LogStream: "A stream tells the version alone: paste its log group in front of it.",
    ImageNamed: READ_THERE,
    DigestStart: "An image that ECR no longer has is known only while a version runs it.",
    RunNumber: "Old runs are tidied away. The list of runs says which are kept.",
    AccountNumber: "It is not among the accounts that are read: Settings, Accounts.",
    OwnPage: "What it showed is gone.",
    Words: "Try a part of the name, or paste an ARN, a log group, an image or an address of the AWS console.",
}


@dataclass(frozen=True)
class Group:
    """Options under a heading."""

    title: str
    options: tuple[Option, ...]


@require_safe
def search(request: HtmxHttpRequest) -> HttpResponse:
    """The page, or (for htmx) the options alone."""
    text = storable(request.GET.get("q", "")[:LONGEST]).strip()
    actor = actor_of(request)
    found = find(text, actor.reach)
    groups = _groups(text, found, changes=access.is_operator(actor))
    context = {"q": text, "groups": groups, "told": _told(found, groups), "try": _try(found)}
    return page(request, "search/search.html", context, partial="options")


def _groups(text: str, found: Found, *, changes: bool) -> list[Group]:
    """What was found, the kind first that the text was read as, and what can be done with the first where it is one."""
    lines = {
        FUNCTIONS: _functions(text, found),
        IMAGES: _images(found),
        REPOSITORIES: _repositories(found),
        RUNS: _runs(found),
        BASES: (Option("stack-back", row.name, reverse("base", args=[row.pk]), row.reference) for row in found.bases),
        ACCOUNTS: _accounts(found),
        OWNERS: _owners(found),
    }
    leading = LEADING.get(type(found.things[0]), ()) if found.things else ()
    order = (*leading, *(title for title in ORDER if title not in leading))
    groups = [Group(title, options) for title in order if (options := tuple(lines[title]))]
    if groups:
        what, options = verbs(found, groups[0].title == FUNCTIONS, changes=changes)
        groups[1:1] = [Group(f"With {what}", options)] if options else []
    return groups


def _functions(text: str, found: Found) -> Iterator[Option]:
    for row in found.functions:
        told = f"no alias {found.missing_alias}" if found.missing_alias else ""
        said = " · ".join(filter(None, [row.place.region, row.owner, told, row.problem]))
        label = f"{row.name}:{row.qualifier}" if row.qualifier else row.name
        gone = "AWS has it no more · " if row.gone else ""
        chip = account(row.place.account, row.place.colour)
        yield Option("lambda", label, reverse("function", args=[row.pk]), gone + said, chip)
    if found.more_functions:
        yield Option("search", "All functions that match", f"{reverse('functions')}?{urlencode({'search': text})}")


def _images(found: Found) -> Iterator[Option]:
    for row in found.images:
        gone = "ECR has it no more" if row.gone else ""
        said = " · ".join(filter(None, [row.uri, ", ".join(row.tags[:4]), gone]))
        chip = account(row.account, row.colour)
        yield Option("stack-2", short(row.digest), reverse("image", args=[row.pk]), said, chip)


def _repositories(found: Found) -> Iterator[Option]:
    for row in found.repositories:
        chip = account(row.place.account, row.place.colour)
        yield Option("packages", row.name, reverse("repository", args=[row.pk]), row.place.region, chip)


def _runs(found: Found) -> Iterator[Option]:
    for row in found.runs:
        yield Option("player-play", f"Run {row.pk}", reverse("run", args=[row.pk]), row.title, run_status(row.status))


def _accounts(found: Found) -> Iterator[Option]:
    for row in found.accounts:
        href = f"{reverse('functions')}?{urlencode({'account': row.name})}"
        chip: SafeString = account(row.name, row.colour)
        yield Option("building-bank", f"Functions of {row.name}", href, row.number, chip)


def _owners(found: Found) -> Iterator[Option]:
    for row in found.owners:
        href = f"{reverse('functions')}?{urlencode({'search': row.name})}"
        yield Option("users", row.name, href, counted(row.functions, "function"))


def _told(found: Found, groups: list[Group]) -> str:
    """What is announced: how much was found, or what the text was read as."""
    if not found.things:
        return ""
    if found.nothing:
        return f"Nothing found. Read as {found.things[0].said}."
    counts = {FUNCTIONS: f"{len(found.functions)}{' and more' if found.more_functions else ''}"}
    return ", ".join(f"{group.title}: {counts.get(group.title, len(group.options))}" for group in groups)


def _try(found: Found) -> str:
    return TRIES[type(found.things[0])] if found.things and found.nothing else ""


urlpatterns: list[URLPattern] = [path("search/", search, name="search")]
