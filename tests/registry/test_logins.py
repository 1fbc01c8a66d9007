"""Who asks: logins that run out and are renewed, tokens that replace passwords, names as Docker Hub has them."""

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from functions_app import clock
from functions_app.aws import ecr
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.registry.addresses import Reach
from functions_app.registry.auth import IdentityToken
from functions_app.registry.client import Registry, own_url
from functions_app.registry.requests import Limits
from functions_app.registry.transport import Transport
from sandbox.store import tokens
from tests.fixtures import REGION, Push, Sandbox
from tests.publishing import base
from tests.registry.conftest import Reply, Request, Scripted
from tests.registry.test_rules import BODY, DIGEST, FINE, LOGIN

FIRST, SECOND = Login("AWS", "first"), Login("AWS", "second")
BASIC: Reply = (401, {"WWW-Authenticate": 'Basic realm="ecr"'}, b"Not Authorized")
EXPIRED: Reply = (403, {}, b'{"errors": [{"code": "DENIED", "message": "Your authorization token has expired."}]}')


class Renewed:
    """A login that is replaced when the registry takes it no longer."""

    def __init__(self, *logins: Login) -> None:
        self.logins, self.refused = list(logins), 0

    def __call__(self, refused: Login | None = None) -> Login:
        if refused:
            assert refused == self.logins[0]
            self.refused += 1
            if len(self.logins) > 1:
                self.logins.pop(0)
        return self.logins[0]


def only(login: Login, refusal: Reply) -> Callable[[Request], Reply]:
    return lambda request: FINE if request.authorization == login.header else refusal


@pytest.mark.parametrize("refusal", [BASIC, EXPIRED])
def test_a_login_that_runs_out_in_the_middle_is_renewed(scripted: Scripted, refusal: Reply) -> None:
    logins = Renewed(FIRST, SECOND)
    scripted.answer = only(FIRST, refusal)

    with scripted.open(logins) as registry:
        registry.manifest("team/app", "v1")
        scripted.answer = only(SECOND, refusal)
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST
        registry.manifest("team/app", "v1")

    sent = [request.authorization for request in scripted.requests]
    assert sent == [FIRST.header, FIRST.header, SECOND.header, SECOND.header]
    assert logins.refused == 1


def test_a_head_that_is_forbidden_without_a_word_is_tried_with_a_new_login(scripted: Scripted) -> None:
    scripted.answer = only(SECOND, (403, {}, b""))

    with scripted.open(Renewed(FIRST, SECOND)) as registry:
        assert registry.head("team/app", "v1") is not None


def test_a_permission_that_is_missing_is_not_asked_for_with_a_new_login(scripted: Scripted) -> None:
    logins = Renewed(FIRST, SECOND)
    scripted.replies((403, {}, b'{"errors": [{"code": "DENIED", "message": "is not authorized to perform"}]}'))

    with scripted.open(logins) as registry, pytest.raises(DrydockError, match="not authorized to perform"):
        registry.manifest("team/app", "v1")
    assert logins.refused == 0


def test_a_login_that_nothing_better_replaces_is_refused_once(scripted: Scripted) -> None:
    scripted.replies(BASIC)

    with scripted.open(Renewed(FIRST)) as registry, pytest.raises(DrydockError) as caught:
        registry.manifest("team/app", "v1")

    assert caught.value.problem.code is Code.DENIED
    assert len(scripted.requests) == 1


def test_ecrs_login_is_kept_and_only_an_old_one_is_replaced(aws: Sandbox, account: str, push: Push) -> None:
    push("team/app", base(1), ["v1"])
    target = Target(account, REGION, f"arn:aws:iam::{account}:role/Tests")

    kept = ecr.login(target)
    assert ecr.login(target) is kept
    assert ecr.login(target, refused=kept) is kept  # as good as new: another would fare no better
    ecr._LOGINS[target] = (kept, clock.now() + timedelta(hours=9), float("-inf"))
    assert ecr.login(target, refused=Login("AWS", "older still")) is kept
    assert ecr.login(target, refused=kept) is not kept


def test_an_expired_login_of_ecr_is_renewed_while_reading(aws: Sandbox, account: str, push: Push) -> None:
    push("team/app", base(1), ["v1"])
    target = Target(account, REGION, f"arn:aws:iam::{account}:role/Tests")
    past = clock.now() - timedelta(hours=13)
    stale = Login("AWS", tokens.issue(tokens.Registry(account, REGION, account, ""), past)[0])
    ecr._LOGINS[target] = (stale, clock.now() + timedelta(hours=9), float("-inf"))

    with Registry.open(
        f"{account}.dkr.ecr.{REGION}.amazonaws.com", lambda refused=None: ecr.login(target, refused=refused)
    ) as registry:
        assert registry.manifest("team/app", "v1")[0].digest == base(1).digest


