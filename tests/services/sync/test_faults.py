"""What AWS does wrong in the middle of a sync: each leaves the other scopes synced and says what to do."""

import re
from datetime import timedelta

import pytest

from functions_app import clock
from functions_app.aws import quota
from functions_app.domain.errors import Code
from functions_app.models import Account, Alias, Function, Scope
from tests.conftest import Valkey
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between, error, once, sts_error
from tests.services.sync.sync_stage import Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def neighbour(ours: Account) -> Account:
    """Another account, which must be synced whatever happens to ours."""
    return add_account(str(int(ours.account_id) ^ 1), "neighbour")


def problem_of(account: Account) -> dict[str, object]:
    problem: dict[str, object] | None = Scope.objects.get(account=account).problem
    assert problem is not None
    return problem


def short_lived(answer: Answer) -> Answer:
    """Credentials that must be renewed before the next call."""
    soon = clock.now() + timedelta(minutes=2)
    expiry = f"<Expiration>{soon:%Y-%m-%dT%H:%M:%SZ}</Expiration>".encode()
    return Answer(answer.status, answer.headers, re.sub(rb"<Expiration>.*?</Expiration>", expiry, answer.body))


def test_credentials_of_a_role_that_run_out_are_assumed_again(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    between.rules["sts.AssumeRole"] = once(short_lived)
    run_once(log)
    assert between.seen.count("sts.AssumeRole") == 2
    assert Scope.objects.get().problem is None
    assert Function.objects.get().state == "Active"


def test_credentials_that_aws_calls_expired_are_read_anew_once(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    expired = error(403, "ExpiredTokenException", "The security token included in the request is expired")
    between.rules["GET /functions/app"] = once(lambda _: expired)
    run_once(log)
    assert between.seen.count("sts.AssumeRole") == 2
    assert Scope.objects.get().problem is None
    assert Function.objects.get().state == "Active"


def test_a_role_that_refuses_in_the_middle_keeps_what_was_read_and_the_others(
    ours: Account, neighbour: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    refused = sts_error(
        403, "AccessDenied", "User: arn:aws:iam::111111111111:user/u is not authorized to perform: sts:AssumeRole"
    )
    of_ours: list[Answer] = []

    def closing(answer: Answer) -> Answer:
        if ours.account_id.encode() not in answer.body:
            return answer
        of_ours.append(answer)
        return short_lived(answer) if len(of_ours) == 1 else refused

    between.rules["sts.AssumeRole"] = closing
    result = run_once(log)
    assert (result.scopes, result.failed) == (2, 1)
    assert Scope.objects.get(account=neighbour).problem is None
    problem = problem_of(ours)
    assert problem["code"] == Code.DENIED
    assert "sts:AssumeRole" in str(problem["message"])
    assert "trust policy" in str(problem["next_step"])
    assert Function.objects.filter(gone_at__isnull=False).count() == 0


def test_a_listing_throttled_beyond_all_retries_is_told_and_the_others_are_synced(
    ours: Account, neighbour: Account, functions: Functions, between: Between, log: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # Waiting out all five attempts would only cost time.
    monkeypatch.setattr(quota, "READ_ATTEMPTS", 2)
    functions.deploy()
    run_once(log)
    before = Function.objects.get(account=ours).synced_at
    throttled = error(429, "TooManyRequestsException", "Rate exceeded")
    between.rules["GET /functions"] = lambda answer: throttled if ours.account_id.encode() in answer.body else answer
    run_once(log)
    assert Scope.objects.get(account=neighbour).problem is None
    problem = problem_of(ours)
    assert (problem["code"], problem["retryable"]) == (Code.THROTTLED, True)
    assert "quota" in str(problem["next_step"])
    function = Function.objects.get(account=ours)
    assert (function.synced_at, function.gone_at) == (before, None)


def test_answers_that_are_lost_in_the_middle_leave_the_rest_read(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=functions.publish())
    down = error(503, "ServiceUnavailableException", "Service unavailable")
    between.rules["GET /functions/app"] = lambda _: down
    run_once(log)
    assert problem_of(ours)["code"] == Code.UNREACHABLE
    assert Alias.objects.get().name == "prod"
    between.rules.clear()
    run_once(log, person=False)
    assert Scope.objects.get().problem is None
    assert Function.objects.get().state == "Active"


def test_redis_wiped_in_the_middle_costs_nothing(
    ours: Account, functions: Functions, between: Between, log: Lines, valkey: Valkey
) -> None:
    functions.deploy()

    def wiped(answer: Answer) -> Answer:
        valkey.flush()
        return answer

    between.rules |= {"GET /functions": wiped, "GET /functions/app": wiped, "ecr.DescribeImages": wiped}
    run_once(log)
    assert Scope.objects.get().problem is None
    assert Function.objects.get().versions.get().image is not None


def test_an_account_without_a_role_never_shows_what_belongs_to_another(
    aws: Sandbox, valkey: object, account: str, log: Lines
) -> None:
    Account.objects.create(name="mistaken", account_id=account, regions=[REGION])
    run_once(log)
    problem = Scope.objects.get().problem
    assert problem is not None
    assert problem["code"] == Code.DENIED
    assert "belong to account 111111111111" in problem["message"]
    assert "role" in problem["next_step"]
