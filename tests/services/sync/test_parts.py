"""What AWS refuses of one function or repository ages alone: the rest of its region is fresh and not to blame."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.parts import Part
from functions_app.domain.runs import Status
from functions_app.models import Account, Alias, Function, FunctionCount, Image, Repository, Run, Scope, Version
from functions_app.services.engine import runs
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_counts import What
from functions_app.services.snapshot.missed_parts import part_ages, store_missed
from functions_app.services.sync import run as sync
from functions_app.services.sync.refresh import refresh_function
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.snapshot.counted import assert_counted
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
Refuse = Callable[..., None]


@pytest.fixture
def refuse(aws: Sandbox, ours: Account) -> Iterator[Refuse]:
    """Deny an action on one thing, as a policy of the role does."""

    def deny(action: str, resource: str) -> None:
        statement = {"Effect": "Deny", "Action": action, "Resource": resource}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        aws.admin("POST", "roles", {"account": ours.account_id, "name": "Drydock", "policy": policy})

    yield deny
    aws.admin("DELETE", f"roles?account={ours.account_id}")


def arn(account: Account, name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{account.account_id}:function:{name}"


@pytest.fixture
def two(ours: Account, functions: Functions, log: Lines) -> None:
    """Two functions with an alias each, read once."""
    functions.push()
    for name in ("app", "other"):
        functions.create(name)
        functions.settled(name)
        number = functions.publish(name)
        functions.api.create_alias(FunctionName=name, Name="prod", FunctionVersion=number)
    run_once(log)


def ages(name: str) -> dict[Part, Any]:
    return {part.part: part for part in part_ages(Function.objects.get(name=name))}


def test_aliases_denied_for_one_function_are_old_and_all_else_is_fresh(
    two: None, ours: Account, refuse: Refuse, log: Lines
) -> None:
    before = ages("app")
    refuse("lambda:ListAliases", arn(ours, "app"))
    result = run_once(log)
    now, other = ages("app"), ages("other")
    assert now[Part.ALIASES].read_at == before[Part.ALIASES].read_at
    assert now[Part.DETAILS].read_at > before[Part.DETAILS].read_at
    assert now[Part.ALIASES].problem is not None
    assert "lambda:ListAliases" in now[Part.ALIASES].problem.message
    assert now[Part.ALIASES].problem.request_id
    assert [part.problem for part in other.values()] == [None] * 3
    assert other[Part.ALIASES].read_at > before[Part.ALIASES].read_at
    assert Alias.objects.filter(name="prod").count() == 2
    assert (result.failed, dict(result.missed)) == (0, {"aliases": 1})


def test_the_region_is_not_blamed_and_as_old_as_its_sync(two: None, ours: Account, refuse: Refuse, log: Lines) -> None:
    before = Scope.objects.get().synced_at
    assert before is not None
    refuse("lambda:ListAliases", arn(ours, "app"))
    run_once(log)
    scope = Scope.objects.get()
    assert scope.problem is None
    assert scope.synced_at is not None
    assert scope.synced_at > before
    assert [line for line in log.lines if "aliases of app could not be read. A policy denies" in line]


def test_a_function_that_could_not_be_read_by_itself_counts_as_such(two: None, ours: Account, refuse: Refuse) -> None:
    refuse("lambda:ListAliases", arn(ours, "app"))

    with pytest.raises(DrydockError) as refused:
        refresh_function(Function.objects.get(name="app"))

    assert refused.value.problem.code is Code.DENIED
    assert FunctionCount.objects.get(what=What.PARTLY_READ).number == 1
    assert_counted()


def test_what_was_refused_once_is_whole_again_after_the_next_reading(
    two: None, ours: Account, aws: Sandbox, refuse: Refuse, log: Lines
) -> None:
    refuse("lambda:ListAliases", arn(ours, "app"))
    run_once(log)
    assert Function.objects.get(name="app").partly_read
    aws.admin("DELETE", f"roles?account={ours.account_id}")
    run_once(log, person=False)
    function = Function.objects.get(name="app")
    assert (function.missed, function.partly_read, function.problem_rank) == ({}, False, 20)


def test_the_list_says_so_in_the_row_of_that_function_alone(
    two: None, ours: Account, refuse: Refuse, log: Lines
) -> None:
    refuse("lambda:ListAliases", arn(ours, "app"))
    run_once(log)
    assert Function.objects.get(name="app").problem == (
        "Aliases could not be read again: A policy denies lambda:ListAliases."
    )
    assert "could not be read" not in Function.objects.get(name="other").problem


@pytest.mark.parametrize(
    ("action", "says"),
    [("lambda:ListAliases", "Aliases: last read"), ("lambda:GetFunction", "State and tags: last read")],
)
def test_its_page_tells_each_part_with_its_age_and_why(
    two: None, ours: Account, refuse: Refuse, log: Lines, viewer: Actor, action: str, says: str
) -> None:
    refuse(action, arn(ours, "app"))
    run_once(log)
    assert viewer.person
    client = Client()
    client.force_login(viewer.person)
    page = " ".join(client.get(f"/functions/{Function.objects.get(name='app').pk}/").content.decode().split())
    assert says in page
    assert f"A policy denies {action}." in page
    assert "<span>read <time" not in page
    assert "All is well" not in page
    assert "Nothing wrong is known of it, but not all of it could be read." in page
    whole = client.get(f"/functions/{Function.objects.get(name='other').pk}/").content.decode()
    assert "<span>read <time" in whole


def test_a_state_that_was_never_read_is_no_good_sign(
    ours: Account, functions: Functions, refuse: Refuse, log: Lines
) -> None:
    functions.push()
    for name in ("app", "other"):
        functions.create(name)
    functions.settled("other")
    refuse("lambda:GetFunction", arn(ours, "app"))
    run_once(log)
    app = Function.objects.get(name="app")
    assert (app.state, app.partly_read) == ("", True)
    assert app.problem == "State and tags could not be read: A policy denies lambda:GetFunction."
    assert Function.objects.get(name="other").state == "Active"


def test_without_its_aliases_nobody_knows_what_is_live(
    ours: Account, functions: Functions, refuse: Refuse, log: Lines
) -> None:
    functions.push()
    for name in ("app", "other"):
        functions.create(name)
    refuse("lambda:ListAliases", arn(ours, "app"))
    run_once(log)
    app = Function.objects.get(name="app")
    assert app.freshness == "unknown"
    assert app.freshness_reason == "Its aliases were not read yet, so what is live is not known."


def test_what_is_denied_for_all_is_the_regions_problem_and_each_functions(
    two: None, ours: Account, refuse: Refuse, log: Lines
) -> None:
    refuse("lambda:ListAliases", "*")
    result = run_once(log)
    assert result.failed == 1
    problem = Scope.objects.get().problem
    assert problem is not None
    assert "lambda:ListAliases" in problem["message"]
    assert Function.objects.filter(partly_read=True).count() == 2


def test_images_denied_for_one_repository_are_its_own_matter(
    ours: Account, functions: Functions, refuse: Refuse, log: Lines
) -> None:
    functions.push(reference="open:1")
    functions.push(reference="closed:1")
    refuse("ecr:DescribeImages", f"arn:aws:ecr:{REGION}:{ours.account_id}:repository/closed")
    result = run_once(log)
    closed, opened = Repository.objects.get(name="closed"), Repository.objects.get(name="open")
    assert closed.images_problem is not None
    assert "ecr:DescribeImages" in closed.images_problem["message"]
    assert (opened.images_problem, result.failed, dict(result.missed)) == (None, 0, {"images": 1})
    assert Scope.objects.get().problem is None


def test_an_image_of_a_repository_that_could_not_be_listed_is_not_called_gone(
    ours: Account, functions: Functions, refuse: Refuse, log: Lines
) -> None:
    functions.push(reference="open:1")
    functions.deploy("app")
    refuse("ecr:DescribeImages", f"arn:aws:ecr:{REGION}:{ours.account_id}:repository/app")
    Repository.objects.all().delete()
    run_once(log)
    assert Version.objects.filter(digest__gt="", image=None).exists()
    assert not Image.objects.filter(gone_at__isnull=False).exists()


def test_the_run_counts_what_it_could_not_read(two: None, ours: Account, refuse: Refuse, operator: Actor) -> None:
    refuse("lambda:ListAliases", arn(ours, "app"))
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run = Run.objects.get(pk=run.pk)
    assert run.status == Status.SUCCEEDED
    assert run.result["missed"] == {"aliases": 1}
    assert run.steps.get(name="read").note == "1 account and region read, aliases of 1 not readable"


def test_a_failure_of_before_never_hides_what_was_read_later(two: None) -> None:
    function = Function.objects.get(name="app")
    assert function.aliases_synced_at is not None
    problem = Problem(Code.DENIED, "No.")
    earlier = function.aliases_synced_at.replace(year=2020)
    store_missed(Part.ALIASES, {function.pk: (earlier, problem)})
    assert Function.objects.get(name="app").missed == {}
