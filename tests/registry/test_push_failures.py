"""Pushes to ECR on which something fails: tried again, taken up again, or given up with the reason and no tag."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.registry.client import Registry
from functions_app.registry.manifests import put_manifest
from functions_app.registry.pushing import push
from functions_app.registry.uploads import Source
from tests.fixtures import Sandbox, forget_paces, login, put_blob, registry_client
from tests.registry.conftest import Reply, Request, Scripted
from tests.registry.ecr import APP, NEW_BASE, RESULT, Ecr, refused
from tests.registry.pushes import TAG, app, as_new, held, pulled, rebased

OPERATIONS = ["HeadManifest", "StartUpload", "HeadBlob", "FinishUpload", "PutManifest"]


@pytest.mark.parametrize("mounting", ["ENABLED", "DISABLED"])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"status": 503}, {"code": "TOOMANYREQUESTS"}])
def test_whatever_fails_on_the_way_is_tried_again(
    ecr: Ecr, mounting: str, operation: str, fault: dict[str, object]
) -> None:
    ecr.mount(mounting)
    ecr.fault(operation, count=2, **fault)

    push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG)

    assert pulled(ecr.registry, "team/app", TAG) == held(RESULT)
    assert ecr.pauses


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_push_that_was_given_up_is_taken_up_by_pushing_again(ecr: Ecr, operation: str) -> None:
    ecr.mount("DISABLED")
    ecr.fault(operation, drop="before")

    assert refused(ecr).problem.retryable
    ecr.sandbox.admin("DELETE", f"faults?account={ecr.account}")
    push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG)

    assert pulled(ecr.registry, "team/app", TAG) == held(RESULT)
    assert ecr.tags() == {"v1": APP.digest, TAG: RESULT.digest}


def test_a_push_that_fails_leaves_no_tag(ecr: Ecr) -> None:
    ecr.fault("FinishUpload", status=500)

    refused(ecr)

    assert ecr.tags() == {"v1": APP.digest}


# One at a time: layers travel side by side, and two that are refused together need one new token.
@pytest.mark.parametrize("operation", ["StartUpload", "FinishUpload", "PutManifest"])
def test_a_token_that_runs_out_on_the_way_is_renewed(sandbox: Sandbox, ecr: Ecr, operation: str) -> None:
    ecr.mount("DISABLED")
    renewals: list[Login] = []

    class Renewed:
        """Gives the same token in another writing after each refusal."""

        def __call__(self, refused: Login | None = None) -> Login:
            if refused:
                renewals.append(refused)
            token = json.dumps(json.loads(b64decode(login(ecr.api)[1])), indent=len(renewals))
            return Login("AWS", b64encode(token.encode()).decode())

    expired = "Your authorization token has expired. Reauthenticate and try again."
    ecr.fault(operation, status=403, code="DENIED", message=expired, count=1)
    with Registry(ecr.registry.host, sandbox.url, Renewed()) as registry:
        push(registry, "team/app", rebased(RESULT, NEW_BASE, Source(registry, "platform/base")), TAG)

    assert len(renewals) == 1
    assert pulled(ecr.registry, "team/app", TAG) == held(RESULT)


def test_a_repository_that_is_full_says_so_and_what_to_do(ecr: Ecr) -> None:
    ecr.sandbox.admin("POST", "image-limit", {"account": ecr.account, "images": 1})

    problem = refused(ecr).problem

    assert problem.code is Code.FAILED
    assert "maximum allowed number of images" in problem.message
    assert "higher quota" in problem.next_step


@pytest.mark.parametrize("action", ["InitiateLayerUpload", "CompleteLayerUpload", "PutImage"])
def test_who_may_not_push_is_told_which_policy_lets_him(ecr: Ecr, action: str) -> None:
    ecr.sandbox.admin("POST", "denials", {"account": ecr.account, "actions": [f"ecr:{action}"]})

    problem = refused(ecr).problem

    assert problem.code is Code.DENIED
    assert f"ecr:{action}" in problem.message
    assert "docs/policies/patch.json" in problem.next_step


def test_a_repository_that_is_gone_is_not_found(ecr: Ecr) -> None:
    with pytest.raises(DrydockError) as caught:
        push(ecr.registry, "team/gone", rebased(RESULT, NEW_BASE, ecr.base), TAG)

    assert caught.value.problem.code is Code.NOT_FOUND
    assert "team/gone" in str(caught.value)


def test_an_app_whose_layers_are_gone_must_be_built_again(ecr: Ecr) -> None:
    error = caught_by(lambda: push(ecr.registry, "team/app", as_new(app(NEW_BASE, word="other"), None), TAG))

    assert error.problem.code is Code.NOT_FOUND
    assert "Build and push" in error.problem.next_step


def caught_by(act: Callable[[], object]) -> DrydockError:
    with pytest.raises(DrydockError) as caught:
        act()
    return caught.value


class Cancelled(Exception):
    """Somebody has cancelled it."""


def test_a_push_that_is_cancelled_ends_and_leaves_no_tag(ecr: Ecr) -> None:
    def watch() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG, watch=watch)

    assert ecr.tags() == {"v1": APP.digest}


def test_images_that_are_put_faster_than_ecr_takes_them_wait_for_their_turn(sandbox: Sandbox, ecr: Ecr) -> None:
    images = [app(NEW_BASE, 1, f"app{number}") for number in range(14)]
    tags = [f"t{number}" for number in range(len(images))]
    with registry_client(sandbox.url, login(ecr.api)) as http:
        for image in images:
            put_blob(http, "team/app", image.layers[-1].blob.data)
    forget_paces()
    sandbox.admin("POST", "quotas", {"enforce": True})
    try:
        with (
            ThreadPoolExecutor(8) as pool,
            Registry(ecr.registry.host, sandbox.url, Login(*login(ecr.api))) as registry,
        ):
            source = Source(registry, "platform/base")
            new = [rebased(image, NEW_BASE, source) for image in images]
            list(pool.map(lambda tag, each: push(registry, "team/app", each, tag), tags, new))
    finally:
        sandbox.admin("POST", "quotas", {"enforce": False})
        forget_paces()

    assert set(tags) <= set(ecr.tags())


def test_a_manifest_that_is_refused_while_a_layer_is_linked_is_put_again(scripted: Scripted) -> None:
    scripted.replies(
        (400, {}, b'{"errors": [{"code": "DIGEST_INVALID", "message": "provided digest did not match"}]}'),
        (201, {"Docker-Content-Digest": RESULT.digest}, b""),
    )

    with scripted.open() as registry:
        put = put_manifest(registry, "team/app", TAG, RESULT.manifest.data, RESULT.manifest.media_type)

    assert put.digest == RESULT.digest
    assert len(scripted.pauses) == 1


UNKNOWN = b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]}'


@pytest.mark.parametrize("mended", [True, False])
def test_layers_that_the_registry_only_seems_to_have_are_brought_again(
    scripted: Scripted, elsewhere: Scripted, mended: bool
) -> None:
    """ECR clears away layers that belong to no image, and tells of some that it has them (LayerInaccessible)."""
    blobs = {layer.digest: layer.blob.data for layer in RESULT.layers}
    elsewhere.answer = lambda request: (200, {}, blobs[request.path.rpartition("/")[2]])
    sent: set[str] = set()

    def reply(request: Request) -> Reply:
        if request.method == "POST":
            return 202, {"Location": "/up/1"}, b""
        if request.method == "HEAD":
            return (200 if "/blobs/" in request.path else 404), {}, b""
        if "/manifests/" not in request.path:
            sent.add(request.path.rpartition("digest=")[2])
            return 201, {}, b""
        fine = mended and sent >= set(blobs)
        return (201, {"Docker-Content-Digest": RESULT.digest}, b"") if fine else (404, {}, UNKNOWN)

    scripted.answer = reply
    with scripted.open() as registry, elsewhere.open(host="elsewhere.example") as there:
        image = as_new(RESULT, Source(there, "platform/base"))
        if mended:
            pushed = push(registry, "team/app", image, TAG)
            assert (pushed.existing, pushed.copied) == (0, 5)
        else:
            assert caught_by(lambda: push(registry, "team/app", image, TAG)).problem.aws_code == "MANIFEST_BLOB_UNKNOWN"

    assert sent >= set(blobs)
