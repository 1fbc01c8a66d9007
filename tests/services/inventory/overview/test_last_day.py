"""What happened in the last 24 hours: people's first, each with its function and the way back."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import AliasMove, Function, Image, Run
from functions_app.services.inventory.overview import last_day as reading
from functions_app.services.inventory.overview.last_day import Happened, last_day
from functions_app.services.people.actor import SCHEDULE
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]


@pytest.fixture
def function() -> Function:
    """A function whose alias live was first seen long ago, at version 1."""
    function = factories.make_function(factories.make_account(), "app")
    factories.make_alias(function, "live", 1)
    AliasMove.objects.update(at=clock.now() - timedelta(days=9))
    return function


def ended(function: Function | None, kind: str = "deployment", status: str = "succeeded", **values: Any) -> Run:
    """A run that has just ended."""
    now = clock.now()
    known = {"title": f"{kind} of app", "actor_name": "olga", "created_at": now, "ended_at": now}
    return Run.objects.create(kind=kind, status=status, function=function, **{**known, **values})


def moved(function: Function, version: str, hours: float = 1, run: Run | None = None, alias: str = "live") -> None:
    """The alias was seen at another version."""
    at = clock.now() - timedelta(hours=hours)
    AliasMove.objects.create(function=function, alias=alias, version=version, at=at, run=run)


def told() -> tuple[list[Happened], list[Happened]]:
    """People's, and what came by itself."""
    found = last_day(clock.now())
    return list(found.people), list(found.others)


def test_a_deployment_leads_back_to_where_its_alias_was(function: Function) -> None:
    run = ended(function)
    moved(function, "2", run=run)
    ((only,), rest) = told()
    assert (only.title, only.key, only.function, only.by) == ("deployment of app", run.pk, "app", "olga")
    assert (only.alias, only.version, rest) == ("live", "1", [])


def test_an_alias_that_was_moved_without_a_run_is_told_as_moved_outside(function: Function) -> None:
    moved(function, "7")
    ((only,), _) = told()
    assert (only.what, only.title, only.version) == ("moved", "live was moved from 1 to 7", "1")


def test_the_first_sight_of_an_alias_is_no_move_and_a_deleted_one_has_no_way_back(function: Function) -> None:
    moved(function, "3", alias="new")
    moved(function, "")
    ((only,), _) = told()
    assert (only.title, only.version) == ("live was deleted", "")


def test_only_the_last_change_of_a_function_can_be_taken_back(function: Function) -> None:
    moved(function, "2", hours=3)
    run = ended(function, "patch")
    moved(function, "3", hours=0, run=run)
    assert [(each.what, each.undo, each.version) for each in told()[0]] == [("run", True, ""), ("moved", False, "")]


def test_a_failed_change_hides_no_way_back_of_what_was_done_before(function: Function) -> None:
    moved(function, "2")
    ended(function, status="failed")
    assert [(each.status, each.version) for each in told()[0]] == [("failed", ""), ("", "1")]


def test_a_patch_of_a_function_that_is_gone_has_no_undo(function: Function) -> None:
    ended(function, "patch")
    assert [each.undo for each in told()[0]] == [True]
    Function.objects.update(gone_at=clock.now())
    assert [each.undo for each in told()[0]] == [False]


def test_what_the_schedule_does_is_told_only_where_it_failed(function: Function) -> None:
    ended(None, "sync", actor_name="the schedule")
    failed = ended(None, "sync", "failed", actor_name="the schedule")
    people, others = told()
    assert (people, [each.key for each in others]) == ([], [failed.pk])


def test_a_new_release_of_a_base_is_told_once_for_all_platforms(function: Function) -> None:
    stream = factories.make_stream("python:3.12")
    for tag, days in (("3.12.new", 0), ("3.12.old", 40)):
        release = factories.make_release(stream, tag, current=True)
        release.created_at = clock.now() - timedelta(days=days, minutes=1)
        release.save()
    assert [(each.what, each.title, each.key) for each in told()[1]] == [
        ("released", "python:3.12 3.12.new", stream.pk)
    ]


