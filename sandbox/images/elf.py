"""ELF files as a linker writes them, but for code: what the dynamic loader reads of programs and shared libraries.

64 bits, little-endian, one segment that holds all. Sources: the System V ABI ("Object Files", "Dynamic Linking") and
the Linux Standard Base ("Symbol Versioning"). The same arguments give the same bytes.
"""

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

MACHINES = {"amd64": 62, "arm64": 183}
_HEADER, _SEGMENT, _SECTION, _SYMBOL = 64, 56, 64, 24  # bytes
_PROGBITS, _STRTAB, _HASH, _DYNAMIC, _DYNSYM = 1, 3, 5, 6, 11
_VERDEF, _VERNEED, _VERSYM = 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_OBJECT, _FUNCTION, _WEAK_FUNCTION, _ABSOLUTE = 0x11, 0x12, 0x22, 0xFFF1
_ALLOCATED = 2
_BASE, _WEAK = 1, 2  # flags of versions
_FIRST = 2  # of the numbers of versions: 1 is the file's own name
# Tags of the dynamic section: the sections whose addresses they give, and those whose counts.
_ADDRESSES = {4: ".hash", 5: ".dynstr", 6: ".dynsym", 0x6FFFFFF0: ".gnu.version"}
_ADDRESSES |= {0x6FFFFFFC: ".gnu.version_d", 0x6FFFFFFE: ".gnu.version_r"}
_COUNTS = {0x6FFFFFFD: ".gnu.version_d", 0x6FFFFFFF: ".gnu.version_r"}


@dataclass(frozen=True)
class Elf:
    """What to write. A program has an `interpreter`, or is linked statically where nothing else is told either.

    `needed` are libraries with the versions asked of each; the loader does without the `weak` ones. `contents` fill
    the file.
    """

    architecture: str = "amd64"
    soname: str = ""
    interpreter: str = ""
    needed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    weak: Collection[str] = ()
    defined: Sequence[str] = ()
    rpath: str = ""
    runpath: str = ""
    contents: bytes = b""


@dataclass(frozen=True)
class _Section:
    """A section; `at` is where it lies, which is its address too."""

    name: str
    kind: int
    data: bytes
    link: str = ""
    info: int = 0
    entry: int = 0  # bytes
    align: int = 8
    at: int = 0


