"""Tests leave nothing to each other: what the tables hold after one of them is what Django's flush leaves."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection

from tests.emptying import Emptying
from tests.factories import make_account, make_function

pytestmark = pytest.mark.django_db(transaction=True)


def flush() -> None:
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


def held() -> dict[str, int]:
    counted = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            counted[table] = cursor.fetchone()[0]
    return counted


def no_flush() -> None:
    pytest.fail("Django's flush was asked for")


def test_every_row_of_a_test_goes() -> None:
    emptying = Emptying()
    emptying.carry_out(flush)
    before = held()
    make_function(make_account())
    emptying.carry_out(no_flush)
    assert held() == before


def test_a_permission_that_a_test_took_away_is_back() -> None:
    emptying = Emptying()
    emptying.carry_out(flush)
    before = held()
    Permission.objects.earliest("pk").delete()
    emptying.carry_out(flush)
    assert held() == before
