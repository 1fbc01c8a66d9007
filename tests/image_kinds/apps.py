"""Application images of every kind, made in memory; most stand on Python's October release."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

from sandbox.images import bases
from sandbox.images.elf import Elf
from sandbox.images.making import (
    OCI_INDEX,
    OCI_MANIFEST,
    Blob,
    Image,
    Index,
    Layer,
    canonical_json,
    make_image,
    make_index,
    make_layer,
)
from sandbox.images.native import native
from sandbox.images.rpm_packages import RpmPackage, sqlite_database
from tests.image_kinds import published
from tests.image_kinds.published import NODE, NOW, OLD_PYTHON, PYTHON, TODAY
from tests.image_kinds.recast import annotated, assemble, merged, plain, recompressed, squashed, with_config, zstd

BASE_NAME, BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
RPM_DATABASE = "var/lib/rpm/rpmdb.sqlite"
SITE_PACKAGES = "var/lang/lib/python3.12/site-packages"
BUILT = NOW - timedelta(days=2)
CODE = {"var/task/app.py": b"def handler(event, context):\n    return event\n"}
SETTINGS = {"Cmd": ["app.handler"]}
IN_TOTO = "application/vnd.in-toto+json"

Build = Callable[[], Image | Index]


def october() -> Image:
    """The base of most: one release behind."""
    return published.aws(PYTHON, 2)


def november(architecture: str = "amd64") -> Image:
    """Python's current release."""
    return published.aws(PYTHON, 3, architecture)


def app(on: Image, files: Mapping[str, bytes] = CODE) -> Image:
    """An application of two layers: requirements, then code."""
    requirements = make_layer({"var/task/requests/__init__.py": b"__version__ = '2.32.5'\n"})
    return make_image([requirements, make_layer(files)], base=on, created=BUILT, config=SETTINGS)


def docker() -> Image:
    """Docker's own media types, as `docker push` of the classic builder makes them."""
    return make_image([make_layer(CODE)], base=october(), created=BUILT, config=SETTINGS, flavour="docker")


def rpm_database_changed() -> Image:
    """What `RUN dnf install libxml2` leaves: the OS's package database written anew, with one package more."""
    database = merged(october().layers)[RPM_DATABASE]
    assert isinstance(database, bytes)
    library = native(Elf(soname="libxml2.so.2", needed={"libc.so.6": ("GLIBC_2.34",)}), "amd64", "libxml2")
    added = sqlite_database([RpmPackage("libxml2", "2.10.4", "1.amzn2023.0.9")])
    with closing(sqlite3.connect(":memory:")) as before, closing(sqlite3.connect(":memory:")) as package:
        before.deserialize(database)
        package.deserialize(added)
        before.execute("INSERT INTO Packages (blob) VALUES (?)", *package.execute("SELECT blob FROM Packages"))
        before.commit()
        files = {RPM_DATABASE: before.serialize(), "usr/lib64/libxml2.so.2": library}
    step = "RUN /bin/sh -c dnf install -y libxml2 # buildkit"
    steps = [step, "COPY app.py /var/task/ # buildkit"]
    return make_image([make_layer(files), make_layer(CODE)], base=october(), created=BUILT, created_by=steps)


def pinned_boto3() -> Image:
    """What `pip install boto3==1.34.0` into the base's package directory leaves: it is there in place of the base's."""
    files = {
        "boto3/__init__.py": b"__version__ = '1.34.0'\n",
        "boto3-1.34.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: boto3\nVersion: 1.34.0\n",
        ".wh.boto3-1.42.4.dist-info": b"",
    }
    return app(october(), {**CODE, **{f"{SITE_PACKAGES}/{path}": data for path, data in files.items()}})


def hidden_files() -> Image:
    """A directory made opaque, a file of the base whited out."""
    return app(october(), {**CODE, f"{SITE_PACKAGES}/urllib3/.wh..wh..opq": b"", "etc/.wh.localtime": b""})


def other_entrypoint() -> Image:
    """Its own ENTRYPOINT, as the Lambda web adapter and many wrappers want it."""
    config = {"Entrypoint": ["/opt/wrapper", "/lambda-entrypoint.sh"], "Cmd": ["app.handler"]}
    return make_image(
        [make_layer({**CODE, "opt/wrapper": b"#!/bin/sh\n"})], base=october(), created=BUILT, config=config
    )


def arm64_app() -> Image:
    """The other architecture of the same stream."""
    return app(published.aws(PYTHON, 2, "arm64"))


def one_architecture_moved(architecture: str) -> Image:
    """On the first release of a base whose second changed for amd64 alone."""
    return app(published.tools(1, architecture))


def debian() -> Image:
    """On a base that no stream watches."""
    return app(bases.foreign_base(TODAY))


def multi_arch() -> Index:
    """What `buildx --platform linux/amd64,linux/arm64` pushes."""
    return make_index([app(october()), arm64_app()])


