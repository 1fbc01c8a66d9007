"""What a failure of one account, region, listing or repository leaves standing."""

from typing import Any

import pytest

from functions_app.aws import ecr
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import (
    Account,
    Function,
    Image,
    Repository,
    Scope,
)
from functions_app.services.people.actor import Actor
from functions_app.services.sync import scopes
from tests.fixtures import ClientFactory
from tests.sandbox.functions import Functions
from tests.services.sync.sync_stage import Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_denied_account_leaves_the_other_synced_and_names_the_permission(
    ours: Account, functions: Functions, client: ClientFactory, denied: Any, log: Lines
) -> None:
    functions.deploy()
    neighbour = add_account(str(int(ours.account_id) ^ 1), "neighbour")
    denied(neighbour.account_id, "lambda:ListFunctions")
    result = run_once(log)
    assert (result.scopes, result.failed) == (2, 1)
    assert Scope.objects.get(account=ours).problem is None
    problem = Scope.objects.get(account=neighbour).problem
    assert problem is not None
    assert problem["code"] == Code.DENIED
    assert "lambda:ListFunctions" in problem["message"]
    assert "lambda:ListFunctions" in problem["next_step"]
    assert problem["aws_code"] == "AccessDeniedException"
    assert problem["request_id"]
    assert Function.objects.filter(account=ours).count() == 1


def test_a_denied_listing_keeps_the_old_rows_with_their_age(
    ours: Account, functions: Functions, denied: Any, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    age, synced = Function.objects.get().synced_at, Scope.objects.get().synced_at
    denied(ours.account_id, "lambda:ListFunctions", "ecr:DescribeRepositories")
    run_once(log)
    function, scope = Function.objects.get(), Scope.objects.get()
    assert (function.gone_at, function.synced_at, scope.synced_at) == (None, age, synced)
    assert Image.objects.get().gone_at is None
    assert scope.attempted_at is not None
    assert synced is not None
    assert scope.attempted_at > synced
    assert scope.problem is not None
    assert "ecr:DescribeRepositories" in scope.problem["message"]


def test_a_denied_detail_still_stores_the_listing(ours: Account, functions: Functions, denied: Any, log: Lines) -> None:
    functions.deploy()
    denied(ours.account_id, "lambda:GetFunction")
    run_once(log)
    function = Function.objects.get()
    assert function.state == ""
    assert function.digest
    problem = Scope.objects.get().problem
    assert problem is not None
    assert "lambda:GetFunction" in problem["message"]


def test_an_account_whose_role_refuses_says_so(ours: Account, denied: Any, log: Lines) -> None:
    denied(ours.account_id, "sts:AssumeRole")
    ours.role_arn += "Closed"
    ours.save()
    run_once(log)
    problem = Scope.objects.get().problem
    assert problem is not None
    assert "sts:AssumeRole" in problem["message"]
    assert "trust policy" in problem["next_step"]


def test_an_endpoint_that_does_not_answer_is_a_problem_of_the_scope(
    ours: Account, monkeypatch: pytest.MonkeyPatch, log: Lines
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    run_once(log)
    problem = Scope.objects.get().problem
    assert problem is not None
    assert problem["code"] == Code.UNREACHABLE
    assert problem["retryable"]


def test_a_cancelled_sync_marks_nothing_as_gone(
    ours: Account, functions: Functions, log: Lines, operator: Actor
) -> None:
    functions.deploy()
    run_once(log)
    functions.api.delete_function(FunctionName="app")
    rows = scopes.wanted_scopes()
    scopes.read_scopes(rows, log, full=True, stopped=lambda: True)
    assert Function.objects.get().gone_at is None


def test_a_single_repository_that_can_not_be_read_leaves_the_others(
    ours: Account, functions: Functions, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.push(reference="open:1")
    functions.push(reference="closed:1")
    real = ecr.images

    def images(target: Target, repository: str) -> tuple[ecr.ImageFact, ...]:
        if repository == "closed":
            raise DrydockError(Code.DENIED, "The permission ecr:DescribeImages is missing.", aws_code="AccessDenied")
        return real(target, repository)

    monkeypatch.setattr(ecr, "images", images)
    result = run_once(log)
    assert (result.failed, dict(result.missed)) == (0, {"images": 1})
    assert Repository.objects.get(name="closed").images_problem is not None
    assert list(Image.objects.values_list("repository__name", flat=True)) == ["open"]
    assert Repository.objects.filter(gone_at=None).count() == 2


def test_a_repository_whose_images_can_not_be_listed_keeps_the_age_of_those_it_has(
    ours: Account, functions: Functions, denied: Any, log: Lines
) -> None:
    functions.push()
    run_once(log)
    read = Repository.objects.get().images_synced_at
    assert read is not None
    denied(ours.account_id, "ecr:DescribeImages")
    run_once(log)
    repository = Repository.objects.get()
    assert repository.images_synced_at == read
    assert repository.synced_at > read
    assert Image.objects.get().gone_at is None
