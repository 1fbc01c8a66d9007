"""Functions that are not Active: idle ones wake, and an image deleted from ECR takes its function down."""

import time
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.lambda_ import model
from tests.fixtures import Sandbox
from tests.sandbox.functions import REGION, Functions, until
from tests.sandbox.lambda_.test_create import pull_policy


def test_what_is_told_of_a_function_is_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly it is put together: settled with the revision of before the end is what AWS never says."""
    for ends in range(1, 6):
        looks = count()
        # The update ends between two looks at the clock, a second apart: no real one can be made to.
        monkeypatch.setattr(model, "time", SimpleNamespace(monotonic=lambda looks=looks: float(next(looks))))
        code = model.Code("app:1", "registry/app", f"sha256:{'5f' * 32}")
        version = model.Version(model.LATEST, code, model.Settings("role"), updating_until=float(ends))
        told = model.Function("1" * 12, REGION, "app", version).configuration(version)
        settled = told["LastUpdateStatus"] == "Successful"
        assert told["RevisionId"] == (version.settled_revision if settled else version.revision)


def put_to_sleep(sandbox: Sandbox, functions: Functions, **more: str) -> None:
    """Make the function Inactive, as Lambda does after weeks."""
    where = {"account": functions.account, "region": REGION, "name": "app"}
    sandbox.admin("POST", "function-state", where | {"state": "Inactive", "reason_code": "Idle"} | more)


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """Error code and HTTP status."""
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_first_invoke_of_an_inactive_function_is_refused_and_wakes_it(
    functions: Functions, sandbox: Sandbox, clock: Callable[..., Any]
) -> None:
    functions.deploy()
    put_to_sleep(sandbox, functions)
    assert (functions.read()["State"], functions.read()["StateReasonCode"]) == ("Inactive", "Idle")
    with clock(wake=1.5), pytest.raises(ClientError) as refused:
        functions.invoke()
    assert code_of(refused) == ("CodeArtifactUserPendingException", 409)
    assert functions.read()["State"] == "Pending"
    functions.settled()
    assert functions.invoke(event="awake").payload == "awake"


def test_only_the_version_that_slept_is_woken(functions: Functions, sandbox: Sandbox) -> None:
    functions.deploy()
    functions.publish()
    put_to_sleep(sandbox, functions, version="1")
    with pytest.raises(ClientError, match="CodeArtifactUserPendingException"):
        functions.invoke(Qualifier="1")
    assert functions.invoke(event=1).payload == 1


def test_a_failed_function_is_not_woken(functions: Functions, sandbox: Sandbox) -> None:
    functions.deploy()
    put_to_sleep(sandbox, functions, state="Failed", reason_code="ImageAccessDenied", reason="No access")
    with pytest.raises(functions.api.exceptions.ResourceConflictException, match="state: Failed"):
        functions.invoke()
    configuration = functions.read()
    assert (configuration["State"], configuration["StateReason"]) == ("Failed", "No access")


def test_an_image_deleted_from_ecr_fails_the_next_cold_invoke(functions: Functions) -> None:
    digest = functions.deploy()
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    with pytest.raises(ClientError, match="was deleted from ECR") as refused:
        functions.invoke()
    assert code_of(refused) == ("CodeArtifactUserFailedException", 409)
    configuration = functions.read()
    assert (configuration["State"], configuration["StateReasonCode"]) == ("Inactive", "ImageDeleted")
    with pytest.raises(ClientError, match="CodeArtifactUserFailedException"):
        functions.invoke()


def test_a_warm_function_goes_on_without_its_image(functions: Functions) -> None:
    digest = functions.deploy()
    functions.invoke()
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    assert functions.invoke(event="warm").payload == "warm"
    assert functions.read()["State"] == "Active"


def test_an_image_that_is_pushed_again_brings_the_function_back(functions: Functions) -> None:
    digest = functions.deploy()
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    with pytest.raises(ClientError, match="CodeArtifactUserFailedException"):
        functions.invoke()
    functions.push()
    with pytest.raises(ClientError, match="CodeArtifactUserPendingException"):
        functions.invoke()
    functions.settled()
    assert functions.invoke(event="back").payload == "back"


def test_new_code_brings_a_function_back_whose_image_was_deleted(functions: Functions) -> None:
    digest = functions.deploy()
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    with pytest.raises(ClientError, match="CodeArtifactUserFailedException"):
        functions.invoke()
    functions.redeploy("def handler(event, context):\n    return 'new'\n", tag="2")
    assert functions.invoke().payload == "new"


def test_a_rollback_to_a_version_whose_image_was_deleted_fails_and_the_newer_one_runs(functions: Functions) -> None:
    old = functions.deploy()
    functions.publish()
    functions.redeploy("def handler(event, context):\n    return 'new'\n", tag="2")
    functions.publish()
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": old}])
    with pytest.raises(ClientError, match="CodeArtifactUserFailedException"):
        functions.invoke(Qualifier="1")
    assert functions.read(qualifier="1")["StateReasonCode"] == "ImageDeleted"
    assert functions.invoke(Qualifier="2").payload == "new"
    assert functions.read(qualifier="2")["State"] == "Active"


def test_an_image_that_lost_only_its_tag_still_runs(functions: Functions) -> None:
    functions.deploy()
    functions.push("def handler(event, context):\n    return 'moved'\n")
    assert functions.invoke(event="still here").payload == "still here"


def test_a_repository_that_no_longer_lets_lambda_pull_fails_the_next_cold_invoke(
    functions: Functions, client: Callable[..., Any], account: str
) -> None:
    owner = str(int(account) - 200_000_000_000)
    functions.push(account=owner)
    ecr = client("ecr", account=owner)
    ecr.set_repository_policy(repositoryName="app", policyText=pull_policy(account))
    functions.create(Code={"ImageUri": functions.uri(account=owner)})
    functions.settled()
    ecr.delete_repository_policy(repositoryName="app")
    with pytest.raises(ClientError, match="does not have permission to access the ECR image"):
        functions.invoke()
    assert functions.read()["StateReasonCode"] == "ImageAccessDenied"


def test_a_pending_function_cannot_be_invoked(functions: Functions, slow_clock: None) -> None:
    functions.push()
    functions.create()
    with pytest.raises(functions.api.exceptions.ResourceConflictException, match="state: Pending"):
        functions.invoke()


def test_the_wake_lasts_as_long_as_the_clock_says(
    functions: Functions, sandbox: Sandbox, clock: Callable[..., Any]
) -> None:
    functions.deploy()
    put_to_sleep(sandbox, functions)
    with clock(wake=0.5):
        started = time.monotonic()
        with pytest.raises(ClientError):
            functions.invoke()
        until(lambda: functions.read()["State"] == "Active")
    assert time.monotonic() - started >= 0.5


def test_a_state_that_changes_by_itself_shows_in_no_listing_and_gives_no_new_revision(
    functions: Functions, sandbox: Sandbox
) -> None:
    functions.deploy()
    number = functions.publish()
    before = functions.read(qualifier=number)
    listed = functions.api.list_functions(FunctionVersion="ALL")["Functions"]
    put_to_sleep(sandbox, functions, version=number)
    after = functions.read(qualifier=number)
    assert (after["State"], after["RevisionId"], after["LastModified"]) == (
        "Inactive", before["RevisionId"], before["LastModified"],
    )  # fmt: skip
    assert functions.api.list_functions(FunctionVersion="ALL")["Functions"] == listed


def test_every_version_has_a_state_a_last_update_and_an_image_uri_of_its_own(
    functions: Functions, sandbox: Sandbox
) -> None:
    functions.push(reference="app:rel")
    functions.create(reference="app:rel")
    functions.settled()
    by_tag = functions.publish()
    digest = functions.push("def handler(event, context):\n    return 2\n", "app:2")
    functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri(f"app@{digest}"))
    functions.settled()
    by_digest = functions.publish()
    functions.push("def handler(event, context):\n    return 3\n", "app:latest")
    functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app"))
    functions.settled()
    where = {"account": functions.account, "region": REGION, "name": "app", "version": by_tag}
    sandbox.admin("POST", "function-state", where | {"state": "Failed", "reason_code": "ImageDeleted"})
    sandbox.admin("POST", "function-state", where | {"version": by_digest, "last_update": ["Failed", "InternalError"]})

    answers = [functions.api.get_function(FunctionName="app", Qualifier=q) for q in (by_tag, by_digest, "$LATEST")]

    states = [(a["Configuration"]["State"], a["Configuration"]["LastUpdateStatus"]) for a in answers]
    assert states == [("Failed", "Successful"), ("Active", "Failed"), ("Active", "Successful")]
    uris = [a["Code"]["ImageUri"] for a in answers]
    assert uris == [functions.uri("app:rel"), functions.uri(f"app@{digest}"), functions.uri("app")]
