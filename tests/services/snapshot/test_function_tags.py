"""The tags of functions, as the functions list filters them."""

import pytest

from functions_app.models import FunctionTag
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
