"""When is a base overdue? The policies as stored, and what the verdict on an image gives them to count from."""

from datetime import date

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.overdue_policies import Lateness, Policy
from functions_app.models import FreshnessPolicy, Image


def read_policies() -> tuple[Policy, ...]:
    """Every policy. One query."""
    rows = FreshnessPolicy.objects.values_list("account_id", "tag_key", "tag_value", "max_days", "max_releases")
    return tuple(Policy(*row) for row in rows)


def lateness_of(image: Image) -> Lateness:
    """What counts for a policy in the verdict on an image, from its row."""
    newer = tuple(tuple(date.fromisoformat(day) for day in level.get("newer", ())) for level in image.base_lineage)
    return Lateness(Freshness(image.freshness), image.stale_since, image.end_of_life_on, newer)
