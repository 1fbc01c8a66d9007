"""Who is signed in, read anew at each request: the person with their groups and how they have lists, in one query."""

from collections import defaultdict
from collections.abc import Collection

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db.models import F

from functions_app.services.people.access import GROUPS, remember_groups

# Built once: every page asks, and building a query takes longer than its answer. A row for each of a person's groups.
ACTIVE = User.objects.filter(is_active=True).annotate(
    group=F("groups__name"),
    grid_columns=F("grid__columns"),
    grid_density=F("grid__density"),
    default_query=F("default_view__view__query"),
)


class PeopleBackend(ModelBackend):
    """Django's own, whose people know their groups."""

    def get_user(self, user_id: int) -> User | None:
        """Whoever may still sign in."""
        return next(iter(active_people([user_id])), None)


def active_people(keys: Collection[int]) -> list[User]:
    """Those of these people who may sign in, with their groups. One query."""
    people: dict[int, User] = {}
    groups: dict[int, set[str]] = defaultdict(set)
    for row in ACTIVE.filter(pk__in=keys):
        people[row.pk] = row
        groups[row.pk].add(row.group)
    for pk, person in people.items():
        remember_groups(person, groups[pk].intersection(GROUPS))
    return list(people.values())
