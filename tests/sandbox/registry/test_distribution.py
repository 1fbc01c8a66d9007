"""ECR /v2: the OCI Distribution API over the same images as the ECR API."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from functions_app import clock
from sandbox.images.making import make_index
from sandbox.store import tokens
from tests.fixtures import ClientFactory, Push, Sandbox, login, put_blob, put_manifest, registry_client
from tests.sandbox.fixtures import small_image

MISSING = "sha256:" + "0" * 64


@pytest.fixture
def registry(sandbox: Sandbox, client: ClientFactory) -> Iterator[httpx.Client]:
    """/v2 with the token of the test's account."""
    with registry_client(sandbox.url, login(client("ecr"))) as http:
        yield http


def error_code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


def test_ping_without_credentials_asks_for_basic_ones(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.url}/v2/")
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Basic realm=")
    assert 'service="ecr.amazonaws.com"' in challenge


def test_ping_with_a_token_is_200(registry: httpx.Client) -> None:
    answer = registry.get("/v2/")
    assert answer.status_code == 200
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_made_up_password_is_refused(sandbox: Sandbox) -> None:
    assert httpx.get(f"{sandbox.url}/v2/", auth=("AWS", "made up")).status_code == 401


def test_an_expired_token_says_so(sandbox: Sandbox, account: str) -> None:
    yesterday = clock.now() - timedelta(days=1)
    token, _ = tokens.issue(tokens.Registry(account, "eu-west-1", account, ""), yesterday)
    answer = httpx.get(f"{sandbox.url}/v2/", auth=("AWS", token))
    assert (answer.status_code, error_code(answer)) == (403, "DENIED")
    assert "expired" in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_manifest_is_read_by_tag_and_by_digest(registry: httpx.Client, push: Push, method: str, by: str) -> None:
    image = small_image()
    push("team/app", image, ["v1"])
    answer = registry.request(method, f"/v2/team/app/manifests/{'v1' if by == 'tag' else image.digest}")
    assert answer.status_code == 200
    assert answer.headers["docker-content-digest"] == image.digest
    assert answer.headers["content-type"] == image.manifest.media_type
    assert int(answer.headers["content-length"]) == len(image.manifest.data)
    assert answer.content == (image.manifest.data if method == "GET" else b"")