def test_an_identity_token_is_exchanged_for_a_token(scripted: Scripted) -> None:
    def answer(request: Request) -> Reply:
        if request.path == "/token":
            return 200, {}, json.dumps({"access_token": "let-me-in"}).encode()
        challenge = f'Bearer realm="{scripted.url}/token",service="tests"'
        fine = request.authorization == "Bearer let-me-in"
        return FINE if fine else (401, {"WWW-Authenticate": challenge}, b"")

    scripted.answer = answer

    with scripted.open(IdentityToken("long-lived")) as registry:
        registry.manifest("team/app", "v1")

    asked = scripted.requests[1]
    assert (asked.method, asked.authorization) == ("POST", "")
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["long-lived"],
        "client_id": ["drydock"],
        "scope": ["repository:team/app:pull"],
        "service": ["tests"],
    }
    assert "long-lived" not in repr(IdentityToken("long-lived"))


@pytest.mark.parametrize("token", ["", "two\nlines", "mit Leerzeichen", "grüße"])
def test_a_token_that_is_none_is_refused_and_not_shown(scripted: Scripted, token: str) -> None:
    def answer(request: Request) -> Reply:
        if request.path.startswith("/token"):
            return 200, {}, json.dumps({"token": token}).encode()
        return 401, {"WWW-Authenticate": f'Bearer realm="{scripted.url}/token"'}, b""

    scripted.answer = answer

    with scripted.open() as registry, pytest.raises(DrydockError, match="no usable token") as caught:
        registry.manifest("team/app", "v1")
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("realm", ["", "nonsense", "file:///etc/passwd", "https://"])
def test_a_token_is_not_fetched_from_nowhere(scripted: Scripted, realm: str) -> None:
    scripted.replies((401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}, b""))

    with scripted.open() as registry, pytest.raises(DrydockError) as caught:
        registry.manifest("team/app", "v1")

    assert caught.value.problem.code is Code.DENIED
    assert len(scripted.requests) == 1


def test_a_token_server_that_is_not_there_is_named(scripted: Scripted) -> None:
    scripted.replies((401, {"WWW-Authenticate": 'Bearer realm="http://tokens.invalid/token"'}, b""))

    with (
        scripted.open() as registry,
        pytest.raises(DrydockError, match=r"^The name tokens\.invalid can't be resolved\.") as caught,
    ):
        registry.manifest("team/app", "v1")

    assert caught.value.problem.code is Code.UNREACHABLE


def test_a_server_behind_a_redirect_cannot_ask_for_the_login_through_a_realm_of_its_own(
    scripted: Scripted, elsewhere: Scripted
) -> None:
    elsewhere.replies((401, {"WWW-Authenticate": f'Bearer realm="{elsewhere.url}/token"'}, b""))
    scripted.replies((307, {"Location": f"{elsewhere.url}/signed"}, b""))

    with scripted.open(LOGIN) as registry, pytest.raises(DrydockError) as caught:
        registry.blob("team/app", DIGEST, 100)

    assert caught.value.problem.code is Code.DENIED
    assert [(request.path, request.authorization) for request in elsewhere.requests] == [("/signed", "")]


def test_a_bearer_token_stays_behind_when_a_blob_is_redirected(scripted: Scripted, elsewhere: Scripted) -> None:
    def answer(request: Request) -> Reply:
        if request.path.startswith("/token"):
            return 200, {}, b'{"token": "let-me-in"}'
        if request.authorization == "Bearer let-me-in":
            return 307, {"Location": f"{elsewhere.url}/signed"}, b""
        return 401, {"WWW-Authenticate": f'Bearer realm="{scripted.url}/token"'}, b""

    scripted.answer = answer
    elsewhere.replies((200, {}, BODY))

    with scripted.open(LOGIN) as registry, registry.stream("team/app", DIGEST) as pieces:
        assert b"".join(pieces) == BODY

    assert [request.authorization for request in elsewhere.requests] == [""]


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example:5000/v2/",
        "https://registry.example:5001/v2/",
        "https://registry.example.evil.example:5000/v2/",
        "https://evil.example/https://registry.example:5000",
        "https://registry.example:5000@evil.example/",
    ],
)
def test_another_scheme_port_or_host_is_another_origin(url: str) -> None:
    base_url = "https://registry.example:5000"
    transport = Transport("registry.example:5000", base_url, None, Reach.PUBLIC, Limits(), lambda _: None)

    assert transport.is_own(f"{base_url}/v2/")
    assert transport.is_own("https://REGISTRY.example:5000/v2/")
    assert not transport.is_own(url)
    transport.close()


def test_docker_hub_keeps_names_of_one_word_under_library(scripted: Scripted) -> None:
    scripted.replies(FINE)

    with scripted.open(host="docker.io") as registry:
        registry.manifest("python", "3.12")
        registry.manifest("bitnami/python", "3.12")
        with registry.stream("python", DIGEST) as pieces:
            assert b"".join(pieces) == BODY

    assert [request.path for request in scripted.requests] == [
        "/v2/library/python/manifests/3.12",
        "/v2/bitnami/python/manifests/3.12",
        f"/v2/library/python/blobs/{DIGEST}",
    ]


def test_other_registries_keep_names_of_one_word_as_they_are(scripted: Scripted) -> None:
    scripted.replies(FINE)

    with scripted.open(host="ghcr.io") as registry:
        registry.manifest("python", "3.12")

    assert scripted.requests[0].path == "/v2/python/manifests/3.12"


def test_docker_hub_answers_at_its_registrys_own_host() -> None:
    assert own_url("docker.io") == "https://registry-1.docker.io"
    assert own_url("ghcr.io") == "https://ghcr.io"
