"""Whatever a reading writes, the counts that stand ready are those of the functions once it is over."""

import pytest

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Account, Function, FunctionCount, Image
from functions_app.services.bases.overdue_policies import PolicyDraft, delete, save
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_counts import What
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.sync import scopes
from functions_app.services.sync.refresh import refresh_function
from tests.sandbox.functions import Functions
from tests.services.snapshot.counted import assert_counted
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)  # a sync reads from threads


def test_functions_that_come_go_and_return_are_counted(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy()
    run_once(log)
    assert_counted()
    functions.api.delete_function(FunctionName="app")
    run_once(log)
    assert_counted()
    functions.deploy()
    run_once(log)
    assert_counted()


def test_a_function_that_is_gone_when_it_is_read_by_itself_is_not_counted(
    ours: Account, functions: Functions, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    functions.api.delete_function(FunctionName="app")

    with pytest.raises(DrydockError) as refused:
        refresh_function(Function.objects.get())

    assert refused.value.problem.code is Code.NOT_FOUND
    assert_counted()
    assert not FunctionCount.objects.filter(what="freshness").exists()


def test_a_function_that_is_read_after_a_deploy_is_counted(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy()
    run_once(log)
    functions.redeploy("def handler(event, context):\n    return 'other'\n", tag="2")

    refresh_function(Function.objects.get())

    assert_counted()


def test_a_reading_whose_summaries_were_never_written_is_counted(
    ours: Account, functions: Functions, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    functions.api.delete_function(FunctionName="app")

    scopes.read_scopes(scopes.wanted_scopes(), log, full=True)  # then its worker died

    assert_counted()


def test_policies_that_come_and_go_are_counted(
    ours: Account, functions: Functions, log: Lines, operator: Actor
) -> None:
    functions.deploy()
    run_once(log)
    Image.objects.update(freshness="stale", stale_since=clock.now())
    refresh_summaries()
    assert FunctionCount.objects.get(what=What.UNRULED).number == 1

    policy = save(PolicyDraft("", "", "", "1", ""), operator)
    assert not FunctionCount.objects.filter(what=What.UNRULED).exists()
    assert_counted()
    delete(policy, operator)
    assert FunctionCount.objects.get(what=What.UNRULED).number == 1
    assert_counted()
