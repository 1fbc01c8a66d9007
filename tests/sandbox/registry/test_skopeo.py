"""ECR /v2: Debian's skopeo pushes, inspects and pulls, with credentials and without."""

import json
import subprocess
from pathlib import Path

import pytest

from sandbox.images.making import Flavour, Image, Index, make_index, sha256_digest
from tests import distribution_server
from tests.fixtures import ClientFactory, Push, Sandbox, login
from tests.packages import require
from tests.sandbox.fixtures import small_image


@pytest.fixture(autouse=True)
def _skopeo() -> None:
    require("skopeo")


def skopeo(*arguments: str) -> str:
    """Run skopeo with no one's saved credentials and give its output."""
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def credentials(client: ClientFactory) -> str:
    return ":".join(login(client("ecr")))


def directory(path: Path, image: Image) -> str:
    """Write an image as skopeo's dir: transport has it."""
    path.mkdir()
    (path / "version").write_text("Directory Transport Version: 1.1\n")
    (path / "manifest.json").write_bytes(image.manifest.data)
    for blob in image.blobs:
        (path / blob.digest.removeprefix("sha256:")).write_bytes(blob.data)
    return f"dir:{path}"


def test_what_skopeo_pushes_is_what_the_api_shows(sandbox: Sandbox, client: ClientFactory, tmp_path: Path) -> None:
    ecr, image = client("ecr"), small_image()
    ecr.create_repository(repositoryName="team/app")
    target = f"docker://127.0.0.1:{sandbox.port}/team/app:v1"
    source = directory(tmp_path / "image", image)
    skopeo("copy", "--dest-tls-verify=false", "--dest-creds", credentials(client), source, target)
    (found,) = ecr.describe_images(repositoryName="team/app")["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (image.digest, ["v1"])


def test_skopeo_inspects_an_image(sandbox: Sandbox, client: ClientFactory, push: Push) -> None:
    image = small_image()
    push("team/app", image, ["v1", "v2"])
    name = f"docker://127.0.0.1:{sandbox.port}/team/app:v1"
    seen = json.loads(skopeo("inspect", "--tls-verify=false", "--creds", credentials(client), name))
    assert seen["Digest"] == image.digest
    assert seen["RepoTags"] == ["v1", "v2"]
    assert seen["Layers"] == [layer.digest for layer in image.layers]


def test_skopeo_pulls_an_image(sandbox: Sandbox, client: ClientFactory, push: Push, tmp_path: Path) -> None:
    image = small_image()
    push("team/app", image, ["v1"])
    name = f"docker://127.0.0.1:{sandbox.port}/team/app:v1"
    skopeo("copy", "--src-tls-verify=false", "--src-creds", credentials(client), name, f"dir:{tmp_path / 'pulled'}")
    pulled = (tmp_path / "pulled" / "manifest.json").read_bytes()
    assert sha256_digest(pulled) == image.digest


def test_skopeo_publishes_and_pulls_a_public_image_without_credentials(sandbox: Sandbox, tmp_path: Path) -> None:
    image = small_image("public")
    name = f"docker://127.0.0.1:{sandbox.port}/skopeo/public:1"
    source = directory(tmp_path / "image", image)
    skopeo("copy", "--dest-tls-verify=false", "--dest-creds", "public:sandbox", source, name)
    skopeo("copy", "--src-tls-verify=false", "--src-no-creds", name, f"dir:{tmp_path / 'pulled'}")
    assert (tmp_path / "pulled" / "manifest.json").read_bytes() == image.manifest.data


def test_skopeo_is_refused_a_private_image_without_credentials(sandbox: Sandbox, push: Push) -> None:
    push("team/app", small_image(), ["v1"])
    name = f"docker://127.0.0.1:{sandbox.port}/team/app:v1"
    command = ["skopeo", "inspect", "--tls-verify=false", "--no-creds", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "unauthorized" in done.stderr.lower()


def copy(source: str, source_login: str, target: str, target_login: str) -> None:
    """skopeo copy between two registries without TLS, byte for byte or not at all."""
    insecure = ["--src-tls-verify=false", "--dest-tls-verify=false", "--all", "--preserve-digests"]
    skopeo("copy", *insecure, "--src-creds", source_login, "--dest-creds", target_login, source, target)


@pytest.mark.parametrize("flavour", ["oci", "docker"])
def test_a_copy_from_one_repository_to_another_keeps_the_digest(
    sandbox: Sandbox, client: ClientFactory, push: Push, flavour: Flavour
) -> None:
    ecr, image = client("ecr"), small_image(flavour=flavour)
    push("team/app", image, ["v1"])
    ecr.create_repository(repositoryName="team/copy")
    registry, login_there = f"docker://127.0.0.1:{sandbox.port}", credentials(client)
    copy(f"{registry}/team/app:v1", login_there, f"{registry}/team/copy:v1", login_there)
    (found,) = ecr.describe_images(repositoryName="team/copy")["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (image.digest, ["v1"])


@pytest.mark.needs("docker-registry")
@pytest.mark.parametrize("kind", ["oci", "docker", "index"])
def test_a_copy_to_docker_registry_and_back_keeps_the_digest(
    sandbox: Sandbox, client: ClientFactory, push: Push, tmp_path: Path, kind: str
) -> None:
    images: dict[str, Image | Index] = {
        "oci": small_image(),
        "docker": small_image(flavour="docker"),
        "index": make_index([small_image(), small_image(architecture="arm64")]),
    }
    ecr, image = client("ecr"), images[kind]
    push("team/app", image, ["v1"])
    ecr.create_repository(repositoryName="team/back")
    ours, our_login = f"docker://127.0.0.1:{sandbox.port}", credentials(client)
    with distribution_server.serving(tmp_path) as url:
        theirs = url.replace("http:", "docker:")
        their_login = f"{distribution_server.USER}:{distribution_server.PASSWORD}"
        copy(f"{ours}/team/app:v1", our_login, f"{theirs}/away/app:v1", their_login)
        copy(f"{theirs}/away/app:v1", their_login, f"{ours}/team/back:v1", our_login)
    tagged = [each for each in ecr.describe_images(repositoryName="team/back")["imageDetails"] if each.get("imageTags")]
    assert [each["imageDigest"] for each in tagged] == [image.digest]
