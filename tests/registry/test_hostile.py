"""Registries that never answer, never end or break off: each is a clear error within its limits."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.registry import client
from functions_app.registry.client import MANIFEST_LIMIT, Registry
from functions_app.registry.requests import Limits
from tests.registry.conftest import Reply as Answered
from tests.registry.conftest import Request, Scripted
from tests.registry.wire import QUICK, Turn, Wire, answer

BODY = b'{"schemaVersion": 2}'
PATIENT = replace(QUICK, silence=10, whole=20, in_all=60)  # where nothing is waited for, a busy machine is given time
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


def read_manifest(registry: Registry) -> object:
    return registry.manifest("team/app", "v1")


def read_head(registry: Registry) -> object:
    return registry.head("team/app", "v1")


def read_layer(registry: Registry) -> object:
    with registry.stream("team/app", DIGEST) as pieces:
        return list(pieces)


READS = pytest.mark.parametrize("read", [read_manifest, read_head, read_layer])


def failure(wire: Wire, read: Callable[[Registry], object] = read_manifest, limits: Limits = QUICK) -> DrydockError:
    with wire.open(limits) as registry, pytest.raises(DrydockError) as caught:
        read(registry)
    return caught.value


@READS
def test_a_registry_that_never_answers_is_given_up(wire: Wire, read: Callable[[Registry], object]) -> None:
    def play(turn: Turn) -> None:
        turn.over.wait(5)

    wire.play = play

    problem = failure(wire, read).problem

    assert (problem.code, problem.retryable) == (Code.UNREACHABLE, True)
    assert "did not answer in time" in problem.message
    assert len(wire.heads) == QUICK.attempts


@READS
def test_a_registry_that_drips_its_headers_is_given_up(wire: Wire, read: Callable[[Registry], object]) -> None:
    wire.play = lambda turn: turn.drip(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000)

    assert "did not answer in time" in str(failure(wire, read))


def test_a_registry_that_drips_a_manifest_is_given_up(wire: Wire) -> None:
    def play(turn: Turn) -> None:
        turn.send(answer(b"", length=10_000))
        turn.drip(bytes(10_000))

    wire.play = play

    assert "did not answer in time" in str(failure(wire))


@READS
def test_headers_without_end_are_not_read_to_their_end(wire: Wire, read: Callable[[Registry], object]) -> None:
    def play(turn: Turn) -> None:
        turn.send(b"HTTP/1.1 200 OK\r\n")
        while not turn.over.is_set():
            turn.send(b"X-More: " + b"a" * 10_000 + b"\r\n")

    wire.play = play

    assert failure(wire, read).problem.code is Code.UNREACHABLE


def test_a_manifest_without_end_is_not_read_to_its_end(wire: Wire) -> None:
    def play(turn: Turn) -> None:
        turn.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while not turn.over.is_set():
            turn.send(bytes(65_536))

    wire.play = play

    assert f"larger than {MANIFEST_LIMIT:,} bytes" in str(failure(wire))
    assert len(wire.heads) == 1


def test_a_refusal_without_end_is_cut(wire: Wire) -> None:
    def play(turn: Turn) -> None:
        turn.send(b"HTTP/1.1 404 Not Found\r\n\r\n")
        while not turn.over.is_set():
            turn.send(bytes(65_536))

    wire.play = play

    assert failure(wire).problem.code is Code.NOT_FOUND


@pytest.mark.parametrize(
    "cut",
    [
        answer(BODY, length=1000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + BODY,
        b"HTTP/1.1 200",
        b"",
        b"not HTTP at all\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_tried_again_and_then_told(wire: Wire, cut: bytes) -> None:
    wire.play = lambda turn: turn.send(cut)

    problem = failure(wire, limits=PATIENT).problem

    assert (problem.code, problem.retryable) == (Code.UNREACHABLE, True)
    assert "broke off" in problem.message
    assert len(wire.heads) == PATIENT.attempts


def test_an_answer_that_breaks_off_once_is_read_at_the_second_attempt(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(answer(BODY, length=len(BODY) + (turn.number == 0)))

    with wire.open() as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST


def test_a_head_that_lies_about_its_size_is_refused(wire: Wire) -> None:
    digest = f"Docker-Content-Digest: {DIGEST}"
    wire.play = lambda turn: turn.send(answer(b"", "200 OK", digest, length=10**15))

    assert "larger than" in str(failure(wire, read_head))


def test_a_compressed_answer_is_taken_as_it_came_and_refused_by_its_digest(wire: Wire) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    wire.play = lambda turn: turn.send(
        answer(bomb, "200 OK", "Content-Encoding: gzip", f"Docker-Content-Digest: {DIGEST}")
    )

    assert "its digest is" in str(failure(wire))


def test_the_attempts_of_a_read_end_when_their_time_is_over(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(answer(b"", "503 Service Unavailable", "Retry-After: 15"))

    assert failure(wire).problem.code is Code.UNREACHABLE

    assert (len(wire.heads), wire.pauses) == (1, [])  # 15 seconds on, the 5 that QUICK allows would be over


def test_cookies_are_not_kept(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(answer(BODY, "200 OK", "Set-Cookie: sid=1; Path=/", "Connection: close"))

    with wire.open() as registry:
        registry.manifest("team/app", "v1")
        registry.manifest("team/app", "v1")

    assert [head for head in wire.heads if "cookie" in head.lower()] == []


def test_tags_without_end_are_refused(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    # Fewer pages than really, so that the test is quick.
    monkeypatch.setattr(client, "PAGES", 5)

    def answer_page(request: Request) -> Answered:
        following = len(scripted.requests)
        return 200, {"Link": f'</v2/team/app/tags/list?last={following}>; rel="next"'}, b'{"tags": ["a", "../b"]}'

    scripted.answer = answer_page

    with scripted.open() as registry, pytest.raises(DrydockError, match="5 pages"):
        list(registry.tags("team/app"))

    assert len(scripted.requests) == 6


def test_a_link_made_of_brackets_is_looked_through_once(scripted: Scripted) -> None:
    scripted.replies((200, {"Link": "<>;" * 20_000}, b'{"tags": ["a"]}'))

    with scripted.open() as registry:
        assert list(registry.tags("team/app")) == ["a"]


def test_a_token_that_lasts_for_ever_is_kept_for_a_day(scripted: Scripted) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{scripted.url}/token"'}
    given = b'{"token": "t", "expires_in": 1' + b"0" * 400 + b"}"
    fine = (200, {"Docker-Content-Digest": DIGEST}, BODY)

    def answer_tokens(request: Request) -> Answered:
        if request.path.startswith("/token"):
            return 200, {}, given
        return fine if request.authorization else (401, challenge, b"")

    scripted.answer = answer_tokens

    with scripted.open() as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST
