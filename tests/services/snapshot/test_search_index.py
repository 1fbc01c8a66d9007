"""What searches read is what the functions say, whoever wrote them and however."""

import logging
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from functions_app.models import Account, Function, FunctionSearch
from functions_app.services.inventory.fleet.search import searched
from functions_app.services.snapshot import search_index
from functions_app.services.snapshot.bulk_updates import update_rows
from tests.factories import NOW, make_account, make_function

COLUMNS = search_index.COPIED
on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own table of trigrams")
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own extension")


def assert_in_step() -> None:
    """The copies are the functions that are there, and the trigrams are those of the copies."""
    there = Function.objects.filter(gone_at=None)
    assert set(FunctionSearch.objects.values_list("pk", *COLUMNS)) == set(there.values_list("pk", *COLUMNS))
    if search_index.looks_up_trigrams(connection):
        with connection.cursor() as cursor:  # FTS5 raises where its index is not that of the texts
            table = search_index.TRIGRAMS
            cursor.execute(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)")  # noqa: S608


def names(search: str) -> list[str]:
    return sorted(searched(search).values_list("name", flat=True))


@pytest.fixture
def account(db: None) -> Account:
    """An account."""
    return make_account()


def test_functions_written_in_bulk_are_found(account: Account) -> None:
    rows = [make_function(account, f"orders-{number}") for number in range(3)]
    Function.objects.all().delete()
    Function.objects.bulk_create(rows, ignore_conflicts=True)
    Function.objects.bulk_create(rows, ignore_conflicts=True)

    assert names("orders") == ["orders-0", "orders-1", "orders-2"]
    assert_in_step()


def test_a_text_that_was_rewritten_is_found_by_its_new_words_alone(account: Account) -> None:
    function = make_function(account, "orders", search_text="orders blue")
    other = make_function(account, "invoices", search_text="invoices blue")
    update_rows(Function, ("search_text", "freshness"), [("orders green", "stale", function.pk)])
    Function.objects.filter(pk=other.pk).update(search_text="invoices green")

    assert names("blue") == []
    assert names("green") == ["invoices", "orders"]
    assert searched("green orders").values_list("freshness", flat=True)[0] == "stale"
    assert_in_step()


def test_a_function_of_another_name_is_found_by_that_name(account: Account) -> None:
    function = make_function(account, "orders")
    function.name, function.search_text = "bookings", "bookings"
    function.save()

    assert (names("orders"), names("bookings")) == ([], ["bookings"])
    assert_in_step()


def test_what_changes_beside_the_text_changes_what_is_counted(account: Account) -> None:
    function = make_function(account, "orders")
    for column, value in {
        "state": "Failed", "freshness": "stale", "base_name": "python:3.12", "overdue_on": NOW.date(),
        "problem_rank": 9, "end_of_life_on": NOW.date(), "drifted": True, "days_behind": 4, "partly_read": True,
        "region": "us-east-1", "last_modified": NOW,
    }.items():  # fmt: skip
        Function.objects.filter(pk=function.pk).update(**{column: value})
        assert_in_step()


def test_a_function_that_is_gone_is_not_found_until_it_is_back(account: Account) -> None:
    function = make_function(account, "orders")
    Function.objects.update(gone_at=NOW)
    assert names("orders") == []
    assert_in_step()

    Function.objects.filter(pk=function.pk).update(search_text="orders again", state="Failed")  # while it is away
    assert names("orders") == []
    Function.objects.update(gone_at=None)

    assert names("again") == ["orders"]
    assert_in_step()


def test_functions_that_were_deleted_are_not_found(account: Account) -> None:
    make_function(account, "orders")
    other = make_account()
    make_function(other, "orders-too")
    Function.objects.filter(name="orders").delete()
    assert names("orders") == ["orders-too"]

    other.delete()

    assert names("orders") == []
    assert_in_step()


def test_what_was_written_and_taken_back_leaves_nothing(account: Account) -> None:
    with transaction.atomic():
        make_function(account, "orders")
        transaction.set_rollback(True)

    assert names("orders") == []
    assert_in_step()


@pytest.mark.django_db
def test_nothing_is_done_where_all_is_set_up(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1 if connection.vendor == "sqlite" else 2):
        assert not search_index.ensure()


@pytest.mark.django_db(transaction=True)
def test_an_upgrade_of_a_filled_database_finds_what_was_there() -> None:
    account = make_account()
    make_function(account, "orders")
    make_function(account, "gone", gone_at=NOW)
    call_command("migrate", "functions_app", "0016", verbosity=0)
    Function.objects.filter(name="orders").update(state="Failed")  # by an older Drydock

    call_command("migrate", verbosity=0)

    assert names("orders") == ["orders"]
    assert_in_step()
    Function.objects.update(search_text="bookings")
    assert (names("orders"), names("bookings")) == ([], ["orders"])
    assert_in_step()


@pytest.mark.django_db(transaction=True)
def test_triggers_that_were_lost_are_made_again_and_what_they_missed_is_copied() -> None:
    function = make_function(make_account(), "orders")
    search_index.drop()
    Function.objects.filter(pk=function.pk).update(search_text="bookings")

    assert search_index.ensure()

    assert names("bookings") == ["orders"]
    assert_in_step()


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_an_sqlite_without_trigrams_finds_the_same_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_function(make_account(), "orders")
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(search_index, "_has_tokenizer", lambda: False)  # this SQLite has it
        search_index.ensure()
        make_function(make_account(), "orders-2")
        assert names("orders") == ["orders", "orders-2"]
        assert not search_index.looks_up_trigrams(connection)
    assert "read every function" in caplog.text

    assert search_index.ensure()  # an SQLite that has it finds the table missing
    assert search_index.looks_up_trigrams(connection)
    assert_in_step()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_postgresql_that_refuses_the_extension_fails_no_upgrade_and_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_function(make_account(), "orders")
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("DROP ROLE IF EXISTS plain")
        cursor.execute("CREATE ROLE plain")
        cursor.execute("SET ROLE plain")
        try:
            with caplog.at_level(logging.WARNING):
                search_index.ensure()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE plain")
    assert "permission denied to create extension" in caplog.text
    assert "CREATE EXTENSION pg_trgm" in caplog.text
    assert names("orders") == ["orders"]

    search_index.ensure()  # once somebody may
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_indexes WHERE indexname = %s", [search_index.TRIGRAMS])
        assert cursor.fetchone()
