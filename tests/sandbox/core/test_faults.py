"""/_sandbox/faults: errors, slow answers, dropped connections and cut answers, by plain boto3 and by /v2."""

import json
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from urllib3.exceptions import ProtocolError

from sandbox.core.limits import Quotas
from tests.fixtures import REGION, ClientFactory, Push, Sandbox, login, registry_client
from tests.sandbox.fixtures import small_image
from tests.sandbox.functions import Functions, python_image

Fault = Callable[..., dict[str, Any]]


@pytest.fixture
def fault(sandbox: Sandbox, account: str) -> Iterator[Fault]:
    """Set a fault for the test's own account; cleared afterwards."""

    def add(match: str, **more: Any) -> dict[str, Any]:
        set_fault: dict[str, Any] = sandbox.admin("POST", "faults", {"match": match, "account": account, **more})
        return set_fault

    yield add
    sandbox.admin("DELETE", f"faults?account={account}")


@pytest.fixture
def registry(sandbox: Sandbox, client: ClientFactory, push: Push) -> Iterator[httpx.Client]:
    """/v2 with an image team/app:v1 and the token of the test's account."""
    push("team/app", small_image(), ["v1"])
    with registry_client(sandbox.url, login(client("ecr"))) as http:
        yield http


def outcome(call: Callable[[], object]) -> str:
    """ "ok", or the code of the call's error."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_a_fault_answers_its_code_status_and_message(client: ClientFactory, fault: Fault) -> None:
    fault("ecr.DescribeRepositories", code="ServerException", status=500, message="try later")
    with pytest.raises(ClientError) as failed:
        client("ecr").describe_repositories()
    assert failed.value.response["Error"] == {"Code": "ServerException", "Message": "try later"}
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 400), ("TooManyRequestsException", 429), ("ServiceException", 500)],
)
def test_a_code_has_the_status_aws_gives_it(client: ClientFactory, fault: Fault, code: str, status: int) -> None:
    fault("lambda.ListFunctions", code=code)
    with pytest.raises(ClientError) as failed:
        client("lambda").list_functions()
    assert failed.value.response["Error"]["Code"] == code
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_status_alone_names_a_code(client: ClientFactory, fault: Fault) -> None:
    fault("lambda.ListFunctions", status=503)
    assert outcome(client("lambda").list_functions) == "ServiceUnavailableException"


def test_a_service_that_speaks_xml_fails_in_xml(client: ClientFactory, fault: Fault) -> None:
    fault("sts.GetCallerIdentity", code="Throttling")
    assert outcome(client("sts").get_caller_identity) == "Throttling"


def test_the_operation_is_a_glob(client: ClientFactory, fault: Fault) -> None:
    fault("lambda.List*", code="ServiceException")
    functions = client("lambda")
    assert outcome(functions.list_functions) == "ServiceException"
    assert outcome(functions.get_account_settings) == "ok"


def test_other_services_go_on(client: ClientFactory, fault: Fault) -> None:
    fault("lambda.*", code="ServiceException")
    assert outcome(client("ecr").describe_repositories) == "ok"


def test_other_accounts_go_on(client: ClientFactory, fault: Fault) -> None:
    fault("lambda.*", code="ServiceException")
    assert outcome(client("lambda", account="299999999999").list_functions) == "ok"


def test_a_fault_with_a_count_clears_itself(client: ClientFactory, fault: Fault) -> None:
    fault("lambda.ListFunctions", code="ServiceException", count=2)
    functions = client("lambda")
    assert [outcome(functions.list_functions) for _ in range(3)] == ["ServiceException", "ServiceException", "ok"]


def test_a_failed_call_is_not_carried_out(client: ClientFactory, fault: Fault) -> None:
    fault("ecr.CreateRepository", code="ServerException")
    with suppress(ClientError):
        client("ecr").create_repository(repositoryName="team/app")
    assert client("ecr").describe_repositories()["repositories"] == []


def test_a_rate_strikes_the_same_calls_for_the_same_seed(client: ClientFactory, fault: Fault, sandbox: Sandbox) -> None:
    functions = client("lambda")
    rounds = []
    for _ in range(2):
        set_fault = fault("lambda.ListFunctions", code="ServiceException", rate=0.5, seed=7)
        rounds.append([outcome(functions.list_functions) for _ in range(20)])
        sandbox.admin("DELETE", f"faults?account={set_fault['account']}")
    assert rounds[0] == rounds[1]
    assert set(rounds[0]) == {"ok", "ServiceException"}


def test_a_rate_of_nothing_strikes_nothing(client: ClientFactory, fault: Fault) -> None:
    fault("lambda.*", code="ServiceException", rate=0)
    assert outcome(client("lambda").list_functions) == "ok"


def test_latency_delays_the_answer_and_changes_nothing_else(client: ClientFactory, fault: Fault) -> None:
    fault("ecr.CreateRepository", latency=0.3)
    start = time.monotonic()
    client("ecr").create_repository(repositoryName="team/app")
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize(("drop", "created"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_has_no_answer(client: ClientFactory, fault: Fault, drop: str, created: int) -> None:
    fault("ecr.CreateRepository", drop=drop)
    with pytest.raises(ConnectionClosedError):
        client("ecr").create_repository(repositoryName="team/app")
    assert len(client("ecr").describe_repositories()["repositories"]) == created


def test_a_cut_event_stream_breaks_off(functions: Functions, fault: Fault) -> None:
    functions.deploy(python_image())
    fault("lambda.InvokeWithResponseStream", truncate=40)
    answer = functions.api.invoke_with_response_stream(FunctionName="app", Payload=json.dumps({"a": "b" * 500}))
    with pytest.raises(ProtocolError):
        list(answer["EventStream"])


def test_a_cut_answer_is_shorter_than_it_says(registry: httpx.Client, fault: Fault) -> None:
    fault("registry.GetManifest", truncate=10)
    with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
        registry.get("/v2/team/app/manifests/v1")


def test_registry_operations_fail_in_the_registrys_words(registry: httpx.Client, fault: Fault) -> None:
    fault("registry.*Manifest", code="UNAVAILABLE", status=503, count=1)
    answer = registry.get("/v2/team/app/manifests/v1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "UNAVAILABLE")
    assert registry.get("/v2/team/app/manifests/v1").status_code == 200


def test_the_registrys_ping_can_fail(registry: httpx.Client, fault: Fault) -> None:
    fault("registry.Ping", status=503, count=1)
    assert [registry.get("/v2/").status_code for _ in range(2)] == [503, 200]


def test_a_registry_throttle_is_429(registry: httpx.Client, fault: Fault) -> None:
    fault("registry.HeadManifest", code="ThrottlingException")
    assert registry.head("/v2/team/app/manifests/v1").status_code == 429


def test_a_push_can_break_off_after_its_manifest_was_kept(registry: httpx.Client, fault: Fault) -> None:
    manifest = registry.get("/v2/team/app/manifests/v1")
    fault("registry.PutManifest", drop="after")
    with pytest.raises(httpx.RemoteProtocolError):
        registry.put(
            "/v2/team/app/manifests/v2",
            content=manifest.content,
            headers={"Content-Type": manifest.headers["content-type"]},
        )
    assert registry.get("/v2/team/app/manifests/v2").status_code == 200


def test_a_layers_download_can_be_cut(registry: httpx.Client, sandbox: Sandbox) -> None:
    (layer,) = registry.get("/v2/team/app/manifests/v1").json()["layers"]
    sandbox.admin("POST", "faults", {"match": "registry.DownloadLayer", "truncate": 5, "count": 1})
    with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes"):
        registry.get(f"/v2/team/app/blobs/{layer['digest']}", follow_redirects=True)
    again = registry.get(f"/v2/team/app/blobs/{layer['digest']}", follow_redirects=True)
    assert len(again.content) == layer["size"]


def test_a_live_tail_can_break_off(client: ClientFactory, fault: Fault, account: str) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/app")
    fault("logs.StartLiveTail", truncate=0)
    with pytest.raises(ProtocolError):
        logs.start_live_tail(logGroupIdentifiers=[f"arn:aws:logs:{REGION}:{account}:log-group:/aws/lambda/app"])


def test_a_service_that_moto_answers_alone_fails_too(client: ClientFactory, fault: Fault) -> None:
    roles = client("iam")
    fault("iam.ListRoles", code="ServiceFailure", status=500, count=1)
    assert [outcome(roles.list_roles) for _ in range(2)] == ["ServiceFailure", "ok"]


def test_faults_are_listed_with_how_often_they_struck(
    client: ClientFactory, fault: Fault, sandbox: Sandbox, account: str
) -> None:
    fault("lambda.ListFunctions", code="ServiceException", count=3)
    outcome(client("lambda").list_functions)
    (listed,) = [each for each in sandbox.admin("GET", "faults") if each.get("account") == account]
    assert (listed["match"], listed["code"], listed["struck"], listed["left"]) == (
        "lambda.ListFunctions",
        "ServiceException",
        1,
        2,
    )


def test_delete_clears(client: ClientFactory, fault: Fault, sandbox: Sandbox, account: str) -> None:
    fault("lambda.*", code="ServiceException")
    left = sandbox.admin("DELETE", f"faults?account={account}")
    assert [each for each in left if each.get("account") == account] == []
    assert outcome(client("lambda").list_functions) == "ok"


def test_delete_can_clear_one_match(client: ClientFactory, fault: Fault, sandbox: Sandbox, account: str) -> None:
    fault("lambda.ListFunctions", code="ServiceException")
    fault("lambda.GetAccountSettings", code="ServiceException")
    sandbox.admin("DELETE", f"faults?match=lambda.ListFunctions&account={account}")
    assert outcome(client("lambda").list_functions) == "ok"
    assert outcome(client("lambda").get_account_settings) == "ServiceException"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"match": "lambda.*"}, "needs one of"),
        ({"match": "lambda.*", "code": "X", "rate": 2}, "rate must be"),
        ({"match": "lambda.*", "code": "X", "count": 0}, "count must be"),
        ({"match": "lambda.*", "drop": "sometimes"}, "drop must be"),
        ({"match": "lambda.*", "latency": -1}, "must not be negative"),
        ({"match": "lambda.*", "colour": "red"}, "unknown: colour"),
        ({"code": "X"}, "match"),
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(sandbox: Sandbox, body: dict[str, Any], why: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.admin("POST", "faults", body)
    assert refused.value.code == 400
    assert why in refused.value.read().decode()
    refused.value.close()


def test_a_struck_call_is_counted(client: ClientFactory, fault: Fault, sandbox: Sandbox, account: str) -> None:
    fault("lambda.ListFunctions", drop="before")
    with pytest.raises(ConnectionClosedError):
        client("lambda").list_functions()
    assert sandbox.admin("GET", f"calls?account={account}")["lambda.ListFunctions"] == 1


def test_delete_starts_the_count_again(sandbox: Sandbox, client: ClientFactory, account: str) -> None:
    client("lambda").list_functions()
    sandbox.admin("DELETE", "calls")
    assert sandbox.admin("GET", f"calls?account={account}") == {}


@pytest.fixture
def quotas(sandbox: Sandbox) -> Iterator[None]:
    """AWS's rates, for the length of a test."""
    sandbox.admin("POST", "quotas", {"enforce": True})
    yield
    sandbox.admin("POST", "quotas", {"enforce": False})


