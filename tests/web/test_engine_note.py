"""The note on every page while workers or beat are away."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain.health.pulses import Pulses, troubles
from functions_app.domain.runs import Queue
from functions_app.services.engine import pulses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
SENTENCE = "No worker has looked at queue changes for 3 minutes"


@pytest.fixture
def changes_is_dead() -> Iterator[None]:
    """What the look in the background found."""
    alive = dict.fromkeys(Queue, 1.0)
    pulses.remember(troubles(Pulses(alive | {Queue.CHANGES: 180.0}, {}, 1.0)))
    yield
    pulses.remember(())


@pytest.fixture
def page(client: Client, viewer: User) -> Callable[[str], str]:
    """What somebody who is signed in sees."""
    client.force_login(viewer)
    return lambda path: client.get(path).content.decode()


@pytest.mark.usefixtures("changes_is_dead")
class Test_while_a_worker_is_away:
    @pytest.mark.parametrize("path", ["/", "/functions/", "/runs/", "/settings/accounts/"])
    def test_every_page_says_what_waits_and_what_to_do(self, page: Callable[[str], str], path: str) -> None:
        text = page(path)

        assert f"<b>{SENTENCE}: deployments and rollbacks wait.</b>" in text
        assert "python manage.py worker changes" in text

    def test_who_is_not_signed_in_is_told_nothing(self, client: Client) -> None:
        assert SENTENCE not in client.get("/login/").content.decode()


def test_while_all_live_no_page_talks_of_it(page: Callable[[str], str]) -> None:
    text = page("/runs/")

    assert "No worker" not in text
    assert 'id="engine" role="status" data-troubles="0"' in text
