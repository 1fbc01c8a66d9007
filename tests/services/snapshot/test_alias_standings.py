"""How aliases stand, as the functions list filters them."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from functions_app.domain.changes.production import ANY
from functions_app.models import AliasStanding, Function, FunctionCount
from functions_app.services.snapshot.alias_standings import COLUMNS, refresh_standings
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.factories import (
    NOW,
    digest,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_repository,
    make_version,
)

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
    late = {**blue, "name": "green", "base": "python:3.8", "days_behind": 9, "overdue_on": "2026-02-03"}
    later = {**blue, "name": "public", "base": "python:3.10", "days_behind": 3, "overdue_on": "2026-02-04"}
    one = function(live, blue, late, later, {**LIVE, "name": "canary", "freshness": "end_of_life"})
    refresh_standings([one, function({**LIVE, "name": "next"})])
    together = AliasStanding.objects.filter(alias=ANY).values_list("function", "state", "freshness", "base_name")
    assert list(together) == [(one.pk, "Failed", "stale", "python:3.8")]
    assert f"{AliasStanding.objects.get(alias=ANY).overdue_on}" == "2026-02-03"


def test_an_upgrade_has_them_stand_together_and_counted_as_the_next_summary_does() -> None:
    account, other = make_account("harbour"), make_account("other", production_aliases=["canary"])
    repository = make_repository(account)
    versions = [make_image(repository, freshness=each) for each in ("current", "stale")]
    named = {"one": {"live": 1, "green": 2}, "two": {"live": 1, "live-previous": 2}, "three": {"test": 2}}
    for name, aliases in {**named, "canaries": {"live": 1, "canary": 2}}.items():
        function = make_function(other if name == "canaries" else account, name)
        for number, image in enumerate(versions, start=1):
            make_version(function, number, image, state="Active")
        for alias, number in aliases.items():
            make_alias(function, alias, number)
    refresh_summaries()

    def together() -> tuple[list[Any], list[Any]]:
        standings = AliasStanding.objects.filter(alias=ANY).order_by("function").values_list(*COLUMNS)
        counts = FunctionCount.objects.filter(what="production").order_by("account", "name")
        return [*standings], [*counts.values_list("account", "name", "day", "number")]

    wanted = together()
    assert [number for *_, number in wanted[1]] == [1, 1, 1]
    AliasStanding.objects.filter(alias=ANY).delete()
    FunctionCount.objects.filter(what="production").delete()
    import_module("functions_app.migrations.0049_runtimes").stand_together(apps, None)
    assert together() == wanted
