"""How aliases stand, as the functions list filters them."""

from typing import Any

import pytest

from functions_app.domain.changes.production import ANY
from functions_app.models import AliasStanding, Function
from functions_app.services.snapshot.alias_standings import refresh_standings
from tests.factories import NOW, digest, make_account, make_function

pytestmark = pytest.mark.django_db
LIVE = {"name": "live", "version": "1", "digest": digest("a"), "freshness": "stale", "base": "python:3.12"}


def function(*chips: dict[str, Any], **values: Any) -> Function:
    return make_function(make_account(), alias_chips=list(chips), **values)


def test_each_alias_stands_as_its_function_keeps_it() -> None:
    refresh_standings([function({**LIVE, "state": "Active", "overdue_on": "2026-02-03"}, {**LIVE, "name": "next"})])
    rows = AliasStanding.objects.order_by("alias").values_list("alias", "state", "freshness", "base_name", "overdue_on")
    assert [(*row[:-1], f"{row[-1] or ''}") for row in rows] == [
        ("live", "Active", "stale", "python:3.12", "2026-02-03"),
        ("next", "", "stale", "python:3.12", ""),
    ]


def test_a_split_alias_is_as_stale_as_the_worse_half() -> None:
    refresh_standings([function({**LIVE, "freshness": "current", "second_freshness": "stale"})])
    assert AliasStanding.objects.get().freshness == "stale"


def test_only_what_changed_is_written_and_what_is_gone_goes() -> None:
    found = function(LIVE, {**LIVE, "name": "next"})
    assert refresh_standings([found]) == 2
    assert refresh_standings([found]) == 0
    found.alias_chips = [{**LIVE, "freshness": "current"}]
    assert refresh_standings([found]) == 3
    found.gone_at = NOW
    assert refresh_standings([found]) == 1
    assert not AliasStanding.objects.exists()


def test_aliases_with_production_traffic_stand_together_as_the_worst_of_them_does() -> None:
    live = {**LIVE, "freshness": "current", "state": "Failed", "production": True, "overdue_on": ""}
    blue = {**LIVE, "name": "blue", "state": "Active", "base": "python:3.9", "production": True}
    late = {**blue, "name": "green", "base": "python:3.9", "overdue_on": "2026-02-03"}
    one = function(live, blue, late, {**LIVE, "name": "canary", "freshness": "end_of_life"})
    refresh_standings([one, function({**LIVE, "name": "next"})])
    together = AliasStanding.objects.filter(alias=ANY).values_list("function", "state", "freshness", "base_name")
    assert list(together) == [(one.pk, "Failed", "stale", "python:3.9")]
    assert f"{AliasStanding.objects.get(alias=ANY).overdue_on}" == "2026-02-03"
