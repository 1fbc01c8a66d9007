"""ECR: every list comes in pages."""

from typing import Any

import pytest

from tests.fixtures import ClientFactory, Push
from tests.sandbox.fixtures import small_image


def pages(call: Any, **parameters: Any) -> list[dict[str, Any]]:
    """All pages of a call."""
    found = [call(**parameters)]
    while token := found[-1].get("nextToken"):
        found.append(call(**parameters, nextToken=token))
    return found


def test_describe_images_paginates(client: ClientFactory, push: Push) -> None:
    digests = {push("team/app", small_image(str(number)), [f"v{number}"]) for number in range(5)}
    found = pages(client("ecr").describe_images, repositoryName="team/app", maxResults=2)
    assert [len(page["imageDetails"]) for page in found] == [2, 2, 1]
    assert {image["imageDigest"] for page in found for image in page["imageDetails"]} == digests


def test_a_page_holds_100_by_default(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), [f"v{number}" for number in range(101)])
    found = pages(client("ecr").list_images, repositoryName="team/app")
    assert [len(page["imageIds"]) for page in found] == [100, 1]


def test_describe_repositories_paginates(client: ClientFactory) -> None:
    ecr = client("ecr")
    names = {f"team/app-{number}" for number in range(5)}
    for name in names:
        ecr.create_repository(repositoryName=name)
    found = pages(ecr.describe_repositories, maxResults=2)
    assert [len(page["repositories"]) for page in found] == [2, 2, 1]
    assert {each["repositoryName"] for page in found for each in page["repositories"]} == names


def test_list_images_paginates_over_tags(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), [f"v{number}" for number in range(5)])
    found = pages(client("ecr").list_images, repositoryName="team/app", maxResults=2)
    assert [len(page["imageIds"]) for page in found] == [2, 2, 1]
    assert {each["imageTag"] for page in found for each in page["imageIds"]} == {f"v{number}" for number in range(5)}


def test_botos_paginators_see_everything(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), [f"v{number}" for number in range(5)])
    paginator = client("ecr").get_paginator("list_images")
    found = paginator.paginate(repositoryName="team/app", PaginationConfig={"PageSize": 2}).build_full_result()
    assert len(found["imageIds"]) == 5


def test_a_token_that_no_page_gave_is_refused(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.InvalidParameterException, match="nextToken"):
        ecr.describe_images(repositoryName="team/app", nextToken="made up")
