"""ECR: pushes and deletions are announced as EventBridge would get them."""

from typing import Any

from tests.fixtures import ClientFactory, Push, Sandbox
from tests.sandbox.fixtures import small_image


def events(sandbox: Sandbox, account: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.admin("GET", f"events?account={account}")
    return found


def test_a_push_emits_ecr_image_action(push: Push, sandbox: Sandbox, account: str) -> None:
    digest = push("team/app", small_image(), ["v1"])
    (event,) = events(sandbox, account)
    assert (event["source"], event["detail-type"], event["region"]) == ("aws.ecr", "ECR Image Action", "eu-west-1")
    assert event["detail"] == {
        "action-type": "PUSH",
        "result": "SUCCESS",
        "repository-name": "team/app",
        "image-digest": digest,
        "image-tag": "v1",
    }


def test_a_deletion_emits_ecr_image_action(push: Push, client: ClientFactory, sandbox: Sandbox, account: str) -> None:
    digest = push("team/app", small_image(), ["v1"])
    client("ecr").batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    event = events(sandbox, account)[-1]
    assert event["detail"]["action-type"] == "DELETE"
    assert event["detail"]["image-digest"] == digest
