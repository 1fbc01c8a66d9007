"""Reading from real registries: the sandbox's public name space, its ECR, and Debian's docker-registry."""

import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    parse_config,
    parse_manifest,
)
from functions_app.domain.images.registry_login import Login
from functions_app.registry.blobs import open_layer
from functions_app.registry.client import CONFIG_LIMIT, Registry
from sandbox.images.making import Image, make_image, make_index, make_layer
from tests import distribution_server
from tests.fixtures import ClientFactory, Push, Sandbox, login, push_image
from tests.publishing import NOW, base, base_index, publish, unique_repository
from tests.registry.conftest import USER, Reply, Request, Scripted

IMAGE = base(1)
INDEX = base_index(1)


@pytest.fixture
def public(aws: Sandbox) -> Iterator[Registry]:
    """public.ecr.aws, without a login."""
    with Registry.open("public.ecr.aws") as registry:
        yield registry


@pytest.fixture
def docker(distribution: str) -> Iterator[Registry]:
    """docker-registry, with a login."""
    with Registry("127.0.0.1", distribution, USER) as registry:
        yield registry


def push_to(url: str, repository: str, *tags: str, image: Image = IMAGE) -> None:
    with httpx.Client(base_url=url, auth=(USER.username, USER.password)) as http:
        push_image(http, repository, image, tags)


def test_an_index_is_read_down_to_the_configs_of_its_images(aws: Sandbox, public: Registry) -> None:
    repository = unique_repository()
    publish(aws, repository, INDEX, ["3.12"])

    described, data = public.manifest(repository, "3.12")
    index = parse_manifest(data, described.media_type)

    assert (described.digest, described.media_type) == (INDEX.digest, OCI_INDEX)
    assert isinstance(index, Index)
    for entry, platform in index.entries:
        manifest = parse_manifest(public.manifest(repository, entry.digest)[1])
        assert isinstance(manifest, Manifest)
        config = parse_config(public.blob(repository, manifest.config.digest, CONFIG_LIMIT))
        assert config.platform == platform


def test_head_tells_what_a_tag_points_to_and_none_where_there_is_no_such_tag(aws: Sandbox, public: Registry) -> None:
    repository = unique_repository()
    publish(aws, repository, IMAGE, ["v1"])

    found = public.head(repository, "v1")

    assert found is not None
    assert (found.digest, found.media_type, found.size) == (IMAGE.digest, OCI_MANIFEST, IMAGE.manifest.size)
    assert public.head(repository, "v2") is None
    assert public.head(repository, "sha256:" + "0" * 64) is None


def test_a_missing_image_is_not_found_and_named(aws: Sandbox, public: Registry) -> None:
    repository = unique_repository()
    publish(aws, repository, IMAGE, ["v1"])

    with pytest.raises(DrydockError, match=f"public.ecr.aws has no {repository}:v2") as caught:
        public.manifest(repository, "v2")

    assert caught.value.problem.code is Code.NOT_FOUND
    assert caught.value.problem.aws_code == "MANIFEST_UNKNOWN"


def test_an_unknown_public_repository_is_denied_with_what_to_check(public: Registry) -> None:
    with pytest.raises(DrydockError) as caught:
        public.head("tests/there-is-none", "v1")

    assert caught.value.problem.code is Code.DENIED
    assert "may not exist" in caught.value.problem.next_step


def test_a_private_image_is_read_with_ecrs_login(aws: Sandbox, client: ClientFactory, push: Push, account: str) -> None:
    digest = push("team/app", IMAGE, ["v1"])
    host = f"{account}.dkr.ecr.eu-west-1.amazonaws.com"

    with Registry.open(host, Login(*login(client("ecr")))) as registry:
        head = registry.head("team/app", "v1")
        config = registry.blob("team/app", IMAGE.config.digest, CONFIG_LIMIT)

    assert head is not None
    assert head.digest == digest
    assert config == IMAGE.config.data


def test_a_wrong_login_is_denied_without_showing_the_password(aws: Sandbox) -> None:
    with (
        Registry.open("111111111111.dkr.ecr.eu-west-1.amazonaws.com", Login("AWS", "wrong-secret")) as registry,
        pytest.raises(DrydockError) as caught,
    ):
        registry.head("team/app", "v1")

    assert caught.value.problem.code is Code.DENIED
    assert "wrong-secret" not in str(caught.value.problem.as_json())
    assert "wrong-secret" not in repr(Login("AWS", "wrong-secret"))


@pytest.mark.needs("docker-registry")
def test_docker_registry_is_read_with_basic_login(distribution: str, docker: Registry) -> None:
    push_to(distribution, "team/app", "v1")

    head = docker.head("team/app", "v1")
    described, data = docker.manifest("team/app", IMAGE.digest)

    assert head is not None
    assert head.digest == described.digest == IMAGE.digest
    assert data == IMAGE.manifest.data
    assert docker.blob("team/app", IMAGE.config.digest, CONFIG_LIMIT) == IMAGE.config.data
    assert docker.head("team/app", "v2") is None


