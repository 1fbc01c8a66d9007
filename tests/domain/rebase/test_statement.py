"""The statement on a rebase, and the artifact and the list by which it is found beside the image."""

import base64
import hashlib
import json

from functions_app.domain.images.manifests import chain_ids
from functions_app.domain.images.roles import Held, Role, places
from functions_app.domain.rebase.rebase import Rebase
from functions_app.domain.rebase.statement import (
    IN_TOTO,
    PREDICATE,
    BaseTold,
    Judged,
    Referrer,
    make_statement,
    refer,
)
from tests.domain.rebase.images import APP, BASES, INDEX_DIGEST, held, rebased
from tests.image_kinds.assembly import BASE, new_base, old_base
from tests.image_kinds.builders import buildkit, classic

OTHER = "sha256:" + "0b" * 32


def made() -> Rebase:
    """The rebase that all this is about."""
    return rebased(buildkit(old_base()))


def statement(*findings: str) -> bytes:
    """What is said of it."""
    old, new = (
        BaseTold(f"{BASE}.1", "", held(old_base(), BASES)),
        BaseTold(f"{BASE}.2", INDEX_DIGEST, held(new_base(), BASES)),
    )
    judged = Judged("REVIEW", findings)
    return make_statement(made(), held(buildkit(old_base())), old, new, judged, name=APP, version="1.2.0")


def referrer() -> Referrer:
    """The artifact that carries it."""
    return refer(statement("setuid"), made().descriptor)


def test_it_is_an_in_toto_statement_about_the_new_image() -> None:
    said = json.loads(statement())

    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["subject"] == [{"name": APP, "digest": {"sha256": made().digest.removeprefix("sha256:")}}]
    assert said["predicateType"] == PREDICATE == "urn:drydock:rebase:v1"


def test_it_tells_bases_layers_tool_and_verdict() -> None:
    predicate = json.loads(statement("setuid", "elf-not-read", "setuid"))["predicate"]

    assert predicate["from"]["digest"] == in_toto(buildkit(old_base()).digest)
    assert predicate["oldBase"] == {
        "name": f"{BASE}.1",
        "digest": {},
        "manifest": in_toto(old_base().digest),
        "chainId": chain_ids(old_base().diff_ids)[-1],
    }
    assert predicate["newBase"]["digest"] == in_toto(INDEX_DIGEST)
    assert predicate["appLayers"] == [in_toto(layer.digest) for layer in buildkit(old_base()).layers[2:]]
    assert predicate["tool"] == {"name": "drydock", "version": "1.2.0"}
    assert predicate["verdict"] == {"result": "REVIEW", "findings": ["elf-not-read", "setuid"]}


def in_toto(digest: str) -> dict[str, str]:
    """A digest as in-toto writes it."""
    return {"sha256": digest.removeprefix("sha256:")}


def test_the_same_rebase_is_told_in_the_same_bytes() -> None:
    assert statement("a", "b") == statement("b", "a")
    assert referrer() == referrer()


def test_the_artifact_refers_to_the_image_and_holds_the_statement() -> None:
    manifest = json.loads(referrer().manifest)

    assert manifest["artifactType"] == IN_TOTO
    assert manifest["subject"]["digest"] == made().digest
    assert manifest["subject"]["size"] == len(made().manifest)
    layer = manifest["layers"][0]
    assert (layer["mediaType"], layer["size"]) == (IN_TOTO, len(referrer().statement))
    assert layer["digest"] == "sha256:" + hashlib.sha256(referrer().statement).hexdigest()
    assert base64.b64decode(manifest["config"]["data"]) == referrer().config == b"{}"
    assert manifest["config"]["digest"] == "sha256:" + hashlib.sha256(b"{}").hexdigest()


def test_an_image_of_docker_schema_2_is_referred_to_by_its_own_type() -> None:
    image = rebased(classic(old_base()))

    manifest = json.loads(refer(b"{}", image.descriptor).manifest)

    assert manifest["subject"]["mediaType"] == image.media_type
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"


def test_nobody_takes_it_for_an_image() -> None:
    manifest = json.loads(referrer().manifest)
    artifact = Held(
        referrer().descriptor.digest, manifest["mediaType"], manifest["artifactType"], manifest["subject"]["digest"]
    )

    found = places(
        [artifact, Held(made().digest, made().media_type, layer_type="application/vnd.oci.image.layer.v1.tar")]
    )

    assert found[artifact.digest].role is Role.ATTESTATION
    assert found[artifact.digest].part_of == made().digest
