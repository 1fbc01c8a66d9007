"""ECR's archive: what is in it is listed when asked, and given to nobody until it is restored."""

from typing import Any

import httpx
import pytest

from tests.fixtures import ClientFactory, Push, Sandbox, login
from tests.processes import eventually
from tests.sandbox.fixtures import small_image


def details(ecr: Any, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ecr.describe_images(repositoryName="team/app", **more)["imageDetails"]
    return found


def move(ecr: Any, digest: str, to: str) -> str:
    """Move an image to another storage class; the status it has then."""
    answer = ecr.update_image_storage_class(
        repositoryName="team/app", imageId={"imageDigest": digest}, targetStorageClass=to
    )
    return str(answer["imageStatus"])


def pulled(ecr: Any, digest: str) -> list[str]:
    """Failure codes of a pull; none where it came."""
    answer = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])
    return [failed["failureCode"] for failed in answer["failures"]]


@pytest.fixture
def digest(push: Push) -> str:
    """An image with a tag."""
    return push("team/app", small_image(), ["v1"])


def test_an_archived_image_is_listed_only_when_asked_and_cannot_be_pulled(client: ClientFactory, digest: str) -> None:
    ecr = client("ecr")
    assert move(ecr, digest, "ARCHIVE") == "ARCHIVED"
    assert details(ecr) == []
    for status in ("ANY", "ARCHIVED"):
        (found,) = details(ecr, filter={"imageStatus": status})
        assert (found["imageStatus"], found["imageTags"]) == ("ARCHIVED", ["v1"])
        assert found["lastArchivedAt"] >= found["imagePushedAt"]
    assert ecr.list_images(repositoryName="team/app")["imageIds"] == []
    listed = ecr.list_images(repositoryName="team/app", filter={"imageStatus": "ANY"})["imageIds"]
    assert [each["imageDigest"] for each in listed] == [digest]
    assert pulled(ecr, digest) == ["ImageInaccessible"]


def test_an_archived_image_is_not_served_by_v2(client: ClientFactory, digest: str, sandbox: Sandbox) -> None:
    ecr = client("ecr")
    move(ecr, digest, "ARCHIVE")
    answer = httpx.get(f"{sandbox.url}/v2/team/app/manifests/v1", auth=login(ecr))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


def test_restoring_takes_its_time_and_until_then_nothing_can_be_pulled(client: ClientFactory, digest: str) -> None:
    ecr = client("ecr")
    move(ecr, digest, "ARCHIVE")
    assert move(ecr, digest, "STANDARD") == "ACTIVATING"
    assert pulled(ecr, digest) == ["ImageInaccessible"]
    eventually(lambda: [each["imageStatus"] for each in details(ecr)] == ["ACTIVE"], "the image was restored")
    (found,) = details(ecr)
    assert found["lastActivatedAt"] > found["lastArchivedAt"]
    assert pulled(ecr, digest) == []


def test_an_archived_image_that_is_pushed_again_is_there_again(client: ClientFactory, push: Push, digest: str) -> None:
    ecr = client("ecr")
    move(ecr, digest, "ARCHIVE")
    assert push("team/app", small_image(), ["v1"]) == digest
    assert [each["imageStatus"] for each in details(ecr)] == ["ACTIVE"]


def test_an_image_goes_only_to_the_storage_class_it_is_not_in(client: ClientFactory, digest: str) -> None:
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ImageStorageClassUpdateNotSupportedException):
        move(ecr, digest, "STANDARD")
    move(ecr, digest, "ARCHIVE")
    with pytest.raises(ecr.exceptions.ImageStorageClassUpdateNotSupportedException):
        move(ecr, digest, "ARCHIVE")


def test_lambda_does_not_take_an_archived_image(client: ClientFactory, digest: str, account: str) -> None:
    move(client("ecr"), digest, "ARCHIVE")
    functions = client("lambda")
    uri = f"{account}.dkr.ecr.eu-west-1.amazonaws.com/team/app@{digest}"
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match="does not exist"):
        functions.create_function(
            FunctionName="app", Role=f"arn:aws:iam::{account}:role/app", PackageType="Image", Code={"ImageUri": uri}
        )
