"""Lambda through Drydock's own door: what it reads, and how its changes are guarded."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from functions_app import clock
from functions_app.aws import ecr, lambdas, logs
from functions_app.aws.session import Target
from functions_app.domain.changes.invocations import Mode
from functions_app.domain.errors import Code, DrydockError
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions, until

OTHER = "def handler(event, context):\n    print('hello from the other')\n    return 'other'\n"
FAILING = "def handler(event, context):\n    raise ValueError('no')\n"


@pytest.fixture
def target(aws: Sandbox, valkey: object, account: str) -> Target:
    """The test's own account."""
    return Target(account, "eu-west-1", f"arn:aws:iam::{account}:role/Drydock")


def test_the_listing_gives_functions_with_their_versions_and_only_names_of_the_environment(
    target: Target, functions: Functions
) -> None:
    digest = functions.deploy(Environment={"Variables": {"TOKEN": "secret"}}, Timeout=7)
    functions.publish()
    (page,) = lambdas.functions(target)
    (fact,) = page.functions
    assert (fact.name, fact.latest.digest, fact.timeout_s, fact.env_keys) == ("app", digest, 7, ("TOKEN",))
    assert fact.arn == f"arn:aws:lambda:eu-west-1:{target.account_id}:function:app"
    assert fact.log_group == "/aws/lambda/app"
    assert [(name, version.number, version.digest) for name, version in page.versions] == [("app", "1", digest)]
    assert "secret" not in repr(page)


def test_update_publish_and_alias_are_guarded_by_what_was_planned(target: Target, functions: Functions) -> None:
    functions.deploy()
    digest = functions.push(OTHER, "app:2")
    before = lambdas.get_function(target, "app")
    revision = before.fact.latest.revision_id
    lambdas.update_code(target, "app", functions.uri(f"app@{digest}"), revision)
    functions.settled()
    with pytest.raises(DrydockError) as caught:
        lambdas.update_code(target, "app", functions.uri(f"app@{digest}"), revision)
    assert caught.value.problem.code is Code.CHANGED
    now = lambdas.get_function(target, "app")
    assert now.resolved_uri == functions.uri(f"app@{digest}")
    version = lambdas.publish_version(target, "app", digest, now.fact.latest.revision_id)
    assert version.digest == digest
    made = lambdas.create_alias(target, "app", "prod", version.number)
    assert lambdas.get_alias(target, "app", "prod") == made
    assert lambdas.aliases(target, "app") == (made,)


def test_an_answer_that_breaks_off_is_none(target: Target, functions: Functions, aws: Sandbox, account: str) -> None:
    """It would be read as an account without functions, or as an alias without a name."""
    digest = functions.deploy()
    first, second = functions.publish(), functions.next_version()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=first)
    revision = lambdas.get_function(target, "app").fact.latest.revision_id
    prod = lambdas.get_alias(target, "app", "prod")
    assert prod
    aws.admin("POST", "faults", {"match": "lambda.*", "account": account, "truncate": 9})
    reads: list[Callable[[], object]] = [
        lambda: list(lambdas.functions(target)),
        lambda: lambdas.get_function(target, "app"),
        lambda: lambdas.get_alias(target, "app", "prod"),
        lambda: lambdas.aliases(target, "app"),
        lambda: lambdas.versions(target, "app"),
    ]
    changes: list[Callable[[], object]] = [
        lambda: lambdas.update_alias(target, "app", "prod", second, "", 0.0, prod.revision_id),
        lambda: lambdas.update_code(target, "app", functions.uri(f"app@{digest}"), revision),
        lambda: lambdas.invoke(target, "app", "", b'{"long enough": "to be cut"}', Mode.SYNC.value, 3),
    ]
    try:
        assert [_refusal(read) for read in reads] == [Code.UNREACHABLE] * len(reads)
        assert [_refusal(change) for change in changes] == [Code.UNKNOWN_OUTCOME] * len(changes)
    finally:
        aws.admin("DELETE", f"faults?account={account}")
    moved = lambdas.get_alias(target, "app", "prod")
    assert moved
    assert moved.version == second


def _refusal(call: Callable[[], object]) -> Code:
    with pytest.raises(DrydockError) as caught:
        call()
    return caught.value.problem.code


