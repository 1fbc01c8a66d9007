"""Who may go on watching: asked every few seconds of every stream that is open."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.models import BrowserSession
from functions_app.streams.sign_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def watching(viewer: User) -> tuple[str, int]:
    """Vera's session, and she."""
    client = Client()
    client.force_login(viewer)
    return client.session.session_key or "", viewer.pk


def test_whose_session_is_good_goes_on(watching: tuple[str, int]) -> None:
    assert signed_in({watching}) == {watching}


def test_whose_password_was_changed_is_a_stranger(watching: tuple[str, int], viewer: User) -> None:
    viewer.set_password("another long password")
    viewer.save()
    assert signed_in({watching}) == set()


def test_who_was_shut_out_is_a_stranger(watching: tuple[str, int]) -> None:
    User.objects.update(is_active=False)
    assert signed_in({watching}) == set()


def test_whose_session_is_over_or_somebody_elses_is_a_stranger(watching: tuple[str, int], operator: User) -> None:
    assert signed_in({(watching[0], operator.pk), ("invented", watching[1])}) == set()
    BrowserSession.objects.all().delete()
    assert signed_in({watching}) == set()
