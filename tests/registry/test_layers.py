"""Layers as tars: however they are packed, verified on both sides, and never larger than they may be."""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable

import pytest
import zstandard

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import Descriptor
from functions_app.registry.blobs import Growth, open_layer
from tests.registry.conftest import Reply, Request, Scripted

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
PLAIN = "application/vnd.oci.image.layer.v1.tar"
DOCKER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SMALL = Growth(free=4 * 1024**2, ratio=50)


def make_tar(size: int = 600_000) -> bytes:
    file = io.BytesIO()
    with tarfile.open(mode="w", fileobj=file) as tar:
        for number in range(3):
            entry = tarfile.TarInfo(f"var/task/{number}.bin")
            entry.size = size // 3
            tar.addfile(entry, io.BytesIO(hashlib.sha512(bytes([number])).digest() * (entry.size // 64 + 1)))
    return file.getvalue()


TAR = make_tar()


def digest(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def zstd_frame(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def skippable(data: bytes) -> bytes:
    return b"\x5e\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def middle(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": (GZIP, gzip.compress),
    "gzip as docker names it": (DOCKER, gzip.compress),
    "gzip of several members, as pigz and estargz write it": (
        GZIP,
        lambda data: b"".join(gzip.compress(part) for part in middle(data)),
    ),
    "gzip with an empty member and padding": (
        GZIP,
        lambda data: gzip.compress(b"") + gzip.compress(data) + bytes(70_000),
    ),
    "zstd": (ZSTD, zstd_frame),
    "zstd of several frames": (ZSTD, lambda data: b"".join(zstd_frame(part) for part in middle(data))),
    "zstd:chunked, with skippable frames": (
        ZSTD,
        lambda data: (
            skippable(b"table") + zstd_frame(data[:9]) + skippable(b"") + zstd_frame(data[9:]) + skippable(b"end")
        ),
    ),
    "plain": (PLAIN, bytes),
    "plain under a name that promises gzip": (GZIP, bytes),
    "zstd under a name that promises gzip": (GZIP, zstd_frame),
    "gzip under no name": ("", gzip.compress),
}


def serve(scripted: Scripted, data: bytes, media_type: str = GZIP) -> Descriptor:
    scripted.replies((200, {}, data))
    return Descriptor(media_type, digest(data), len(data))


def failure(
    scripted: Scripted,
    layer: Descriptor,
    diff_id: str,
    *,
    limit: int = 10**9,
    growth: Growth | None = None,
) -> DrydockError:
    with (
        scripted.open() as registry,
        pytest.raises(DrydockError) as caught,
        open_layer(registry, "team/app", layer, diff_id, limit=limit, growth=growth) as tar,
    ):
        tar.read()
    return caught.value


@pytest.mark.parametrize("kind", PACKED)
def test_a_layer_is_unpacked_however_it_is_packed(scripted: Scripted, kind: str) -> None:
    media_type, pack = PACKED[kind]
    layer = serve(scripted, pack(TAR), media_type)

    with scripted.open() as registry, open_layer(registry, "team/app", layer, digest(TAR)) as tar:
        assert tar.read() == TAR


def test_a_tar_is_read_entry_by_entry_as_it_arrives(scripted: Scripted) -> None:
    layer = serve(scripted, gzip.compress(TAR))

    with (
        scripted.open() as registry,
        open_layer(registry, "team/app", layer, digest(TAR)) as file,
        tarfile.open(mode="r|", fileobj=file) as tar,
    ):
        assert [(entry.name, entry.size) for entry in tar] == [
            (f"var/task/{number}.bin", 200_000) for number in range(3)
        ]


def test_a_diff_id_may_be_a_sha512(scripted: Scripted) -> None:
    layer = serve(scripted, gzip.compress(TAR))

    with scripted.open() as registry, open_layer(registry, "team/app", layer, digest(TAR, "sha512")) as tar:
        assert tar.read() == TAR


@pytest.mark.parametrize("diff_id", ["md5:" + "0" * 32, "sha256:", ""])
def test_other_diff_ids_are_not_asked_for(scripted: Scripted, diff_id: str) -> None:
    layer = serve(scripted, gzip.compress(TAR))

    assert failure(scripted, layer, diff_id).problem.code is Code.INVALID
    assert scripted.requests == []


@pytest.mark.parametrize("kind", ["gzip", "zstd", "plain"])
def test_another_tar_than_the_diff_id_names_is_refused(scripted: Scripted, kind: str) -> None:
    media_type, pack = PACKED[kind]
    layer = serve(scripted, pack(TAR), media_type)

    error = failure(scripted, layer, digest(b"another"))

    assert error.problem.code is Code.FAILED
    assert "not the diff id" in str(error)


@pytest.mark.parametrize("kind", ["gzip", "zstd", "plain"])
def test_corrupted_bytes_are_refused(scripted: Scripted, kind: str) -> None:
    media_type, pack = PACKED[kind]
    good = pack(TAR)
    scripted.replies((200, {}, good[:-5] + bytes([good[-5] ^ 1]) + good[-4:]))

    assert failure(scripted, Descriptor(media_type, digest(good), len(good)), digest(TAR)).problem.code is Code.FAILED


def test_bytes_behind_the_last_frame_count_for_the_digest(scripted: Scripted) -> None:
    good = gzip.compress(TAR)
    scripted.replies((200, {}, good + bytes(9)))

    assert "its digest is" in str(failure(scripted, Descriptor(GZIP, digest(good), len(good) + 9), digest(TAR)))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_layer_that_ends_too_early_is_refused_even_where_its_digest_is_right(scripted: Scripted, kind: str) -> None:
    media_type, pack = PACKED[kind]
    layer = serve(scripted, pack(TAR)[:-100], media_type)

    assert failure(scripted, layer, digest(TAR)).problem.code is Code.FAILED


@pytest.mark.parametrize("data", [gzip.compress(TAR) + b"rubbish", zstd_frame(TAR) + b"rubbish", b"\x1f\x8b\x08"])
def test_rubbish_between_frames_is_refused(scripted: Scripted, data: bytes) -> None:
    error = failure(scripted, serve(scripted, data), digest(TAR))

    assert "cannot be unpacked" in str(error)


def gzip_bomb(size: int) -> bytes:
    packer, block = zlib.compressobj(9, wbits=31), bytes(1024**2)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def zstd_bomb(size: int) -> bytes:
    packer, block = zstandard.ZstdCompressor().compressobj(), bytes(1024**2)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


BOMBS = pytest.mark.parametrize("bomb", [gzip_bomb, zstd_bomb])


@BOMBS
def test_a_bomb_is_recognised_by_how_it_grows(scripted: Scripted, bomb: Callable[[int], bytes]) -> None:
    layer = serve(scripted, bomb(64 * 1024**2))

    error = failure(scripted, layer, digest(TAR), growth=SMALL)

    assert error.problem.code is Code.FAILED
    assert "like a bomb" in str(error)


@BOMBS
def test_a_layer_over_the_limit_is_not_unpacked_to_its_end(scripted: Scripted, bomb: Callable[[int], bytes]) -> None:
    layer = serve(scripted, bomb(64 * 1024**2))

    assert "larger than 8,000,000 bytes" in str(failure(scripted, layer, digest(TAR), limit=8_000_000))


def test_a_bomb_in_a_bomb_is_unpacked_once_and_is_then_no_tar(scripted: Scripted) -> None:
    inner = gzip_bomb(64 * 1024**2)
    layer = serve(scripted, gzip.compress(inner))

    with scripted.open() as registry, open_layer(registry, "team/app", layer, digest(inner)) as tar:
        assert tar.read() == inner


@pytest.mark.parametrize("window_log", [27, 28])
def test_a_zstd_frame_that_wants_more_memory_than_all_the_rest_is_refused(scripted: Scripted, window_log: int) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    layer = serve(scripted, packer.compress(TAR) + packer.flush(), ZSTD)

    assert "cannot be unpacked" in str(failure(scripted, layer, digest(TAR)))


def test_who_stops_reading_early_still_learns_that_the_layer_is_not_what_it_should_be(scripted: Scripted) -> None:
    layer = serve(scripted, gzip.compress(TAR))

    with (
        scripted.open() as registry,
        pytest.raises(DrydockError, match="not the diff id"),
        open_layer(registry, "team/app", layer, digest(b"another")) as tar,
    ):
        assert tar.read(10) == TAR[:10]


def test_an_error_of_the_reader_is_not_hidden_by_reading_on(scripted: Scripted) -> None:
    layer = serve(scripted, gzip.compress(TAR))

    with (
        scripted.open() as registry,
        pytest.raises(KeyError),
        open_layer(registry, "team/app", layer, digest(b"another")),
    ):
        raise KeyError


def test_an_encrypted_layer_is_not_tried(scripted: Scripted) -> None:
    layer = serve(scripted, b"secret", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted")

    assert "is encrypted" in str(failure(scripted, layer, digest(TAR)))


def test_a_layer_that_dropped_is_taken_up_and_unpacked_on(scripted: Scripted) -> None:
    packed = gzip.compress(TAR)

    def answer(request: Request) -> Reply:
        if request.range:
            start = int(request.range.removeprefix("bytes=").rstrip("-"))
            told = f"bytes {start}-{len(packed) - 1}/{len(packed)}"
            return 206, {"Content-Range": told}, packed[start:]
        return 200, {"Content-Length": str(len(packed)), "Connection": "close"}, packed[: len(packed) // 2]

    scripted.answer = answer
    layer = Descriptor(GZIP, digest(packed), len(packed))

    with scripted.open() as registry, open_layer(registry, "team/app", layer, digest(TAR)) as tar:
        assert tar.read() == TAR
    assert len(scripted.requests) == 2
