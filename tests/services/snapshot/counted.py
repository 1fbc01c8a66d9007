"""Compare the counts that stand ready with the functions."""

from functions_app.models import Account, FunctionCount
from functions_app.services.snapshot.function_counts import count


def assert_counted() -> None:
    """Every account was counted, and its counts are those of its functions now."""
    accounts = list(Account.objects.values_list("pk", flat=True))
    computed = {
        (pk, what, name, day): number
        for pk, counts in count(accounts).items()
        for (what, name, day), number in counts.items()
    }
    stored = {
        tuple(row[:4]): row[4]
        for row in FunctionCount.objects.values_list("account_id", "what", "name", "day", "number")
    }
    assert stored == computed
