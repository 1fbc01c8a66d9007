"""Who may go on watching: asked every few seconds of every stream that is open."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import ApiToken, BrowserSession
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.streams.sign_in import Pass, still_good

pytestmark = pytest.mark.django_db


@pytest.fixture
def watching(viewer: User) -> Pass:
    """Vera's session, and she."""
    client = Client()
    client.force_login(viewer)
    return Pass(viewer.pk, client.session.session_key or "")


def test_whose_session_is_good_goes_on(watching: Pass) -> None:
    assert still_good({watching}) == {watching}


def test_whose_password_was_changed_is_a_stranger(watching: Pass, viewer: User) -> None:
    viewer.set_password("another long password")
    viewer.save()
    assert still_good({watching}) == set()


def test_who_was_shut_out_is_a_stranger(watching: Pass) -> None:
    User.objects.update(is_active=False)
    assert still_good({watching}) == set()


def test_whose_session_is_over_or_somebody_elses_is_a_stranger(watching: Pass, operator: User) -> None:
    assert still_good({Pass(operator.pk, watching.session), Pass(watching.person, "invented")}) == set()
    BrowserSession.objects.all().delete()
    assert still_good({watching}) == set()


class Test_a_token:
    @pytest.fixture
    def token(self, viewer: User) -> Pass:
        """Vera's bot's."""
        return Pass(token=tokens.make(Wanted("bot", ["read"]), Actor(viewer)).row.secret_hash)

    def test_that_is_good_goes_on_beside_a_session(self, token: Pass, watching: Pass) -> None:
        assert still_good({token, watching}) == {token, watching}

    @pytest.mark.parametrize(
        "over",
        [
            lambda: ApiToken.objects.update(revoked_at=clock.now()),
            lambda: ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1)),
            lambda: ApiToken.objects.update(scopes=["invoke"]),
            lambda: ApiToken.objects.all().delete(),
            lambda: User.objects.update(is_active=False),
            lambda: User.objects.get().groups.clear(),
        ],
        ids=["revoked", "expired", "made for less", "gone", "of somebody shut out", "of somebody in no group"],
    )
    def test_that_is_over_or_whose_person_may_look_no_more_is_a_strangers(
        self, token: Pass, over: Callable[[], object]
    ) -> None:
        over()
        assert still_good({token}) == set()

    def test_that_was_rotated_is_another(self, token: Pass, viewer: User) -> None:
        tokens.rotate(ApiToken.objects.get().pk, Actor(viewer))
        assert still_good({token}) == set()
