"""ECR: what DescribeImages, ListImages, BatchGetImage, PutImage and BatchDeleteImage say about pushed images."""

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.images.making import Image, make_index
from tests.fixtures import ClientFactory, Push, Sandbox
from tests.sandbox.fixtures import small_image


def details(ecr: Any, repository: str = "team/app", **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ecr.describe_images(repositoryName=repository, **more)["imageDetails"]
    return found


def test_the_digest_is_the_sha256_of_the_manifest(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image, ["v1"])
    (found,) = details(client("ecr"))
    assert found["imageDigest"] == "sha256:" + hashlib.sha256(image.manifest.data).hexdigest()


def test_the_digest_of_an_index_is_the_sha256_of_the_index(client: ClientFactory, push: Push) -> None:
    index = make_index([small_image("amd64"), small_image("arm64", architecture="arm64")])
    push("team/app", index, ["multi"])
    (found,) = details(client("ecr"), imageIds=[{"imageTag": "multi"}])
    assert found["imageDigest"] == "sha256:" + hashlib.sha256(index.manifest.data).hexdigest()


def test_the_size_is_config_plus_layers(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image, ["v1"])
    (found,) = details(client("ecr"))
    assert found["imageSizeInBytes"] == sum(len(blob.data) for blob in image.blobs)


def test_the_size_of_an_index_is_its_largest_image(client: ClientFactory, push: Push) -> None:
    images = [small_image("a"), small_image("b" * 5000)]
    push("team/app", make_index(images), ["multi"])
    (found,) = details(client("ecr"), imageIds=[{"imageTag": "multi"}])
    assert found["imageSizeInBytes"] == max(sum(len(blob.data) for blob in image.blobs) for image in images)


def test_media_types_are_those_of_the_push(client: ClientFactory, push: Push) -> None:
    image = small_image(flavour="docker")
    push("team/app", image, ["v1"])
    (found,) = details(client("ecr"))
    assert found["imageManifestMediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert found["artifactMediaType"] == "application/vnd.docker.container.image.v1+json"


def test_several_tags_of_one_image_are_one_detail(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1", "latest"])
    (found,) = details(client("ecr"))
    assert sorted(found["imageTags"]) == ["latest", "v1"]


def test_moving_the_only_tag_leaves_an_untagged_image(client: ClientFactory, push: Push) -> None:
    old = push("team/app", small_image("old"), ["latest"])
    new = push("team/app", small_image("new"), ["latest"])
    by_digest = {found["imageDigest"]: found for found in details(client("ecr"))}
    assert "imageTags" not in by_digest[old]
    assert by_digest[new]["imageTags"] == ["latest"]


@pytest.mark.parametrize(("status", "expected"), [("UNTAGGED", {"old"}), ("TAGGED", {"new"}), ("ANY", {"old", "new"})])
def test_images_are_filtered_by_tag_status(client: ClientFactory, push: Push, status: str, expected: set[str]) -> None:
    digests = {name: push("team/app", small_image(name), ["latest"]) for name in ("old", "new")}
    wanted = {digests[name] for name in expected}
    ecr, filters = client("ecr"), {"tagStatus": status}
    assert {found["imageDigest"] for found in details(ecr, filter=filters)} == wanted
    listed = ecr.list_images(repositoryName="team/app", filter=filters)["imageIds"]
    assert {image_id["imageDigest"] for image_id in listed} == wanted


def test_a_missing_tag_is_image_not_found(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ImageNotFoundException, match="imageTag:'v2'"):
        details(ecr, imageIds=[{"imageTag": "v2"}])


def test_a_missing_repository_is_repository_not_found(client: ClientFactory) -> None:
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        details(ecr, "team/nothing")


def test_batch_get_image_returns_the_bytes_that_were_pushed(client: ClientFactory, push: Push) -> None:
    image = small_image()
    digest = push("team/app", image, ["v1"])
    (found,) = client("ecr").batch_get_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])["images"]
    assert found["imageManifest"].encode() == image.manifest.data
    assert found["imageManifestMediaType"] == image.manifest.media_type


def test_batch_get_image_gives_what_is_there_and_fails_what_is_not(client: ClientFactory, push: Push) -> None:
    image = small_image()
    digest = push("team/app", image, ["v1"])
    missing = "sha256:" + "0" * 64
    image_ids = [{"imageTag": "v1"}, {"imageTag": "v2"}, {"imageDigest": missing}, {"imageDigest": digest}]
    answer = client("ecr").batch_get_image(repositoryName="team/app", imageIds=image_ids)
    assert [found["imageId"] for found in answer["images"]] == [
        {"imageDigest": digest, "imageTag": "v1"},
        {"imageDigest": digest},
    ]
    assert [(failed["imageId"], failed["failureCode"]) for failed in answer["failures"]] == [
        ({"imageTag": "v2"}, "ImageNotFound"),
        ({"imageDigest": missing}, "ImageNotFound"),
    ]


def test_a_tag_with_another_images_digest_fails(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image("one"), ["v1"])
    other = push("team/app", small_image("two"), ["v2"])
    image_ids = [{"imageTag": "v1", "imageDigest": other}]
    (failed,) = client("ecr").batch_get_image(repositoryName="team/app", imageIds=image_ids)["failures"]
    assert failed["failureCode"] == "ImageTagDoesNotMatchDigest"


def test_batch_get_image_takes_100_ids_and_no_more(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), [f"v{number}" for number in range(100)])
    ecr = client("ecr")
    image_ids = [{"imageTag": f"v{number}"} for number in range(101)]
    assert len(ecr.batch_get_image(repositoryName="team/app", imageIds=image_ids[:100])["images"]) == 100
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.batch_get_image(repositoryName="team/app", imageIds=image_ids)


