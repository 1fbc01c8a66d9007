"""What each manifest of a repository is: by media types, artifact types, subjects, indexes and cosign's tags."""

import pytest

from functions_app.domain.images.roles import DEPLOYABLE, LAYERS, SUFFIXES, TYPES, UNITS, Held, Place, Role, places

HEX = "ab" * 32
SUBJECT = f"sha256:{HEX}"
ME, INDEX = "sha256:" + "1" * 64, "sha256:" + "2" * 64
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGE = "application/vnd.oci.image.config.v1+json"
DOCKER_IMAGE = "application/vnd.docker.container.image.v1+json"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE, IN_TOTO = "application/vnd.dsse.envelope.v1+json", "application/vnd.in-toto+json"
NOTATION, BUNDLE = "application/vnd.cncf.notary.signature", "application/vnd.dev.sigstore.bundle.v0.3+json"
ACME = "application/vnd.acme+json"
# A type for each row of the tables, in their order.
OF_TYPES = [
    ("application/vnd.cncf.helm.config.v1+json", Role.CHART),
    ("application/vnd.dev.cosign.artifact.sig.v1+json", Role.SIGNATURE),
    ("application/vnd.dev.cosign.artifact.sbom.v1+json", Role.SBOM),
    (NOTATION, Role.SIGNATURE),
    (BUNDLE, Role.SIGNATURE),
    (DSSE, Role.ATTESTATION),
    (IN_TOTO, Role.ATTESTATION),
    ("application/vnd.docker.attestation.manifest.v1+json", Role.ATTESTATION),
    ("application/spdx+json", Role.SBOM),
    ("text/spdx", Role.SBOM),
    ("application/vnd.cyclonedx+json; version=1.5", Role.SBOM),
    ("application/vnd.syft+json", Role.SBOM),
    ("application/sarif+json", Role.REPORT),
    ("application/vnd.aquasec.trivy.report.sarif.v1", Role.REPORT),
    ("application/vnd.security.vulnerability.report; version=1.1", Role.REPORT),
]
OF_LAYERS = [
    (SIMPLE_SIGNING, Role.SIGNATURE),
    (DSSE, Role.ATTESTATION),
    (IN_TOTO, Role.ATTESTATION),
    ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", Role.CHART),
    ("application/spdx+json", Role.SBOM),
    ("text/spdx", Role.SBOM),
    ("application/vnd.cyclonedx+xml", Role.SBOM),
    ("application/vnd.syft+json", Role.SBOM),
    ("application/sarif+json", Role.REPORT),
]


def held(media_type: str = OCI, artifact_type: str = IMAGE, **more: object) -> Held:
    return Held(ME, media_type, artifact_type, **more)  # type: ignore[arg-type]


TABLE = [
    ("an image", held(tags=("v1",)), Role.IMAGE, ""),
    ("an image of Docker's", held(artifact_type=DOCKER_IMAGE), Role.IMAGE, ""),
    ("an image that ECR tells no type of, but was read", held(artifact_type="", layer_type=GZIP), Role.IMAGE, ""),
    ("something of which nothing is told", held("", ""), None, ""),
    ("an index", held(OCI_INDEX, ""), Role.INDEX, ""),
    ("a list of Docker's", held(DOCKER_LIST, "", tags=("v1",)), Role.INDEX, ""),
    ("an index known by its parts", held("", "", parts=((INDEX, "linux/amd64"),)), Role.INDEX, ""),
    ("a signature by its tag", held(tags=(f"sha256-{HEX}.sig",)), Role.SIGNATURE, SUBJECT),
    ("an attestation by its tag", held(tags=(f"sha256-{HEX}.att",)), Role.ATTESTATION, SUBJECT),
    ("an SBOM by its tag", held(tags=(f"sha256-{HEX}.sbom",)), Role.SBOM, SUBJECT),
    ("referrers by their tag", held(OCI_INDEX, "", tags=(f"sha256-{HEX}",)), Role.REFERRERS, SUBJECT),
    ("a tag that only looks alike", held(tags=(f"sha256-{HEX}.old",)), Role.IMAGE, ""),
    ("a tag of half a digest", held(tags=("sha256-abcd.sig",)), Role.IMAGE, ""),
    ("a signature that lost its tag", held(layer_type=SIMPLE_SIGNING), Role.SIGNATURE, ""),
    ("an attestation that lost its tag", held(layer_type=DSSE), Role.ATTESTATION, ""),
    ("BuildKit's attestation", held(layer_type=IN_TOTO), Role.ATTESTATION, ""),
    ("a notation signature", held(artifact_type=NOTATION, subject=SUBJECT), Role.SIGNATURE, SUBJECT),
    ("a sigstore bundle", held(artifact_type=BUNDLE, subject=SUBJECT), Role.SIGNATURE, SUBJECT),
    ("SPDX", held(artifact_type="application/spdx+json", subject=SUBJECT), Role.SBOM, SUBJECT),
    ("SPDX as text", held(artifact_type="text/spdx", subject=SUBJECT), Role.SBOM, SUBJECT),
    ("CycloneDX", held(artifact_type="application/vnd.cyclonedx+json", subject=SUBJECT), Role.SBOM, SUBJECT),
    ("CycloneDX with a version", held(artifact_type="application/vnd.cyclonedx+json; version=1.5"), Role.SBOM, ""),
    ("Syft", held(artifact_type="application/vnd.syft+json"), Role.SBOM, ""),
    ("a report", held(artifact_type="application/sarif+json", subject=SUBJECT), Role.REPORT, SUBJECT),
    ("in-toto by its type", held(artifact_type=IN_TOTO, subject=SUBJECT), Role.ATTESTATION, SUBJECT),
    ("a chart", held(artifact_type="application/vnd.cncf.helm.config.v1+json", tags=("1.2.3",)), Role.CHART, ""),
    ("an artifact nobody knows, about an image", held(artifact_type=ACME, subject=SUBJECT), Role.ARTIFACT, SUBJECT),
    ("an artifact nobody knows", held(artifact_type=ACME, tags=("v1",)), Role.ARTIFACT, ""),
    ("an image that is about another", held(subject=SUBJECT), Role.ARTIFACT, SUBJECT),
    ("an index that is about an image", held(OCI_INDEX, "", subject=SUBJECT), Role.ARTIFACT, SUBJECT),
]  # fmt: skip