def test_what_is_pushed_at_v2_is_what_the_api_shows(push: Push, client: ClientFactory) -> None:
    digest = push("team/app", small_image(), ["v1"])
    (found,) = client("ecr").describe_images(repositoryName="team/app")["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest, ["v1"])


def test_what_the_api_deletes_is_gone_at_v2(push: Push, client: ClientFactory, registry: httpx.Client) -> None:
    push("team/app", small_image(), ["v1"])
    client("ecr").batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    answer = registry.get("/v2/team/app/manifests/v1")
    assert (answer.status_code, error_code(answer)) == (404, "MANIFEST_UNKNOWN")


def test_a_missing_repository_is_name_unknown(registry: httpx.Client) -> None:
    answer = registry.get("/v2/team/nothing/manifests/v1")
    assert (answer.status_code, error_code(answer)) == (404, "NAME_UNKNOWN")


def test_an_index_is_stored_with_its_children(registry: httpx.Client, push: Push) -> None:
    children = [small_image("amd64"), small_image("arm64", architecture="arm64")]
    index = make_index(children)
    push("team/app", index, ["multi"])
    assert registry.get("/v2/team/app/manifests/multi").content == index.manifest.data
    for child in children:
        assert registry.get(f"/v2/team/app/manifests/{child.digest}").content == child.manifest.data


def test_a_manifest_whose_blobs_are_missing_is_refused(registry: httpx.Client, client: ClientFactory) -> None:
    client("ecr").create_repository(repositoryName="team/app")
    answer = put_manifest(registry, "team/app", "v1", small_image())
    assert (answer.status_code, error_code(answer)) == (400, "MANIFEST_BLOB_UNKNOWN")


def test_a_manifest_under_another_digest_is_refused(registry: httpx.Client, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    answer = put_manifest(registry, "team/app", MISSING, image)
    assert (answer.status_code, error_code(answer)) == (400, "DIGEST_INVALID")


def test_something_that_is_no_manifest_is_refused(registry: httpx.Client, client: ClientFactory) -> None:
    client("ecr").create_repository(repositoryName="team/app")
    answer = registry.put(
        "/v2/team/app/manifests/v1",
        content=b"nonsense",
        headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"},
    )
    assert (answer.status_code, error_code(answer)) == (400, "MANIFEST_INVALID")


def test_an_immutable_tag_cannot_be_pushed_again(registry: httpx.Client, push: Push, client: ClientFactory) -> None:
    client("ecr").create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    push("team/app", small_image("one"), ["v1"])
    other = small_image("two")
    push("team/app", other)
    answer = put_manifest(registry, "team/app", "v1", other)
    assert (answer.status_code, error_code(answer)) == (400, "TAG_INVALID")
    assert "immutable" in answer.text


def test_a_manifest_can_be_deleted_by_digest(registry: httpx.Client, push: Push) -> None:
    digest = push("team/app", small_image(), ["v1"])
    assert registry.delete(f"/v2/team/app/manifests/{digest}").status_code == 202
    assert registry.get("/v2/team/app/manifests/v1").status_code == 404


def test_head_of_a_blob_tells_its_length(registry: httpx.Client, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    layer = image.layers[0].blob
    answer = registry.head(f"/v2/team/app/blobs/{layer.digest}")
    assert (answer.status_code, int(answer.headers["content-length"])) == (200, len(layer.data))


def test_get_of_a_blob_redirects_to_a_signed_address_as_ecr_does(registry: httpx.Client, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    layer = image.layers[0].blob
    answer = registry.get(f"/v2/team/app/blobs/{layer.digest}")
    assert answer.status_code == 307
    # The signed address needs no credentials.
    assert httpx.get(registry.base_url.join(answer.headers["location"])).content == layer.data


def test_a_blobs_range_is_206(registry: httpx.Client, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    layer = image.layers[0].blob
    address = f"/v2/team/app/blobs/{layer.digest}"
    answer = registry.get(address, headers={"Range": "bytes=5-14"}, follow_redirects=True)
    assert (answer.status_code, answer.content) == (206, layer.data[5:15])
    assert answer.headers["content-range"] == f"bytes 5-14/{len(layer.data)}"
    beyond = registry.get(address, headers={"Range": "bytes=1000000-"}, follow_redirects=True)
    assert beyond.status_code == 416


def test_a_missing_blob_is_blob_unknown(registry: httpx.Client, push: Push) -> None:
    push("team/app", small_image())
    answer = registry.get(f"/v2/team/app/blobs/{MISSING}")
    assert (answer.status_code, error_code(answer)) == (404, "BLOB_UNKNOWN")


def test_a_blob_of_another_repository_is_unknown(registry: httpx.Client, push: Push) -> None:
    image = small_image("one")
    push("team/one", image)
    push("team/two", small_image("two"))
    assert registry.head(f"/v2/team/two/blobs/{image.layers[0].digest}").status_code == 404


def tags(registry: httpx.Client, query: str = "") -> Any:
    return registry.get(f"/v2/team/app/tags/list{query}").json()["tags"]


def test_tags_are_listed_in_order(registry: httpx.Client, push: Push) -> None:
    push("team/app", small_image(), ["v2", "v1", "latest"])
    assert tags(registry) == ["latest", "v1", "v2"]


def test_tags_come_in_pages_with_a_link(registry: httpx.Client, push: Push) -> None:
    push("team/app", small_image(), [f"v{number}" for number in range(5)])
    first = registry.get("/v2/team/app/tags/list?n=2")
    assert first.json()["tags"] == ["v0", "v1"]
    second = registry.get(first.links["next"]["url"])
    assert second.json()["tags"] == ["v2", "v3"]
    last = registry.get(second.links["next"]["url"])
    assert last.json()["tags"] == ["v4"]
    assert "next" not in last.links


def test_a_token_opens_only_its_own_account_and_region(sandbox: Sandbox, push: Push, client: ClientFactory) -> None:
    push("team/app", small_image(), ["v1"])
    for other in (client("ecr", account="222222222222"), client("ecr", "us-east-1")):
        answer = httpx.get(f"{sandbox.url}/v2/team/app/manifests/v1", auth=login(other))
        assert answer.status_code == 404


def test_another_accounts_registry_is_addressed_by_its_host_name(
    sandbox: Sandbox, push: Push, client: ClientFactory, account: str
) -> None:
    push("team/app", small_image(), ["v1"])
    host = {"Host": f"{account}.dkr.ecr.eu-west-1.amazonaws.com"}
    stranger = login(client("ecr", account="222222222222"))
    answer = httpx.get(f"{sandbox.url}/v2/team/app/manifests/v1", auth=stranger, headers=host)
    assert (answer.status_code, error_code(answer)) == (403, "DENIED")


@pytest.fixture
def public(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """/v2 as the publisher of public images."""
    with registry_client(sandbox.url, ("public", "sandbox")) as http:
        yield http


def publish(public: httpx.Client, repository: str, tag: str) -> bytes:
    image = small_image(repository)
    for blob in image.blobs:
        put_blob(public, repository, blob.data)
    put_manifest(public, repository, tag, image).raise_for_status()
    return image.manifest.data


@pytest.mark.parametrize("credentials", [None, ("", "")])
def test_public_images_are_read_without_credentials(
    sandbox: Sandbox, public: httpx.Client, credentials: tuple[str, str] | None
) -> None:
    manifest = publish(public, "lambda/python", "3.12")
    answer = httpx.get(f"{sandbox.url}/v2/lambda/python/manifests/3.12", auth=credentials)
    assert answer.content == manifest


def test_public_images_cannot_be_pushed_without_credentials(sandbox: Sandbox, public: httpx.Client) -> None:
    publish(public, "lambda/python", "3.12")
    assert httpx.post(f"{sandbox.url}/v2/lambda/python/blobs/uploads/").status_code == 401


def test_an_unknown_public_repository_is_401(sandbox: Sandbox) -> None:
    assert httpx.get(f"{sandbox.url}/v2/lambda/cobol/manifests/85").status_code == 401


def test_private_images_are_not_public(sandbox: Sandbox, push: Push, account: str) -> None:
    push(f"private/{account}", small_image(), ["v1"])
    assert httpx.get(f"{sandbox.url}/v2/private/{account}/manifests/v1").status_code == 401
