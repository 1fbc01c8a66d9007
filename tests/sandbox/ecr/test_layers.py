"""ECR: layers through the API, and the authorization token that opens /v2."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from functions_app import clock
from tests.fixtures import ClientFactory, Push, Sandbox, login, registry_client
from tests.sandbox.fixtures import small_image

LEAST = 5 * 1024**2  # bytes of a layer's parts but the last


def upload(ecr: Any, data: bytes, part: int) -> str:
    upload_id = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    for first in range(0, len(data), part):
        blob = data[first : first + part]
        ecr.upload_layer_part(
            repositoryName="team/app",
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(blob) - 1,
            layerPartBlob=blob,
        )
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    answer = ecr.complete_layer_upload(repositoryName="team/app", uploadId=upload_id, layerDigests=[digest])
    return str(answer["layerDigest"])


def test_an_image_can_be_pushed_by_the_api_alone_and_is_seen_at_v2(client: ClientFactory, sandbox: Sandbox) -> None:
    ecr, image = client("ecr"), small_image()
    ecr.create_repository(repositoryName="team/app")
    for blob in image.blobs:
        assert upload(ecr, blob.data, part=LEAST) == blob.digest
    ecr.put_image(repositoryName="team/app", imageManifest=image.manifest.data.decode(), imageTag="v1")
    with registry_client(sandbox.url, login(ecr)) as registry:
        assert registry.get("/v2/team/app/manifests/v1").content == image.manifest.data


def test_an_upload_with_the_wrong_digest_is_refused(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    upload_id = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    ecr.upload_layer_part(
        repositoryName="team/app", uploadId=upload_id, partFirstByte=0, partLastByte=2, layerPartBlob=b"abc"
    )
    with pytest.raises(ecr.exceptions.InvalidLayerException):
        ecr.complete_layer_upload(repositoryName="team/app", uploadId=upload_id, layerDigests=["sha256:" + "0" * 64])


def test_layer_availability_tells_what_is_there(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    missing = "sha256:" + "0" * 64
    answer = client("ecr").batch_check_layer_availability(
        repositoryName="team/app", layerDigests=[image.layers[0].digest, missing]
    )
    assert [layer["layerDigest"] for layer in answer["layers"]] == [image.layers[0].digest]
    assert [failed["layerDigest"] for failed in answer["failures"]] == [missing]


def test_the_download_url_gives_the_layer_without_credentials(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    url = client("ecr").get_download_url_for_layer(repositoryName="team/app", layerDigest=image.layers[0].digest)
    assert httpx.get(url["downloadUrl"]).content == image.layers[0].blob.data


def test_a_download_url_with_another_signature_is_refused(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    url = client("ecr").get_download_url_for_layer(repositoryName="team/app", layerDigest=image.layers[0].digest)
    assert httpx.get(url["downloadUrl"][:-4] + "0000").status_code == 403


def test_the_download_url_of_a_missing_layer_is_refused(client: ClientFactory) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ecr.exceptions.LayersNotFoundException):
        ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest="sha256:" + "0" * 64)


def test_the_authorization_token_is_valid_for_12_hours(client: ClientFactory, account: str) -> None:
    (data,) = client("ecr").get_authorization_token()["authorizationData"]
    life = data["expiresAt"] - clock.now()
    assert timedelta(hours=11, minutes=59) < life <= timedelta(hours=12)
    assert data["proxyEndpoint"] == f"https://{account}.dkr.ecr.eu-west-1.amazonaws.com"


def test_the_download_url_gives_a_range_of_the_layer(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    url = client("ecr").get_download_url_for_layer(repositoryName="team/app", layerDigest=image.layers[0].digest)
    answer = httpx.get(url["downloadUrl"], headers={"Range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, image.layers[0].blob.data[2:6])


def test_the_download_url_is_good_for_an_hour(client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image)
    url = client("ecr").get_download_url_for_layer(repositoryName="team/app", layerDigest=image.layers[0].digest)
    expires = datetime.fromtimestamp(float(httpx.URL(url["downloadUrl"]).params["X-Amz-Expires"]), UTC)
    assert timedelta(minutes=59) < expires - clock.now() <= timedelta(hours=1, seconds=1)


@pytest.fixture
def ecr(client: ClientFactory) -> Any:
    """An account with an empty repository."""
    found = client("ecr")
    found.create_repository(repositoryName="team/app")
    return found


def test_parts_but_the_last_have_at_least_5_mib(ecr: Any) -> None:
    assert upload(ecr, bytes(LEAST + 1), LEAST)
    with pytest.raises(ecr.exceptions.LayerPartTooSmallException, match="at least 5 MiB"):
        upload(ecr, bytes(LEAST + 2), LEAST - 1)


def test_a_part_begins_where_the_last_one_ended(ecr: Any) -> None:
    upload_id = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    with pytest.raises(ecr.exceptions.InvalidLayerPartException):
        ecr.upload_layer_part(
            repositoryName="team/app", uploadId=upload_id, partFirstByte=1, partLastByte=3, layerPartBlob=b"abc"
        )


@pytest.mark.parametrize("last", [1, 3])
def test_a_part_has_the_size_that_it_says(ecr: Any, last: int) -> None:
    upload_id = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    with pytest.raises(ecr.exceptions.InvalidLayerPartException):
        ecr.upload_layer_part(
            repositoryName="team/app", uploadId=upload_id, partFirstByte=0, partLastByte=last, layerPartBlob=b"abc"
        )


def test_a_part_has_no_more_than_20_mb(ecr: Any) -> None:
    with pytest.raises(ecr.exceptions.InvalidLayerPartException):
        upload(ecr, bytes(20_971_521), 20_971_521)


def test_an_upload_without_parts_is_none(ecr: Any) -> None:
    with pytest.raises(ecr.exceptions.EmptyUploadException):
        upload(ecr, b"", 1)


def test_a_layer_that_is_there_is_not_taken_again(ecr: Any) -> None:
    upload(ecr, b"layer", 5)
    with pytest.raises(ecr.exceptions.LayerAlreadyExistsException):
        upload(ecr, b"layer", 5)