def attestation() -> Image:
    """What buildx pushes beside an image for its provenance: in the form of an image, for platform unknown/unknown."""
    statement = canonical_json({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/v0.2"})
    blob = Blob(IN_TOTO, statement)
    document = {"architecture": "unknown", "os": "unknown", "config": {}}
    return assemble(document, [Layer(blob, blob.digest)])


def with_attestation() -> Index:
    """What `buildx build --push` makes of one platform by default: an index of the image and its attestation."""
    image, statement = app(october()), attestation()
    note = {"vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest"}
    unknown = {"architecture": "unknown", "os": "unknown"}
    entries = [
        {**image.manifest.descriptor, "platform": image.platform},
        {**statement.manifest.descriptor, "annotations": note, "platform": unknown},
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return Index(Blob(OCI_INDEX, canonical_json(document)), (image, statement))


def squashed_and_named(**annotations: str) -> Image:
    """One layer, whose annotations name the base: by buildah, kaniko or by hand."""
    return annotated(squashed(app(october())), {BASE_NAME: f"{published.HOST}/lambda/{PYTHON}", **annotations})


def squashed_and_labelled() -> Image:
    """One layer, the base named by labels: all that a Dockerfile can do."""
    image = squashed(app(october()))
    labels = {BASE_NAME: f"{published.HOST}/lambda/{PYTHON}", BASE_DIGEST: published.index_of(PYTHON, 2).digest}
    return with_config(image, config={**image.document["config"], "Labels": labels})


def wrongly_annotated() -> Image:
    """The layers of Python's October release, the annotation of Node's."""
    claim = {BASE_NAME: f"{published.HOST}/lambda/{NODE}", BASE_DIGEST: published.index_of(NODE, 0).digest}
    return annotated(app(october()), claim)


def never_published() -> Image:
    """On a release that no poll ever saw: it shares layers with those before and after it."""
    return app(published.aws(PYTHON, 1))


def newest_unseen() -> Image:
    """On a release that comes out tomorrow: it shares layers with the last one, and they with other streams."""
    tomorrow = bases.next_release(PYTHON, 4, NOW + timedelta(days=1), NOW + timedelta(days=1))
    return app(tomorrow.images["amd64"])


def base_alone() -> Image:
    """No layer of its own: only settings."""
    return make_image([], base=november(), created=BUILT, config=SETTINGS)


def dated_1970() -> Image:
    """Its own time of creation and that of each step is 1970, by SOURCE_DATE_EPOCH=0."""
    return make_image([make_layer(CODE)], base=october(), created=datetime(1970, 1, 1, tzinfo=UTC), config=SETTINGS)


def undated() -> Image:
    """No time of creation at all."""
    return with_config(app(october()), created=None)


def empty_and_doubled_layers() -> Image:
    """An empty layer, as old Docker versions wrote for ENV, and one layer twice; also one of the base's own."""
    empty, code = make_layer({}), make_layer(CODE)
    return make_image([empty, code, october().layers[3], code, empty], base=october(), created=BUILT)


def signature() -> Image:
    """No image: cosign's signature, an artifact in a manifest."""
    config = Blob("application/vnd.oci.empty.v1+json", b"{}")
    layer = Blob("application/vnd.dev.cosign.simplesigning.v1+json", b'{"critical": {}}')
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
        "config": config.descriptor,
        "layers": [layer.descriptor],
    }
    return Image(Blob(OCI_MANIFEST, json.dumps(document).encode()), config, (Layer(layer, layer.digest),))


KINDS: Mapping[str, Build] = {
    "oci, gzip": lambda: app(october()),
    "docker schema 2": docker,
    "oci, zstd": lambda: zstd(app(october())),
    "oci, uncompressed": lambda: plain(app(october())),
    "no history": lambda: with_config(app(october()), history=None),
    "package database changed": rpm_database_changed,
    "pinned boto3": pinned_boto3,
    "opaque directory and whiteouts": hidden_files,
    "changed entrypoint": other_entrypoint,
    "other architecture": arm64_app,
    "base moved for amd64: on amd64": lambda: one_architecture_moved("amd64"),
    "base moved for amd64: on arm64": lambda: one_architecture_moved("arm64"),
    "unrelated base": debian,
    "multi-arch index": multi_arch,
    "index with attestation": with_attestation,
    "the attestation itself": attestation,
    "recompressed": lambda: recompressed(app(october())),
    "squashed": lambda: squashed(app(october())),
    "squashed, index annotated": lambda: squashed_and_named(**{BASE_DIGEST: published.index_of(PYTHON, 2).digest}),
    "squashed, manifest annotated": lambda: squashed_and_named(**{BASE_DIGEST: october().digest}),
    "squashed, name annotated": squashed_and_named,
    "squashed, unknown digest": lambda: squashed_and_named(**{BASE_DIGEST: "sha256:" + "0" * 64}),
    "squashed, base labelled": squashed_and_labelled,
    "wrong annotation": wrongly_annotated,
    "golden image, itself current": lambda: app(published.golden(2)),
    "golden image, itself behind": lambda: app(published.golden(1)),
    "unknown release of a known stream": never_published,
    "unknown release, shared layers": newest_unseen,
    "the base and nothing else": base_alone,
    "current": lambda: app(november()),
    "current, other architecture": lambda: app(november("arm64")),
    "built in 1970": dated_1970,
    "no time of creation": undated,
    "on a base built in 1970": lambda: app(published.reproducible(1)),
    "on the newest base built in 1970": lambda: app(published.reproducible(2)),
    "empty and doubled layers": empty_and_doubled_layers,
    "withdrawn release": lambda: app(published.aws(NODE, 3)),
    "release that is current again": lambda: app(published.aws(NODE, 2)),
    "end of life": lambda: app(published.aws(OLD_PYTHON, 3)),
    "signature": signature,
}
