"""What a stack of layers shows is what umoci unpacks from it: another's reading of image-spec, on a real disk."""

import hashlib
import io
import stat
import subprocess
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.layers.overlay import overlay
from functions_app.domain.layers.tar import read_tar
from sandbox.images.making import Blob, Image, Layer, canonical_json, make_image, sha256_digest
from tests import packages
from tests.domain.layers.test_tar import Member, entry, tar_of

PLAIN = "application/vnd.oci.image.layer.v1.tar"


def directory(name: str, mode: int = 0o755) -> Member:
    return entry(name, kind=tarfile.DIRTYPE, mode=mode)


def symlink(name: str, target: str) -> Member:
    return entry(name, kind=tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> Member:
    return entry(name, kind=tarfile.LNKTYPE, linkname=target)


def unpacked(image: Image, folder: Path) -> Path:
    """Let umoci unpack the image from an OCI layout."""
    layout = folder / "layout"
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in (image.manifest, *image.blobs):
        (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.data)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    named = {**image.manifest.descriptor, "annotations": {"org.opencontainers.image.ref.name": "it"}}
    (layout / "index.json").write_bytes(canonical_json({"schemaVersion": 2, "manifests": [named]}))
    command = [packages.require("umoci"), "raw", "unpack", "--rootless", "--image", f"{layout}:it"]
    subprocess.run([*command, str(folder / "rootfs")], check=True, capture_output=True, timeout=60)
    return folder / "rootfs"


def on_disk(root: Path) -> dict[str, tuple[str, str]]:
    """Path to kind and contents: a file's digest, a link's target."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(root.rglob("*")):
        kind = path.lstat().st_mode
        if stat.S_ISLNK(kind):
            facts = "symlink", str(path.readlink())
        elif stat.S_ISDIR(kind):
            facts = "dir", ""
        else:
            facts = "file", hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(root))] = facts
    return found


def told(entries: dict[str, FileEntry]) -> dict[str, tuple[str, str]]:
    """The same of an overlay. A hard link is a file on the disk."""
    facts = {"hardlink": "file"}
    return {
        path: (facts.get(one.kind, one.kind), one.link if one.kind == "symlink" else one.digest)
        for path, one in entries.items()
    }


def check(layers: Sequence[Sequence[Member]], folder: Path) -> None:
    """Both readings of the same layers agree."""
    tars = [tar_of(members) for members in layers]
    built = [Layer(Blob(PLAIN, data), sha256_digest(data)) for data in tars]
    image = make_image(built, created=datetime(2026, 11, 20, tzinfo=UTC))

    assert told(overlay([read_tar(io.BytesIO(data)).entries for data in tars])) == on_disk(unpacked(image, folder))


STACKS = {
    "whiteouts": [
        [directory("d"), entry("d/a", b"1"), entry("d/b", b"2"), directory("e"), entry("e/f", b"3")],
        [directory("d"), entry("d/.wh.a"), entry(".wh.e"), entry("g", b"4")],
    ],
    "opaque": [
        [directory("d"), entry("d/a", b"1"), directory("d/e"), entry("d/e/f", b"2")],
        [directory("d"), entry("d/.wh..wh..opq"), entry("d/new", b"3")],
    ],
    "opaque, told last": [
        [directory("d"), entry("d/a", b"1")],
        [directory("d"), entry("d/new", b"3"), entry("d/.wh..wh..opq")],
    ],
    "other kinds": [
        [directory("d"), entry("d/a", b"1"), entry("f", b"2"), symlink("s", "f")],
        [entry("d", b"now a file"), directory("f"), entry("f/a", b"3"), directory("s"), entry("s/b", b"4")],
    ],
    "through links": [
        [directory("usr"), directory("usr/lib"), entry("usr/lib/old", b"1"), symlink("lib", "usr/lib")],
        [entry("lib/new", b"2"), symlink("lib64", "/usr/lib")],
        [entry("lib64/newer", b"3"), entry("lib/.wh.old")],
    ],
    "hard links": [
        [entry("a", b"1"), hard_link("b", "a")],
        [entry("a", b"2"), hard_link("c", "b")],
    ],
    "odd names": [
        [entry("./x/../y", b"1"), entry("/z", b"2"), entry("../w", b"3"), entry("größe/ß", b"4")],
        [entry("dup", b"1"), entry("dup", b"2")],
    ],
}


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_shows_what_umoci_unpacks(name: str, tmp_path: Path) -> None:
    check(STACKS[name], tmp_path)


@settings(max_examples=12, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_stacks_at_random_show_what_umoci_unpacks(chance: Random) -> None:
    folders = ["", "a/", "b/", "a/c/"]

    def layer() -> list[Member]:
        below = [directory(name.rstrip("/")) for name in folders if name]
        *names, gone = chance.sample(["x", "y", "z"], 3)
        files = [entry(f"{place}{name}", chance.randbytes(3)) for place in folders for name in names]
        hidden = [entry(f"{chance.choice(folders)}.wh.{gone}")]
        opaque = [entry("a/.wh..wh..opq")] if chance.random() < 0.4 else []
        return [*below, *hidden, *opaque, *files]

    with TemporaryDirectory() as folder:
        check([layer() for _ in range(4)], Path(folder))
