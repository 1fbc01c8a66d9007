"""What is live and would lose its image to a lifecycle policy, by the last forecasts."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Min

from functions_app.domain.tokens import Reach
from functions_app.models import Account, LifecycleForecast
from functions_app.services.snapshot.endangered_images import RiskRow, live_dangers

MOST = 10_000  # uses that are told


def at_risk(reach: Reach, account: str = "") -> tuple[RiskRow, ...]:
    """Every live use of an image that would go, by function; of one account (its name) or of all. Four queries."""
    only = Account.objects.filter(name=account).values_list("pk", flat=True).first() if account else None
    return reached(live_dangers(MOST, only).named, reach)


def forecast_at() -> datetime | None:
    """When the oldest of the forecasts was read that this is judged by; None where none was. One query."""
    read = LifecycleForecast.objects.filter(repository__gone_at=None).aggregate(at=Min("read_at"))
    found: datetime | None = read["at"]
    return found


def reached(rows: Sequence[RiskRow], reach: Reach) -> tuple[RiskRow, ...]:
    """Those uses whose function somebody gets to. One query, none for who gets everywhere."""
    if reach.everything:
        return tuple(rows)
    numbers = dict(Account.objects.values_list("name", "account_id"))
    return tuple(row for row in rows if reach.covers(numbers.get(row.use.account, ""), row.use.function))
