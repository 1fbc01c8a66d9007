"""`python -m sandbox`: starting, stopping, accounts, and what /_sandbox sets."""

import hashlib
import re
import signal
import socket
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sandbox.core.limits import Quotas
from tests.fixtures import REGION, ClientFactory, Push, Sandbox, login
from tests.sandbox.fixtures import small_image
from tests.sandbox.serving import serving

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_says_where_it_serves_and_ends_on_sigterm() -> None:
    with run("--port", "0") as process:
        assert process.stdout is not None
        assert re.fullmatch(r"sandbox ready on http://127\.0\.0\.1:\d+\n", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with run("--port", port) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"127.0.0.1:{port}" in errors


def test_the_default_account_is_111111111111(sandbox: Sandbox) -> None:
    assert sandbox.sts.get_caller_identity()["Account"] == "111111111111"


def test_assume_role_gives_the_roles_account(client: ClientFactory, account: str) -> None:
    caller = client("sts").get_caller_identity()
    assert caller["Account"] == account
    assert caller["Arn"] == f"arn:aws:sts::{account}:assumed-role/Tests/tests"


def test_accounts_and_regions_hold_their_own_repositories(client: ClientFactory) -> None:
    client("ecr").create_repository(repositoryName="team/app")
    assert len(client("ecr").describe_repositories()["repositories"]) == 1
    assert client("ecr", "us-east-1").describe_repositories()["repositories"] == []
    assert client("ecr", account="999999999999").describe_repositories()["repositories"] == []


def test_calls_are_counted_by_operation_and_account(
    client: ClientFactory, push: Push, sandbox: Sandbox, account: str
) -> None:
    push("team/app", small_image(), ["v1"])
    client("ecr").describe_images(repositoryName="team/app")
    counts = sandbox.admin("GET", f"calls?account={account}")
    assert counts["ecr.DescribeImages"] == 1
    assert counts["registry.PutManifest"] == 1


@pytest.fixture
def denied(sandbox: Sandbox, account: str) -> Iterator[str]:
    """The test's account, which may not describe repositories."""
    sandbox.admin("POST", "denials", {"account": account, "actions": ["ecr:DescribeRepositories", "sts:AssumeRole"]})
    yield account
    sandbox.admin("DELETE", f"denials?account={account}")


def test_a_denied_action_answers_as_iam_does(client: ClientFactory, sandbox: Sandbox, account: str) -> None:
    ecr = client("ecr")
    sandbox.admin("POST", "denials", {"account": account, "actions": ["ecr:DescribeRepositories"]})
    with pytest.raises(ClientError) as refused:
        ecr.describe_repositories()
    assert refused.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"User: arn:aws:sts::{account}:assumed-role/Tests/tests is not authorized to perform: "
        f"ecr:DescribeRepositories on resource: arn:aws:ecr:eu-west-1:{account}:repository/* "
        "because no identity-based policy allows the ecr:DescribeRepositories action",
    }
    sandbox.admin("DELETE", f"denials?account={account}")
    assert ecr.describe_repositories()["repositories"] == []


def test_other_actions_of_a_denied_account_go_on(client: ClientFactory, sandbox: Sandbox, account: str) -> None:
    ecr = client("ecr")
    sandbox.admin("POST", "denials", {"account": account, "actions": ["ecr:DescribeRepositories"]})
    ecr.create_repository(repositoryName="team/app")
    sandbox.admin("DELETE", f"denials?account={account}")


@pytest.mark.parametrize(
    ("service", "call", "parameters", "resource"),
    [
        ("ecr", "describe_images", {"repositoryName": "team/app"}, "repository/team/app"),
        ("lambda", "get_function", {"FunctionName": "orders"}, "function:orders"),
        ("logs", "filter_log_events", {"logGroupName": "/aws/lambda/orders"}, "log-group:/aws/lambda/orders"),
    ],
)
def test_the_denial_names_the_resource(
    client: ClientFactory,
    sandbox: Sandbox,
    account: str,
    service: str,
    call: str,
    parameters: dict[str, str],
    resource: str,
) -> None:
    caller = client(service)
    sandbox.admin("POST", "denials", {"account": account, "actions": [f"{service}:*"]})
    with pytest.raises(ClientError, match=f"on resource: arn:aws:{service}:eu-west-1:{account}:{resource}") as refused:
        getattr(caller, call)(**parameters)
    sandbox.admin("DELETE", f"denials?account={account}")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_role_that_may_not_be_assumed_is_access_denied(denied: str, sandbox: Sandbox) -> None:
    role = f"arn:aws:iam::{denied}:role/Tests"
    with pytest.raises(ClientError, match=f"sts:AssumeRole on resource: {role}") as refused:
        sandbox.sts.assume_role(RoleArn=role, RoleSessionName="tests")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_request_without_a_signature_is_refused(sandbox: Sandbox) -> None:
    answer = httpx.post(sandbox.url)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationToken")


