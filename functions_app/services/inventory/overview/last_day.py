"""The last 24 hours: changes, aliases that others moved, failures, base releases, images gone from ECR.

Five queries, one more where aliases moved, another where images are gone. Each finds its rows by their time alone, in
an index of it, and narrows them then: of a condition beside it SQLite would think that it tells fewer. Runs of people
and of the schedule are read apart: a sync that fails all day hides nobody's deployment.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, When

from functions_app.domain.images.roles import UNITS
from functions_app.domain.runs import Kind, Status
from functions_app.domain.text import counted
from functions_app.models import AliasMove, BaseRelease, Function, Image, Run, Version
from functions_app.services.people.actor import SCHEDULE
from functions_app.services.snapshot.alias_histories import own_moves

LENGTH = timedelta(hours=24)
READ = 300  # of each kind, unless fewer are asked for
CHANGES = (Kind.DEPLOYMENT, Kind.ROLLBACK, Kind.PATCH, Kind.UNDO)


class What(StrEnum):
    """What happened."""

    RUN = "run"
    MOVED = "moved"  # an alias, by somebody outside
    RELEASED = "released"  # of a base
    GONE = "gone"  # images, from ECR


@dataclass(frozen=True)
class Happened:
    """One thing that happened: to which function, by whom, and how it is taken back where that is one click.

    `version` is where `alias` pointed before; `undo`: the run is a patch that could be undone. `key` is the run's, the
    stream's or the repository's, by `what`.
    """

    what: What
    at: datetime
    title: str
    key: int = 0
    status: str = ""
    by: str = ""
    via: str = ""
    function_id: int = 0
    function: str = ""
    more: int = 0  # functions beside that one
    alias: str = ""
    version: str = ""
    undo: bool = False

    @property
    def by_people(self) -> bool:
        """Whether somebody did it, in Drydock or outside: read first."""
        return self.what is What.MOVED or (self.what is What.RUN and self.by != SCHEDULE.name)


@dataclass(frozen=True)
class LastDay:
    """People's first, then what came by itself, each the newest first, and whether more happened than was read."""

    people: tuple[Happened, ...]
    others: tuple[Happened, ...]
    more_by_people: bool
    more_by_itself: bool


def last_day(now: datetime, account_id: int | None = None, read: int = READ) -> LastDay:
    """Read the newest `read` of each kind, of one account or of all; base releases are everybody's."""
    since = now - LENGTH
    newest_moves, more_moves = _cut(_newest_moves(since, account_id, read + 1), read)
    moves = list(_moves(newest_moves))
    before = {move.run_id: (move.alias, move.before) for move in reversed(moves) if move.run_id}
    runs, more_runs = _cut(list(_runs(_of_people(since, account_id), before, read + 1)), read)
    failures, more_failures = _cut(list(_runs(_by_itself(since, account_id), before, read + 1)), read)
    released, more_released = _cut(list(_released(since, read + 1)), read)
    gone, more_gone = _cut(list(_gone(since, account_id, read + 1)), read)
    found = [*runs, *failures, *(_outside(move) for move in moves if not move.run_id), *released, *gone]
    cuts = ((moves, more_moves), (runs, more_runs), (failures, more_failures))
    whole_since = max((some[-1].at for some, more in cuts if more), default=since)
    newest = list(_last_of_each(sorted(found, key=lambda each: each.at, reverse=True), whole_since))
    return LastDay(
        tuple(each for each in newest if each.by_people),
        tuple(each for each in newest if not each.by_people),
        more_by_people=more_moves or more_runs,
        more_by_itself=more_failures or more_released or more_gone,
    )


def _cut(found: Sequence[Any], read: int) -> tuple[Sequence[Any], bool]:
    """As many as are read, and whether there are more."""
    return found[:read], len(found) > read


def _last_of_each(newest: Iterable[Happened], whole_since: datetime) -> Iterator[Happened]:
    """Only the last change of a function is taken back: another one stands on each before it.

    None before `whole_since`, where a change that was not read may stand on it.
    """
    changed = set()
    for each in newest:
        hidden = each.function_id in changed or each.at < whole_since
        yield replace(each, undo=False, version="") if hidden else each
        if each.what is What.MOVED or (each.what is What.RUN and each.status == Status.SUCCEEDED):
            changed.add(each.function_id)


@dataclass(frozen=True)
class _Move:
    function_id: int
    function: str
    alias: str
    version: str
    at: datetime
    run_id: int | None
    before: str


def _earlier() -> QuerySet[AliasMove]:
    """What was seen of the same alias before."""
    return AliasMove.objects.filter(function=OuterRef("function"), alias=OuterRef("alias"), pk__lt=OuterRef("pk"))


