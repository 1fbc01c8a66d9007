"""Which runs a list shows: by the names that the page's address and the API share."""

from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from functions_app import clock
from functions_app.domain.moments import moment
from functions_app.domain.runs import ACTIVE, Kind, Status
from functions_app.models import Run
from functions_app.services.people.actor import SCHEDULE

UNDER_WAY = "active"  # the status that a filter names for every run that has not ended
PEOPLE, THE_SCHEDULE, EVERYBODY = "people", "schedule", "everybody"  # who started it: bots act for people
BY = (PEOPLE, THE_SCHEDULE, EVERYBODY)


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted; nothing given: any. Several kinds mean any of them, all else must hold together.

    Runs that another keeps alive are wanted where `children` says so, or as those of one `parent`.
    """

    status: str = ""  # one of Status, or UNDER_WAY
    kind: tuple[str, ...] = ()
    parent: int | None = None
    children: bool = False
    by: str = EVERYBODY
    person: str = ""  # a part of a name
    function: str = ""  # a part of a name
    since: str = ""  # as domain.moments has it
    until: str = ""

    @property
    def narrows(self) -> bool:
        """Whether it leaves any run out, but for those that the schedule started."""
        return replace(self, by=EVERYBODY) != RunFilter()

    def scheduled(self) -> "RunFilter":
        """The same of the schedule's runs alone."""
        return replace(self, by=THE_SCHEDULE)


def filtered(wanted: RunFilter) -> QuerySet[Run]:
    """The runs that are wanted, the newest first."""
    found = Run.objects.filter(_when(wanted))
    if wanted.status == UNDER_WAY:
        found = found.filter(status__in=ACTIVE)
    elif wanted.status in set(Status):
        found = found.filter(status=wanted.status)
    if kinds := set(wanted.kind) & set(Kind):
        found = found.filter(kind__in=kinds)
    if wanted.parent is not None:
        found = found.filter(parent=wanted.parent)
    elif not wanted.children:
        found = found.filter(parent=None)
    if wanted.person:
        found = found.filter(actor_name__icontains=wanted.person)
    if wanted.function:
        found = found.filter(function__name__icontains=wanted.function)
    if wanted.by == THE_SCHEDULE:
        found = found.filter(via=SCHEDULE.via)
    elif wanted.by == PEOPLE:
        found = found.exclude(via=SCHEDULE.via)
    return found.order_by("-pk")


def _when(wanted: RunFilter) -> Q:
    within, now = Q(), clock.now()
    if since := moment(wanted.since, now):
        within &= Q(created_at__gte=since)
    if until := moment(wanted.until, now, end=True):
        within &= Q(created_at__lt=until)
    return within
