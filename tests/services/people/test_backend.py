"""Who is signed in, read anew at each request: with the groups, whatever their number."""

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import DjangoAssertNumQueries

from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.services.people.backend import active_people

pytestmark = pytest.mark.django_db


def person(name: str, *groups: str, active: bool = True) -> User:
    """Somebody in these groups."""
    made = User.objects.create_user(name, is_active=active)
    made.groups.set(Group.objects.get_or_create(name=group)[0] for group in groups)
    return made


def test_each_person_comes_once_with_all_their_groups_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    both, none = person("nils", "operator", "approver", "a group of somebody else's"), person("ada")
    with django_assert_num_queries(1):
        found = {each.username: Actor(each) for each in active_people([both.pk, none.pk])}
        assert [access.may_look(found[name]) for name in ("nils", "ada")] == [True, False]
        assert access.is_approver(found["nils"])


def test_who_was_shut_out_is_not_found() -> None:
    assert active_people([person("nils", "operator", active=False).pk]) == []