@pytest.mark.usefixtures("quotas")
def test_pushing_faster_than_ecr_takes_it_is_throttled(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    (image,) = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])["images"]
    put = partial(ecr.put_image, repositoryName="team/app", imageManifest=image["imageManifest"])
    codes = [outcome(partial(put, imageTag=f"tag-{number}")) for number in range(40)]
    assert set(codes) == {"ok", "ThrottlingException"}


@pytest.mark.usefixtures("quotas")
def test_the_registry_shares_ecrs_rates(registry: httpx.Client) -> None:
    manifest = registry.get("/v2/team/app/manifests/v1")
    headers = {"Content-Type": manifest.headers["content-type"]}
    answers = [
        registry.put(f"/v2/team/app/manifests/t{number}", content=manifest.content, headers=headers)
        for number in range(40)
    ]
    assert {answer.status_code for answer in answers} == {201, 429}
    assert {answer.json()["errors"][0]["code"] for answer in answers if answer.status_code == 429} == {
        "TOOMANYREQUESTS"
    }


@pytest.mark.parametrize(
    ("operation", "rate"),
    [
        ("BatchGetImage", 2000),
        ("GetDownloadUrlForLayer", 3000),
        ("BatchCheckLayerAvailability", 1000),
        ("UploadLayerPart", 500),
        ("InitiateLayerUpload", 100),
        ("CompleteLayerUpload", 100),
        ("PutImage", 10),
    ],
)
def test_ecrs_rates_are_aws_s(operation: str, rate: int) -> None:
    quotas = Quotas(lambda: 0.0)
    quotas.enforce(True)
    assert sum(quotas.admits("1", "eu-west-1", "ecr", operation) for _ in range(rate + 50)) == rate