def test_an_alias_loses_its_old_weight_when_it_is_pointed_to_one_version(target: Target, functions: Functions) -> None:
    functions.deploy()
    first, second = functions.publish(), functions.next_version()
    made = lambdas.create_alias(target, "app", "prod", first)
    split = lambdas.update_alias(target, "app", "prod", first, second, 0.1, made.revision_id)
    assert (split.second_version, split.second_weight) == (second, 0.1)
    whole = lambdas.update_alias(target, "app", "prod", second, "", 0.0, split.revision_id)
    assert (whole.version, whole.second_version, whole.second_weight) == (second, "", 0.0)


def test_an_alias_that_is_not_there_is_none(target: Target, functions: Functions) -> None:
    functions.deploy()
    assert lambdas.get_alias(target, "app", "prod") is None


def test_an_invocation_answers_with_payload_log_and_version(target: Target, functions: Functions) -> None:
    functions.deploy(OTHER)
    answer = lambdas.invoke(target, "app", "", b"{}", "sync", 3)
    assert (answer.status, json.loads(answer.payload), answer.executed_version) == (200, "other", "$LATEST")
    assert "hello from the other" in answer.log_tail
    assert answer.request_id


def test_a_failed_function_is_an_answer_not_an_error(target: Target, functions: Functions) -> None:
    functions.deploy(FAILING)
    answer = lambdas.invoke(target, "app", "", b"{}", "sync", 3)
    assert answer.function_error == "Unhandled"
    assert json.loads(answer.payload)["errorType"] == "ValueError"


@pytest.mark.parametrize(("mode", "status"), [("async", 202), ("dry_run", 204)])
def test_the_other_ways_to_invoke(target: Target, functions: Functions, mode: lambdas.Mode, status: int) -> None:
    functions.deploy()
    assert lambdas.invoke(target, "app", "", b"{}", mode, 3).status == status


def test_lines_of_the_log_group_come_in_order_and_none_is_no_error(target: Target, functions: Functions) -> None:
    functions.deploy(OTHER)
    start = clock.now() - timedelta(minutes=1)
    functions.invoke()

    def lines() -> list[str]:
        return [event.text for page in logs.pages(target, "/aws/lambda/app", start) for event in page.events]

    found = until(lambda: (seen := lines()) and any("REPORT" in line for line in seen) and seen)
    assert found
    words = [line.split()[0] for line in found]
    assert words.index("START") < words.index("hello") < words.index("REPORT")


@pytest.mark.parametrize(
    ("logging", "framed"),
    [
        ({}, True),
        ({"LogFormat": "JSON"}, True),
        ({"LogFormat": "JSON", "SystemLogLevel": "DEBUG"}, True),
        ({"LogFormat": "JSON", "SystemLogLevel": "WARN"}, False),
    ],
)
def test_whether_start_and_report_are_written_is_told(
    target: Target, functions: Functions, logging: dict[str, str], framed: bool
) -> None:
    functions.deploy(LoggingConfig=logging)
    assert lambdas.get_function(target, "app").log_framed is framed


def test_manifests_are_found_by_tag_and_digest_and_what_is_missing_is_named(
    target: Target, functions: Functions
) -> None:
    digest = functions.push()
    answer = ecr.manifests(target, "app", ["1", digest, "nope"])
    assert answer.found["1"].digest == digest
    assert answer.found[digest].data == answer.found["1"].data
    assert answer.failures == {"nope": "ImageNotFound"}


def test_a_repository_without_a_policy_has_none(target: Target, functions: Functions) -> None:
    functions.push()
    assert ecr.repository_policy(target, "app") is None
    pull = {
        "Sid": "Lambda",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [pull]})
    functions.ecr.set_repository_policy(repositoryName="app", policyText=text)
    policy = ecr.repository_policy(target, "app")
    assert policy is not None
    assert json.loads(policy)["Version"] == "2012-10-17"


def test_the_registrys_password_is_kept_and_never_shown(target: Target, aws: Sandbox) -> None:
    first = ecr.login(target)
    assert first.username == "AWS"
    assert first.password not in repr(first)
    assert ecr.login(target) is first
