"""Days before an account's first count, kept beside those that were counted, so that the chart has a past."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from django.db.models import Min, Q

from functions_app.domain.bases.days_before import Lived, Published, days_before
from functions_app.models import Alias, FreshnessDay, Function, Version

DAYS = 90  # the longest range of the chart
Known = tuple[int, Published]  # a version's ordinal, and what is known of it


def compute_days_before(today: date) -> None:
    """Work out the days before the first count of each account that has none yet: on its first day with each count,
    since more is known with each sync and poll. One query where there is nothing to do, five more an account.
    """
    first_days = (
        FreshnessDay.objects.values_list("account_id")
        .annotate(first=Min("day", filter=Q(computed=False)), earlier=Min("day", filter=Q(computed=True)))
        .order_by("account_id")
    )
    for account, first, earlier in first_days:
        if first and (first == today or (earlier is None and first > today - timedelta(days=DAYS))):
            _store(account, first)


def _store(account: int, first: date) -> None:
    """Replace what was worked out for an account before."""
    FreshnessDay.objects.filter(account=account, computed=True).delete()
    FreshnessDay.objects.bulk_create(
        (
            FreshnessDay(
                day=stood.day,
                account_id=account,
                base_name=stood.base,
                current=stood.current if stood.base else 0,
                unknown=0 if stood.base else stood.current,
                stale=stood.stale,
                overdue=stood.overdue,
                computed=True,
            )
            for stood in days_before(first, DAYS, _lived(account))
        ),
        batch_size=500,
        ignore_conflicts=True,  # another worker counts at the same time, and knows the same
    )


def _lived(account: int) -> Iterator[Lived]:
    """The functions of an account with their versions, as far as their images are known. Three queries."""
    there = Function.objects.filter(account=account, gone_at=None)
    pointed: dict[int, set[str]] = defaultdict(set)
    for function, number in Alias.objects.filter(function__in=there).values_list("function_id", "version"):
        pointed[function].add(number)
    versions: dict[int, dict[str, Known]] = defaultdict(dict)
    rows = Version.objects.filter(function__in=there).order_by("ordinal")
    for function, number, ordinal, published, base, stale_since, ends in rows.values_list(
        "function_id", "number", "ordinal", "last_modified", "image__base_stream__name", "image__stale_since",
        "image__end_of_life_on",
    ).iterator():  # fmt: skip
        known = Published(published.date(), base or "", _from(stale_since, ends) if base else None)
        versions[function][number] = ordinal, known
    for function, overdue in there.values_list("pk", "overdue_on"):
        if live := _worst(versions[function], pointed[function]):
            earlier = [each for at, each in versions[function].values() if 0 < at < live[0]]
            yield Lived(account, [*earlier, live[1]], overdue)


def _from(stale_since: datetime | None, ends: date | None) -> date | None:
    """The day from which its base is stale or at its end."""
    return min((day for day in (stale_since and stale_since.date(), ends) if day), default=None)


def _worst(versions: Mapping[str, Known], pointed: Iterable[str]) -> Known | None:
    """Of what calls reach what is stale the longest, as the list of functions tells it; without aliases $LATEST."""
    live = [versions[number] for number in sorted(pointed) if number in versions]
    called = live or [known for known in versions.values() if known[0] <= 0][:1]
    return min(called, key=lambda known: known[1].stale_from or date.max, default=None)
