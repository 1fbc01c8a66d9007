"""Functions that somebody chose are read anew, those and no others."""

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.selections import READ_AT_ONCE
from functions_app.models import Account, Function, Run
from functions_app.services.engine import runs
from functions_app.services.people.actor import Actor
from functions_app.services.sync import single_functions, triggers
from tests.factories import make_function
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_reads_what_was_chosen_and_nothing_else(
    ours: Account, functions: Functions, operator: Actor, log: Lines
) -> None:
    functions.deploy(python_image(), "chosen")
    functions.create("other", reference="chosen:1")
    run_once(log)
    Function.objects.update(description="as it was")
    chosen = Function.objects.get(name="chosen")
    run = single_functions.submit([chosen.pk], operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert (run.status, run.result["functions"]) == ("succeeded", {"read": 1, "failed": 0})
    assert {row.name: row.description for row in Function.objects.all()}["other"] == "as it was"
    chosen.refresh_from_db()
    assert chosen.description != "as it was"


def test_too_many_and_none_are_refused_before_a_run_is_made(ours: Account, operator: Actor) -> None:
    for count in (0, READ_AT_ONCE + 1):
        with pytest.raises(DrydockError):
            single_functions.submit(list(range(count)), operator)
    assert not Run.objects.exists()


def test_what_another_accounts_credentials_do_not_find_is_not_called_gone_nor_told_of(
    aws: Sandbox, valkey: object, account: str, operator: Actor
) -> None:
    mistaken = Account.objects.create(name="mistaken", account_id=account, regions=[REGION])  # and no role
    function = make_function(mistaken, "theirs", region=REGION)
    run = single_functions.submit([function.pk], operator)
    runs.execute(run.pk, "tests")
    function.refresh_from_db()
    run.refresh_from_db()
    assert (function.gone_at, run.status) == (None, "failed")
    with pytest.raises(DrydockError, match="belong to account"):
        triggers.read(operator, Function.objects.select_related("account").get())


def test_of_an_account_that_was_switched_off_meanwhile_nothing_is_read(
    ours: Account, functions: Functions, operator: Actor, log: Lines
) -> None:
    functions.deploy(python_image(), "chosen")
    run_once(log)
    run = single_functions.submit([Function.objects.get().pk], operator)
    Account.objects.update(enabled=False)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.result["functions"] == {"read": 0, "failed": 0}
