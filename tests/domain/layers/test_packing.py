"""Contents of layers as packed bytes, and the table they are packed from."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from functions_app.domain.layers.entries import FileEntry, Import, LayerContents, Mark
from functions_app.domain.layers.entry_table import EntryTable
from functions_app.domain.layers.packing import VERSION, pack, unpack

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ANY = st.builds(
    FileEntry,
    path=TEXTS,
    kind=st.sampled_from(["file", "dir", "symlink", "hardlink", "device", "whiteout", "opaque"]),
    size=st.integers(0, 2**63),
    digest=st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(bytes.hex)),
    link=TEXTS,
    mode=st.integers(0, 0o7777),
)


LISTS = st.lists(TEXTS, max_size=3).map(tuple)
ELVES = st.builds(
    ElfFacts,
    path=TEXTS,
    bits=st.sampled_from([0, 32, 64]),
    machine=TEXTS,
    soname=TEXTS,
    interpreter=TEXTS,
    needed=LISTS,
    rpath=LISTS,
    runpath=LISTS,
    versions=st.lists(st.builds(NeededVersion, TEXTS, TEXTS, st.booleans()), max_size=3).map(tuple),
    defined=LISTS,
    problem=TEXTS,
)
CONTENTS = st.builds(
    LayerContents,
    entries=st.lists(ANY, max_size=20).map(tuple),
    size_bytes=st.integers(0, 2**62),
    notes=LISTS,
    elves=st.lists(ELVES, max_size=3).map(tuple),
    imports=st.lists(st.builds(Import, TEXTS, TEXTS), max_size=3).map(tuple),
    marks=st.lists(st.builds(Mark, TEXTS, TEXTS), max_size=3).map(tuple),
    gaps=LISTS,
)
# What version 1 wrote of the contents below.
VERSION_1 = base64.b64decode(
    "AXicq1YqzqxKjU+qLEktVrJSMNNRUMrLh7CjlRIVQGylWKBgcn5OaW4eWNjIXEfBUkfBWAek2sgEzDI2iq3lKkss0i9JLM7WTywo0CuoZADx83"
    "NSGJIy8xgYSouL9EEMVqYljAxAwMaAHQAl4wkAABrDLck="
)
OF_VERSION_1 = LayerContents(
    (
        FileEntry("var/task/app.py", "file", 6, "5f" * 32, "", 0o644),
        FileEntry("var/old", "whiteout"),
        FileEntry("bin", "symlink", link="usr/bin"),
    ),
    size_bytes=6,
    notes=("a note",),
    facts_read=False,
)


@settings(deadline=None)
@given(CONTENTS)
def test_what_is_packed_is_unpacked_as_it_was(contents: LayerContents) -> None:
    assert unpack(pack(contents)) == contents


def test_what_version_1_packed_is_unpacked_and_says_that_some_facts_were_not_read() -> None:
    assert unpack(VERSION_1) == OF_VERSION_1


@pytest.mark.parametrize("data", [b"", bytes([VERSION + 1]) + b"whatever", b"\0"])
def test_bytes_of_another_version_are_not_guessed_at(data: bytes) -> None:
    with pytest.raises(ValueError, match="unknown version"):
        unpack(data)


@settings(deadline=None)
@given(st.lists(ANY, max_size=40))
def test_a_table_keeps_the_last_of_each_path_and_hiding_is_another_entry_than_having(entries: list[FileEntry]) -> None:
    table = EntryTable()
    kept: dict[tuple[str, str], FileEntry] = {}
    for entry in entries * 2:
        table.put(entry)
        key = entry.kind if entry.kind in {"whiteout", "opaque"} else ""
        kept.pop((key, entry.path), None)
        kept[key, entry.path] = entry

    assert table == tuple(kept.values())
    assert unpack(pack(LayerContents(table))).entries == tuple(kept.values())


def test_a_table_grows_without_losing_what_is_in_it() -> None:
    table = EntryTable()
    for number in [*range(5000), *range(2500)]:
        table.put(FileEntry(f"some/path/{number}", "file", 1))

    assert [entry.path for entry in table] == [f"some/path/{number}" for number in [*range(2500, 5000), *range(2500)]]
    assert table[-1].path == "some/path/2499"
