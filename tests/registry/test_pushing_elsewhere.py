"""Pushing to a registry that is not ours: Debian's docker-registry; Debian's skopeo reads what came there."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.registry.client import Registry
from functions_app.registry.pushing import push
from functions_app.registry.referrers import attach, referrers
from functions_app.registry.uploads import Source
from sandbox.images.making import Flavour, Image, make_image, sha256_digest
from tests import distribution_server
from tests.fixtures import push_image
from tests.publishing import unique_repository
from tests.registry.conftest import USER, Request, Scripted
from tests.registry.ecr import APP, NEW_BASE, RESULT
from tests.registry.pushes import TAG, as_new, held, pulled, rebased, referrer

pytestmark = pytest.mark.needs("docker-registry")


@pytest.fixture
def docker(distribution: str) -> Iterator[Registry]:
    """docker-registry, with a login."""
    with Registry("127.0.0.1", distribution, USER) as registry:
        yield registry


def put(url: str, repository: str, image: Image, *tags: str) -> None:
    with httpx.Client(base_url=url, auth=(USER.username, USER.password)) as http:
        push_image(http, repository, image, tags)


@pytest.fixture
def repositories(distribution: str) -> tuple[str, str]:
    """A repository with an app, one with its new base."""
    names = unique_repository(), unique_repository()
    put(distribution, names[0], APP, "v1")
    put(distribution, names[1], NEW_BASE, "3.12")
    return names


def test_layers_are_mounted_from_another_repository(docker: Registry, repositories: tuple[str, str]) -> None:
    target, source = repositories

    pushed = push(docker, target, rebased(RESULT, NEW_BASE, Source(docker, source)), TAG)

    assert pulled(docker, target, TAG) == held(RESULT)
    assert (pushed.mounted, pushed.existing, pushed.copied) == (3, 2, 0)


def test_layers_are_copied_from_another_registry(
    docker: Registry, repositories: tuple[str, str], tmp_path: Path
) -> None:
    with distribution_server.serving(tmp_path, "nobody") as url, Registry("there.example", url) as there:
        put(url, "platform/base", NEW_BASE, "3.12")
        pushed = push(docker, repositories[0], rebased(RESULT, NEW_BASE, Source(there, "platform/base")), TAG)

    assert pulled(docker, repositories[0], TAG) == held(RESULT)
    assert (pushed.mounted, pushed.existing, pushed.copied) == (0, 2, 3)


@pytest.mark.needs("skopeo")
@pytest.mark.parametrize("flavour", ["oci", "docker"])
def test_skopeo_reads_and_copies_what_was_pushed(
    distribution: str, docker: Registry, repositories: tuple[str, str], tmp_path: Path, flavour: Flavour
) -> None:
    target, source = repositories
    image = make_image(list(RESULT.layers), created=RESULT.created, flavour=flavour)
    push(docker, target, as_new(image, *[Source(docker, source)] * 3, None), TAG)

    name = f"{distribution.replace('http:', 'docker:')}/{target}:{TAG}"
    login = f"{USER.username}:{USER.password}"
    seen = json.loads(skopeo("inspect", "--tls-verify=false", "--creds", login, name))
    skopeo("copy", "--src-tls-verify=false", "--src-creds", login, "--preserve-digests", name, f"dir:{tmp_path / 'it'}")

    assert (seen["Digest"], seen["Layers"]) == (image.digest, [layer.digest for layer in image.layers])
    assert (tmp_path / "it" / "manifest.json").read_bytes() == image.manifest.data


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_registry_of_bearer_tokens_lets_push_and_mount(tmp_path: Path) -> None:
    with distribution_server.serving(tmp_path, "nobody") as url:
        put(url, "team/app", APP, "v1")
        put(url, "platform/base", NEW_BASE, "3.12")
    with distribution_server.serving(tmp_path, "token") as url:
        with Registry("127.0.0.1", url, USER) as registry:
            source = Source(registry, "platform/base")
            pushed = push(registry, "team/app", rebased(RESULT, NEW_BASE, source), TAG)
            assert pulled(registry, "team/app", TAG) == held(RESULT)
        with Registry("127.0.0.1", url) as nobody, pytest.raises(DrydockError) as caught:
            push(nobody, "team/app", rebased(RESULT, NEW_BASE, Source(nobody, "platform/base")), "other")
    assert pushed.mounted == 3
    assert caught.value.problem.code is Code.DENIED


def test_without_a_referrers_api_statements_are_kept_by_the_tag_schema(
    docker: Registry, repositories: tuple[str, str]
) -> None:
    target = repositories[0]
    first, second = referrer(APP, "first"), referrer(APP, "second")

    attach(docker, target, *first)
    attach(docker, target, *second)
    again = attach(docker, target, *first)

    found = referrers(docker, target, APP.digest)
    assert [each.artifact_type for each in found] == ["application/vnd.in-toto+json"] * 2
    assert found[0].descriptor.digest == again.digest
    assert again.copied_bytes == 0
    tag = APP.digest.replace(":", "-")
    assert docker.manifest(target, tag)[0].media_type == "application/vnd.oci.image.index.v1+json"
    assert referrers(docker, target, APP.digest, "application/spdx+json") == ()


def test_statements_attached_at_once_are_all_kept(distribution: str, repositories: tuple[str, str]) -> None:
    target = repositories[0]
    statements = [referrer(APP, str(number)) for number in range(6)]

    def one(statement: tuple[list[bytes], bytes, str]) -> str:
        with Registry("127.0.0.1", distribution, USER) as registry:
            return attach(registry, target, *statement).digest

    with ThreadPoolExecutor(6) as pool:
        digests = set(pool.map(one, statements))

    with Registry("127.0.0.1", distribution, USER) as registry:
        assert {each.descriptor.digest for each in referrers(registry, target, APP.digest)} == digests


def test_an_image_that_nothing_speaks_of_has_no_referrers(docker: Registry, repositories: tuple[str, str]) -> None:
    assert referrers(docker, repositories[0], APP.digest) == ()


def test_what_stands_under_the_referrers_tag_and_is_no_index_is_not_overwritten(
    distribution: str, docker: Registry, repositories: tuple[str, str]
) -> None:
    tag = APP.digest.replace(":", "-")
    put(distribution, repositories[0], APP, tag)

    with pytest.raises(DrydockError) as caught:
        attach(docker, repositories[0], *referrer(APP, "statement"))

    assert caught.value.problem.code is Code.INVALID
    assert docker.manifest(repositories[0], tag)[0].digest == APP.digest


class Test_an_index_that_others_write_too:
    """A registry without the API, whose index changes between our reading and our writing."""

    OTHER = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "1" * 64, "size": 7}

    def play(self, scripted: Scripted, overwritten: int, refuses: int = 0) -> list[list[object]]:
        """Lose what we write so often to somebody else, or refuse it by its If-Match; the indexes, as they were."""
        kept: list[list[object]] = []
        state = {"overwritten": overwritten, "refuses": refuses}

        def reply(request: Request) -> tuple[int, dict[str, str], bytes]:
            if "/manifests/sha256-" not in request.path:
                return (404, {}, b"") if request.method == "HEAD" else uploaded(request)
            if request.method == "GET":
                document = {"mediaType": INDEX, "annotations": {"by": "others"}, "manifests": kept[-1] if kept else []}
                return (200, {"Content-Type": INDEX}, json.dumps(document).encode()) if kept else (404, {}, b"")
            assert {"If-Match", "If-None-Match"} & set(request.headers)
            if state["refuses"]:
                state["refuses"] -= 1
                kept.append([self.OTHER])
                return 412, {}, b""
            kept.append(json.loads(request.body)["manifests"])
            if state["overwritten"]:
                state["overwritten"] -= 1
                kept.append([self.OTHER])
            return 201, {"Docker-Content-Digest": sha256_digest(request.body)}, b""

        scripted.answer = reply
        return kept

    @pytest.mark.parametrize(("overwritten", "refuses"), [(0, 0), (1, 0), (3, 0), (0, 2)])
    def test_gets_our_entry_beside_theirs(self, scripted: Scripted, overwritten: int, refuses: int) -> None:
        kept = self.play(scripted, overwritten, refuses)
        with scripted.open() as registry:
            digest = attach(registry, "team/app", *referrer(APP, "ours")).digest

        digests = [each["digest"] for each in kept[-1] if isinstance(each, dict)]
        assert digests[-1] == digest
        assert (self.OTHER["digest"] in digests) == bool(overwritten or refuses)

    def test_that_never_stays_is_told(self, scripted: Scripted) -> None:
        self.play(scripted, 100)
        with scripted.open() as registry, pytest.raises(DrydockError) as caught:
            attach(registry, "team/app", *referrer(APP, "ours"))

        assert caught.value.problem.code is Code.CHANGED
        assert caught.value.problem.retryable


INDEX = "application/vnd.oci.image.index.v1+json"


def uploaded(request: Request) -> tuple[int, dict[str, str], bytes]:
    if request.method == "POST":
        return 202, {"Location": "/v2/team/app/blobs/uploads/1"}, b""
    digest = request.path.rpartition("/")[2]
    return 201, {"Docker-Content-Digest": digest} if "/manifests/" in request.path else {}, b""
