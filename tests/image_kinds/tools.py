"""Images made and copied by Debian's skopeo, umoci and buildah, as other people's pipelines do."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.image_kinds.apps import CODE
from tests.packages import require

# Made in memory and pushed before (tests/image_kinds/stage.py).
OCI_APP, DOCKER_APP = "kinds/oci-gzip:v1", "kinds/docker-schema-2:v1"


@dataclass(frozen=True)
class Workshop:
    """A registry on loopback that wants no login, and a folder for what the tools keep."""

    registry: str  # 127.0.0.1:PORT
    folder: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run a tool with nobody's saved credentials and give its output."""
        home = {"HOME": str(self.folder), "REGISTRY_AUTH_FILE": "", "PATH": os.environ["PATH"], "TMPDIR": self.scratch}
        command = [require(program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=home)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout.strip()

    @property
    def scratch(self) -> str:
        """Where the tools put what they need for a moment."""
        folder = self.folder / "scratch"
        folder.mkdir(exist_ok=True)
        return str(folder)

    def at(self, name: str) -> str:
        """An image of the registry in the tools' words."""
        return f"docker://{self.registry}/{name}"

    def copy(self, source: str, target: str, *options: str) -> None:
        """skopeo copy without TLS."""
        self.run("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", *options, source, target)

    def code(self) -> Path:
        """A folder with the application's code."""
        folder = self.folder / "code"
        for path, data in CODE.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder


def by_umoci(shop: Workshop, base: str, target: str) -> None:
    """Pulled to an OCI layout, unpacked, repacked with the code as a new layer, configured, pushed."""
    layout, bundle = shop.folder / "umoci", shop.folder / "bundle"
    shop.copy(shop.at(base), f"oci:{layout}:base")
    shop.run("umoci", "unpack", "--rootless", "--image", f"{layout}:base", str(bundle))
    shutil.copytree(shop.code(), bundle / "rootfs", dirs_exist_ok=True)
    shop.run("umoci", "repack", "--image", f"{layout}:app", str(bundle))
    shop.run("umoci", "config", "--image", f"{layout}:app", "--config.cmd", "app.handler")
    shop.copy(f"oci:{layout}:app", shop.at(target))


def by_buildah(shop: Workshop, base: str, target: str) -> None:
    """Built from a base in the registry and committed: buildah compresses the base's layers anew, and annotates."""
    _buildah(shop, base, target)


def by_buildah_squashed(shop: Workshop, base: str, target: str) -> None:
    """The same with `--squash`: one layer, and annotations that tell of what is no longer to be seen."""
    _buildah(shop, base, target, "--squash")


def _buildah(shop: Workshop, base: str, target: str, *options: str) -> None:
    store = ["--root", str(shop.folder / "store"), "--runroot", str(shop.folder / "run"), "--storage-driver", "vfs"]
    container = shop.run("buildah", *store, "from", "--quiet", "--tls-verify=false", shop.at(base))
    shop.run("buildah", *store, "copy", "--quiet", container, str(shop.code()), "/")
    shop.run("buildah", *store, "config", "--cmd", '["app.handler"]', container)
    shop.run("buildah", *store, "commit", "--quiet", "--tls-verify=false", *options, container, shop.at(target))
    shop.run("buildah", *store, "rm", container)


def saved_and_loaded(shop: Workshop, base: str, target: str) -> None:
    """By way of `docker save`: an archive of plain tars, which loses the layers' digests."""
    archive, loaded = f"docker-archive:{shop.folder / 'saved.tar'}", f"oci:{shop.folder / 'loaded'}:app"
    shop.copy(shop.at(OCI_APP), archive)
    # Straight to the registry skopeo would remember the layers that are there.
    shop.copy(archive, loaded)
    shop.copy(loaded, shop.at(target), "--preserve-digests")


def oci_to_docker(shop: Workshop, base: str, target: str) -> None:
    """Converted to Docker's media types."""
    shop.copy(shop.at(OCI_APP), shop.at(target), "--format", "v2s2")


def docker_to_oci(shop: Workshop, base: str, target: str) -> None:
    """Converted to OCI's media types."""
    shop.copy(shop.at(DOCKER_APP), shop.at(target), "--format", "oci")


def to_zstd(shop: Workshop, base: str, target: str) -> None:
    """Unpacked to plain tars, compressed by another compressor."""
    plain, layout = f"dir:{shop.folder / 'plain'}", f"oci:{shop.folder / 'zstd'}:app"
    shop.copy(shop.at(OCI_APP), plain, "--dest-decompress")
    shop.copy(plain, layout, "--dest-compress-format", "zstd")
    shop.copy(layout, shop.at(target), "--preserve-digests")


KINDS: Mapping[str, Callable[[Workshop, str, str], None]] = {
    "made by umoci": by_umoci,
    "made by buildah": by_buildah,
    "made by buildah, squashed": by_buildah_squashed,
    "saved and loaded by skopeo": saved_and_loaded,
    "oci to docker by skopeo": oci_to_docker,
    "docker to oci by skopeo": docker_to_oci,
    "gzip to zstd by skopeo": to_zstd,
}


def programs(kind: str) -> tuple[str, ...]:
    """What must be installed for a kind to be made."""
    if kind not in KINDS:
        return ()
    return ("skopeo", *(program for program in ("umoci", "buildah") if program in kind))
