"""How many functions stand how, account by account, ready for the overview.

Whoever writes what is counted has it counted anew (`keep`) once that is committed: the end of a scope's reading, and
every refresh of summaries, which ends each sync, poll, change and policy. A count is one pass over one index.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.production import ANY
from functions_app.domain.fleet.states import RANK_UPDATE_FAILED
from functions_app.models import Account, AliasStanding, Function, FunctionCount
from functions_app.services.snapshot.bulk_updates import lock_rows, update_rows

BROKEN = RANK_UPDATE_FAILED  # and everything worse


class What(StrEnum):
    """What is counted. Its name or day says of which kind."""

    FRESHNESS = "freshness"  # by its name: all functions
    BROKEN = "broken"
    INACTIVE = "inactive"
    DRIFTED = "drifted"
    PARTLY_READ = "partly_read"
    UNRULED = "unruled"
    PRODUCTION = "production"  # by the worst freshness of the aliases with production traffic
    OVERDUE = "overdue"  # from a day on
    ENDING = "ending"  # on a day, by base
    UNKNOWN = "unknown"  # by reason
    COUNTED = "counted"  # 1: the account was counted at all


APART = (What.UNKNOWN, What.COUNTED)  # what `kept` does without
Key = tuple[What, str, date | None]
Counts = Counter[Key]
COLUMNS = (
    "freshness", "base_name", "state", "problem_rank", "drifted", "partly_read", "unruled", "overdue_on",
    "end_of_life_on",
)  # fmt: skip


def keep(account_ids: Collection[int] | None = None) -> bool:
    """Count these accounts' functions anew (None: all accounts); whether any changed. A constant number of queries.

    Accounts are held meanwhile: of two that count, the later sees what the earlier one's writers have committed.
    """
    with transaction.atomic():
        accounts = Account.objects.all() if account_ids is None else Account.objects.filter(pk__in=account_ids)
        held = lock_rows(accounts)
        wanted = {(pk, *key): number for pk, counts in count(held).items() for key, number in counts.items()}
        return _store(held, wanted)


def count(account_ids: Collection[int]) -> dict[int, Counts]:
    """Counts by account, from the functions themselves and how their aliases stand. Two queries."""
    found = {pk: Counts({(What.COUNTED, "", None): 1}) for pk in account_ids}
    there = Function.objects.filter(gone_at=None, account__in=account_ids).order_by()
    groups = there.values_list("account_id", *COLUMNS).annotate(number=Count("*"))
    for account_id, *values, number in groups:
        for key in _keys(*values):
            found[account_id][key] += number
    unknown = there.filter(freshness=Freshness.UNKNOWN.value)
    carrying = AliasStanding.objects.filter(alias=ANY, account__in=account_ids).order_by()
    apart = [
        some.values_list("account_id", Value(what), name).annotate(number=Count("*"))
        for what, some, name in ((What.UNKNOWN, unknown, "freshness_reason"), (What.PRODUCTION, carrying, "freshness"))
    ]
    for account_id, what, name, number in apart[0].union(apart[1], all=True):
        found[account_id][What(what), name, None] += number
    return found


def _keys(
    freshness: str,
    base: str,
    state: str,
    rank: int,
    drifted: bool,
    partly_read: bool,
    unruled: bool,
    overdue_on: date | None,
    ends_on: date | None,
) -> Iterator[Key]:
    """What a function of these values counts as."""
    yield What.FRESHNESS, freshness, None
    if rank >= BROKEN:
        yield What.BROKEN, "", None
    if state == "Inactive":
        yield What.INACTIVE, "", None
    if drifted:
        yield What.DRIFTED, "", None
    if partly_read:
        yield What.PARTLY_READ, "", None
    if unruled:
        yield What.UNRULED, "", None
    if overdue_on:
        yield What.OVERDUE, "", overdue_on
    if ends_on:
        yield What.ENDING, base, ends_on


def _store(account_ids: Collection[int], wanted: dict[tuple[int, What, str, date | None], int]) -> bool:
    columns = ("account_id", "what", "name", "day", "number", "pk")
    rows = FunctionCount.objects.filter(account__in=account_ids).values_list(*columns)
    stored = {(account, What(what), name, day): (number, pk) for account, what, name, day, number, pk in rows}
    gone = [pk for key, (_, pk) in stored.items() if key not in wanted]
    changed = [(number, stored[key][1]) for key, number in wanted.items() if key in stored and stored[key][0] != number]
    new = [
        FunctionCount(account_id=key[0], what=key[1], name=key[2], day=key[3], number=number)
        for key, number in wanted.items()
        if key not in stored
    ]
    if gone:
        FunctionCount.objects.filter(pk__in=gone).delete()
    update_rows(FunctionCount, ("number",), changed)
    FunctionCount.objects.bulk_create(new, batch_size=1000)
    return bool(gone or changed or new)


def kept(today: date, ends_by: date, account_id: int | None = None) -> Counts:
    """What stands ready, of one account or all: overdue as of `today`, ending by `ends_by`. No reasons: see `reasons`.

    Where an account has functions and was never counted, as until the first sync after an upgrade, they are counted
    now. One query, three then.
    """
    rows = _of(account_id).exclude(what__in=APART)
    rows = rows.filter(Q(day=None) | Q(what=What.OVERDUE, day__lte=today) | Q(what=What.ENDING, day__lte=ends_by))
    day = Case(When(what=What.ENDING, then=F("day")), output_field=DateField())  # of what is overdue the sum is enough
    sums = rows.annotate(on=day, uncounted=Exists(_uncounted(account_id))).order_by()
    found = list(sums.values_list("what", "name", "on", "uncounted").annotate(sum=Sum("number")))
    if found and not found[0][3]:
        return Counts({(What(what), name, on): number for what, name, on, _, number in found})
    return _counted_now(today, ends_by, account_id)


def reasons(few: int, account_id: int | None = None) -> list[tuple[str, int]]:
    """Why the bases of functions are unknown, the most frequent first. One query, two where it is counted now."""
    rows = _of(account_id).filter(what=What.UNKNOWN).annotate(uncounted=Exists(_uncounted(account_id))).order_by()
    found = rows.values_list("name", "uncounted").annotate(sum=Sum("number")).order_by("-sum", "name")[:few]
    if found and not found[0][1]:
        return [(reason, number) for reason, _, number in found]
    there = _there(account_id).filter(freshness=Freshness.UNKNOWN.value)
    now = there.values_list("freshness_reason").annotate(number=Count("*"))
    return list(now.order_by("-number", "freshness_reason")[:few])


def _of(account_id: int | None) -> QuerySet[FunctionCount]:
    every = FunctionCount.objects.all()
    return every if account_id is None else every.filter(account=account_id)


def _there(account_id: int | None) -> QuerySet[Function]:
    there = Function.objects.filter(gone_at=None).order_by()
    return there if account_id is None else there.filter(account=account_id)


def _uncounted(account_id: int | None) -> QuerySet[Account]:
    """Accounts that have functions and were never counted."""
    counted = FunctionCount.objects.filter(account=OuterRef("pk"), what=What.COUNTED)
    functions = Function.objects.filter(account=OuterRef("pk"), gone_at=None)
    accounts = Account.objects.filter(~Exists(counted), Exists(functions))
    return accounts if account_id is None else accounts.filter(pk=account_id)


def _counted_now(today: date, ends_by: date, account_id: int | None) -> Counts:
    accounts = Account.objects.all() if account_id is None else Account.objects.filter(pk=account_id)
    found = Counts()
    for counts in count(accounts.values_list("pk", flat=True)).values():
        for (what, name, day), number in counts.items():
            if what is What.OVERDUE and day and day <= today:
                found[what, "", None] += number
            elif (what is What.ENDING and day and day <= ends_by) or (day is None and what not in APART):
                found[what, name, day] += number
    return found
