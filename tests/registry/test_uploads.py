"""One blob on its way into registries that behave in all the ways there are."""

import hashlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import Descriptor
from functions_app.domain.images.registry_login import Login
from functions_app.registry.addresses import Reach
from functions_app.registry.client import Registry
from functions_app.registry.requests import Limits
from functions_app.registry.uploads import Source, Way, mount_or_copy, put_blob
from tests.registry.conftest import Reply, Request, Scripted
from tests.registry.wire import QUICK, Turn, Wire, answer

DATA = bytes(range(256)) * 4000
DIGEST = "sha256:" + hashlib.sha256(DATA).hexdigest()
BLOB = Descriptor("", DIGEST, len(DATA))
SESSION = "/v2/team/app/blobs/uploads/1"
CLOSED = "Connection: close"  # a client that does not know would send the next request into nowhere
ME = Login("me", "secret")


def nobody(_more: int) -> None:
    """Nobody wants to know how far it is."""


def takes(scripted: Scripted, location: str = SESSION, *, mounts: int = 202) -> dict[str, bytes]:
    """Let it take what is put, and give the sessions it opens that address; what it was sent, by path."""
    kept: dict[str, bytes] = {}

    def reply(request: Request) -> Reply:
        if request.method == "HEAD":
            return 404, {}, b""
        if request.method == "POST":
            status = mounts if "mount=" in request.path else 202
            return status, {"Location": location} if status == 202 else {}, b""
        kept[request.path] = request.body
        return 201, {"Docker-Content-Digest": DIGEST}, b""

    scripted.answer = reply
    return kept


def methods(scripted: Scripted) -> list[str]:
    return [request.method for request in scripted.requests]


@pytest.fixture
def elsewhere_has(elsewhere: Scripted) -> Iterator[Source]:
    """Another registry, which has the blob."""
    elsewhere.replies((200, {}, DATA))
    with elsewhere.open(host="elsewhere.example") as registry:
        yield Source(registry, "team/base")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (SESSION, f"{SESSION}?digest={DIGEST}"),
        ("1?_state=a%2Bb%3D&x=1", f"/v2/team/app/blobs/uploads/1?_state=a%2Bb%3D&x=1&digest={DIGEST}"),
        ("{url}/up/here#part", f"/up/here?digest={DIGEST}"),
    ],
)
def test_a_session_may_be_anywhere_on_the_registry_and_keeps_its_query(
    scripted: Scripted, location: str, path: str
) -> None:
    kept = takes(scripted, location.replace("{url}", scripted.url))

    with scripted.open() as registry:
        put_blob(registry, "team/app", DIGEST, DATA, nobody)

    assert kept == {path: DATA}


def test_a_session_on_another_host_gets_no_login(scripted: Scripted, elsewhere: Scripted) -> None:
    kept = takes(elsewhere)
    takes(scripted, f"{elsewhere.url}/bucket/1?signature=abc")

    with scripted.open(ME) as registry:
        put_blob(registry, "team/app", DIGEST, DATA, nobody)

    assert kept == {f"/bucket/1?signature=abc&digest={DIGEST}": DATA}
    assert [request.authorization for request in elsewhere.requests] == [""]
    assert scripted.requests[0].authorization == ME.header


def test_a_session_inside_a_private_network_is_not_written_to(scripted: Scripted, elsewhere: Scripted) -> None:
    takes(scripted, f"{elsewhere.url}/bucket/1")

    with scripted.open(reach=Reach.PUBLIC) as registry:
        error = refused(lambda: put_blob(registry, "team/app", DIGEST, DATA, nobody))

    assert error.problem.code is Code.DENIED
    assert elsewhere.requests == []


def refused(act: Callable[[], object]) -> DrydockError:
    with pytest.raises(DrydockError) as caught:
        act()
    return caught.value