def test_an_operation_that_is_missing_is_a_clear_error(client: ClientFactory) -> None:
    with pytest.raises(ClientError, match="The sandbox does not do this") as refused:
        client("ecr").describe_pull_through_cache_rules()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_the_clock_is_set_by_name(sandbox: Sandbox) -> None:
    before = sandbox.admin("GET", "clock")
    assert sandbox.admin("POST", "clock", {"create": before["create"]}) == before


def test_an_unknown_wait_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.admin("POST", "clock", {"creation": 1})
    assert refused.value.code == 400
    assert "unknown wait" in refused.value.read().decode()
    refused.value.close()


def test_connections_are_kept_alive(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(b"GET /_sandbox/ready HTTP/1.1\r\nHost: sandbox\r\n\r\n")
            answer = b""
            while b"true}" not in answer:
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")


def test_many_open_streams_hold_up_neither_a_call_nor_the_end() -> None:
    with serving() as own:
        logs, *clients = (own.client("logs", REGION, "111111111111") for _ in range(5))
        logs.create_log_group(logGroupName="app")
        group = f"arn:aws:logs:{REGION}:111111111111:log-group:app"
        # Ten each: boto3 warns of more connections.
        tails = [client.start_live_tail(logGroupIdentifiers=[group]) for client in clients for _ in range(10)]
        assert len(logs.describe_log_groups()["logGroups"]) == 1
    for tail in tails:
        tail["responseStream"].close()


def test_a_blob_larger_than_a_piece_arrives_whole(client: ClientFactory, sandbox: Sandbox) -> None:
    client("ecr").create_repository(repositoryName="team/app")
    blob = bytes(range(251)) * 12_000
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    with httpx.Client(base_url=sandbox.url, auth=login(client("ecr")), follow_redirects=True) as registry:
        upload = registry.post("/v2/team/app/blobs/uploads/").headers["location"]
        registry.patch(upload, content=iter([blob[:1_000_000], blob[1_000_000:]]))
        registry.put(upload, params={"digest": digest})
        assert registry.get(f"/v2/team/app/blobs/{digest}").content == blob


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def admitted(quotas: Quotas, operation: str, calls: int, account: str = "1") -> int:
    return sum(quotas.admits(account, "eu-west-1", "lambda", operation) for _ in range(calls))


def test_the_control_plane_shares_15_calls_a_second() -> None:
    quotas = Quotas(now := Time())
    quotas.enforce(True)
    assert admitted(quotas, "ListFunctions", 10) + admitted(quotas, "PublishVersion", 10) == 15
    now.now = 1.0
    assert admitted(quotas, "ListAliases", 20) == 15


def test_get_function_has_100_of_its_own() -> None:
    quotas = Quotas(Time())
    quotas.enforce(True)
    assert admitted(quotas, "ListFunctions", 20) == 15
    assert admitted(quotas, "GetFunction", 200) == 100


def test_quotas_are_per_account_and_spare_invocations() -> None:
    quotas = Quotas(Time())
    quotas.enforce(True)
    assert admitted(quotas, "ListFunctions", 20, "1") + admitted(quotas, "ListFunctions", 20, "2") == 30
    assert admitted(quotas, "Invoke", 500) == 500


def test_without_enforcement_everything_passes() -> None:
    assert admitted(Quotas(Time()), "ListFunctions", 500) == 500


def test_a_throttled_call_is_too_many_requests(sandbox: Sandbox, client: ClientFactory) -> None:
    functions = client("lambda")
    sandbox.admin("POST", "quotas", {"enforce": True})
    try:
        errors = [error for error in (list_functions(functions) for _ in range(60)) if error]
        throttled = sandbox.admin("GET", "quotas")["throttled"]
    finally:
        sandbox.admin("POST", "quotas", {"enforce": False})
    assert errors
    assert set(errors) == {(429, "TooManyRequestsException")}
    assert throttled == {"lambda.ListFunctions": len(errors)}


def list_functions(functions: Any) -> tuple[int, str] | None:
    """Status and code of a call's error, None when there was none."""
    try:
        functions.list_functions()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return None
