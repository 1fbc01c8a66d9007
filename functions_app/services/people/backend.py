"""Who is signed in, read anew at each request: the person with the groups that Drydock knows, in one query."""

from collections.abc import Collection

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef

from functions_app.services.people.access import GROUPS, remember_groups


class PeopleBackend(ModelBackend):
    """Django's own, whose people know their groups."""

    def get_user(self, user_id: int) -> User | None:
        """Whoever may still sign in."""
        return next(iter(active_people([user_id])), None)


def active_people(keys: Collection[int]) -> list[User]:
    """Those of these people who may sign in, with their groups. One query."""
    memberships = User.groups.through.objects.filter(user=OuterRef("pk"))
    found = {f"in_{name}": Exists(memberships.filter(group__name=name)) for name in GROUPS}
    people = list(User.objects.filter(pk__in=keys, is_active=True).annotate(**found))
    for person in people:
        remember_groups(person, {name for name in GROUPS if getattr(person, f"in_{name}")})
    return people
