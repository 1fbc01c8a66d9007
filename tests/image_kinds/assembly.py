"""Images put together by hand: two releases of a base, and an app on it with a config and history of any form."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sandbox.images.making import (
    DOCKER_CONFIG,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_MANIFEST,
    Blob,
    Flavour,
    Image,
    Layer,
    canonical_json,
    make_image,
    make_layer,
)
from tests.image_kinds.apps import BUILT, CODE

BASE = "registry.test/base:1"
OLD_TIME, NEW_TIME = BUILT - timedelta(days=60), BUILT - timedelta(days=1)
REQUIREMENTS = {"var/task/requests/__init__.py": b"__version__ = '2.32.5'\n"}
GZIP: Mapping[Flavour, str] = {
    "oci": "application/vnd.oci.image.layer.v1.tar+gzip",
    "docker": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
PATH = "/var/lang/bin:/usr/bin:/bin"
NEW_PATH = "/var/lang/bin:/usr/local/bin:/usr/bin:/bin"

Document = dict[str, Any]
Entry = dict[str, Any]


def old_base(architecture: str = "amd64", flavour: Flavour = "oci") -> Image:
    """The release that the apps were built on."""
    env = [f"PATH={PATH}", "LANG=C.UTF-8", "RUNTIME_VERSION=8.0.1", "GONE=1"]
    labels = {"vendor": "Harbour", "release": "1"}
    return _base({"etc/os-release": b"1"}, {"Env": env, "Labels": labels}, OLD_TIME, architecture, flavour)


def new_base(architecture: str = "amd64", flavour: Flavour = "oci") -> Image:
    """The next: another layer more, a longer PATH, a version moved on, a variable gone, another come."""
    env = [f"PATH={NEW_PATH}", "LANG=C.UTF-8", "RUNTIME_VERSION=8.0.2", "SSL_CERT_DIR=/etc/ssl"]
    labels = {"vendor": "Harbour", "release": "2"}
    files = {"etc/os-release": b"2", "etc/ssl/": b""}
    return _base(files, {"Env": env, "Labels": labels}, NEW_TIME, architecture, flavour)


def _base(
    files: Mapping[str, bytes], settings: Document, created: datetime, architecture: str, flavour: Flavour
) -> Image:
    layers = [make_layer({"lib64/libc.so.6": b"libc"}), *(make_layer({path: data}) for path, data in files.items())]
    config = {"WorkingDir": "/var/task", "Entrypoint": ["/lambda-entrypoint.sh"], **settings}
    variant = "v8" if architecture == "arm64" else None
    return make_image(
        layers, created=created, architecture=architecture, variant=variant, config=config, flavour=flavour
    )


def entry(created_by: str, *, layer: bool = False, created: str = "", **others: str) -> Entry:
    """A line of history."""
    found: Entry = {"created": created or BUILT.isoformat(), "created_by": created_by, **others}
    return found if layer else {**found, "empty_layer": True}


def path_of(base: Image) -> str:
    """The PATH of a base."""
    return next(str(each) for each in base.document["config"]["Env"] if each.startswith("PATH="))[len("PATH=") :]


def env_of(base: Image, *own: str) -> list[str]:
    """The base's variables with these over them, as every builder has it."""
    entries = [*base.document["config"]["Env"], *own]
    return list({entry.partition("=")[0]: entry for entry in entries}.values())


def settings_of(base: Image, env: Sequence[str], **own: Any) -> Document:
    """The settings of a base with these over them."""
    return {**base.document["config"], "Env": list(env), **own}


def built(
    base: Image,
    settings: Mapping[str, Any],
    steps: Sequence[Entry],
    layers: Sequence[Layer] | None = None,
    *,
    inherited: Sequence[Entry] | None = None,
    flavour: Flavour = "oci",
    created: str = "",
    annotations: Mapping[str, str] | None = None,
    own: Mapping[str, Any] | None = None,
) -> Image:
    """The image: the base's document and layers with these over them."""
    own_layers = [make_layer(REQUIREMENTS), make_layer(CODE)] if layers is None else layers
    stack = tuple(_in_flavour(layer, flavour) for layer in (*base.layers, *own_layers))
    history = [*(base.document["history"] if inherited is None else inherited), *steps]
    document = {
        **base.document,
        **(own or {}),
        "created": created or BUILT.isoformat(),
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in stack]},
        "history": history,
    }
    if not history:
        del document["history"]
    config = Blob(OCI_CONFIG if flavour == "oci" else DOCKER_CONFIG, canonical_json(document))
    manifest: Document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if flavour == "oci" else DOCKER_MANIFEST,
        "config": config.descriptor,
        "layers": [layer.blob.descriptor for layer in stack],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return Image(Blob(manifest["mediaType"], canonical_json(manifest)), config, stack)


def _in_flavour(layer: Layer, flavour: Flavour) -> Layer:
    """The same blob under the flavour's type."""
    return Layer(Blob(GZIP[flavour], layer.blob.data), layer.diff_id)
