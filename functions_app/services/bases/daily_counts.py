"""Count every day how many functions stand how, by account and base: the burn-down that the overview charts.

The day's last count stays. A day on which nothing ran has no rows, and none are invented for it; those before the first
count are worked out from what is known of them, and marked (computed_days).
"""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Count, Q

from functions_app.domain.bases.freshness import Freshness
from functions_app.models import Account, FreshnessDay, Function
from functions_app.services.bases.computed_days import compute_days_before
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.snapshot.function_summaries import refresh_summaries

COUNTS = ("current", "stale", "end_of_life", "unknown", "overdue")
Key = tuple[int, str]  # account's key, base's name


def begins_a_day(now: datetime) -> bool:
    """Whether nothing was counted yet on this day (UTC)."""
    return not FreshnessDay.objects.filter(day=now.date()).exists()


def count_day(now: datetime, *, judged_on: date | None = None) -> int:
    """Bring the counts of this day (UTC) up to date; how many rows it has. A few queries, however many functions.

    The first count of a day judges all images and summarises all functions before it, since ends of life and overdue
    days arrive by themselves at midnight; who did both already says on which day. May be called at any time, and by
    several workers at once.
    """
    day = now.date()
    if judged_on != day and begins_a_day(now):
        judge_images(None, now=now, refresh=False)
        refresh_summaries(now=now)
    with transaction.atomic():
        rows = _store(day, _counted(day))
        compute_days_before(day)
    return rows


def _counted(day: date) -> dict[Key, dict[str, int]]:
    """Zeros for each account, so that a day that was counted shows, and what its functions add to them."""
    blank = dict.fromkeys(COUNTS, 0)
    found: dict[Key, dict[str, int]] = {(pk, ""): dict(blank) for pk in Account.objects.values_list("pk", flat=True)}
    due = Q(freshness__in=[Freshness.STALE, Freshness.END_OF_LIFE], overdue_on__lte=day)
    rows = (
        Function.objects.filter(gone_at=None)
        .order_by()
        .values("account_id", "base_name", "freshness")
        .annotate(number=Count("pk"), late=Count("pk", filter=due))
    )
    for row in rows:
        counts = found.setdefault((row["account_id"], row["base_name"]), dict(blank))
        counts[row["freshness"]] += row["number"]
        counts["overdue"] += row["late"]
    return found


def _store(day: date, counted: dict[Key, dict[str, int]]) -> int:
    """Write the counts; what was there earlier this day and is no more is set to 0."""
    stored = FreshnessDay.objects.filter(day=day).values_list("account_id", "base_name")
    blank = dict.fromkeys(COUNTS, 0)
    rows = {**dict.fromkeys(stored, blank), **counted}
    # In one order, so that two workers wait for each other's rows instead of for ever.
    FreshnessDay.objects.bulk_create(
        [FreshnessDay(day=day, account_id=key[0], base_name=key[1], **rows[key]) for key in sorted(rows)],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["day", "account", "base_name"],
        update_fields=list(COUNTS),
    )
    return len(rows)
