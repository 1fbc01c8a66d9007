"""A row of the functions list."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet.lines import lines_of
from functions_app.services.inventory.fleet.list_filter import FleetFilter, Grain
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.function_row import COLUMNS, SHOWN_LINES, Seen, function_lines
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
    runtime="python3.12",
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


EVERYTHING = FleetFilter()
SEEN = Seen(ACCOUNTS, "/functions/", NOW, (*COLUMNS,))


def drawn(row: FunctionRow, wanted: FleetFilter = EVERYTHING, seen: Seen = SEEN) -> str:
    """The lines as the list draws them."""
    return function_lines(row, lines_of(row, wanted), seen)


def test_a_line_says_who_where_what_runs_and_how_it_stands() -> None:
    text = drawn(ROW)
    for part in (
        '<a class="name" href="/functions/7/" title="orders-create" hx-boost="false">orders-create</a>',
        "production</span>",
        "eu-west-1",
        digest("a")[7:19],
        'title="3 releases, 41 d: Built on 3.12.old."',
        '<span class="far">41 d</span>',
        'href="/bases/named/python:3.12/"',
        "Active",
        "3 h ago",
        ">orders</span>",
    ):
        assert part in text


def test_each_alias_has_a_line_and_what_they_share_stands_in_the_first() -> None:
    chips = [{"name": name, "version": "7", "digest": digest(name)} for name in ("canary", "live")]
    first, second = drawn(replace(ROW, aliases=chips)).split("</tr>")[:2]
    assert '<tr data-row id="f7"' in first
    assert '<tr id="f7-live" class="same"' in second
    assert '<span class="visually-hidden">orders-create</span>' in second
    for part in ("production</span>", ">orders</span>", '<a class="name"', "<details", '<label class="pick"'):
        assert part in first
        assert part not in second


def test_a_line_per_function_says_how_many_aliases_it_does_not_show() -> None:
    chips = [{"name": name, "version": "7", "digest": digest(name)} for name in ("canary", "live")]
    text = drawn(replace(ROW, aliases=chips), FleetFilter(rows=Grain.FUNCTIONS))
    assert text.count("<tr") == 1
    assert "Not shown: live → 7" in text


def test_of_very_many_aliases_the_first_few_have_lines() -> None:
    chips = [{"name": f"a-{number}", "version": "7", "digest": digest("a")} for number in range(20)]
    text = drawn(replace(ROW, aliases=chips))
    assert text.count("<tr") == SHOWN_LINES
    assert f"+{20 - SHOWN_LINES}</span>" in text


def test_a_split_has_both_digests_and_two_lines_of_text() -> None:
    halves = {"second_version": "8", "second_digest": digest("b"), "second_weight": 0.1}
    text = drawn(replace(ROW, aliases=[{**ROW.aliases[0], **halves}]))
    assert '<tr data-row id="f7" class="two"' in text
    assert digest("a")[7:19] in text
    assert digest("b")[7:19] in text


def test_reasons_are_on_hover_and_open_by_mouse_and_keyboard() -> None:
    text = drawn(replace(ROW, state="Failed", state_reason="Its image is gone.", problem="live: Built on 3.12.old."))
    assert '<summary title="live: Built on 3.12.old." aria-label="Why: orders-create">' in text
    assert '<ul class="says"><li>live: Built on 3.12.old.</li><li>Its image is gone.</li></ul>' in text


def test_where_all_is_well_there_is_nothing_to_open() -> None:
    assert "<details" not in drawn(replace(ROW, freshness="current", problem=""))


def test_who_moved_the_alias_last_is_told_and_else_when_the_function_changed() -> None:
    moved = {**ROW.aliases[0], "at": (NOW - timedelta(minutes=9)).isoformat(), "by": "ada"}
    text = drawn(replace(ROW, aliases=[moved]), seen=SEEN._replace(columns=("deployed",)))
    assert "9 min ago</time>" in text
    assert '<span class="by" title="by ada">ada</span>' in text
    assert "3 h ago</time>" in drawn(ROW, seen=SEEN._replace(columns=("deployed",)))


def test_what_is_kept_as_a_way_back_is_marked_and_not_to_be_patched() -> None:
    live, kept = {**ROW.aliases[0]}, {**ROW.aliases[0], "name": "previous", "kept": True}
    first, second = drawn(replace(ROW, aliases=[kept, live])).split("</tr>")[:2]
    assert "/patch/" in first
    assert 'aria-label="way back"' in second
    assert "/patch/" not in second


def test_a_stale_row_leads_to_its_patch_and_no_other_does() -> None:
    assert 'href="/functions/7/patch/" title="Patch orders-create" aria-label="Patch orders-create"' in drawn(ROW)
    for freshness in ("current", "end_of_life", "unknown", ""):
        assert "/patch/" not in drawn(replace(ROW, freshness=freshness))


def test_whoever_may_change_things_plans_the_patch_of_what_the_line_runs_from_it() -> None:
    text = drawn(replace(ROW, aliases=[{**ROW.aliases[0], "digest": digest("b")}]), seen=SEEN._replace(may_change=True))
    assert f'form="selection" formaction="/functions/7/patch/" name="digest" value="{digest("b")}"' in text
    assert 'aria-label="Plan the patch of orders-create"' in text
    assert 'href="/functions/7/patch/"' not in text


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
    assert harmless(drawn(hostile, seen=SEEN._replace(accounts={1: fact})))