@pytest.mark.parametrize("location", ["", "ftp://elsewhere.example/1", "https://[broken"])
def test_a_session_without_a_usable_address_is_refused(scripted: Scripted, location: str) -> None:
    takes(scripted, location)

    with scripted.open() as registry:
        error = refused(lambda: put_blob(registry, "team/app", DIGEST, DATA, nobody))

    assert error.problem.code is Code.FAILED
    assert methods(scripted) == ["POST"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_is_sent_on_where_it_is_redirected_to(scripted: Scripted, elsewhere: Scripted, status: int) -> None:
    kept = takes(elsewhere)
    takes(scripted)
    begin = scripted.answer
    moved: Reply = (status, {"Location": f"{elsewhere.url}/bucket/1"}, b"")
    scripted.answer = lambda request: moved if request.method == "PUT" else begin(request)

    with scripted.open(ME) as registry:
        put_blob(registry, "team/app", DIGEST, DATA, nobody)

    assert kept == {"/bucket/1": DATA}
    assert [request.authorization for request in elsewhere.requests] == [""]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_drop_the_body_is_an_error(scripted: Scripted, status: int) -> None:
    takes(scripted)
    begin = scripted.answer
    moved: Reply = (status, {"Location": "/elsewhere"}, b"")
    scripted.answer = lambda request: moved if request.method == "PUT" else begin(request)

    with scripted.open() as registry:
        error = refused(lambda: put_blob(registry, "team/app", DIGEST, DATA, nobody))

    assert error.problem.code is Code.FAILED
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("mounts", [202, 400, 401, 403, 404, 405])
def test_a_mount_that_is_refused_becomes_a_copy(scripted: Scripted, mounts: int) -> None:
    kept = takes(scripted, mounts=mounts)
    begin = scripted.answer
    scripted.answer = lambda request: (200, {}, DATA) if request.method == "GET" else begin(request)

    with scripted.open() as registry:
        way = mount_or_copy(registry, "team/app", BLOB, Source(registry, "team/base"), nobody)

    assert way is Way.COPIED
    assert list(kept.values()) == [DATA]
    expected = ["POST", "HEAD", "PUT", "GET"] if mounts == 202 else ["POST", "HEAD", "POST", "PUT", "GET"]
    assert sorted(methods(scripted)) == sorted(expected)


def test_a_blob_that_is_there_is_not_sent(scripted: Scripted, elsewhere_has: Source) -> None:
    scripted.replies((200, {}, b""))

    with scripted.open() as registry:
        assert mount_or_copy(registry, "team/app", BLOB, elsewhere_has, nobody) is Way.EXISTING

    assert methods(scripted) == ["HEAD"]


def test_wrong_bytes_of_the_source_never_complete_an_upload(scripted: Scripted, elsewhere: Scripted) -> None:
    kept = takes(scripted)
    elsewhere.replies((200, {}, DATA[:-1] + b"!"))

    with scripted.open() as registry, elsewhere.open(host="elsewhere.example") as source:
        error = refused(lambda: mount_or_copy(registry, "team/app", BLOB, Source(source, "team/base"), nobody))

    assert error.problem.code is Code.FAILED
    assert "elsewhere.example" in str(error)
    assert all(body != DATA and len(body) < len(DATA) for body in kept.values())


def test_a_blob_that_the_source_lacks_is_not_found_and_asked_for_once(scripted: Scripted, elsewhere: Scripted) -> None:
    takes(scripted)

    with scripted.open() as registry, elsewhere.open(host="elsewhere.example") as source:
        error = refused(lambda: mount_or_copy(registry, "team/app", BLOB, Source(source, "team/base"), nobody))

    assert error.problem.code is Code.NOT_FOUND
    assert methods(elsewhere) == ["GET"]


@pytest.mark.parametrize(
    "lost",
    [
        (404, {}, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}'),
        (416, {}, b""),
        (400, {}, b'{"errors": [{"code": "BLOB_UPLOAD_INVALID"}]}'),
        (400, {}, b'{"errors": [{"code": "DIGEST_INVALID"}]}'),
        (429, {}, b""),
        (500, {}, b""),
        (503, {"Retry-After": "1"}, b""),
    ],
)
def test_a_session_that_is_lost_is_begun_anew(scripted: Scripted, elsewhere_has: Source, lost: Reply) -> None:
    kept = takes(scripted)
    begin, first = scripted.answer, itertools.count()
    scripted.answer = lambda request: lost if request.method == "PUT" and next(first) == 0 else begin(request)
    sent = 0

    def count(more: int) -> None:
        nonlocal sent
        sent += more

    with scripted.open() as registry:
        mount_or_copy(registry, "team/app", BLOB, elsewhere_has, count)

    assert methods(scripted) == ["HEAD", "POST", "PUT", "HEAD", "POST", "PUT"]
    assert list(kept.values()) == [DATA]
    assert sent == len(DATA)  # what a lost session was sent counts no more
    assert len(scripted.pauses) == 1


def test_an_upload_whose_answer_was_lost_is_found_to_be_done(scripted: Scripted) -> None:
    takes(scripted)
    begin, put = scripted.answer, itertools.count()

    def reply(request: Request) -> Reply:
        if request.method == "PUT":
            next(put)
            return 500, {}, b""
        return (200, {}, b"") if request.method == "HEAD" else begin(request)

    scripted.answer = reply
    with scripted.open() as registry:
        put_blob(registry, "team/app", DIGEST, DATA, nobody)

    assert methods(scripted) == ["POST", "PUT", "HEAD"]


@pytest.mark.parametrize("status", [400, 413])
def test_what_no_session_mends_is_not_repeated(scripted: Scripted, status: int) -> None:
    takes(scripted)
    begin = scripted.answer
    scripted.answer = lambda request: (status, {}, b"") if request.method == "PUT" else begin(request)

    with scripted.open() as registry:
        refused(lambda: put_blob(registry, "team/app", DIGEST, DATA, nobody))

    assert methods(scripted) == ["POST", "PUT"]


def test_a_registry_that_keeps_something_else_is_found_out(scripted: Scripted) -> None:
    takes(scripted)
    begin = scripted.answer
    other = {"Docker-Content-Digest": "sha256:" + "0" * 64}
    scripted.answer = lambda request: (201, other, b"") if request.method == "PUT" else begin(request)

    with scripted.open() as registry:
        error = refused(lambda: put_blob(registry, "team/app", DIGEST, DATA, nobody))

    assert error.problem.code is Code.FAILED


def test_a_connection_that_drops_in_the_middle_begins_another_session(wire: Wire, elsewhere: Scripted) -> None:
    sizes: list[int] = []
    puts = itertools.count()

    def play(turn: Turn) -> None:
        method = turn.head.split()[0]
        if method == "HEAD":
            turn.send(answer(b"", "404 Not Found", CLOSED))
        elif method == "POST":
            turn.send(answer(b"", "202 Accepted", f"Location: {SESSION}", CLOSED))
        else:
            body, wanted = b"", len(DATA) if next(puts) else 1000
            while len(body) < wanted:
                body += turn.connection.recv(65536)
            sizes.append(len(body))
            if len(body) == len(DATA):
                turn.send(answer(b"", "201 Created", CLOSED))

    wire.play = play
    elsewhere.replies((200, {}, DATA))
    with wire.open(Limits(silence=5)) as registry, elsewhere.open(host="elsewhere.example") as source:
        assert mount_or_copy(registry, "team/app", BLOB, Source(source, "team/base"), nobody) is Way.COPIED

    assert sizes[-1] == len(DATA)
    assert [head.split()[0] for head in wire.heads] == ["HEAD", "POST", "PUT", "HEAD", "POST", "PUT"]


def test_a_registry_that_takes_bytes_too_slowly_is_given_up(wire: Wire, elsewhere: Scripted) -> None:
    def play(turn: Turn) -> None:
        if turn.head.startswith("POST"):
            turn.send(answer(b"", "202 Accepted", f"Location: {SESSION}", CLOSED))
        elif turn.head.startswith("HEAD"):
            turn.send(answer(b"", "404 Not Found", CLOSED))
        else:
            turn.over.wait(20)

    wire.play = play
    large = DATA * 20
    digest = "sha256:" + hashlib.sha256(large).hexdigest()
    with wire.open() as registry:
        error = refused(lambda: put_blob(registry, "team/app", digest, large, nobody))

    assert error.problem.code is Code.UNREACHABLE
    assert sum(head.startswith("PUT") for head in wire.heads) == QUICK.attempts


@pytest.mark.parametrize(("repository", "digest"), [("Team/App", DIGEST), ("../x", DIGEST), ("team/app", "sha256:1")])
def test_no_address_that_could_be_another_is_written_to(scripted: Scripted, repository: str, digest: str) -> None:
    with scripted.open() as registry:
        error = refused(lambda: put_blob(registry, repository, digest, DATA, nobody))

    assert error.problem.code is Code.INVALID
    assert scripted.requests == []


def test_no_password_is_in_what_is_told_of_a_failure(scripted: Scripted) -> None:
    scripted.replies((403, {}, b'{"errors": [{"code": "DENIED", "message": "no"}]}'))

    with scripted.open(ME) as registry:
        error = refused(lambda: put_blob(registry, "team/app", DIGEST, DATA, nobody))

    assert ME.password not in f"{error} {error.problem}"


def test_a_registry_is_a_source_by_itself(scripted: Scripted) -> None:
    """The source's own repository has nothing to give to itself."""
    scripted.replies((404, {}, b""))

    with scripted.open() as registry:
        error = refused(lambda: mount_or_copy(registry, "team/app", BLOB, Source(registry, "team/app"), nobody))

    assert isinstance(registry, Registry)
    assert error.problem.code is Code.NOT_FOUND
    assert methods(scripted) == ["HEAD"]
