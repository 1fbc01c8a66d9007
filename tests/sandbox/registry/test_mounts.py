"""ECR /v2: which blobs are mounted from another repository, and which are not.

What AWS says of it: https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures import ClientFactory, Push, Sandbox, login, registry_client
from tests.sandbox.fixtures import small_image

IMAGE = small_image("mounted")
DIGEST = IMAGE.layers[0].digest
KEY, OTHER_KEY = ({"encryptionType": "KMS", "kmsKey": f"arn:aws:kms:eu-west-1:111111111111:key/{n}"} for n in "12")


@pytest.fixture
def ecr(client: ClientFactory, push: Push) -> Any:
    """An account that mounts blobs, with an image in team/other and nothing in team/app."""
    ecr = client("ecr")
    ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    push("team/other", IMAGE, ["v1"])
    ecr.create_repository(repositoryName="team/app")
    return ecr


@pytest.fixture
def registry(sandbox: Sandbox, ecr: Any) -> Iterator[httpx.Client]:
    """/v2 with the account's token."""
    with registry_client(sandbox.url, login(ecr)) as http:
        yield http


def mount(registry: httpx.Client, source: str = "team/other", target: str = "team/app") -> httpx.Response:
    return registry.post(f"/v2/{target}/blobs/uploads/", params={"mount": DIGEST, "from": source})


def test_a_blob_is_mounted_from_another_repository(registry: httpx.Client) -> None:
    answer = mount(registry)
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, DIGEST)
    kept = registry.get(f"/v2/team/app/blobs/{DIGEST}", follow_redirects=True)
    assert kept.content == IMAGE.layers[0].blob.data


@pytest.mark.parametrize("source", ["team/nothing", "team/app"])
def test_mounting_what_is_not_there_opens_a_session(registry: httpx.Client, source: str) -> None:
    answer = mount(registry, source)
    assert answer.status_code == 202
    data = IMAGE.layers[0].blob.data
    assert registry.put(answer.headers["location"], params={"digest": DIGEST}, content=data).status_code == 201


def test_an_account_mounts_nothing_until_it_is_switched_on(registry: httpx.Client, client: ClientFactory) -> None:
    assert mount(registry).status_code == 201
    client("ecr").put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    assert mount(registry).status_code == 202


def test_an_account_that_was_never_asked_mounts_nothing(client: ClientFactory) -> None:
    assert client("ecr").get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"


def test_another_region_has_a_setting_of_its_own(ecr: Any, client: ClientFactory) -> None:
    assert client("ecr", "us-east-1").get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"


def test_blobs_of_another_region_are_not_mounted(
    registry: httpx.Client, client: ClientFactory, push: Push, sandbox: Sandbox
) -> None:
    there = client("ecr", "us-east-1")
    there.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    there.create_repository(repositoryName="team/app")
    with registry_client(sandbox.url, login(there)) as http:
        assert mount(http).status_code == 202


def test_blobs_of_another_account_are_not_mounted(
    registry: httpx.Client, client: ClientFactory, sandbox: Sandbox
) -> None:
    other = client("ecr", account="222222222222")
    other.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    try:
        other.create_repository(repositoryName="mounts/app")
        with registry_client(sandbox.url, login(other)) as http:
            assert mount(http, target="mounts/app").status_code == 202
    finally:
        other.delete_repository(repositoryName="mounts/app", force=True)
        other.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")


def encrypted(name: str, configuration: dict[str, str]) -> Callable[[Any], None]:
    return lambda ecr: ecr.create_repository(repositoryName=name, encryptionConfiguration=configuration)


@pytest.mark.parametrize("target", [KEY, {"encryptionType": "KMS"}, {"encryptionType": "KMS_DSSE"}])
def test_repositories_that_are_not_encrypted_alike_share_no_blobs(
    registry: httpx.Client, ecr: Any, target: dict[str, str]
) -> None:
    encrypted("team/encrypted", target)(ecr)
    assert mount(registry, target="team/encrypted").status_code == 202


@pytest.mark.parametrize(("target", "status"), [(KEY, 201), (OTHER_KEY, 202)])
def test_repositories_of_one_key_share_their_blobs(
    registry: httpx.Client, ecr: Any, push: Push, target: dict[str, str], status: int
) -> None:
    encrypted("team/encrypted", KEY)(ecr)
    push("team/encrypted", IMAGE)
    encrypted("team/like", target)(ecr)
    assert mount(registry, "team/encrypted", "team/like").status_code == status


def test_who_may_not_read_the_source_mounts_nothing_from_it(registry: httpx.Client, ecr: Any) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:GetDownloadUrlForLayer"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    ecr.set_repository_policy(repositoryName="team/other", policyText=policy)
    assert mount(registry).status_code == 202


def test_a_blob_of_no_image_is_not_mounted(registry: httpx.Client, ecr: Any) -> None:
    ecr.batch_delete_image(repositoryName="team/other", imageIds=[{"imageDigest": IMAGE.digest}])
    assert mount(registry).status_code == 202
