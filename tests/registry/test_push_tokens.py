"""The tokens that a push asks for: to push here, to read there, and anew where one runs out."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from functions_app.registry.auth import IdentityToken
from functions_app.registry.uploads import Source, Way, mount_or_copy, put_blob
from tests.registry.conftest import Reply, Request, Scripted
from tests.registry.test_uploads import BLOB, DATA, DIGEST, ME, SESSION, nobody

PUSH, BOTH = ["repository:team/app:pull,push"], ["repository:team/app:pull,push", "repository:team/base:pull"]


class Tokens:
    """A registry that gives tokens for scopes, and takes each of them so many times."""

    def __init__(self, scripted: Scripted, *, lasts: int = 100, refuses: int = 0) -> None:
        self.asked: list[list[str]] = []
        self._url, self._lasts, self._refuses = scripted.url, lasts, refuses
        self._left: dict[str, int] = {}
        self.kept: list[bytes] = []
        scripted.answer = self.reply

    def reply(self, request: Request) -> Reply:
        if request.path.startswith("/token"):
            return self._give(request)
        token = request.authorization.removeprefix("Bearer ")
        if not self._left.get(token):
            challenge = f'Bearer realm="{self._url}/token",service="tests"'
            return 401, {"WWW-Authenticate": challenge}, b""
        self._left[token] -= 1
        if request.method == "HEAD":
            return 404, {}, b""
        if request.method == "GET":
            return 200, {}, DATA
        if request.method == "POST":
            return (201, {}, b"") if "mount=" in request.path else (202, {"Location": SESSION}, b"")
        self.kept.append(request.body)
        return 201, {}, b""

    def _give(self, request: Request) -> Reply:
        form = request.body.decode() or urlsplit(request.path).query
        scopes = parse_qs(form)["scope"]
        self.asked.append(scopes)
        if len(scopes) > 1 and self._refuses:
            return self._refuses, {}, b""
        token = f"token-{len(self.asked)}"
        self._left[token] = self._lasts
        return 200, {}, json.dumps({"token": token}).encode()


def test_a_token_to_push_is_asked_for_once(scripted: Scripted) -> None:
    tokens = Tokens(scripted)
    with scripted.open(ME) as registry:
        put_blob(registry, "team/app", DIGEST, DATA, nobody)
        put_blob(registry, "team/app", DIGEST, DATA, nobody)

    assert tokens.asked == [PUSH]


def test_a_token_to_mount_reads_the_source_as_well(scripted: Scripted) -> None:
    tokens = Tokens(scripted)
    with scripted.open(ME) as registry:
        assert mount_or_copy(registry, "team/app", BLOB, Source(registry, "team/base"), nobody) is Way.MOUNTED

    assert tokens.asked == [BOTH]


def test_oauth_names_all_scopes_in_one(scripted: Scripted) -> None:
    tokens = Tokens(scripted)
    with scripted.open(IdentityToken("refresh")) as registry:
        mount_or_copy(registry, "team/app", BLOB, Source(registry, "team/base"), nobody)

    assert tokens.asked == [[" ".join(BOTH)]]


@pytest.mark.parametrize("status", [401, 403])
def test_who_gets_no_token_for_both_repositories_copies(scripted: Scripted, status: int) -> None:
    tokens = Tokens(scripted, refuses=status)
    with scripted.open(ME) as registry:
        assert mount_or_copy(registry, "team/app", BLOB, Source(registry, "team/base"), nobody) is Way.COPIED

    assert tokens.kept == [DATA]


def test_a_token_that_runs_out_before_the_blob_is_sent_is_renewed_and_the_blob_sent_whole(scripted: Scripted) -> None:
    tokens = Tokens(scripted, lasts=1)
    with scripted.open(ME) as registry:
        put_blob(registry, "team/app", DIGEST, DATA, nobody)

    assert tokens.kept == [DATA]
    assert tokens.asked == [PUSH, PUSH]