@pytest.mark.parametrize(("manifest", "role", "of"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_each_manifest_is_what_its_types_and_tags_say(manifest: Held, role: Role | None, of: str) -> None:
    assert places([manifest])[ME] == Place(role, of)


@pytest.mark.parametrize(("type_", "role"), OF_TYPES)
def test_each_type_of_artifact_is_known(type_: str, role: Role) -> None:
    assert places([held(artifact_type=type_)])[ME].role is role


@pytest.mark.parametrize(("type_", "role"), OF_LAYERS)
def test_each_type_of_layer_that_only_artifacts_have_is_known(type_: str, role: Role) -> None:
    assert places([held(layer_type=type_)])[ME].role is role


def test_every_row_of_the_tables_has_its_example() -> None:
    for table, examples in ((TYPES, OF_TYPES), (LAYERS, OF_LAYERS)):
        assert len(table) == len(examples)
        for row, (type_, _) in zip(table, examples, strict=True):
            assert type_.startswith(row[:-1]) if row.endswith("*") else type_ == row
    tags = {tag.partition(HEX)[2] for _, manifest, *_ in TABLE for tag in manifest.tags if HEX in tag}
    assert SUFFIXES.keys() <= tags


def index(*parts: tuple[str, str], tags: tuple[str, ...] = ("multi",), digest: str = INDEX) -> Held:
    return Held(digest, OCI_INDEX, "", tags=tags, parts=parts)


def test_an_untagged_image_of_an_index_is_a_part_of_it() -> None:
    found = places([index((ME, "linux/amd64")), held()])
    assert found == {INDEX: Place(Role.INDEX), ME: Place(Role.PART, INDEX)}


def test_a_tagged_image_of_an_index_stays_an_image() -> None:
    assert places([index((ME, "linux/amd64")), held(tags=("v1-amd64",))])[ME] == Place(Role.IMAGE, INDEX)


def test_an_attestation_in_an_index_belongs_to_it() -> None:
    attestation = held(layer_type=IN_TOTO)
    assert places([index((ME, "")), attestation])[ME] == Place(Role.ATTESTATION, INDEX)


def test_an_image_whose_index_tells_no_platform_is_a_part_all_the_same() -> None:
    assert places([index((ME, "")), held()])[ME] == Place(Role.PART, INDEX)


def test_of_several_indexes_one_with_a_tag_is_named_whatever_their_order() -> None:
    other = index((ME, "linux/amd64"), tags=(), digest="sha256:" + "9" * 64)
    for order in ([index((ME, "x")), other, held()], [held(), other, index((ME, "x"))]):
        assert places(order)[ME].part_of == INDEX


def test_an_image_whose_index_is_gone_is_an_image() -> None:
    assert places([held()])[ME] == Place(Role.IMAGE)


def test_what_a_list_of_referrers_names_is_about_its_subject() -> None:
    listing = index((ME, ""), tags=(f"sha256-{HEX}",))
    bundle = held(artifact_type=BUNDLE)
    assert places([listing, bundle])[ME] == Place(Role.SIGNATURE, SUBJECT)
    assert places([listing, bundle])[INDEX] == Place(Role.REFERRERS, SUBJECT)


def test_only_images_are_offered_and_only_images_and_indexes_count() -> None:
    assert set(DEPLOYABLE) == {"", "image"}
    assert set(UNITS) == {"", "image", "index"}
