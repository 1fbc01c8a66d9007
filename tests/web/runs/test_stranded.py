"""Runs that say "running" while no worker lives."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.runs import LEASE, Status
from tests.web.runs.test_runs import make_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey"), pytest.mark.shows_dates]


def texts(client: Client, viewer: User, **run: object) -> list[str]:
    """What its page and the list say of a run."""
    client.force_login(viewer)
    made = make_run(**run)  # type: ignore[arg-type]
    return [client.get(path).content.decode() for path in ("/runs/", f"/runs/{made.pk}/")]


def test_a_run_whose_worker_is_silent_says_so_on_its_page_and_in_the_list(client: Client, viewer: User) -> None:
    silent = clock.now() - timedelta(minutes=3)

    for text in texts(client, viewer, status=Status.RUNNING, lease_until=silent + LEASE):
        assert "No worker is at it: its last one was heard of" in text


def test_a_run_that_is_due_and_that_nobody_takes_says_so(client: Client, viewer: User) -> None:
    for text in texts(client, viewer, status=Status.QUEUED, wake_at=clock.now() - timedelta(minutes=3)):
        assert "No worker has taken it: it was due" in text


def test_a_run_that_is_worked_at_has_no_such_word(client: Client, viewer: User) -> None:
    for text in texts(client, viewer, status=Status.RUNNING, lease_until=clock.now() + LEASE):
        assert "No worker" not in text