def test_images_that_ecr_no_longer_has_are_told_by_repository_with_who_ran_them(function: Function) -> None:
    repository = factories.make_repository(function.account, "team/app")
    gone = [factories.make_image(repository, expiry_rule=3), factories.make_image(repository)]
    factories.make_version(function, 1, gone[0])
    Image.objects.update(gone_at=clock.now())
    ((only,),) = told()[1:]
    assert only.title == "2 images of team/app no longer in ECR, 1 by its lifecycle policy's last forecast"
    assert (only.key, only.function) == (repository.pk, "app")


def test_yesterdays_and_another_accounts_are_left_out(function: Function) -> None:
    ended(function, ended_at=clock.now() - timedelta(hours=25))
    moved(function, "2", hours=25)
    moved(function, "3", hours=2)
    other = factories.make_account("other")
    assert len(last_day(clock.now()).people) == 1
    assert last_day(clock.now(), other.pk).people == ()


def test_it_costs_seven_queries_however_much_happened(
    function: Function, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    repository = factories.make_repository(function.account)
    for number in range(12):
        factories.make_image(repository, gone_at=clock.now())
        moved(function, str(number + 2))
        ended(function)
    with django_assert_num_queries(7):
        told()


def test_a_move_is_told_however_many_aliases_are_seen_for_the_first_time(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that is read for the first time brings an alias of each of its functions."""
    monkeypatch.setattr(reading, "READ", 2)
    moved(function, "7", hours=2)
    for number in range(3):
        moved(function, "1", alias=f"new-{number}")
    ((only,), _) = told()
    assert only.title == "live was moved from 1 to 7"


def test_the_moves_of_one_account_are_told_however_many_others_have(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ", 2)
    moved(function, "7", hours=2)
    other = factories.make_function(factories.make_account(), "busy")
    for version in ("1", "2", "3", "4"):
        moved(other, version)
    (only,) = last_day(clock.now(), function.account_id).people
    assert (only.function, only.title) == ("app", "live was moved from 1 to 7")


def test_it_says_whether_there_was_more_than_it_read(function: Function) -> None:
    for version in ("2", "3"):
        moved(function, version)
    few, every = last_day(clock.now(), read=1), last_day(clock.now(), read=2)
    assert (few.more_by_people, few.more_by_itself, [each.title for each in few.people]) == (
        True,
        False,
        ["live was moved from 2 to 3"],
    )
    assert (every.more_by_people, every.more_by_itself, len(every.people)) == (False, False, 2)


def test_what_the_schedule_did_hides_nothing_that_people_did(function: Function) -> None:
    deployed = ended(function)
    for _ in range(3):
        ended(None, "sync", "failed", actor_name=SCHEDULE.name)
    found = last_day(clock.now(), read=2)
    assert ([each.key for each in found.people], found.more_by_people) == ([deployed.pk], False)
    assert (len(found.others), found.more_by_itself) == (2, True)


def test_aliases_of_functions_that_are_gone_hide_no_move(function: Function) -> None:
    moved(function, "2", hours=2)
    for number in range(3):
        gone = factories.make_function(function.account, f"preview-{number}", gone_at=clock.now())
        moved(gone, "1")
        moved(gone, "2")
    found = last_day(clock.now(), read=2)
    assert ([each.title for each in found.people], found.more_by_people) == (["live was moved from 1 to 2"], False)


def test_nothing_is_taken_back_on_which_a_change_may_stand_that_was_not_read(function: Function) -> None:
    patched = ended(function, "patch", ended_at=clock.now() - timedelta(hours=3))
    moved(function, "2", hours=2, alias="live")
    other = factories.make_function(function.account, "busy")
    for version in ("1", "2", "3"):
        moved(other, version)
    assert [each.undo for each in last_day(clock.now()).people if each.key == patched.pk] == [False]
    cut = last_day(clock.now(), read=2)
    assert [(each.function, each.undo) for each in cut.people] == [("busy", False), ("busy", False), ("app", False)]
    AliasMove.objects.filter(function=other).delete()
    AliasMove.objects.filter(version="2").delete()
    assert [each.undo for each in last_day(clock.now(), read=2).people] == [True]
