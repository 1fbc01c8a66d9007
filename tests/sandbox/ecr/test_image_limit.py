"""ECR: a repository holds so many images and no more (10,000 where AWS was not asked for another quota)."""

from typing import Any

import httpx
import pytest

from tests.fixtures import ClientFactory, Push, Sandbox
from tests.sandbox.fixtures import small_image

FULL = "already has the maximum allowed number of images which is '2'"


@pytest.fixture
def ecr(sandbox: Sandbox, client: ClientFactory, push: Push, account: str) -> Any:
    """A repository with room for two images, and two in it."""
    sandbox.admin("POST", "image-limit", {"account": account, "images": 2})
    for number in "12":
        push("team/app", small_image(number), [number])
    return client("ecr")


def test_v2_forbids_one_image_more(ecr: Any, push: Push) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        push("team/app", small_image("3"), ["3"])
    (error,) = refused.value.response.json()["errors"]
    assert (refused.value.response.status_code, error["code"]) == (403, "DENIED")
    assert FULL in error["message"]


def test_the_api_says_that_a_limit_is_exceeded(ecr: Any, push: Push) -> None:
    three = small_image("3")
    push("team/other", three)  # its blobs: team/app takes no manifest without them
    (image,) = ecr.batch_get_image(repositoryName="team/other", imageIds=[{"imageDigest": three.digest}])["images"]
    with pytest.raises(httpx.HTTPStatusError):
        push("team/app", three)
    with pytest.raises(ecr.exceptions.LimitExceededException, match=FULL):
        ecr.put_image(repositoryName="team/app", imageManifest=image["imageManifest"], imageTag="3")


def test_another_tag_of_an_image_takes_no_room(ecr: Any, push: Push) -> None:
    push("team/app", small_image("2"), ["again"])
    named = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "again"}])["imageDetails"]
    assert named[0]["imageDigest"] == small_image("2").digest


def test_a_deleted_image_makes_room(ecr: Any, push: Push) -> None:
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "1"}])
    push("team/app", small_image("3"), ["3"])
    assert len(ecr.describe_images(repositoryName="team/app")["imageDetails"]) == 2
