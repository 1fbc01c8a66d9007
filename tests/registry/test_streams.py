"""Blobs of any size: verified at their end, resumed where they dropped, given up where that leads nowhere."""

import hashlib
from collections.abc import Iterator

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.registry.client import Registry
from sandbox.images.making import make_image, make_layer
from tests.fixtures import Sandbox
from tests.publishing import NOW, publish, unique_repository
from tests.registry.conftest import Scripted
from tests.registry.wire import QUICK, Turn, Wire, answer, part

BODY = b"".join(hashlib.sha512(bytes([number % 256, number // 256])).digest() for number in range(4688))[:300_000]
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


def read(registry: Registry, digest: str = DIGEST, *, offset: int = 0, size: int | None = None) -> bytes:
    with registry.stream("team/app", digest, offset=offset, size=size) as pieces:
        return b"".join(pieces)


def refused(wire: Wire, *, size: int | None = None) -> DrydockError:
    with wire.open() as registry, pytest.raises(DrydockError) as caught:
        read(registry, size=size)
    return caught.value


def dropping(turn: Turn) -> None:
    """Send the first 100,000 bytes, then hang up; give the rest to who asks for it."""
    turn.send(part(BODY, turn.start) if turn.start else answer(BODY[:100_000], length=len(BODY)))


@pytest.fixture
def layered(aws: Sandbox) -> Iterator[tuple[Registry, str, bytes]]:
    """The sandbox's registry, and the repository and bytes of a layer there."""
    layer = make_layer({"var/task/data": BODY})
    repository = unique_repository()
    publish(aws, repository, make_image([layer], created=NOW), ["v1"])
    with Registry.open("public.ecr.aws") as registry:
        yield registry, repository, layer.blob.data


def test_a_layer_arrives_whole_through_ecrs_redirect(layered: tuple[Registry, str, bytes]) -> None:
    registry, repository, data = layered

    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with registry.stream(repository, digest, size=len(data)) as pieces:
        assert b"".join(pieces) == data


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_verified_by_the_algorithm_its_digest_names(scripted: Scripted, algorithm: str) -> None:
    scripted.replies((200, {}, BODY))

    with scripted.open() as registry:
        assert read(registry, f"{algorithm}:{hashlib.new(algorithm, BODY).hexdigest()}") == BODY


@pytest.mark.parametrize("digest", ["md5:" + "0" * 32, "sha1:" + "0" * 40, "sha256:short", "sha384:" + "0" * 96, ""])
def test_other_digests_are_not_asked_for(scripted: Scripted, digest: str) -> None:
    with scripted.open() as registry:
        with pytest.raises(DrydockError) as streamed:
            read(registry, digest)
        with pytest.raises(DrydockError) as whole:
            registry.blob("team/app", digest, 1)
    assert streamed.value.problem.code is whole.value.problem.code is Code.INVALID
    assert scripted.requests == []


def test_an_offset_leaves_out_the_beginning_and_still_verifies_the_whole(scripted: Scripted) -> None:
    scripted.replies((200, {}, BODY))

    with scripted.open() as registry:
        assert read(registry, offset=123_456) == BODY[123_456:]
        with pytest.raises(DrydockError, match="its digest is"):
            read(registry, "sha256:" + "0" * 64, offset=123_456)


def test_a_dropped_download_is_taken_up_where_it_dropped(wire: Wire) -> None:
    wire.play = dropping

    with wire.open() as registry:
        assert read(registry, size=len(BODY)) == BODY

    assert ["range: bytes=100000-" in head.lower() for head in wire.heads] == [False, True]


def test_a_server_that_knows_no_ranges_is_read_from_the_start_again(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(answer(BODY if turn.number else BODY[:100_000], length=len(BODY)))

    with wire.open() as registry:
        assert read(registry) == BODY


@pytest.mark.parametrize("told", ["bytes 0-299999/300000", "bytes 100000-299999/300001", "bytes */300000", "nonsense"])
def test_a_range_that_was_not_asked_for_is_refused(wire: Wire, told: str) -> None:
    def play(turn: Turn) -> None:
        again = answer(BODY[100_000:], "206 Partial Content", f"Content-Range: {told}")
        turn.send(again if turn.number else answer(BODY[:100_000], length=len(BODY)))

    wire.play = play

    error = refused(wire, size=len(BODY))

    assert error.problem.code is Code.FAILED
    assert "asked for the bytes from 100,000 on" in str(error)


def test_a_resumed_download_that_is_not_the_same_blob_is_refused(wire: Wire) -> None:
    other = bytes(len(BODY))
    wire.play = lambda turn: turn.send(part(other, turn.start) if turn.start else answer(BODY[:9], length=len(BODY)))

    assert "its digest is" in str(refused(wire))


def test_a_download_that_drops_without_getting_on_is_given_up(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(part(BODY, turn.start, turn.start + 9) if turn.start else dropped())

    problem = refused(wire).problem

    assert (problem.code, problem.retryable) == (Code.UNREACHABLE, True)
    assert "broke off" in problem.message
    assert len(wire.heads) == QUICK.attempts


def dropped() -> bytes:
    return answer(BODY[:9], length=len(BODY))


def test_a_download_that_drops_again_and_again_but_gets_on_arrives(wire: Wire) -> None:
    def play(turn: Turn) -> None:
        end = turn.start + QUICK.worth
        turn.send(part(BODY, turn.start, end) if turn.start else answer(BODY[:end], length=len(BODY)))

    wire.play = play

    with wire.open() as registry:
        assert read(registry) == BODY
    assert len(wire.heads) > QUICK.attempts


def test_a_download_of_endless_drops_is_given_up_however_far_each_gets(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(answer(bytes(QUICK.worth * (turn.number + 1)), length=10**12))

    assert f"dropped {QUICK.drops} times" in str(refused(wire))


def test_a_chunked_answer_that_is_cut_is_taken_up_too(wire: Wire) -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % 1000 + BODY[:1000] + b"\r\n"
    wire.play = lambda turn: turn.send(part(BODY, turn.start) if turn.start else cut)

    with wire.open() as registry:
        assert read(registry) == BODY


def test_a_connection_that_is_lost_behind_the_last_byte_does_no_harm(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n"
        if not turn.start
        else answer(b"", "416 Range Not Satisfiable")
    )

    with wire.open() as registry:
        assert read(registry, size=len(BODY)) == BODY
        assert len(wire.heads) == 1  # its size is known: it is whole
        assert read(registry) == BODY


def test_an_answer_of_another_size_than_the_manifest_says_is_refused(wire: Wire) -> None:
    wire.play = lambda turn: turn.send(answer(BODY))

    assert "larger than 10 bytes" in str(refused(wire, size=10))
    assert "has 300,000 bytes, not 300,001" in str(refused(wire, size=300_001))


def test_corrupted_bytes_are_refused_and_not_asked_for_again(wire: Wire) -> None:
    corrupted = BODY[:-1] + bytes([BODY[-1] ^ 1])
    wire.play = lambda turn: turn.send(answer(corrupted))

    assert refused(wire).problem.code is Code.FAILED
    assert len(wire.heads) == 1


def test_a_download_that_only_drips_is_given_up(wire: Wire) -> None:
    def play(turn: Turn) -> None:
        turn.send(answer(b"", length=len(BODY)))
        turn.drip(BODY)

    wire.play = play

    assert "did not answer in time" in str(refused(wire))


def test_a_missing_blob_is_not_found(scripted: Scripted) -> None:
    with scripted.open() as registry, pytest.raises(DrydockError) as caught:
        read(registry)

    assert caught.value.problem.code is Code.NOT_FOUND


def test_a_throttled_download_is_tried_again_after_the_pause_asked_for(scripted: Scripted) -> None:
    scripted.replies((429, {"Retry-After": "3"}, b""), (200, {}, BODY))

    with scripted.open() as registry:
        assert read(registry) == BODY
    assert scripted.pauses == [3.0]


def test_a_signed_address_is_asked_for_anew_when_a_download_is_taken_up(wire: Wire, scripted: Scripted) -> None:
    wire.play = dropping
    signed = iter(("/signed/1", "/signed/2"))
    scripted.answer = lambda _request: (307, {"Location": wire.url + next(signed)}, b"")

    with scripted.open() as registry:
        assert read(registry) == BODY

    assert [head.split()[1] for head in wire.heads] == ["/signed/1", "/signed/2"]