@pytest.mark.needs("docker-registry")
def test_docker_registry_gives_layers_as_tars(distribution: str, docker: Registry) -> None:
    push_to(distribution, "team/layers", "v1")
    manifest = parse_manifest(docker.manifest("team/layers", "v1")[1])
    assert isinstance(manifest, Manifest)
    config = parse_config(docker.blob("team/layers", manifest.config.digest, CONFIG_LIMIT))

    for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
        with open_layer(docker, "team/layers", layer, diff_id) as file, tarfile.open(mode="r|", fileobj=file) as tar:
            assert [entry.name for entry in tar]


@pytest.mark.needs("docker-registry")
def test_dockers_own_flavour_is_read_from_the_list_down_to_the_layers(distribution: str, docker: Registry) -> None:
    layer = make_layer({"var/task/app.py": b"print()"})
    images = [
        make_image([layer], created=NOW, architecture=architecture, flavour="docker")
        for architecture in ("amd64", "arm64")
    ]
    with httpx.Client(base_url=distribution, auth=(USER.username, USER.password)) as http:
        push_image(http, "team/docker", make_index(images, flavour="docker"), ["v1"])

    described, data = docker.manifest("team/docker", "v1")
    index = parse_manifest(data, described.media_type)

    assert isinstance(index, Index)
    assert index.media_type == DOCKER_INDEX
    for entry, platform in index.entries:
        manifest = parse_manifest(docker.manifest("team/docker", entry.digest)[1])
        assert isinstance(manifest, Manifest)
        config = parse_config(docker.blob("team/docker", manifest.config.digest, CONFIG_LIMIT))
        assert (manifest.media_type, config.platform) == (DOCKER_MANIFEST, platform)
        with open_layer(docker, "team/docker", manifest.layers[0], config.diff_ids[0]) as file:
            assert b"print()" in file.read()


def test_many_threads_share_one_registry(aws: Sandbox, public: Registry) -> None:
    repository = unique_repository()
    publish(aws, repository, IMAGE, ["v1"])

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: public.manifest(repository, "v1")[0].digest, range(64)))

    assert set(found) == {IMAGE.digest}


@pytest.mark.needs("docker-registry")
def test_a_registry_without_logins_is_read_and_takes_up_what_dropped(tmp_path: Path, scripted: Scripted) -> None:
    blob = IMAGE.blobs[-1]

    def answer(request: Request) -> Reply:
        if len(scripted.requests) == 1:
            return 200, {"Content-Length": str(len(blob.data)), "Connection": "close"}, blob.data[:50]
        return 307, {"Location": url + request.path}, b""

    scripted.answer = answer
    with distribution_server.serving(tmp_path, "nobody") as url:
        push_to(url, "team/app", "v1")
        with scripted.open() as registry, registry.stream("team/app", blob.digest, size=len(blob.data)) as pieces:
            assert b"".join(pieces) == blob.data
        with Registry("127.0.0.1", url) as direct:
            assert direct.manifest("team/app", "v1")[0].digest == IMAGE.digest
    assert [request.range for request in scripted.requests] == ["", "bytes=50-"]


@pytest.mark.needs("docker-registry")
def test_a_registry_with_bearer_tokens_gives_them_for_the_login(tmp_path: Path) -> None:
    with distribution_server.serving(tmp_path, "nobody") as url:
        push_to(url, "team/app", "v1")
    with distribution_server.serving(tmp_path, "token") as url:
        with Registry("127.0.0.1", url, USER) as registry:
            assert registry.manifest("team/app", "v1")[0].digest == IMAGE.digest
            assert list(registry.tags("team/app")) == ["v1"]
            with registry.stream("team/app", IMAGE.config.digest) as pieces:
                assert b"".join(pieces) == IMAGE.config.data
        with Registry("127.0.0.1", url) as registry, pytest.raises(DrydockError) as caught:
            registry.head("team/app", "v1")
    assert caught.value.problem.code is Code.DENIED


@pytest.mark.needs("docker-registry")
def test_docker_registry_refuses_who_does_not_log_in(distribution: str) -> None:
    with Registry("127.0.0.1", distribution) as registry, pytest.raises(DrydockError) as caught:
        registry.head("team/app", "v1")

    assert caught.value.problem.code is Code.DENIED


@pytest.mark.needs("docker-registry")
def test_all_tags_are_listed_over_many_pages(
    distribution: str, docker: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Smaller pages than real ones, so that few tags fill several.
    monkeypatch.setattr("functions_app.registry.client.PAGE", 2)
    tags = [f"v{number}" for number in range(7)]
    push_to(distribution, "team/tags", *tags)

    assert sorted(docker.tags("team/tags")) == tags
