"""Errors of AWS become problems that people understand, and a target's credentials lead into its own account."""

from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from functions_app import clock
from functions_app.aws.errors import translate
from functions_app.aws.session import Target, caller_account, client, now
from functions_app.domain.errors import Code, DrydockError, Problem
from tests import settings
from tests.fixtures import Sandbox


def problem_of(error: Exception, *, change: bool = False) -> Problem:
    with pytest.raises(DrydockError) as caught, translate(change=change):
        raise error
    return caught.value.problem


def refused(name: str, message: str = "No.", status: int = 400) -> ClientError:
    metadata = {"RequestId": "request-1", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    return ClientError({"Error": {"Code": name, "Message": message}, "ResponseMetadata": metadata}, "Operation")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("AccessDeniedException", Code.DENIED),
        ("ExpiredTokenException", Code.DENIED),
        ("TooManyRequestsException", Code.THROTTLED),
        ("ResourceNotFoundException", Code.NOT_FOUND),
        ("ImageNotFoundException", Code.NOT_FOUND),
        ("PreconditionFailedException", Code.CHANGED),
        ("ResourceConflictException", Code.BUSY),
        ("CodeArtifactUserPendingException", Code.BUSY),
        ("CodeArtifactUserFailedException", Code.FAILED),
        ("InvalidParameterValueException", Code.INVALID),
        ("SomethingNewException", Code.FAILED),
    ],
)
def test_every_code_of_aws_has_a_meaning(name: str, code: Code) -> None:
    problem = problem_of(refused(name))
    assert problem.code is code
    assert (problem.aws_code, problem.request_id) == (name, "request-1")


def test_a_denial_names_the_missing_permission() -> None:
    text = "User: arn:aws:iam::1:user/x is not authorized to perform: lambda:ListFunctions on resource: *"
    problem = problem_of(refused("AccessDeniedException", text, 403))
    assert problem.message.startswith("The permission lambda:ListFunctions is missing.")
    assert "Allow lambda:ListFunctions" in problem.next_step


@pytest.mark.parametrize("name", ["ServiceException", "503", "InternalFailure"])
def test_a_server_error_on_a_change_leaves_its_outcome_open(name: str) -> None:
    assert problem_of(refused(name, status=503)).code is Code.UNREACHABLE
    assert problem_of(refused(name, status=503), change=True).code is Code.UNKNOWN_OUTCOME


def test_an_answer_that_never_came_leaves_a_change_open_but_one_that_never_left_does_not() -> None:
    assert problem_of(ReadTimeoutError(endpoint_url="x"), change=True).code is Code.UNKNOWN_OUTCOME
    assert problem_of(ConnectionClosedError(endpoint_url="x"), change=True).code is Code.UNKNOWN_OUTCOME
    assert problem_of(ReadTimeoutError(endpoint_url="x")).code is Code.UNREACHABLE
    assert problem_of(EndpointConnectionError(endpoint_url="x"), change=True).code is Code.UNREACHABLE


def test_missing_credentials_say_what_to_set() -> None:
    problem = problem_of(NoCredentialsError())
    assert problem.code is Code.DENIED
    assert "AWS_ACCESS_KEY_ID" in problem.next_step


def test_an_error_of_our_own_passes_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), translate():
        raise ZeroDivisionError


def test_a_role_leads_into_its_own_account(aws: Sandbox, account: str) -> None:
    target = Target(account, "eu-west-1", f"arn:aws:iam::{account}:role/Drydock", "secret-id")
    assert client(target, "sts").get_caller_identity()["Account"] == account
    assert caller_account("eu-west-1") == "111111111111"


def test_a_client_is_made_once(aws: Sandbox, account: str) -> None:
    target = Target(account, "eu-west-1", f"arn:aws:iam::{account}:role/Drydock")
    assert client(target, "lambda") is client(target, "lambda")
    assert client(target, "lambda") is not client(target, "lambda", attempts=1)


def test_the_time_by_awss_clock_is_what_its_last_answer_said(aws: Sandbox, account: str) -> None:
    target = Target(account, "eu-west-1", f"arn:aws:iam::{account}:role/Drydock")
    logs = client(target, "logs")
    assert now(target) is None
    ahead = float(settings.CLOCK_AHEAD)
    try:
        for off in (-30, 3_600):
            aws.admin("POST", "clock", {"ahead": ahead + off})
            with pytest.raises(logs.exceptions.ResourceNotFoundException):  # a refusal has a date, too
                logs.filter_log_events(logGroupName="nowhere")
            told = now(target)
            assert told
            assert -1 <= (clock.now() + timedelta(seconds=off) - told).total_seconds() < 2
    finally:
        aws.admin("POST", "clock", {"ahead": ahead})


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "http://lambda.nowhere.invalid",
            "the name lambda.nowhere.invalid can't be resolved.",
        ),
        ("http://127.0.0.1:9", "127.0.0.1 refuses the connection."),
    ],
)
def test_an_endpoint_that_is_not_there_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(DrydockError) as caught:
        caller_account("eu-west-1")
    assert caught.value.problem.message == f"AWS could not be reached: {words}"
    assert "Errno" not in caught.value.problem.message
