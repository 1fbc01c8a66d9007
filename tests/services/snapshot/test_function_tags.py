"""The tags of functions, as the functions list filters them."""

from importlib import import_module

import pytest
from django.apps import apps

from functions_app.domain.text import storable
from functions_app.models import FleetRevision, Function, FunctionTag
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.function_tags import refresh_tags
from tests.factories import NOW, make_account, make_function

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    return sorted(FunctionTag.objects.values_list("name", flat=True))


def test_a_summary_keeps_the_tags_that_people_set_with_how_their_function_stands() -> None:
    tags = {"team": "red", "stage": "", "aws:cloudformation:stack-id": "arn:aws:cloudformation:..."}
    function = make_function(make_account(), tags=tags)
    refresh_summaries([function.pk], now=NOW)
    function.refresh_from_db()
    assert names() == ["stage=", "team=red"]
    assert set(FunctionTag.objects.values_list("function", "freshness", "state")) == {
        (function.pk, function.freshness, function.state)
    }


def test_only_what_changed_is_written_and_what_is_gone_goes() -> None:
    function = make_function(make_account(), tags={"team": "red", "stage": "dev"})
    assert refresh_tags([function]) == 2
    assert refresh_tags([function]) == 0
    function.tags = {"team": "blue", "stage": "dev"}
    assert refresh_tags([function]) == 2
    assert names() == ["stage=dev", "team=blue"]
    function.gone_at = NOW
    assert refresh_tags([function]) == 2
    assert not FunctionTag.objects.exists()


def test_a_tag_that_grows_once_what_is_unseen_in_it_is_written_out_stops_no_summary() -> None:
    """AWS takes any letter and any separator: the fillers of Hangul, and U+2028. PostgreSQL takes no longer text."""
    tags = {"team": storable("a\u2028" * 128), "stage": storable("\u3164b" * 128)}
    function = make_function(make_account(), tags=tags)
    refresh_summaries([function.pk], now=NOW)
    assert [(name[:6], len(name)) for name in names()] == [("stage=", 400), ("team=a", 400)]


def test_two_tags_that_read_alike_are_one() -> None:
    function = make_function(make_account(), tags={"cost=team": "red", "cost": "team=red"})
    FunctionTag.objects.bulk_create(
        FunctionTag(function=function, name="cost=team=red", account=function.account) for _ in range(2)
    )
    refresh_tags([function])
    assert names() == ["cost=team=red"]


def test_an_upgrade_fills_the_table_as_summaries_do() -> None:
    tags = {"cost=team": "red", "cost": "team=red", "team": storable("a\u2028" * 128), "aws:stack": "one"}
    function = make_function(make_account(), tags=tags)
    import_module("functions_app.migrations.0050_function_tags").fill(apps, None)
    assert refresh_tags([function]) == 0
    assert len(names()) == 2


def test_open_lists_are_told_that_a_function_is_tagged_otherwise() -> None:
    function = make_function(make_account(), tags={"stage": "dev"})
    refresh_summaries([function.pk], now=NOW)
    before = FleetRevision.objects.get().revision
    refresh_summaries([function.pk], now=NOW)
    assert FleetRevision.objects.get().revision == before
    Function.objects.update(tags={"stage": "prod"})  # nothing else of its line changes by that
    refresh_summaries([function.pk], now=NOW)
    assert names() == ["stage=prod"]
    assert FleetRevision.objects.get().revision > before
