"""What each alias could go back to: the offer and its count follow one rule."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from functions_app.models import Alias, AliasMove, Function, Image
from functions_app.services.snapshot import function_summaries, rollback_targets
from functions_app.services.snapshot.rollback_targets import AliasTargets
from tests.factories import NOW, make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def function() -> Function:
    """Versions 1 to 4, of which 2 lost its image, and $LATEST; `live` points to 4, as it did at the first sync."""
    account = make_account()
    repository = make_repository(account)
    made = make_function(account, "orders")
    for number in (1, 2, 3, 4):
        gone = NOW if number == 2 else None
        make_version(made, number, make_image(repository, f"image {number}", tags=[f"v{number}"], gone_at=gone))
    make_version(made, "$LATEST", make_image(repository))
    make_alias(made, "live", 4)
    return made


def offer(function: Function) -> AliasTargets:
    (found,) = rollback_targets.targets(function)
    return found


def moved(function: Function, *versions: str) -> None:
    """Let the alias have been at these versions, one after another."""
    AliasMove.objects.all().delete()
    for hours, version in enumerate(versions):
        AliasMove.objects.create(function=function, alias="live", version=version, at=NOW + timedelta(hours=hours))


def test_a_fleet_that_was_adopted_today_has_ways_back_all_the_same(function: Function) -> None:
    found = offer(function)
    assert [(target.version, target.seen, bool(target.obstacle)) for target in found.targets] == [
        ("3", False, False),
        ("2", False, True),
        ("1", False, False),
    ]
    assert (found.available, found.lost) == (2, 1)


def test_what_was_seen_live_comes_first_with_when_that_was(function: Function) -> None:
    moved(function, "1", "4")
    first, *rest = offer(function).targets
    assert (first.version, first.seen, first.live_until) == ("1", True, NOW + timedelta(hours=1))
    assert [target.seen for target in rest] == [False, False]


def test_of_moves_in_one_moment_the_last_one_left_is_offered_first(function: Function) -> None:
    moved(function, "1", "2", "3", "4")
    AliasMove.objects.update(at=NOW)
    assert [target.version for target in offer(function).targets] == ["3", "2", "1"]


def test_a_newer_version_is_a_way_back_only_where_it_was_live(function: Function) -> None:
    Alias.objects.update(version="3")
    assert "4" not in [target.version for target in offer(function).targets]
    moved(function, "4", "3")
    assert offer(function).targets[0].version == "4"


def test_forward_of_what_an_alias_runs_are_numbered_versions_alone(function: Function) -> None:
    # As of functions on Managed Instances: the published $LATEST is no version that an alias could be pointed to here.
    make_version(function, "$LATEST.PUBLISHED", Image.objects.get(versions__number="4"))
    Alias.objects.update(version="3")
    found = offer(function)
    assert [target.version for target in found.newer] == ["4"]
    assert [target.version for target in found.targets] == ["2", "1"]


@pytest.mark.parametrize("now", ["$LATEST", "$LATEST.PUBLISHED"])
def test_beyond_latest_nothing_is_forward(function: Function, now: str) -> None:
    make_version(function, "$LATEST.PUBLISHED", Image.objects.get(versions__number="4"))
    Alias.objects.update(version=now)
    assert offer(function).newer == ()


def test_a_version_that_was_deleted_says_so(function: Function) -> None:
    moved(function, "1", "4")
    function.versions.filter(number="1").delete()
    assert offer(function).targets[0].obstacle == "The version was deleted."


def test_a_version_in_a_repository_that_is_not_read_is_offered_and_says_so(function: Function) -> None:
    function.versions.filter(number="3").update(image=None)
    found = offer(function)
    first = found.targets[0]
    assert (first.version, first.unread, first.obstacle) == ("3", True, "")
    assert (found.available, found.lost, found.unread) == (1, 1, 1)


def test_an_alias_whose_images_are_all_in_another_accounts_registry_is_no_alarm(function: Function) -> None:
    function.versions.update(image=None)
    function_summaries.refresh_summaries([function.pk])
    alias = Alias.objects.get()
    assert (alias.rollback_targets, alias.rollback_lost) == (None, 0)


def test_a_version_with_the_same_image_says_so(function: Function) -> None:
    latest = function.versions.get(number="4")
    function.versions.filter(number="3").update(image=latest.image, digest=latest.digest)
    assert [target.same_image for target in offer(function).targets] == [True, False, False]


def test_a_version_whose_image_will_go_says_by_which_rule(function: Function) -> None:
    Image.objects.filter(versions__number="3").update(expiry_rule=2)
    assert [target.expiry_rule for target in offer(function).targets] == [2, None, None]


def test_summaries_keep_the_count_that_the_offer_gives(function: Function) -> None:
    function_summaries.refresh_summaries([function.pk])
    alias, found = Alias.objects.get(), offer(function)
    assert (alias.rollback_targets, alias.rollback_lost) == (found.available, found.lost) == (2, 1)


def test_counts_are_written_only_where_they_changed(function: Function) -> None:
    assert rollback_targets.refresh_counts([function.pk]) == 1
    assert rollback_targets.refresh_counts([function.pk]) == 0


def test_counting_costs_the_same_however_many_functions(
    function: Function, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    account, repository = function.account, function.versions.first().image.repository  # type: ignore[union-attr]
    for _ in range(20):
        made = make_function(account)
        make_version(made, 1, make_image(repository))
        make_alias(made, "live", 1)
    ids = list(Function.objects.values_list("pk", flat=True))
    rollback_targets.refresh_counts(ids)
    with django_assert_num_queries(3):
        rollback_targets.refresh_counts(ids)