class _Strings:
    """A string table, each string once."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.data = b"\0"
        for text in texts:
            self.place(text)

    def place(self, text: str) -> int:
        """Where a string is, put there if it was not."""
        found = self.data.find(b"\0" + text.encode() + b"\0") + 1
        if text and not found:
            found = len(self.data)
            self.data += text.encode() + b"\0"
        return found


def elf_bytes(elf: Elf) -> bytes:
    """The file."""
    static = not (elf.soname or elf.interpreter or elf.needed or elf.defined)
    count = 1 if static else 2 + bool(elf.interpreter)  # of segments
    contents = _Section(".rodata", _PROGBITS, elf.contents, align=16)
    sections = _laid([] if static else _linking(elf), _HEADER + count * _SEGMENT)
    if not static:
        sections = _laid([_dynamic(elf, sections)], _end(sections), sections)
    sections = _laid([contents], _end(sections) or _HEADER + count * _SEGMENT, sections)
    names = _Strings([*(section.name for section in sections), ".shstrtab"])
    sections = _laid([_Section(".shstrtab", _STRTAB, names.data, align=1)], _end(sections), sections)
    body = bytearray(_end(sections) + -_end(sections) % 8)
    for section in sections:
        body[section.at : section.at + len(section.data)] = section.data
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQI", 2 if static else 3, MACHINES[elf.architecture], 1, 0, _HEADER, len(body), 0)
    head += struct.pack("<HHHHHH", _HEADER, _SEGMENT, count, _SECTION, len(sections) + 1, len(sections))
    segments = b"".join(_segments({section.name: section for section in sections}, len(body)))
    body[: len(head) + len(segments)] = head + segments
    return bytes(body) + b"".join(_headers(sections, names))


def _laid(new: Sequence[_Section], start: int, before: Sequence[_Section] = ()) -> list[_Section]:
    """The sections before, then these from there on."""
    sections = list(before)
    for section in new:
        at = start + -start % section.align
        sections.append(replace(section, at=at))
        start = at + len(section.data)
    return sections


def _end(sections: Sequence[_Section]) -> int:
    return sections[-1].at + len(sections[-1].data) if sections else 0


def _linking(elf: Elf) -> list[_Section]:
    """What the dynamic section points to. A version that is defined is a symbol of its name, as in glibc."""
    strings = _Strings([*elf.needed, elf.soname, elf.rpath, elf.runpath])
    asked = [version for versions in elf.needed.values() for version in versions]
    symbols = [_symbol(strings.place(version), _OBJECT, _ABSOLUTE) for version in elf.defined]
    symbols += (
        _symbol(strings.place(f"of_{version}"), _WEAK_FUNCTION if version in elf.weak else _FUNCTION, 0)
        for version in asked
    )
    count = 1 + len(symbols)
    versions = [_definitions(elf, strings)] if elf.defined else []
    versions += [_needs(elf, strings)] if asked else []
    numbers = struct.pack(f"<{count}H", 0, *range(_FIRST, _FIRST + len(symbols)))
    chain = [*range(2, count), 0] if symbols else []
    return [
        *([_Section(".interp", _PROGBITS, elf.interpreter.encode() + b"\0", align=1)] if elf.interpreter else []),
        _Section(".hash", _HASH, struct.pack(f"<{3 + count}I", 1, count, bool(symbols), 0, *chain), ".dynsym", 0, 4),
        _Section(".dynsym", _DYNSYM, b"".join([bytes(_SYMBOL), *symbols]), ".dynstr", 1, _SYMBOL),
        _Section(".gnu.version", _VERSYM, numbers, ".dynsym", 0, 2, align=2),
        *versions,
        _Section(".dynstr", _STRTAB, strings.data, align=1),
    ]


def _symbol(name: int, info: int, section: int) -> bytes:
    return struct.pack("<IBBHQQ", name, info, 0, section, 0, 0)


def _definitions(elf: Elf, strings: _Strings) -> _Section:
    """The versions that the file defines: one structure each, the first its own name."""
    names = [elf.soname, *elf.defined]
    data = b""
    for number, name in enumerate(names, 1):
        flags, following = (_BASE if number == 1 else 0), (28 if number < len(names) else 0)
        data += struct.pack("<HHHHIII", 1, flags, number, 1, _hash(name), 20, following)
        data += struct.pack("<II", strings.place(name), 0)
    return _Section(".gnu.version_d", _VERDEF, data, ".dynstr", len(names))


def _needs(elf: Elf, strings: _Strings) -> _Section:
    """The versions that it needs: one structure per library, followed by those of its versions."""
    asked = {library: versions for library, versions in elf.needed.items() if versions}
    number, data = _FIRST + len(elf.defined), b""
    for place, (library, versions) in enumerate(asked.items(), 1):
        following = 16 + 16 * len(versions) if place < len(asked) else 0
        data += struct.pack("<HHIII", 1, len(versions), strings.place(library), 16, following)
        for version in versions:
            flags, more = (_WEAK if version in elf.weak else 0), (16 if version != versions[-1] else 0)
            data += struct.pack("<IHHII", _hash(version), flags, number, strings.place(version), more)
            number += 1
    return _Section(".gnu.version_r", _VERNEED, data, ".dynstr", len(asked))


def _dynamic(elf: Elf, sections: Sequence[_Section]) -> _Section:
    """The table of all these, and what is needed."""
    by_name = {section.name: section for section in sections}
    strings = _Strings()
    strings.data = by_name[".dynstr"].data
    texts = [(1, library) for library in elf.needed] + [(14, elf.soname), (15, elf.rpath), (29, elf.runpath)]
    tags = [(tag, strings.place(text)) for tag, text in texts if text]
    tags += [(tag, by_name[name].at) for tag, name in _ADDRESSES.items() if name in by_name]
    tags += [(tag, by_name[name].info) for tag, name in _COUNTS.items() if name in by_name]
    tags += [(10, len(strings.data)), (11, _SYMBOL), (0, 0)]
    return _Section(".dynamic", _DYNAMIC, b"".join(struct.pack("<QQ", *tag) for tag in tags), ".dynstr", 0, 16)


def _hash(name: str) -> int:
    """The System V ABI's, which the loader compares before it does names."""
    found = 0
    for letter in name.encode():
        found = (found << 4) + letter
        high = found & 0xF0000000
        found = (found ^ (high >> 24)) & ~high
    return found


def _segments(sections: Mapping[str, _Section], size: int) -> Iterator[bytes]:
    """The program headers: where the interpreter's name is, all that is loaded, and where the dynamic section is."""
    whole = _Section("", _PROGBITS, bytes(size), align=0x1000)
    for kind, section in ((3, sections.get(".interp")), (1, whole), (2, sections.get(".dynamic"))):
        if section:
            length = len(section.data)
            yield struct.pack("<IIQQQQQQ", kind, 6, section.at, section.at, section.at, length, length, section.align)


def _headers(sections: Sequence[_Section], names: _Strings) -> Iterator[bytes]:
    """The section headers, of which the first is empty."""
    yield bytes(_SECTION)
    numbers = {"": 0} | {section.name: number for number, section in enumerate(sections, 1)}
    for section in sections:
        flags, address = (0, 0) if section.name == ".shstrtab" else (_ALLOCATED, section.at)
        yield struct.pack(
            "<IIQQQQ", names.place(section.name), section.kind, flags, address, section.at, len(section.data)
        )
        yield struct.pack("<IIQQ", numbers[section.link], section.info, section.align, section.entry)
