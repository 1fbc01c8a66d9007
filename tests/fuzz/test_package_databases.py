"""Package databases: what a layer says is installed is read or refused, and what is read can be kept."""

import itertools
import struct
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.layers.effort import STEPS, Effort
from functions_app.domain.layers.package_files import MetadataReader, Package, reader_of
from functions_app.domain.layers.rpm_database import read_packages
from tests.domain.layers.hostile import header, ndb_of, sqlite_of
from tests.fuzz.bounds import assert_shown, told
from tests.fuzz.inputs import EDGES, damaged, json_bytes, texts
from tests.fuzz.running import fuzzed
from tests.fuzz.samples import APK, DPKG, METADATA, NPM, PYTHON, RPM

PATHS = [path for path in METADATA if reader_of(path)]
LINES = (
    *(b"\n", b"\n\n", b"\n \n", b" \n", b"\r\n", b"\t\n", b"\0", b"\xff", b"Package:", b"Package: \n", b"package: a\n"),
    *(b" Package: a\n", b"Version\n", b"Status: deinstall ok config-files\n", b"P:\n", b"V:" + b"1" * 2000 + b"\n"),
    *(b"Name: a\n", b"Version: 1\nVersion: 2\n", "P:\u202e\u2028🚢\n".encode(), b"Status: \n", b"F:usr\n"),
)  # fmt: skip
plain = st.text("abcXYZ019.+-~:_", min_size=1, max_size=30)
FORMS = {"deb": ("var/lib/dpkg/status", "Package", "Version"), "apk": ("lib/apk/db/installed", "P", "V")}


def reader(path: str) -> MetadataReader:
    """The reader of a path that has one."""
    found = reader_of(path)
    assert found
    return found


def read(path: str, data: bytes) -> Sequence[Package] | None:
    """What a file of this path says, every package of it fit to be kept."""
    effort = Effort()
    found = told(lambda: reader(path).packages(bytearray(data), path, effort))
    assert effort.taken <= STEPS + 100_000
    for package in found or ():
        assert_shown(package.name, 200)
        assert_shown(package.version, 200)
        assert package.name
        assert package.version
        assert Package.from_json(package.as_json()) == package
    return found


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """A header blob that rpm might have written, or nearly."""
    data = b"".join(draw(st.lists(st.one_of(texts.map(_bytes), st.binary(max_size=30)), max_size=6)))
    index = b""
    for _ in range(draw(st.integers(0, 8))):
        tag = draw(st.sampled_from((1000, 1001, 1002, 1003, 1003, 63, 2**32 - 1)))
        kind = draw(st.sampled_from((6, 6, 6, 4, 8, 0)))
        offset = draw(st.one_of(st.integers(-8, len(data) + 8), st.sampled_from((-(2**31), 2**31 - 1))))
        index += struct.pack(">IIiI", tag, kind, offset, draw(st.sampled_from(EDGES)))
    tags = draw(st.one_of(st.just(len(index) // 16), st.just(len(index) // 16), st.sampled_from(EDGES)))
    size = draw(st.one_of(st.just(len(data)), st.just(len(data)), st.sampled_from(EDGES)))
    return struct.pack(">II", tags, size) + index + data


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass") + b"\0"


def test_every_kind_of_database_is_tried() -> None:
    assert {reader(path).kind for path in PATHS} == {"rpm", "deb", "apk", "python", "npm"}


@fuzzed(400)
@given(damaged(RPM))
def test_a_damaged_rpm_database_is_read_or_refused(data: bytes) -> None:
    found = read("var/lib/rpm/Packages", data)
    if found is not None:
        pairs = read_packages(data)
        assert pairs == sorted(pairs)
        assert len(pairs) >= len(found)


@fuzzed(200)
@given(st.lists(headers(), max_size=4), st.sampled_from((ndb_of, lambda blobs: sqlite_of(iter(blobs)))))
def test_headers_of_any_form_are_read_or_refused(blobs: list[bytes], write: object) -> None:
    assert callable(write)
    read("var/lib/rpm/Packages", write(blobs))


@fuzzed(60)
@given(st.lists(st.tuples(plain, plain), max_size=5))
def test_what_was_written_is_read_again_from_each_form_of_database(packages: list[tuple[str, str]]) -> None:
    blobs = [header(name, version) for name, version in packages]
    for data in (ndb_of(blobs), sqlite_of(iter(blobs))):
        assert read_packages(data) == sorted(pair for pair in packages if pair[0] != "gpg-pubkey")


@fuzzed(300)
@given(st.sampled_from(PATHS), damaged([DPKG, APK, PYTHON, NPM]))
def test_a_damaged_file_of_metadata_is_read_or_refused(path: str, data: bytes) -> None:
    read(path, data)


@fuzzed(200)
@given(st.sampled_from(PATHS), st.lists(st.sampled_from(LINES), max_size=30).map(b"".join))
def test_lines_in_any_order_are_read_or_refused(path: str, data: bytes) -> None:
    read(path, data)


@fuzzed(100)
@given(st.sampled_from(sorted(FORMS)), st.lists(st.tuples(plain, plain), max_size=5), st.data())
def test_between_paragraphs_that_say_nothing_every_package_is_found(
    form: str, packages: list[tuple[str, str]], data: st.DataObject
) -> None:
    path, name, version = FORMS[form]
    noise = st.sampled_from(("\n", "\n\n", "Other: x\n\n", " more\n\n", "\t\n"))
    text = "".join(f"{data.draw(noise)}\n{name}: {one}\nX: y\n{version}: {two}\n\n" for one, two in packages)
    found = read(path, text.encode())
    assert found is not None
    assert [(package.name, package.version) for package in found] == packages


@fuzzed(150)
@given(json_bytes([{"name": "express", "version": "4.19.2", "private": True, "exports": {".": ["./a.js"]}}]))
def test_a_package_json_is_read_or_refused(data: bytes) -> None:
    read("var/task/node_modules/express/package.json", data)


def test_a_file_of_one_line_again_and_again_is_read_within_bounds() -> None:
    for path, line in itertools.product(PATHS, LINES):
        read(path, line * (1024**2 // len(line)))