def _newest_moves(since: datetime, account_id: int | None, read: int) -> list[int]:
    """The keys of moves to elsewhere than an alias was seen at before; the first sight of one is no move."""
    there = Function.objects.filter(pk=OuterRef("function"), gone_at=None)
    if account_id is not None:
        there = there.filter(account=account_id)
    lately = own_moves().filter(Exists(_earlier()), Exists(there), at__gte=since)
    return list(lately.order_by("-at", "-pk").values_list("pk", flat=True)[:read])


def _moves(newest: Collection[int]) -> Iterator[_Move]:
    """By their keys, not by a query within this one: PostgreSQL would look for them among all moves."""
    found = AliasMove.objects.filter(pk__in=newest)
    rows = found.order_by("-at", "-pk").annotate(before=Subquery(_earlier().order_by("-pk").values("version")[:1]))
    for row in rows.values_list("function_id", "function__name", "alias", "version", "at", "run_id", "before"):
        if row[-1] is not None:
            yield _Move(*row)


def _outside(move: _Move) -> Happened:
    words = f"{move.alias} was moved from {move.before or 'nothing'} to {move.version}"
    return Happened(
        What.MOVED,
        move.at,
        words if move.version else f"{move.alias} was deleted",
        function_id=move.function_id,
        function=move.function,
        alias=move.alias,
        version=move.before if move.version and move.before != move.version else "",
    )


def _ended(since: datetime, account_id: int | None) -> QuerySet[Run]:
    """Changes that ended, and whatever failed."""
    told = Case(When(kind__in=CHANGES, then=True), When(status=Status.FAILED, parent=None, then=True), default=False)
    lately = Run.objects.filter(ended_at__gte=since).values("pk")
    found = Run.objects.annotate(told=told).filter(pk__in=lately, told=True)
    return found if account_id is None else found.filter(Q(function__account=account_id) | Q(account=account_id))


def _of_people(since: datetime, account_id: int | None) -> QuerySet[Run]:
    return _ended(since, account_id).exclude(actor_name=SCHEDULE.name)


def _by_itself(since: datetime, account_id: int | None) -> QuerySet[Run]:
    return _ended(since, account_id).filter(actor_name=SCHEDULE.name)


def _runs(found: QuerySet[Run], before: Mapping[int, tuple[str, str]], read: int) -> Iterator[Happened]:
    rows = found.order_by("-ended_at", "-pk").values_list(
        "pk", "kind", "status", "title", "actor_name", "via", "ended_at", "function_id", "function__name",
        "function__gone_at",
    )  # fmt: skip
    for pk, kind, status, title, by, via, at, function, name, gone_at in rows[:read]:
        done = status == Status.SUCCEEDED
        alias, version = before.get(pk, ("", "")) if done and kind == Kind.DEPLOYMENT else ("", "")
        if at:
            yield Happened(
                What.RUN, at, title, pk, status, by, via, function or 0, name or "", alias=alias, version=version,
                undo=done and kind == Kind.PATCH and not gone_at,
            )  # fmt: skip


def _released(since: datetime, read: int) -> Iterator[Happened]:
    """Releases of bases that came about and are the newest of their stream, one for all platforms."""
    rows = BaseRelease.objects.filter(current=True, created_at__gte=since, stream__enabled=True)
    named = rows.order_by().values_list("stream_id", "stream__name").annotate(at=Max("created_at"), tag=Max("tag"))
    for stream, name, at, tag in named.order_by("-at")[:read]:
        yield Happened(What.RELEASED, at, f"{name} {tag}".strip(), stream)


def _gone(since: datetime, account_id: int | None, read: int) -> Iterator[Happened]:
    """Images that ECR no longer has, by repository, with who had versions of them. Two queries."""
    images = Image.objects.filter(pk__in=Image.objects.filter(gone_at__gte=since).values("pk"), role__in=UNITS)
    if account_id is not None:
        images = images.filter(repository__account=account_id)
    rows = list(
        images.order_by()
        .values_list("repository_id", "repository__name")
        .annotate(at=Max("gone_at"), count=Count("pk"), ruled=Count("expiry_rule"))
        .order_by("-at")[:read]
    )
    if not rows:
        return
    users: dict[int, dict[int, str]] = {}
    named = Version.objects.filter(image__in=images, function__gone_at=None).order_by("function__name")
    for repository, function, name in named.values_list("image__repository_id", "function_id", "function__name")[:READ]:
        users.setdefault(repository, {})[function] = name
    for repository, name, at, count, ruled in rows:
        rule = f", {ruled} by its lifecycle policy's last forecast" if ruled else ""
        title = f"{counted(count, 'image')} of {name} no longer in ECR{rule}"
        known = users.get(repository, {})
        function, first = next(iter(known.items()), (0, ""))
        yield Happened(
            What.GONE, at, title, repository, function_id=function, function=first, more=max(0, len(known) - 1)
        )
