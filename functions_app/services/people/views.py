"""Views of the functions list that people keep: a filter under a name, for oneself or for all."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import holds_secret
from functions_app.domain.text import storable
from functions_app.domain.tokens import TokenScope
from functions_app.models import DefaultView, SavedView
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.services.people.pages import PageOf, page_of

MOST = 100  # views of a person
QUERY = 4000
OTHERS = ("page", "format", "view", "facet")  # in the address, and no part of a view


@dataclass(frozen=True)
class Draft:
    """What a view is to be; `default`: the list opens with it for whoever keeps it."""

    name: str
    query: str
    shared: bool = False
    default: bool = False


@dataclass(frozen=True)
class ViewRow:
    """A view in a list; `default`: the list of whoever looks opens with it, `own`: they keep it."""

    pk: int
    name: str
    query: str
    person: str
    shared: bool
    default: bool
    changed_at: datetime
    own: bool


def seen(actor: Actor) -> QuerySet[SavedView]:
    """One's own views and those that are shared, by name."""
    whose = Q(shared=True) | (Q(person=actor.person) if actor.person else Q())
    return SavedView.objects.filter(whose)


def find(pk: int, actor: Actor) -> SavedView:
    """One of those. Raises NOT_FOUND."""
    found = seen(actor).filter(pk=pk).first()
    if found is None:
        raise DrydockError(Code.NOT_FOUND, "There is no such view.", next_step="Look for it among the views.")
    return found


def save(draft: Draft, actor: Actor) -> SavedView:
    """Keep a view; one's own of that name is put in its place. Raises INVALID, and DENIED where who is no operator
    shares one or changes one that is shared.
    """
    _require(actor, "view.keep", draft.name)
    name, query = _checked(draft)
    before = SavedView.objects.filter(person=actor.person, name=name).first()
    if draft.shared or (before and before.shared):
        access.require_operator(actor, "view.share", f"view {name}")
    if before is None and SavedView.objects.filter(person=actor.person).count() >= MOST:
        raise DrydockError(Code.INVALID, f"One person has {MOST} saved views at most.", next_step="Delete some.")
    values = {"query": query, "shared": draft.shared, "changed_at": clock.now()}
    with transaction.atomic():
        view, _ = SavedView.objects.update_or_create(person=actor.person, name=name, defaults=values)
        if draft.shared or (before and before.shared):
            result = "shared" if draft.shared else "no longer shared"
            access.audit(actor, "view.share", str(view), {"query": query}, result)
        if not draft.shared:  # nobody's list opens with what they can't see
            DefaultView.objects.filter(view=view).exclude(person=actor.person).delete()
        if draft.default:
            DefaultView.objects.update_or_create(person=actor.person, defaults={"view": view})
    return view


def remove(pk: int, actor: Actor) -> None:
    """Take a view away: one's own; an administrator also what others share. Raises NOT_FOUND, DENIED."""
    _require(actor, "view.remove", str(pk))
    view = find(pk, actor)
    own = actor.person is not None and view.person_id == actor.person.pk
    if not own:
        words = "Whose view it is takes it away, or an administrator."
        access.require_administrator(actor, words, "view.remove", str(view))
    with transaction.atomic():
        view.delete()
        if view.shared:
            access.audit(actor, "view.remove", str(view), {"query": view.query}, "deleted")


def open_with(pk: int | None, actor: Actor) -> None:
    """Have one's list open with this view; None: with all functions. Raises NOT_FOUND."""
    _require(actor, "view.default", str(pk))
    if pk is None:
        DefaultView.objects.filter(person=actor.person).delete()
    else:
        DefaultView.objects.update_or_create(person=actor.person, defaults={"view": find(pk, actor)})


def opens_with(person: User) -> str:
    """The filter that somebody's list opens with, "" for none. No query where `backend` has read the person."""
    return str(getattr(person, "default_query", "") or "")


def listed(actor: Actor, number: int = 1) -> PageOf[ViewRow]:
    """A page of what somebody sees, by name. Three queries."""
    found, default = page_of(seen(actor).select_related("person"), number), default_of(actor)
    rows = tuple(row_of(view, actor, default) for view in found.rows)
    return PageOf(rows, found.total, found.number, found.last)


def default_of(actor: Actor) -> int | None:
    """The key of the view that somebody's list opens with. One query."""
    return DefaultView.objects.filter(person=actor.person).values_list("view", flat=True).first()


def row_of(view: SavedView, actor: Actor, default: int | None) -> ViewRow:
    """A view as somebody sees it."""
    own = actor.person is not None and view.person_id == actor.person.pk
    whose = view.person.get_username()
    return ViewRow(view.pk, view.name, view.query, whose, view.shared, view.pk == default, view.changed_at, own)


def _require(actor: Actor, action: str, target: str) -> None:
    """What somebody keeps for themselves a bot changes through the scope `admin`, and with no limits. Raises DENIED."""
    try:
        access.require_scopes(actor, {TokenScope.ADMIN})
        access.require_reach(actor, None)
    except DrydockError as error:
        access.audit(actor, action, f"view {target}", None, f"refused: {error}")
        raise


def _checked(draft: Draft) -> tuple[str, str]:
    """Its name, and its filter as an address has it."""
    name = storable(draft.name, 60).strip()
    if not name or holds_secret(name):
        raise DrydockError(Code.INVALID, "A view needs a name.", next_step="Say what it shows: “Stale in production”.")
    given = QueryDict(draft.query[:QUERY], mutable=True)
    for other in OTHERS:
        given.pop(other, None)
    query = given.urlencode()
    texts = [draft.query, *(text for name, values in given.lists() for text in (name, *values))]
    if max(len(query), len(draft.query)) > QUERY or any(storable(text) != text or holds_secret(text) for text in texts):
        raise DrydockError(Code.INVALID, "This filter can't be saved.", next_step="Filter by less, or by plain words.")
    return name, query
