"""Summaries of functions: a verdict for each alias, the worst for the function, overdue by the policy that fits."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions_app.domain.fleet.states import RANK_OVERDUE, RANK_STALE
from functions_app.models import (
    Account,
    Alias,
    AliasMove,
    FleetRevision,
    FreshnessPolicy,
    Function,
    Image,
    Repository,
    Run,
)
from functions_app.services.snapshot import function_summaries, rollback_targets
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.factories import (
    NOW,
    digest,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]
TODAY = NOW.date()


@pytest.fixture
def account() -> Account:
    """An account."""
    return make_account()


@pytest.fixture
def repository(account: Account) -> Repository:
    """A repository in it."""
    return make_repository(account)


def stale(repository: Repository, *newer_days_ago: int, **values: Any) -> Image:
    """An image whose base was followed by newer releases so many days ago, the longest first."""
    level = {"newer": [f"{TODAY - timedelta(days=ago):%F}" for ago in newer_days_ago]}
    return make_image(
        repository, freshness="stale", freshness_reason="Behind.", releases_behind=len(newer_days_ago),
        days_behind=newer_days_ago[0], stale_since=NOW - timedelta(days=newer_days_ago[0]), base_lineage=[level],
        **values,
    )  # fmt: skip


def function_on(account: Account, image: Image, **values: Any) -> Function:
    """A function whose alias prod runs an image."""
    function = make_function(account, **values)
    make_version(function, 1, image)
    make_alias(function, "prod", 1)
    return function


def refreshed(function: Function) -> Function:
    refresh_summaries([function.pk], now=NOW)
    function.refresh_from_db()
    return function


def test_an_alias_on_an_old_version_is_stale_while_another_is_not(account: Account, repository: Repository) -> None:
    function = make_function(account)
    stream = make_stream()
    make_version(function, 1, stale(repository, 9, base_stream=stream))
    make_version(function, 2, make_image(repository, freshness="current", freshness_reason="Fine."))
    make_alias(function, "prod", 1)
    make_alias(function, "staging", 2)

    chips = {chip["name"]: chip for chip in refreshed(function).alias_chips}

    assert (chips["prod"]["freshness"], chips["prod"]["reason"]) == ("stale", "Behind.")
    assert chips["prod"]["base"] == "python:3.12"
    assert chips["staging"]["freshness"] == "current"
    assert (function.freshness, function.base_name) == ("stale", "python:3.12")


def test_what_is_kept_as_a_way_back_makes_nothing_stale_overdue_or_asleep(
    account: Account, repository: Repository
) -> None:
    FreshnessPolicy.objects.create(max_days=1)
    function = make_function(account)
    make_version(function, 1, stale(repository, 9, end_of_life_on=TODAY), state="Inactive")
    make_version(function, 2, make_image(repository, freshness="current", freshness_reason="Fine."))
    make_alias(function, "live", 2)
    make_alias(function, "previous", 1)

    chips = {chip["name"]: chip for chip in refreshed(function).alias_chips}

    assert (function.freshness, function.state, function.overdue_on, function.problem) == (
        "current",
        "Active",
        None,
        "",
    )
    assert (function.end_of_life_on, function.unruled) == (None, False)
    assert (chips["previous"]["freshness"], chips["previous"]["kept"]) == ("stale", True)
    assert (chips["live"]["kept"], chips["previous"]["state"]) == (False, "Inactive")


def test_a_way_back_whose_image_is_gone_is_told(account: Account, repository: Repository) -> None:
    function = function_on(account, make_image(repository, freshness="current"))
    make_version(function, 2, make_image(repository, gone_at=NOW))
    make_alias(function, "previous", 2)

    assert "behind previous is no longer in ECR" in refreshed(function).problem


def test_an_alias_tells_when_it_was_moved_last_and_by_whom(account: Account, repository: Repository) -> None:
    function = function_on(account, make_image(repository))
    published = (NOW - timedelta(days=1)).isoformat()
    chip = refreshed(function).alias_chips[0]
    assert (chip["at"], chip["by"]) == (published, "")  # where it was always seen: since then at the earliest

    run = Run.objects.create(kind="deployment", status="succeeded", title="Deploy", actor_name="ada", created_at=NOW)
    AliasMove.objects.create(function=function, alias="prod", version="1", at=NOW - timedelta(hours=2), run=run)
    chip = refreshed(function).alias_chips[0]
    assert (chip["at"], chip["by"]) == ((NOW - timedelta(hours=2)).isoformat(), "ada")


def test_a_split_alias_tells_both_versions(account: Account, repository: Repository) -> None:
    function = make_function(account)
    make_version(function, 1, make_image(repository, freshness="current"))
    make_version(function, 2, stale(repository, 40))
    make_alias(function, "prod", 1, second=2, weight=0.1)
    FreshnessPolicy.objects.create(max_days=30)

    (chip,) = refreshed(function).alias_chips

    assert (chip["freshness"], chip["second_freshness"]) == ("current", "stale")
    assert chip["overdue_on"] == f"{TODAY - timedelta(days=10):%F}"


def test_a_version_whose_image_is_not_read_is_unknown(account: Account) -> None:
    function = make_function(account)
    make_version(function, 1)
    make_alias(function, "prod", 1)

    (chip,) = refreshed(function).alias_chips

    assert (chip["freshness"], chip["base"], chip["second_freshness"]) == ("unknown", "", "")
    assert "does not read" in chip["reason"]


def test_an_alias_of_a_version_that_was_not_listed_is_unknown(account: Account) -> None:
    function = make_function(account)
    make_alias(function, "prod", 7)

    assert refreshed(function).alias_chips[0]["freshness"] == "unknown"


def test_without_a_policy_nothing_is_overdue(account: Account, repository: Repository) -> None:
    function = refreshed(function_on(account, stale(repository, 400)))

    assert (function.overdue_on, function.alias_chips[0]["overdue_on"]) == (None, "")
    assert function.problem_rank == RANK_STALE


def test_a_base_is_overdue_by_days(account: Account, repository: Repository) -> None:
    FreshnessPolicy.objects.create(max_days=30)

    function = refreshed(function_on(account, stale(repository, 40)))

    assert function.overdue_on == TODAY - timedelta(days=10)
    assert (function.problem_rank, function.problem) == (RANK_OVERDUE, "prod: overdue since 2026-02-19. Behind.")


def test_a_base_is_overdue_by_releases(account: Account, repository: Repository) -> None:
    FreshnessPolicy.objects.create(max_releases=1)

    assert refreshed(function_on(account, stale(repository, 40, 20, 5))).overdue_on == TODAY - timedelta(days=20)


def test_a_day_that_is_to_come_is_told_but_is_no_problem_yet(account: Account, repository: Repository) -> None:
    FreshnessPolicy.objects.create(max_days=30)

    function = refreshed(function_on(account, stale(repository, 29)))

    assert (function.overdue_on, function.problem_rank) == (TODAY + timedelta(days=1), RANK_STALE)
    refresh_summaries(now=NOW + timedelta(days=1))
    function.refresh_from_db()
    assert function.problem_rank == RANK_OVERDUE


def test_the_most_specific_policy_counts(account: Account, repository: Repository) -> None:
    FreshnessPolicy.objects.create(max_days=0)
    FreshnessPolicy.objects.create(account=account, max_days=100)
    FreshnessPolicy.objects.create(tag_key="team", tag_value="payments", max_days=7)

    image = stale(repository, 40)
    assert refreshed(function_on(account, image)).overdue_on == TODAY + timedelta(days=60)
    assert refreshed(function_on(account, image, tags={"team": "payments"})).overdue_on == TODAY - timedelta(days=33)


def test_the_first_end_among_what_is_live_is_told(account: Account, repository: Repository) -> None:
    function = make_function(account)
    for number, day in enumerate((date(2028, 1, 1), date(2027, 1, 1)), start=1):
        make_version(function, number, make_image(repository, freshness="current", end_of_life_on=day))
        make_alias(function, f"alias{number}", number)
    make_version(function, 3, make_image(repository, freshness="current", end_of_life_on=date(2026, 1, 1)))

    assert refreshed(function).end_of_life_on == date(2027, 1, 1)


def test_open_pages_are_told_where_something_changed(account: Account, repository: Repository) -> None:
    function = function_on(account, stale(repository, 9))

    refresh_summaries([function.pk], now=NOW)
    refresh_summaries([function.pk], now=NOW)

    assert FleetRevision.objects.get().revision == 2  # of the summary, and of the counts that follow it


def test_a_policy_that_is_saved_during_a_long_refresh_counts_from_the_next_batch(
    account: Account, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = stale(repository, 40)
    first, second = function_on(account, image), function_on(account, image)
    count = rollback_targets.refresh_counts

    def meanwhile(ids: Sequence[int], aliases: Sequence[Alias]) -> None:
        if first.pk in ids:
            FreshnessPolicy.objects.create(max_days=30)
        count(ids, aliases)

    # The moment between two batches can't be met from outside.
    monkeypatch.setattr(function_summaries, "BATCH", 1)
    monkeypatch.setattr(rollback_targets, "refresh_counts", meanwhile)

    refresh_summaries(now=NOW)

    second.refresh_from_db()
    assert second.overdue_on == TODAY - timedelta(days=10)


def test_a_base_that_says_it_was_built_at_the_end_of_time_breaks_no_summary(
    account: Account, repository: Repository
) -> None:
    FreshnessPolicy.objects.create(max_days=30)
    image = stale(repository, 40)
    image.stale_since = datetime.max.replace(tzinfo=UTC)
    image.save()

    assert refreshed(function_on(account, image)).overdue_on == date.max


def test_a_function_is_found_by_the_repositories_it_runs_from_and_a_log_group_that_is_not_called_like_it(
    account: Account,
) -> None:
    host = f"{account.account_id}.dkr.ecr.eu-west-1.amazonaws.com"
    function = make_function(account, "orders", image_uri=f"{host}/shop/orders-next:rel", log_group="/Platform/shared")
    make_version(function, 1, image_uri=f"{host}/shop/orders@{'sha256:' + 'a' * 64}")
    make_alias(function, "prod", 1)
    make_version(function, 2, image_uri=f"{host}/shop/never-live:rel")
    text = refreshed(function).search_text
    assert "shop/orders shop/orders-next /platform/shared" in text
    assert "never-live" not in text


def test_a_log_group_that_is_called_like_its_function_tells_nothing_new(account: Account) -> None:
    function = make_function(account, "orders", log_group="/aws/lambda/orders")
    assert "/aws/lambda" not in refreshed(function).search_text


def test_a_runtime_is_what_the_base_brings_or_what_is_beneath_it(account: Account, repository: Repository) -> None:
    lambdas = make_stream("nodejs:20")
    golden = make_stream("platform/node:1", own=True, runtime="", runtime_version="")
    below = make_release(lambdas, "20.1")
    above = make_release(golden, "1.1")
    above.diff_ids = [*below.diff_ids, digest("golden")]
    above.save()
    image = make_image(repository, base_release=above, base_stream=golden, freshness="stale", days_behind=9)
    function = function_on(account, image)
    make_version(function, 2, make_image(repository, base_stream=make_stream("java:21")))
    make_version(function, 3, make_image(repository, base_stream=golden))
    for alias, number in (("next", 2), ("other", 3)):
        make_alias(function, alias, number)
    found = refreshed(function)
    assert found.runtime == "nodejs20"
    assert {chip["name"]: chip["runtime"] for chip in found.alias_chips} == {
        "prod": "nodejs20",
        "next": "java21",
        "other": "",
    }
    assert dict(found.standings.values_list("alias", "runtime"))["next"] == "java21"


def test_an_alias_is_marked_that_carries_production_traffic_by_its_accounts_rule(repository: Repository) -> None:
    image = make_image(repository, freshness="current")
    for patterns, marked in (([], ["live"]), (["eu-*"], ["eu-1"])):
        function = make_function(make_account(production_aliases=patterns))
        make_version(function, 1, image)
        for name in ("live", "eu-1", "live-previous"):
            make_alias(function, name, 1)
        chips = refreshed(function).alias_chips
        assert [chip["name"] for chip in chips if chip["production"]] == marked
