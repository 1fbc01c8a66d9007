"""Read what the dynamic loader would of an ELF file: by its program headers and dynamic section, as the loader does.

Section headers are for other tools, and may be missing or lie. The file comes from a layer, hence from outside: its
reads are counted, so that neither a chain of versions without end nor a string without one takes for ever. pyelftools
knows the forms; its own ELFFile makes them anew for each file, which takes as long as reading it.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, cast

from elftools.common.exceptions import ELFError
from elftools.common.utils import struct_parse
from elftools.construct import Construct
from elftools.elf.enums import ENUM_D_TAG
from elftools.elf.structs import ELFStructs

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from functions_app.domain.text import visible

MAGIC = b"\x7fELF"
SEGMENTS, TAGS, NAMES = 200, 2_000, 2_000
TEXT = 1_000  # bytes of a name, or of a list of directories
TEXT_OF_A_STEP = 16  # bytes: long names cost as much as many
_BITS, _LITTLE = {1: 32, 2: 64}, {1: True, 2: False}  # EI_CLASS, EI_DATA
_WANTED = ("NEEDED", "STRTAB", "SONAME", "RPATH", "RUNPATH", "VERNEED", "VERNEEDNUM", "VERDEF", "VERDEFNUM")
_TAG_NAMES = {ENUM_D_TAG[f"DT_{name}"]: f"DT_{name}" for name in _WANTED}
_NULL = ENUM_D_TAG["DT_NULL"]
_LOADED = {"ET_EXEC", "ET_DYN"}  # neither object files nor core dumps
_WEAK, _BASE = 2, 1  # VER_FLG_WEAK of a version needed, VER_FLG_BASE of a version defined: the file's own name


def read_elf(file: IO[bytes], path: str, effort: Effort) -> ElfFacts | None:
    """What the loader would learn; None for a kind of ELF file that is never loaded. Raises what `effort` looks for.

    A file that can't be read gives a problem and no exception, whatever is in it.
    """
    try:
        elf = _open(_Counted(file, effort))
        return _facts(elf, path) if elf.kind in _LOADED else None
    except DrydockError as error:
        return ElfFacts(path, problem=f"not readable: {error.problem.message}")
    except ELFError as error:
        return ElfFacts(path, problem=f"not readable: {visible(str(error), 150)}")


class _Counted:
    """The file as pyelftools asks for it, with its reads counted and none beyond its end."""

    def __init__(self, file: IO[bytes], effort: Effort) -> None:
        self._file, self._effort = file, effort
        self.size = file.seek(0, io.SEEK_END)

    def seek(self, offset: int) -> int:
        if not 0 <= offset <= self.size:
            raise ELFError("it points beyond its end")
        return self._file.seek(offset)

    def read(self, size: int) -> bytes:
        self._effort.step()
        return self._file.read(size)

    def name(self, offset: int) -> str:
        """The string at this place. Raises ELFError for one without an end."""
        self.seek(offset)
        text, end, _ = self.read(TEXT + 1).partition(b"\0")
        if not end:
            raise ELFError(f"it has a name longer than {TEXT:,} bytes, or without an end")
        self._effort.step(len(text) // TEXT_OF_A_STEP)
        return visible(text.decode("utf-8", "backslashreplace"))


@dataclass(frozen=True)
class _Elf:
    """What the head of the file says, and the means to read the rest. Segments are its program headers."""

    file: _Counted
    forms: ELFStructs
    bits: int
    kind: str
    machine: str
    segments: Sequence[Any]

    def read(self, form: Construct, offset: int) -> Any:
        """One structure at this place of the file. Raises ELFError."""
        return struct_parse(form, cast(IO[bytes], self.file), offset)

    def place(self, address: int) -> int:
        """Where in the file that lies which is loaded at this address. Raises ELFError where nothing is."""
        for segment in _of_type(self, "PT_LOAD"):
            if 0 <= address - segment["p_vaddr"] < segment["p_filesz"]:
                return cast(int, address - segment["p_vaddr"] + segment["p_offset"])
        raise ELFError("its dynamic section points to what is not in it")


def _of_type(elf: _Elf, kind: str) -> Iterator[Any]:
    return (segment for segment in elf.segments if segment["p_type"] == kind)


@cache
def _forms(bits: int, little: bool) -> ELFStructs:
    """The structures as they are for every machine: no other is looked at."""
    forms = ELFStructs(little_endian=little, elfclass=bits)
    forms.create_basic_structs()
    forms.create_advanced_structs("ET_DYN", "EM_NONE", "ELFOSABI_SYSV")
    return forms


def _open(file: _Counted) -> _Elf:
    file.seek(0)
    head = file.read(16).ljust(16, b"\0")
    if head[:4] != MAGIC or head[4] not in _BITS or head[5] not in _LITTLE:
        raise ELFError("its first bytes are not those of an ELF file")
    forms = _forms(_BITS[head[4]], _LITTLE[head[5]])
    header = struct_parse(forms.Elf_Ehdr, cast(IO[bytes], file), 0)
    count = header["e_phnum"]
    if count > SEGMENTS:
        raise ELFError(f"it has more than {SEGMENTS} segments")
    segments = [
        struct_parse(forms.Elf_Phdr, cast(IO[bytes], file), header["e_phoff"] + number * header["e_phentsize"])
        for number in range(count)
    ]
    machine = str(header["e_machine"]).removeprefix("EM_").lower()
    return _Elf(file, forms, _BITS[head[4]], str(header["e_type"]), machine, segments)


def _facts(elf: _Elf, path: str) -> ElfFacts:
    tags = dict[str, list[int]]()
    for tag, value in _tags(elf):
        if name := _TAG_NAMES.get(tag):
            tags.setdefault(name, []).append(value)
    strings = elf.place(tags["DT_STRTAB"][0]) if "DT_STRTAB" in tags else 0

    def texts(tag: str) -> tuple[str, ...]:
        return tuple(elf.file.name(strings + value) for value in tags.get(tag, ()))

    return ElfFacts(
        path,
        bits=elf.bits,
        machine=elf.machine,
        soname="".join(texts("DT_SONAME")[:1]),
        interpreter=next((elf.file.name(each["p_offset"]) for each in _of_type(elf, "PT_INTERP")), ""),
        needed=texts("DT_NEEDED"),
        rpath=_directories(texts("DT_RPATH")),
        runpath=_directories(texts("DT_RUNPATH")),
        versions=tuple(dict.fromkeys(_needed(elf, tags, strings))),
        defined=tuple(dict.fromkeys(_defined(elf, tags, strings))),
    )


def _tags(elf: _Elf) -> Iterator[tuple[int, int]]:
    """The dynamic section, up to its end; none in a program that is linked statically. Read as a whole: it is long."""
    form = struct.Struct(("<" if elf.forms.little_endian else ">") + ("QQ" if elf.bits == 64 else "II"))
    for segment in _of_type(elf, "PT_DYNAMIC"):
        elf.file.seek(segment["p_offset"])
        data = elf.file.read(min(segment["p_filesz"], (TAGS + 1) * form.size))
        for number, (tag, value) in enumerate(form.iter_unpack(data[: len(data) // form.size * form.size])):
            if tag == _NULL:
                return
            if number == TAGS:
                raise ELFError(f"it has more than {TAGS:,} dynamic tags")
            yield tag, value
        return


def _chain(elf: _Elf, form: Construct, offset: int, count: int, following: str) -> Iterator[tuple[int, Any]]:
    """The structures of a chain, each with its place; `following` is the member that says how far the next one is."""
    if count > NAMES:
        raise ELFError(f"it has more than {NAMES:,} versions")
    for _ in range(count):
        entry = elf.read(form, offset)
        yield offset, entry
        if not entry[following]:
            return
        offset += entry[following]


def _versions(elf: _Elf, tags: dict[str, list[int]], kind: str, form: Construct) -> Iterator[tuple[int, Any]]:
    table, count = tags.get(kind), tags.get(f"{kind}NUM")
    if table and count:
        yield from _chain(elf, form, elf.place(table[0]), count[0], "vn_next" if kind == "DT_VERNEED" else "vd_next")


def _needed(elf: _Elf, tags: dict[str, list[int]], strings: int) -> Iterator[NeededVersion]:
    for offset, entry in _versions(elf, tags, "DT_VERNEED", elf.forms.Elf_Verneed):
        library = elf.file.name(strings + entry["vn_file"])
        names = _chain(elf, elf.forms.Elf_Vernaux, offset + entry["vn_aux"], entry["vn_cnt"], "vna_next")
        for _, name in names:
            yield NeededVersion(library, elf.file.name(strings + name["vna_name"]), bool(name["vna_flags"] & _WEAK))


def _defined(elf: _Elf, tags: dict[str, list[int]], strings: int) -> Iterator[str]:
    for offset, entry in _versions(elf, tags, "DT_VERDEF", elf.forms.Elf_Verdef):
        if not entry["vd_flags"] & _BASE and entry["vd_cnt"]:
            name = elf.read(elf.forms.Elf_Verdaux, offset + entry["vd_aux"])  # what follows it are its parents
            yield elf.file.name(strings + name["vda_name"])


def _directories(lists: Sequence[str]) -> tuple[str, ...]:
    return tuple(directory for each in lists for directory in each.split(":") if directory)
