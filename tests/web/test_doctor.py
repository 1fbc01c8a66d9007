"""Settings, Doctor: administrators see what works; opening it asks nobody outside, asking is posted."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain.runs import Queue
from functions_app.models import AuditEntry
from functions_app.services.engine import pulses
from functions_app.streams.plan_places import is_marked
from tests.conftest import Valkey

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/settings/doctor/"


@pytest.fixture
def administering(client: Client, superuser: User, valkey: Valkey) -> Client:
    valkey.flush()
    client.force_login(superuser)
    return client


def test_administrators_see_drydocks_own_parts_with_what_to_do(administering: Client) -> None:
    pulses.tell([queue for queue in Queue if queue is not Queue.CHANGES])

    text = administering.get(PAGE).content.decode()

    assert "No worker has looked at queue changes yet: deployments and rollbacks wait." in text
    assert "Start it (python manage.py worker changes)" in text
    assert "Redis answers and takes writes." in text
    assert text.index("Broken (") < text.index("Works (")


def test_others_neither_see_it_nor_the_way_to_it(client: Client, operator: User, valkey: Valkey) -> None:
    client.force_login(operator)

    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/settings/accounts/").content.decode()
    assert not AuditEntry.objects.exists()

    assert client.post(PAGE).status_code == 403
    assert AuditEntry.objects.get().result.startswith("refused: ")


def test_asking_aws_has_threads_of_its_own(administering: Client) -> None:
    assert is_marked(PAGE)
    assert "Ask AWS and registries again" in administering.post(PAGE).content.decode()


def test_while_redis_is_away_the_page_is_there(administering: Client, valkey: Valkey) -> None:
    valkey.stop()
    try:
        text = administering.get(PAGE).content.decode()
    finally:
        valkey.start()

    assert "Redis does not take writes" in text
