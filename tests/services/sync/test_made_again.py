"""A function that is deleted and made again under its name is another one: histories end with the first."""

from datetime import timedelta

import pytest

from functions_app import clock
from functions_app.models import Account, Alias, AliasMove, Function, Version
from functions_app.services.inventory.fleet.activity import function_activity
from functions_app.services.snapshot import rollback_targets
from functions_app.services.sync.refresh import refresh_function
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "def handler(event, context):\n    return 'other'\n"


@pytest.fixture
def moved(ours: Account, functions: Functions, log: Lines) -> Function:
    """live was at 1 and is at 2; version 1 keeps the tag it was chosen by in Drydock."""
    functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=functions.publish())
    run_once(log)
    Version.objects.filter(number="1").update(deployed_tag="rel")
    functions.api.update_alias(FunctionName="app", Name="live", FunctionVersion=functions.next_version())
    run_once(log)
    return Function.objects.get()


def make_again(functions: Functions) -> None:
    """Under the same name, with another image; AWS goes on with the numbers."""
    functions.api.delete_function(FunctionName="app")
    functions.deploy(OTHER)
    numbers = functions.publish(), functions.next_version()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=numbers[-1])


def with_numbers_from_one(between: Between) -> None:
    """Emulators and accounts differ here: the new function's versions 3 and 4 are called 1 and 2."""

    def renumbered(answer: Answer) -> Answer:
        body = answer.body
        for old, new in ((b"3", b"1"), (b"4", b"2")):
            body = body.replace(b'"Version": "' + old, b'"Version": "' + new)
            body = body.replace(b'"FunctionVersion": "' + old, b'"FunctionVersion": "' + new)
        return Answer(answer.status, answer.headers, body)

    for name in ("GET /functions", "GET /functions/app/aliases", "GET /functions/app/versions"):
        between.rules[name] = renumbered


def seen(function: Function) -> set[str]:
    return rollback_targets.seen_versions([function.pk]).get((function.pk, "live"), set())


def test_what_an_alias_was_at_is_seen(moved: Function) -> None:
    assert seen(moved) == {"1"}


@pytest.mark.parametrize("between_the_syncs", [True, False], ids=["unseen", "seen gone"])
def test_a_function_that_was_made_again_begins_anew(
    moved: Function, functions: Functions, log: Lines, between_the_syncs: bool
) -> None:
    if not between_the_syncs:
        functions.api.delete_function(FunctionName="app")
        run_once(log)
        functions.deploy(OTHER)
        functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=functions.publish())
    else:
        make_again(functions)
    run_once(log)
    (alias,) = rollback_targets.targets(Function.objects.get())
    assert seen(moved) == set()
    assert not any(target.seen for target in alias.targets)
    assert [move.version for move in function_activity(moved.pk).moves] == [Alias.objects.get().version]


def test_numbers_that_begin_again_give_the_new_function_no_past(
    moved: Function, functions: Functions, between: Between, log: Lines
) -> None:
    make_again(functions)
    with_numbers_from_one(between)
    run_once(log)
    (alias,) = rollback_targets.targets(Function.objects.get())
    assert Alias.objects.get().version == "2"
    assert [(target.version, target.seen) for target in alias.targets] == [("1", False)]
    assert Version.objects.get(number="1").deployed_tag == ""


def test_a_refresh_notices_it_too(moved: Function, functions: Functions, between: Between) -> None:
    make_again(functions)
    with_numbers_from_one(between)
    refresh_function(moved)
    assert seen(moved) == set()


def test_the_past_of_the_first_stays_in_the_table(moved: Function, functions: Functions, log: Lines) -> None:
    make_again(functions)
    run_once(log)
    assert AliasMove.objects.count() == 3


def test_moves_of_the_new_function_are_its_own_history(moved: Function, functions: Functions, log: Lines) -> None:
    make_again(functions)
    run_once(log)
    before = Alias.objects.get().version
    functions.api.update_alias(FunctionName="app", Name="live", FunctionVersion=functions.next_version())
    run_once(log)
    assert seen(moved) == {before}


def test_a_function_that_a_listing_left_out_once_keeps_its_past(
    moved: Function, functions: Functions, between: Between, log: Lines
) -> None:
    def empty(answer: Answer) -> Answer:
        return Answer(answer.status, answer.headers, b'{"Functions": []}')

    between.rules["GET /functions"] = empty
    run_once(log)
    assert Function.objects.get().gone_at is not None
    between.rules.clear()
    run_once(log)
    assert Function.objects.get().gone_at is None
    assert seen(moved) == {"1"}


def test_new_versions_and_deleted_ones_make_no_other_function(
    moved: Function, functions: Functions, log: Lines
) -> None:
    functions.redeploy(OTHER, tag="2")
    functions.publish()
    functions.api.delete_function(FunctionName="app", Qualifier="1")
    run_once(log)
    assert Function.objects.get().histories_from is None
    assert seen(moved) == {"1"}


def test_what_was_moved_at_the_very_moment_belongs_to_the_new_function(moved: Function) -> None:
    now = clock.now()
    Function.objects.filter(pk=moved.pk).update(histories_from=now)
    for at, version in ((now - timedelta(microseconds=1), "1"), (now, "5"), (now, "6")):
        AliasMove.objects.create(function=moved, alias="live", version=version, at=at)
    assert seen(moved) == {"5"}
