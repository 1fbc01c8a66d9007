"""Referrers: signatures and SBOMs that speak of an image, at /v2 and in the ECR API."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sandbox.images.making import sha256_digest
from tests.fixtures import ClientFactory, Push, Sandbox, login, put_blob, registry_client
from tests.sandbox.fixtures import small_image

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SBOM, SIGNATURE = "application/spdx+json", "application/vnd.dev.cosign.artifact.sig.v1+json"


@pytest.fixture
def registry(sandbox: Sandbox, client: ClientFactory) -> Iterator[httpx.Client]:
    """/v2 with the token of the test's account."""
    with registry_client(sandbox.url, login(client("ecr"))) as http:
        yield http


def attach(registry: httpx.Client, subject: str, artifact_type: str, text: str = "text") -> httpx.Response:
    """Push an artifact that speaks of the subject, untagged, as oras does."""
    config, layer = b"{}", text.encode()
    put_blob(registry, "team/app", config)
    put_blob(registry, "team/app", layer)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": {"mediaType": EMPTY, "digest": sha256_digest(config), "size": len(config)},
        "layers": [{"mediaType": artifact_type, "digest": sha256_digest(layer), "size": len(layer)}],
        "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1},
        "annotations": {"text": text},
    }
    data = json.dumps(manifest).encode()
    reference = sha256_digest(data)
    answer = registry.put(
        f"/v2/team/app/manifests/{reference}", content=data, headers={"Content-Type": MANIFEST}
    ).raise_for_status()
    assert answer.headers["docker-content-digest"] == reference
    return answer


def listed(registry: httpx.Client, subject: str, **query: str) -> Any:
    answer = registry.get(f"/v2/team/app/referrers/{subject}", params=query).raise_for_status()
    assert answer.headers["content-type"] == INDEX
    return answer.json()["manifests"]


def test_a_put_with_a_subject_names_it_in_the_answer(registry: httpx.Client, push: Push) -> None:
    subject = push("team/app", small_image(), ["v1"])
    assert attach(registry, subject, SBOM).headers["oci-subject"] == subject


def test_a_put_without_a_subject_does_not(registry: httpx.Client, push: Push) -> None:
    image = small_image()
    push("team/app", image, ["v1"])
    answer = registry.put(
        "/v2/team/app/manifests/v2", content=image.manifest.data, headers={"Content-Type": image.manifest.media_type}
    )
    assert "oci-subject" not in answer.headers


def test_referrers_are_listed_with_type_and_annotations(registry: httpx.Client, push: Push) -> None:
    subject = push("team/app", small_image(), ["v1"])
    digest = attach(registry, subject, SBOM).headers["docker-content-digest"]
    size = len(registry.get(f"/v2/team/app/manifests/{digest}").content)
    assert listed(registry, subject) == [
        {"mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": SBOM, "annotations": {"text": "text"}}
    ]


def test_referrers_are_filtered_by_artifact_type(registry: httpx.Client, push: Push) -> None:
    subject = push("team/app", small_image(), ["v1"])
    attach(registry, subject, SBOM)
    attach(registry, subject, SIGNATURE)
    answer = registry.get(f"/v2/team/app/referrers/{subject}", params={"artifactType": SIGNATURE})
    assert answer.headers["oci-filters-applied"] == "artifactType"
    assert [each["artifactType"] for each in answer.json()["manifests"]] == [SIGNATURE]
    assert len(listed(registry, subject)) == 2


def test_an_image_without_referrers_has_an_empty_list(registry: httpx.Client, push: Push) -> None:
    subject = push("team/app", small_image(), ["v1"])
    assert listed(registry, subject) == []
    assert listed(registry, "sha256:" + "0" * 64) == []


def test_a_subject_may_come_after_its_referrer(registry: httpx.Client, push: Push) -> None:
    push("team/app", small_image("other"))
    later = small_image("later")
    attach(registry, later.digest, SBOM)
    push("team/app", later, ["v1"])
    assert len(listed(registry, later.digest)) == 1


def test_a_deleted_referrer_is_listed_no_more(registry: httpx.Client, push: Push) -> None:
    subject = push("team/app", small_image(), ["v1"])
    digest = attach(registry, subject, SBOM).headers["docker-content-digest"]
    registry.delete(f"/v2/team/app/manifests/{digest}").raise_for_status()
    assert listed(registry, subject) == []


def test_the_api_lists_the_same_referrers(registry: httpx.Client, push: Push, client: ClientFactory) -> None:
    subject = push("team/app", small_image(), ["v1"])
    sbom = attach(registry, subject, SBOM).headers["docker-content-digest"]
    attach(registry, subject, SIGNATURE)
    ecr = client("ecr")
    found = ecr.list_image_referrers(repositoryName="team/app", subjectId={"imageDigest": subject})["referrers"]
    shown = [{name: each[name] for name in each if name != "artifactStatus"} for each in found]
    assert shown == listed(registry, subject)
    (one,) = ecr.list_image_referrers(
        repositoryName="team/app", subjectId={"imageDigest": subject}, filter={"artifactTypes": [SBOM]}
    )["referrers"]
    assert (one["digest"], one["artifactStatus"]) == (sbom, "ACTIVE")


def test_the_api_shows_an_artifact_as_an_image_of_its_type(
    registry: httpx.Client, push: Push, client: ClientFactory
) -> None:
    subject = push("team/app", small_image(), ["v1"])
    digest = attach(registry, subject, SBOM).headers["docker-content-digest"]
    (image,) = client("ecr").describe_images(repositoryName="team/app", imageIds=[{"imageDigest": digest}])[
        "imageDetails"
    ]
    assert image["artifactMediaType"] == SBOM
    assert image["imageManifestMediaType"] == MANIFEST
    assert image["subjectManifestDigest"] == subject


def test_referrers_are_listed_to_who_may_read_images(
    registry: httpx.Client, push: Push, client: ClientFactory, sandbox: Sandbox, account: str
) -> None:
    subject = push("team/app", small_image(), ["v1"])
    ecr, asked = client("ecr"), {"repositoryName": "team/app", "subjectId": {"imageDigest": subject}}
    assert ecr.list_image_referrers(**asked)["referrers"] == listed(registry, subject) == []
    sandbox.admin("POST", "denials", {"account": account, "actions": ["ecr:BatchGetImage"]})
    assert registry.get(f"/v2/team/app/referrers/{subject}").status_code == 403
    with pytest.raises(ClientError, match="ecr:BatchGetImage"):
        ecr.list_image_referrers(**asked)


def test_the_api_lists_20_at_once_and_50_at_most(registry: httpx.Client, push: Push, client: ClientFactory) -> None:
    subject = push("team/app", small_image(), ["v1"])
    for number in range(21):
        attach(registry, subject, SBOM, str(number))
    ecr, asked = client("ecr"), {"repositoryName": "team/app", "subjectId": {"imageDigest": subject}}
    first = ecr.list_image_referrers(**asked)
    assert len(first["referrers"]) == 20
    assert len(ecr.list_image_referrers(**asked, nextToken=first["nextToken"])["referrers"]) == 1
    with pytest.raises(ClientError, match="between 1 and 50"):
        ecr.list_image_referrers(**asked, maxResults=51)
