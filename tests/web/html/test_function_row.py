"""A row of the functions list."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.function_row import function_row
from tests.factories import digest
from tests.web.html.hostile import ATTACK, harmless

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNTS = {1: AccountFact(1, "production", "111111111111", "teal")}
ROW = FunctionRow(
    pk=7,
    name="orders-create",
    account=1,
    region="eu-west-1",
    aliases=[{"name": "live", "version": "7", "digest": digest("a")}],
    digest=digest("a"),
    freshness="stale",
    freshness_reason="Built on 3.12.old.",
    releases_behind=3,
    days_behind=41,
    base_name="python:3.12",
    overdue_on=None,
    end_of_life_on=None,
    state="Active",
    state_reason="",
    last_update_status="Successful",
    last_update_reason="",
    last_modified=NOW - timedelta(hours=3),
    owner="orders@harbour.example",
    managed_by="",
    drifted=False,
    problem="live: Built on 3.12.old.",
)


def drawn(row: FunctionRow) -> str:
    """The row as the list draws it."""
    return function_row(row, ACCOUNTS, "/functions/", NOW)


def test_a_row_says_who_where_what_runs_and_how_it_stands() -> None:
    text = drawn(ROW)
    for part in (
        '<a class="name" href="/functions/7/" hx-boost="false">orders-create</a>',
        "production</span>",
        "eu-west-1",
        digest("a")[7:19],
        "3 releases, 41 d",
        'href="/bases/named/python:3.12/"',
        "Active",
        "3 h ago",
        ">orders</span>",
        'title="live: Built on 3.12.old."',
    ):
        assert part in text


def test_a_stale_row_leads_to_its_patch_and_no_other_does() -> None:
    words = 'Patch<span class="visually-hidden"> orders-create</span></a>'
    assert f' <a class="patch" href="/functions/7/patch/" hx-boost="false">{words}' in drawn(ROW)
    for freshness in ("current", "end_of_life", "unknown", ""):
        assert "/patch/" not in drawn(replace(ROW, freshness=freshness))


def test_a_row_tells_of_an_update_only_while_it_matters() -> None:
    assert "Updat" not in drawn(ROW)
    assert "Updating" in drawn(replace(ROW, last_update_status="InProgress"))
    assert "Update failed" in drawn(replace(ROW, last_update_status="Failed"))


def test_a_base_is_overdue_from_its_day_on() -> None:
    assert "Overdue" in drawn(replace(ROW, overdue_on=date(2026, 3, 1)))
    assert "Overdue" not in drawn(replace(ROW, overdue_on=date(2026, 3, 2)))


def test_an_account_that_is_gone_leaves_its_place_empty() -> None:
    text = drawn(replace(ROW, account=2))
    assert 'class="acct"' not in text
    assert "eu-west-1" in text


def test_a_row_never_lets_markup_through() -> None:
    hostile = replace(
        ROW,
        name=ATTACK,
        region=ATTACK,
        aliases=[{"name": ATTACK, "version": ATTACK, "digest": ATTACK}],
        freshness_reason=ATTACK,
        base_name=ATTACK,
        state=ATTACK,
        state_reason=ATTACK,
        last_update_status="Failed",
        last_update_reason=ATTACK,
        owner=ATTACK,
        problem=ATTACK,
    )
    fact = AccountFact(1, ATTACK, ATTACK, ATTACK)
    assert harmless(function_row(hostile, {1: fact}, "/functions/", NOW))
