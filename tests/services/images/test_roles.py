"""What each image of a repository is, as a sync against the sandbox finds it; and what is offered for a deploy."""

import json
from typing import Any

import pytest

from functions_app.models import Account, Function, Image
from functions_app.services.changes import image_choices
from sandbox.images.making import make_index
from tests.fixtures import Push, Sandbox, login, put_blob, registry_client
from tests.sandbox.functions import Functions, python_image
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
OCI = "application/vnd.oci.image.manifest.v1+json"


def put_artifact(sandbox: Sandbox, functions: Functions, reference: str, **fields: Any) -> str:
    """Push a manifest with an empty config and one small layer; gives its digest."""
    with registry_client(sandbox.url, login(functions.ecr)) as registry:
        config, layer = put_blob(registry, "app", b"{}"), put_blob(registry, "app", b"layer")
        layer_type = fields.pop("layer_type", "application/octet-stream")
        config_type = fields.pop("config_type", "application/vnd.oci.empty.v1+json")
        document = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": config_type, "digest": config, "size": 2},
            "layers": [{"mediaType": layer_type, "digest": layer, "size": 5}],
            **fields,
        }
        answer = registry.put(
            f"/v2/app/manifests/{reference}", content=json.dumps(document), headers={"Content-Type": OCI}
        ).raise_for_status()
    return str(answer.headers["Docker-Content-Digest"])


def roles() -> dict[str, tuple[str, str]]:
    return {image.digest: (image.role, image.part_of) for image in Image.objects.all()}


def test_everything_in_a_repository_is_told_as_what_it_is(
    ours: Account, functions: Functions, push: Push, aws: Sandbox, log: Lines
) -> None:
    amd, arm = python_image(), python_image(architecture="arm64")
    plain = python_image("def handler(event, context):\n    return 1\n")
    index = push("app", make_index([amd, arm]), ["multi"])
    image = push("app", plain, ["v1"])
    signature = put_artifact(
        aws, functions, f"sha256-{image.removeprefix('sha256:')}.sig",
        config_type="application/vnd.oci.image.config.v1+json",
        layer_type="application/vnd.dev.cosign.simplesigning.v1+json",
    )  # fmt: skip
    subject = {"mediaType": OCI, "digest": image, "size": len(plain.manifest.data)}
    sbom = put_artifact(aws, functions, "sbom", artifactType="application/spdx+json", subject=subject)
    chart = put_artifact(aws, functions, "1.2.3", config_type="application/vnd.cncf.helm.config.v1+json")
    run_once(log)
    assert roles() == {
        index: ("index", ""),
        amd.digest: ("part", index),
        arm.digest: ("part", index),
        image: ("image", ""),
        signature: ("signature", image),
        sbom: ("sbom", image),
        chart: ("chart", ""),
    }
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "multi"}])
    run_once(log)
    assert roles()[amd.digest] == ("image", "")


def test_a_tag_that_comes_later_makes_a_part_an_image_of_its_own(
    ours: Account, functions: Functions, push: Push, log: Lines
) -> None:
    amd = python_image()
    index = push("app", make_index([amd]), ["multi"])
    run_once(log)
    assert roles()[amd.digest] == ("part", index)
    push("app", amd, ["v1-amd64"])
    run_once(log)
    assert roles()[amd.digest] == ("image", index)


def test_only_what_lambda_could_run_is_offered(
    ours: Account, functions: Functions, push: Push, aws: Sandbox, log: Lines
) -> None:
    deployed = functions.deploy()
    amd = python_image("def handler(event, context):\n    return 2\n")
    arm = python_image(architecture="arm64")
    index = push("app", make_index([amd, arm]), ["multi"])
    push("app", make_index([arm]), ["arm-alone"])
    put_artifact(aws, functions, f"sha256-{deployed.removeprefix('sha256:')}.sig")
    put_artifact(aws, functions, "1.2.3", config_type="application/vnd.cncf.helm.config.v1+json")
    archived = functions.push("def handler(event, context):\n    return 3\n", "app:old")
    functions.ecr.update_image_storage_class(
        repositoryName="app", imageId={"imageDigest": archived}, targetStorageClass="ARCHIVE"
    )
    run_once(log)
    found = image_choices.choices(Function.objects.get())
    assert {(choice.tags, choice.image.digest, choice.index) for choice in found} == {
        (("1",), deployed, ""),
        (("multi",), amd.digest, index),
    }
    assert {choice.reference.partition("@")[2] for choice in found} == {deployed, amd.digest}
