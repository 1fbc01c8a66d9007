"""What the client never does: trust an unchecked answer, send credentials elsewhere, hammer, or read without end."""

import base64
import hashlib
import json
import socket
from datetime import UTC, datetime

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import OCI_MANIFEST
from functions_app.domain.images.registry_login import Login
from functions_app.registry import client
from functions_app.registry.auth import Authorizer, Challenge, parse_challenges
from functions_app.registry.client import Registry, mirror_of
from functions_app.registry.requests import Limits, redirect_target, retry_after
from tests.registry.conftest import Reply, Request, Scripted

BODY = b'{"schemaVersion": 2}'
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()
OTHER = "sha256:" + "0" * 64
FINE: Reply = (200, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": DIGEST}, BODY)
LOGIN = Login("dockhand", "harbour")
TOKEN = "let-me-in"


def failure(scripted: Scripted, reference: str = "v1", login: Login | None = None) -> DrydockError:
    with scripted.open(login) as registry, pytest.raises(DrydockError) as caught:
        registry.manifest("team/app", reference)
    return caught.value


def test_a_manifest_that_is_not_what_was_asked_for_is_refused(scripted: Scripted) -> None:
    scripted.replies(FINE)

    assert failure(scripted, OTHER).problem.code is Code.FAILED


def test_a_manifest_that_differs_from_the_digest_in_its_header_is_refused(scripted: Scripted) -> None:
    scripted.replies((200, {"Docker-Content-Digest": OTHER}, BODY))

    assert "its digest is" in str(failure(scripted))


def test_a_blob_that_was_tampered_with_is_refused(scripted: Scripted) -> None:
    scripted.replies((200, {}, BODY + b" "))

    with scripted.open() as registry, pytest.raises(DrydockError, match="its digest is"):
        registry.blob("team/app", DIGEST, 100)


def test_a_blob_over_the_limit_is_not_read_to_its_end(scripted: Scripted) -> None:
    scripted.replies((200, {}, BODY))

    with scripted.open() as registry, pytest.raises(DrydockError, match="larger than 10 bytes"):
        registry.blob("team/app", DIGEST, 10)


def test_credentials_stay_behind_when_a_blob_is_redirected_to_another_host(
    scripted: Scripted, elsewhere: Scripted
) -> None:
    elsewhere.replies((200, {}, BODY))
    scripted.replies((307, {"Location": f"{elsewhere.url}/signed?x=1"}, b""))

    with scripted.open(LOGIN) as registry:
        assert registry.blob("team/app", DIGEST, 100) == BODY

    assert scripted.requests[0].authorization == LOGIN.header
    assert elsewhere.requests == [Request("GET", "/signed?x=1", "")]


def test_credentials_stay_behind_even_when_the_other_host_asks_for_them(
    scripted: Scripted, elsewhere: Scripted
) -> None:
    elsewhere.replies((401, {"WWW-Authenticate": 'Basic realm="give"'}, b""))
    scripted.replies((307, {"Location": f"{elsewhere.url}/signed"}, b""))

    assert failure(scripted, login=LOGIN).problem.code is Code.DENIED
    assert {request.authorization for request in elsewhere.requests} == {""}


def test_a_redirect_away_from_https_is_refused() -> None:
    with pytest.raises(ValueError, match="not https"):
        redirect_target("https://registry.example", "https://registry.example/v2/", "http://registry.example/x")


@pytest.mark.parametrize("target", ["/v2/again", "ftp://somewhere/x", "http://[broken", ""])
def test_a_redirect_to_nowhere_is_refused(scripted: Scripted, target: str) -> None:
    scripted.replies((307, {"Location": target}, b""))

    assert failure(scripted).problem.code is Code.FAILED


def test_the_next_page_of_tags_is_only_read_from_the_same_host(scripted: Scripted, elsewhere: Scripted) -> None:
    scripted.replies((200, {"Link": f'<{elsewhere.url}/v2/team/app/tags/list?last=a>; rel="next"'}, b'{"tags": ["a"]}'))

    with scripted.open(LOGIN) as registry, pytest.raises(DrydockError, match="next page"):
        list(registry.tags("team/app"))
    assert elsewhere.requests == []


def test_pages_of_tags_that_go_in_a_circle_end(scripted: Scripted) -> None:
    scripted.replies((200, {"Link": f'</v2/team/app/tags/list?n={client.PAGE}>; rel="next"'}, b'{"tags": ["a"]}'))

    with scripted.open() as registry, pytest.raises(DrydockError, match="next page"):
        list(registry.tags("team/app"))


def bearer(scripted: Scripted, token: str = TOKEN, **life: int) -> None:
    """Let the server want a bearer token, which it gives at /token."""
    challenge = f'Bearer realm="{scripted.url}/token",service="tests",scope="ignored"'

    def answer(request: Request) -> Reply:
        if request.path.startswith("/token"):
            return 200, {}, json.dumps({"token": token, **life}).encode()
        return FINE if request.authorization == f"Bearer {token}" else (401, {"WWW-Authenticate": challenge}, b"")

    scripted.answer = answer


def test_a_bearer_token_is_fetched_without_a_login_and_kept(scripted: Scripted) -> None:
    bearer(scripted, expires_in=300)

    with scripted.open() as registry:
        registry.manifest("team/app", "v1")
        registry.manifest("team/app", "v1")

    paths = [request.path for request in scripted.requests]
    assert len(paths) == 4
    assert paths[1] == "/token?scope=repository%3Ateam%2Fapp%3Apull&service=tests"
    assert scripted.requests[1].authorization == ""


def test_a_bearer_token_is_fetched_with_the_login_where_there_is_one(scripted: Scripted) -> None:
    bearer(scripted)

    with scripted.open(LOGIN) as registry:
        registry.manifest("team/app", "v1")

    assert [request.authorization for request in scripted.requests] == [
        "Basic " + base64.b64encode(b"dockhand:harbour").decode(),
        LOGIN.header,
        f"Bearer {TOKEN}",
    ]


def test_a_token_that_is_no_longer_taken_is_renewed_once(scripted: Scripted) -> None:
    bearer(scripted, "first")
    with scripted.open() as registry:
        registry.manifest("team/app", "v1")
        bearer(scripted, "second")
        registry.manifest("team/app", "v1")

    assert [request.authorization for request in scripted.requests[-2:]] == ["", "Bearer second"]


def test_credentials_are_not_sent_to_a_token_server_without_https() -> None:
    authorizer = Authorizer("https://registry.example", LOGIN, lambda *_: b"{}")
    challenge = Challenge("bearer", {"realm": "http://evil.example/token"})

    with pytest.raises(DrydockError, match="not https"):
        authorizer.learn([challenge], "scope", "")


def test_a_registry_that_only_wants_the_form_kept_gets_empty_credentials(scripted: Scripted) -> None:
    scripted.answer = lambda request: FINE if request.authorization else (401, {"WWW-Authenticate": "Basic"}, b"")

    with scripted.open() as registry:
        registry.manifest("team/app", "v1")

    assert scripted.requests[-1].authorization == "Basic " + base64.b64encode(b":").decode()


def test_challenges_are_read_in_all_their_forms() -> None:
    assert parse_challenges(['Basic realm="a, b", Bearer realm="https://x/token",service="s"', "Negotiate"]) == (
        Challenge("basic", {"realm": "a, b"}),
        Challenge("bearer", {"realm": "https://x/token", "service": "s"}),
        Challenge("negotiate", {}),
    )


def test_a_throttle_is_waited_out_as_long_as_it_asks(scripted: Scripted) -> None:
    scripted.replies((429, {"Retry-After": "7"}, b""), (503, {}, b""), FINE)

    with scripted.open() as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST

    assert scripted.pauses == [7.0, Limits().first_pause * 2]


def test_a_throttle_that_asks_for_nothing_is_waited_out_longer_than_a_failure(scripted: Scripted) -> None:
    scripted.replies((429, {}, b""), (429, {}, b""), (503, {}, b""), FINE)

    with scripted.open() as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST

    limits = Limits()
    assert scripted.pauses == [limits.throttled, limits.throttled * 2, limits.first_pause * 4]


def test_a_throttle_that_asks_for_too_long_is_told_at_once(scripted: Scripted) -> None:
    scripted.replies((429, {"Retry-After": "3600"}, b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow"}]}'))

    problem = failure(scripted).problem

    assert (problem.code, problem.retryable, scripted.pauses) == (Code.THROTTLED, True, [])
    assert problem.aws_code == "TOOMANYREQUESTS"


@pytest.mark.parametrize(("status", "code"), [(500, Code.UNREACHABLE), (429, Code.THROTTLED)])
def test_a_failure_that_lasts_is_told_after_a_few_attempts(scripted: Scripted, status: int, code: Code) -> None:
    scripted.replies((status, {}, b"<html>"))

    assert failure(scripted).problem.code is code
    assert len(scripted.requests) == Limits().attempts


@pytest.mark.parametrize(
    ("status", "code"), [(403, Code.DENIED), (404, Code.NOT_FOUND), (418, Code.FAILED), (401, Code.DENIED)]
)
def test_a_refusal_is_not_repeated(scripted: Scripted, status: int, code: Code) -> None:
    scripted.replies((status, {"x-amzn-RequestId": "7"}, b'{"errors": [{"code": "NO", "message": "not you"}]}'))

    problem = failure(scripted).problem

    assert (problem.code, problem.request_id, len(scripted.requests)) == (code, "7", 1)
    assert "not you" in problem.message


def test_a_registry_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Registry("registry.example", url, pause=lambda _: None) as registry, pytest.raises(DrydockError) as caught:
            registry.head("team/app", "v1")

    assert caught.value.problem.code is Code.UNREACHABLE
    assert caught.value.problem.retryable


@pytest.mark.parametrize("repository", ["", "Team", "../x", "a//b", "team/app?x", "a" * 300])
def test_an_address_that_no_registry_takes_is_not_asked_for(scripted: Scripted, repository: str) -> None:
    with scripted.open() as registry:
        for ask in (
            lambda: registry.head(repository, "v1"),
            lambda: registry.manifest("team/app", f"{repository}/../v1"),
            lambda: registry.blob(repository, DIGEST, 1),
            lambda: list(registry.tags(repository)),
        ):
            with pytest.raises(DrydockError) as caught:
                ask()
            assert caught.value.problem.code is Code.INVALID
    assert scripted.requests == []


def test_an_old_registry_without_digests_in_its_answers_is_read_whole(scripted: Scripted) -> None:
    scripted.replies((200, {"Content-Type": OCI_MANIFEST}, BODY))

    with scripted.open() as registry:
        found = registry.head("team/app", "v1")

    assert found is not None
    assert found.digest == DIGEST


def test_a_mirror_is_found_by_name_before_pattern() -> None:
    mirrors = {"*.amazonaws.com": "http://pattern", "1.dkr.ecr.eu-west-1.amazonaws.com": "http://name"}

    assert mirror_of("1.dkr.ecr.eu-west-1.amazonaws.com", mirrors) == "http://name"
    assert mirror_of("2.dkr.ecr.eu-west-1.amazonaws.com", mirrors) == "http://pattern"
    assert mirror_of("amazonaws.com.evil.example", mirrors) == ""


def test_a_mirror_of_ecr_stands_for_a_registry_by_all_its_names() -> None:
    mirrors = {"*.amazonaws.com": "http://pattern", "*.on.aws": "http://dual"}
    assert mirror_of("123456789012.dkr-ecr.eu-west-1.on.aws", mirrors) == "http://dual"
    del mirrors["*.on.aws"]
    assert mirror_of("123456789012.dkr-ecr.eu-west-1.on.aws", mirrors) == "http://pattern"
    assert mirror_of("abc.lambda-url.eu-west-1.on.aws", mirrors) == ""


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    now = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)

    assert retry_after("7", now) == 7
    assert retry_after("Fri, 20 Nov 2026 12:00:05 GMT", now) == 5
    assert retry_after("Fri, 20 Nov 2026 11:00:00 GMT", now) == 0
    assert retry_after("soon", now) is None
    assert retry_after("", now) is None


@pytest.mark.parametrize("link", ["http://[broken/x", "//evil.example/v2/", "https://", "\x00"])
def test_a_next_page_that_is_nowhere_is_refused(scripted: Scripted, link: str) -> None:
    scripted.replies((200, {"Link": f'<{link}>; rel="next"'}, b'{"tags": ["a"]}'))

    with scripted.open(LOGIN) as registry, pytest.raises(DrydockError) as caught:
        list(registry.tags("team/app"))

    assert len(scripted.requests) <= Limits().attempts
    assert caught.value.problem.code in {Code.FAILED, Code.UNREACHABLE}


def test_retry_after_in_digits_that_are_none_is_no_wish() -> None:
    assert retry_after("²", datetime(2026, 11, 20, tzinfo=UTC)) is None
