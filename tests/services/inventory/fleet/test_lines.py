"""The lines of a function in the list."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions_app.services.inventory.fleet.function_list import FunctionRow
from functions_app.services.inventory.fleet.lines import lines_of
from functions_app.services.inventory.fleet.list_filter import FleetFilter, Grain
from tests.factories import digest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = FleetFilter()


def chip(name: str, **values: object) -> dict[str, object]:
    known = {"freshness": "current", "base": "python:3.12"}
    return {"name": name, "version": "1", "digest": digest(name), **known, **values}


def row(*chips: dict[str, object], freshness: str = "current") -> FunctionRow:
    return FunctionRow(
        pk=7, name="orders", account=1, region="eu-west-1", aliases=chips, digest=digest("latest"),
        freshness=freshness, freshness_reason="Why.", releases_behind=3, days_behind=41, base_name="python:3.9",
        runtime="python3.9",
        overdue_on=None, end_of_life_on=None, state="Active", state_reason="", last_update_status="Successful",
        last_update_reason="", last_modified=NOW, owner="", managed_by="", drifted=False, problem="",
    )  # fmt: skip


def shown(found: FunctionRow, wanted: FleetFilter = EVERYTHING) -> list[str]:
    return [line.alias for line in lines_of(found, wanted).shown]


def test_every_alias_has_a_line_and_what_keeps_a_way_back_comes_last() -> None:
    assert shown(row(chip("a-rollback", kept=True), chip("live"), chip("next"))) == ["live", "next", "a-rollback"]


def test_a_function_without_aliases_has_the_line_of_latest() -> None:
    line = lines_of(row(freshness="stale"), EVERYTHING).shown[0]
    assert (line.alias, line.version, line.digest) == ("", "$LATEST", digest("latest"))
    assert (line.freshness, line.reason, line.base, line.days_behind) == ("stale", "Why.", "python:3.9", 41)


@pytest.mark.parametrize(
    "wanted", [FleetFilter(freshness=("stale",)), FleetFilter(base=("python:3.9",)), FleetFilter(rows=Grain.FUNCTIONS)]
)
def test_a_filter_and_a_line_per_function_show_the_alias_that_it_was_found_by(wanted: FleetFilter) -> None:
    old = {"freshness": "stale", "base": "python:3.9"}
    found = row(chip("canary"), chip("live", **old), chip("previous", kept=True, **old), freshness="stale")
    lines = lines_of(found, wanted)
    assert [line.alias for line in lines.shown] == ["live"]
    assert [line.alias for line in lines.others] == ["canary", "previous"]


def test_where_no_alias_fits_by_itself_all_are_shown() -> None:
    assert shown(row(chip("canary"), chip("live")), FleetFilter(freshness=("stale",))) == ["canary", "live"]


def test_what_a_row_of_before_an_upgrade_does_not_tell_of_an_alias_is_its_functions() -> None:
    found = row({"name": "live", "version": "3", "digest": digest("live")}, freshness="stale")
    line = lines_of(found, EVERYTHING).shown[0]
    assert (line.freshness, line.base, line.releases_behind, line.state) == ("stale", "python:3.9", 3, "Active")
    assert (line.at, line.by, line.kept) == (None, "", False)


def test_an_alias_tells_its_own_day_and_time() -> None:
    moved = chip("live", overdue_on="2026-02-03", at="2026-02-28T10:00:00+00:00", by="ada")
    line = lines_of(replace(row(moved), last_modified=NOW), EVERYTHING).shown[0]
    assert (f"{line.overdue_on}", line.at, line.by) == ("2026-02-03", datetime(2026, 2, 28, 10, tzinfo=UTC), "ada")
