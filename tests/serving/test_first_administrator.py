"""The first administrator, whom `make serve` makes by variables where nobody can be asked."""

from io import StringIO

import pytest
from django.contrib.auth.models import User

from functions_app.management.commands.serve import Command

pytestmark = pytest.mark.django_db
PASSWORD = "a password of variables"


def make(name: str) -> str:
    """What is said meanwhile."""
    said = StringIO()
    Command(stdout=said, stderr=said, no_color=True).make_administrator(name, PASSWORD)
    return said.getvalue()


def test_is_made_with_the_password_of_the_variable() -> None:
    make("ada")

    ada = User.objects.get(username="ada")
    assert (ada.is_superuser, ada.check_password(PASSWORD)) == (True, True)


def test_is_nobody_who_is_there_already_and_it_is_said(viewer: User) -> None:
    said = make(viewer.username)

    viewer.refresh_from_db()
    assert (viewer.is_superuser, viewer.check_password(PASSWORD)) == (False, False)
    assert f"{viewer.username} is known already, and was not made administrator" in said
    assert f"manage.py person {viewer.username} administrator makes them one" in said
    assert PASSWORD not in said


def test_is_nobody_who_was_shut_out(viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False, is_superuser=True)

    make(viewer.username)

    viewer.refresh_from_db()
    assert not viewer.is_active
