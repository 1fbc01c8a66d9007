"""The policy that is shipped: overdue after 30 days, where nobody has ever said anything else."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from functions_app.models import FreshnessPolicy
from functions_app.services.bases import overdue_policies
from functions_app.services.bases.overdue_policies import PolicyDraft
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = pytest.mark.django_db


def ship() -> list[tuple[Any, ...]]:
    """Do what the migration does; the policies there are then."""
    import_module("functions_app.migrations.0014_default_policy").ship_default(apps, connection.schema_editor())
    return [(row.account_id, row.tag_key, row.max_days) for row in FreshnessPolicy.objects.all()]


def test_an_installation_without_any_word_on_policies_gets_thirty_days() -> None:
    assert ship() == [(None, "", 30)]
    assert ship() == [(None, "", 30)]


def test_what_a_team_has_set_stays_as_it_is(operator: Actor) -> None:
    account = make_account()
    overdue_policies.save(PolicyDraft(str(account.pk), "team", "", "7", ""), operator)
    assert ship() == [(account.pk, "team", 7)]


def test_a_team_that_took_all_policies_away_gets_none_back(operator: Actor) -> None:
    overdue_policies.delete(overdue_policies.save(PolicyDraft("", "", "", "90", ""), operator), operator)
    assert ship() == []


def test_one_who_was_refused_has_not_decided(viewer: Actor) -> None:
    with pytest.raises(Exception, match="operator"):
        overdue_policies.save(PolicyDraft("", "", "", "90", ""), viewer)
    assert ship() == [(None, "", 30)]


@pytest.mark.parametrize(
    ("freshness", "limits", "unruled"),
    [
        ("stale", None, True),
        ("end_of_life", None, True),
        ("stale", {"max_days": 30}, False),
        ("stale", {"max_days": None, "max_releases": None}, False),  # a policy that says never has spoken
        ("current", None, False),
        ("unknown", None, False),
    ],
)
def test_stale_without_a_policy_is_known_of_each_function(
    freshness: str, limits: dict[str, int | None] | None, unruled: bool
) -> None:
    account = make_account()
    function = make_function(account)
    make_version(function, 1, make_image(make_repository(account), freshness=freshness))
    make_alias(function, "prod", 1)
    if limits is not None:
        FreshnessPolicy.objects.create(account=account, **limits)
    refresh_summaries()
    function.refresh_from_db()
    assert function.unruled is unruled