def put(ecr: Any, image: Image, **more: Any) -> Any:
    return ecr.put_image(repositoryName="team/app", imageManifest=image.manifest.data.decode(), **more)


def test_put_image_adds_a_tag_to_an_image(client: ClientFactory, push: Push) -> None:
    image = small_image()
    digest = push("team/app", image, ["v1"])
    answer = put(client("ecr"), image, imageTag="stable")["image"]
    assert answer["imageId"] == {"imageDigest": digest, "imageTag": "stable"}
    (found,) = details(client("ecr"))
    assert found["imageTags"] == ["v1", "stable"]


def test_put_image_refuses_the_same_image_under_the_same_tag(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image, ["v1"])
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        put(ecr, image, imageTag="v1")


def test_put_image_wants_the_layers_first(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ecr.exceptions.LayersNotFoundException):
        put(ecr, small_image(), imageTag="v1")


def test_put_image_wants_an_indexs_images_first(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    index = make_index([small_image()])
    with pytest.raises(ecr.exceptions.ReferencedImagesNotFoundException):
        ecr.put_image(repositoryName="team/app", imageManifest=index.manifest.data.decode(), imageTag="v1")


def test_put_image_checks_the_digest(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.ImageDigestDoesNotMatchException):
        put(ecr, image, imageTag="v1", imageDigest="sha256:" + "0" * 64)


def test_an_immutable_tag_cannot_be_moved(client: ClientFactory, push: Push) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    push("team/app", small_image("one"), ["v1"])
    other = small_image("two")
    push("team/app", other, ["v2"])
    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException, match="immutable"):
        put(ecr, other, imageTag="v1")


def test_a_tag_that_immutability_excludes_can_be_moved(client: ClientFactory, push: Push) -> None:
    client("ecr").create_repository(
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
    )
    push("team/app", small_image("one"), ["dev-1"])
    new = push("team/app", small_image("two"), ["dev-1"])
    (found,) = details(client("ecr"), filter={"tagStatus": "TAGGED"})
    assert found["imageDigest"] == new


def test_deleting_one_of_two_tags_keeps_the_image(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1", "v2"])
    ecr = client("ecr")
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    (found,) = details(ecr)
    assert found["imageTags"] == ["v2"]


def test_deleting_the_last_tag_deletes_the_image(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    assert details(ecr) == []


def test_deleting_a_digest_deletes_all_its_tags(client: ClientFactory, push: Push) -> None:
    digest = push("team/app", small_image(), ["v1", "v2"])
    ecr = client("ecr")
    answer = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])
    assert {gone["imageTag"] for gone in answer["imageIds"]} == {"v1", "v2"}
    assert details(ecr) == []


def test_an_image_that_an_index_lists_cannot_be_deleted(client: ClientFactory, push: Push) -> None:
    child = small_image()
    push("team/app", make_index([child]), ["multi"])
    ecr = client("ecr")
    answer = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": child.digest}])
    assert [failed["failureCode"] for failed in answer["failures"]] == ["ImageReferencedByManifestList"]
    assert len(details(ecr)) == 2


def test_a_repository_with_images_is_deleted_only_by_force(client: ClientFactory, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    ecr = client("ecr")
    with pytest.raises(ecr.exceptions.RepositoryNotEmptyException):
        ecr.delete_repository(repositoryName="team/app")
    ecr.delete_repository(repositoryName="team/app", force=True)
    assert ecr.describe_repositories()["repositories"] == []


def test_accounts_and_regions_do_not_see_each_others_images(
    client: ClientFactory, push: Push, sandbox: Sandbox
) -> None:
    push("team/app", small_image(), ["v1"])
    for ecr in (client("ecr", "eu-central-1"), client("ecr", account="222222222222")):
        with pytest.raises(ClientError) as refused:
            details(ecr)
        assert refused.value.response["Error"]["Code"] == "RepositoryNotFoundException"
