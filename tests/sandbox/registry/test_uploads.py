"""ECR /v2: every way to upload a blob."""

from collections.abc import Iterator

import httpx
import pytest

from sandbox.images.making import sha256_digest
from tests.fixtures import ClientFactory, Sandbox, login, registry_client

DATA = bytes(range(256)) * 40
DIGEST = sha256_digest(DATA)


@pytest.fixture
def registry(sandbox: Sandbox, client: ClientFactory) -> Iterator[httpx.Client]:
    """/v2 with two empty repositories."""
    ecr = client("ecr")
    for name in ("team/app", "team/other"):
        ecr.create_repository(repositoryName=name)
    with registry_client(sandbox.url, login(ecr)) as http:
        yield http


def start(registry: httpx.Client) -> str:
    answer = registry.post("/v2/team/app/blobs/uploads/")
    assert answer.status_code == 202
    assert answer.headers["docker-upload-uuid"]
    return answer.headers["location"]


def is_kept(registry: httpx.Client) -> bool:
    return registry.get(f"/v2/team/app/blobs/{DIGEST}", follow_redirects=True).content == DATA


def test_one_post_with_a_digest(registry: httpx.Client) -> None:
    answer = registry.post("/v2/team/app/blobs/uploads/", params={"digest": DIGEST}, content=DATA)
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, DIGEST)
    assert is_kept(registry)


def test_a_post_then_one_put(registry: httpx.Client) -> None:
    answer = registry.put(start(registry), params={"digest": DIGEST}, content=DATA)
    assert answer.status_code == 201
    assert is_kept(registry)


def test_a_session_of_patches_with_ranges(registry: httpx.Client) -> None:
    location = start(registry)
    for first in range(0, len(DATA), 4000):
        part = DATA[first : first + 4000]
        headers = {"Content-Range": f"{first}-{first + len(part) - 1}"}
        answer = registry.patch(location, content=part, headers=headers)
        assert (answer.status_code, answer.headers["range"]) == (202, f"0-{first + len(part) - 1}")
        location = answer.headers["location"]
    assert registry.put(location, params={"digest": DIGEST}).status_code == 201
    assert is_kept(registry)


def test_a_patch_in_chunks_of_unknown_length(registry: httpx.Client) -> None:
    location = start(registry)
    parts = (DATA[first : first + 1000] for first in range(0, len(DATA), 1000))
    assert registry.patch(location, content=parts).status_code == 202
    assert registry.put(location, params={"digest": DIGEST}).status_code == 201
    assert is_kept(registry)


def test_the_last_part_may_come_with_the_put(registry: httpx.Client) -> None:
    location = start(registry)
    registry.patch(location, content=DATA[:5000])
    assert registry.put(location, params={"digest": DIGEST}, content=DATA[5000:]).status_code == 201
    assert is_kept(registry)


def test_a_part_out_of_order_is_416_and_the_session_goes_on(registry: httpx.Client) -> None:
    location = start(registry)
    registry.patch(location, content=DATA[:5000], headers={"Content-Range": "0-4999"})
    answer = registry.patch(location, content=DATA[6000:], headers={"Content-Range": f"6000-{len(DATA) - 1}"})
    assert (answer.status_code, answer.headers["range"]) == (416, "0-4999")
    status = registry.get(location)
    assert (status.status_code, status.headers["range"]) == (204, "0-4999")


def test_the_wrong_digest_is_refused(registry: httpx.Client) -> None:
    answer = registry.put(start(registry), params={"digest": "sha256:" + "0" * 64}, content=DATA)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "DIGEST_INVALID"


def test_a_session_that_was_cancelled_is_unknown(registry: httpx.Client) -> None:
    location = start(registry)
    assert registry.delete(location).status_code == 204
    answer = registry.patch(location, content=DATA)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_to_a_missing_repository_is_refused(registry: httpx.Client) -> None:
    answer = registry.post("/v2/team/nothing/blobs/uploads/")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "NAME_UNKNOWN"


def test_a_whole_blob_in_the_put_needs_the_permission_to_upload_parts(
    registry: httpx.Client, client: ClientFactory, sandbox: Sandbox, account: str
) -> None:
    location = start(registry)
    sandbox.admin("POST", "denials", {"account": account, "actions": ["ecr:UploadLayerPart"]})
    answer = registry.put(location, params={"digest": DIGEST}, content=DATA)
    assert answer.status_code == 403
    assert "ecr:UploadLayerPart" in answer.json()["errors"][0]["message"]
