"""Celery's doors: what beat asks for when it starts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from functions_app.domain.runs import Kind
from functions_app.models import Run
from functions_app.tasks import catch_up
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


def kinds() -> list[str]:
    return list(Run.objects.order_by("pk").values_list("kind", flat=True))


def test_a_new_installation_polls_and_syncs_at_once_and_only_once(valkey: Valkey) -> None:
    assert catch_up() == ["base_poll", "sync"]
    assert catch_up() == []
    assert kinds() == ["base_poll", "sync"]


def test_what_was_missed_while_nothing_ran_is_caught_up(valkey: Valkey) -> None:
    catch_up()
    Run.objects.filter(kind=Kind.BASE_POLL).update(status="succeeded", created_at=timezone.now() - timedelta(days=1))
    assert catch_up() == ["base_poll"]
