"""The audit table as its page shows it: who did what, with which plan and result; refused attempts too."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet

from functions_app import clock
from functions_app.domain import audit_words
from functions_app.domain.moments import moment
from functions_app.models import AuditEntry
from functions_app.services.inventory.runs.run_facts import facts
from functions_app.services.people.actor import named

PAGE = 50
REFUSED, DONE = "refused", "done"  # the statuses of an entry
OF_SIGN_INS = Q(action__in=audit_words.SIGN_INS)


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted; nothing given: any. Several kinds mean any of them, all else must hold together."""

    person: str = ""  # a part of a name
    about: str = ""  # a part of the action, its words or the target
    function: str = ""  # a part of a name
    kind: tuple[str, ...] = ()  # audit_words.FAMILIES
    status: str = ""  # REFUSED or DONE
    since: str = ""  # as domain.moments has it
    until: str = ""
    sign_ins: bool = True
    addresses: bool = False  # who asks may see from where people sign in: an administrator

    @property
    def narrows(self) -> bool:
        """Whether it leaves any entry out, but for sign-ins."""
        return replace(self, sign_ins=True, addresses=False) != AuditFilter()


@dataclass(frozen=True)
class AuditRow:
    """An entry; `facts` are those of the plan."""

    at: datetime
    actor_name: str
    action: str
    words: str
    target: str
    result: str
    run_id: int | None
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class AuditList:
    """One page of entries, the newest first; `total` of those wanted, `sign_ins` beside them that are folded away."""

    rows: tuple[AuditRow, ...]
    total: int
    number: int
    last: int
    sign_ins: int


def audit_list(wanted: AuditFilter, page: int) -> AuditList:
    """A page of entries, the newest first. Two queries."""
    every = filtered(replace(wanted, sign_ins=True)).order_by()
    counts = every.aggregate(every=Count("pk"), sign_ins=Count("pk", filter=OF_SIGN_INS))
    folded = 0 if wanted.sign_ins else counts["sign_ins"]
    paginator = Paginator(filtered(wanted), PAGE)
    paginator.count = counts["every"] - folded
    current = paginator.get_page(page)
    rows = tuple(audit_row(entry, addresses=wanted.addresses) for entry in current)
    return AuditList(rows, paginator.count, current.number, paginator.num_pages, folded)


def filtered(wanted: AuditFilter) -> QuerySet[AuditEntry]:
    """The entries that are wanted, the newest first."""
    found, now = AuditEntry.objects.all(), clock.now()
    if wanted.person:
        found = found.filter(actor_name__icontains=wanted.person)
    if wanted.about:
        found = found.filter(_about(wanted))
    if wanted.function:
        found = found.filter(target__icontains=f":function:{wanted.function}")
    if wanted.kind:
        found = found.filter(_of_kinds(wanted.kind))
    if wanted.status == REFUSED:
        found = found.filter(result__startswith="refused")
    elif wanted.status == DONE:
        found = found.exclude(result__startswith="refused")
    if since := moment(wanted.since, now):
        found = found.filter(at__gte=since)
    if until := moment(wanted.until, now, end=True):
        found = found.filter(at__lt=until)
    return found if wanted.sign_ins else found.exclude(OF_SIGN_INS)


def _about(wanted: AuditFilter) -> Q:
    """Who may not see an address does not find by it either."""
    at = Q(target__icontains=wanted.about)
    if not wanted.addresses:
        at &= ~Q(action__in=audit_words.WITH_ADDRESSES)
    return at | Q(action__icontains=wanted.about) | Q(action__in=audit_words.actions_said(wanted.about))


def _of_kinds(kinds: tuple[str, ...]) -> Q:
    wanted = Q()
    for action in (action for kind in kinds for action in audit_words.actions_of(kind)):
        wanted |= Q(action__startswith=action) if action.endswith(".") else Q(action=action)
    return wanted


def audit_row(entry: AuditEntry, *, addresses: bool) -> AuditRow:
    """An entry as lists show it; `addresses`: with those from which people sign in."""
    target = entry.target if addresses else audit_words.without_address(entry.action, entry.target)
    return AuditRow(
        entry.at,
        named(entry.actor_name, entry.via),
        entry.action,
        audit_words.in_words(entry.action),
        target,
        entry.result,
        entry.run_id,
        facts(entry.plan),
    )
