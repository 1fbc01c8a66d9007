"""What the dynamic loader would learn of a program or shared library, as kept of every ELF file in a layer.

Sources: the System V ABI's "Dynamic Section", and the Linux Standard Base's "Symbol Versioning".
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_OBJECT = 120  # bytes of memory that an object takes beside its texts, with its places in tuples


@dataclass(frozen=True, slots=True)
class NeededVersion:
    """A version such as GLIBC_2.34 that a library has to define; the loader does without a `weak` one."""

    library: str
    name: str
    weak: bool = False


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """One program or shared library. `path` is that of its entry; `bits` 32 or 64; `machine` such as "x86_64".

    `interpreter` is the loader that a program asks for; `needed` are sonames in the loader's order; `rpath` and
    `runpath` directories as they are written, "$ORIGIN" too; `versions` those it needs, `defined` those it defines.
    `problem` says in a few words why it could not be read: all else, but the path, may then be missing.
    """

    path: str
    bits: int = 0
    machine: str = ""
    soname: str = ""
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    versions: tuple[NeededVersion, ...] = ()
    defined: tuple[str, ...] = ()
    problem: str = ""

    @property
    def held_bytes(self) -> int:
        """The memory that it takes, about."""
        texts = (self.path, self.soname, self.interpreter, self.problem, *self.needed, *self.rpath, *self.runpath)
        texts += (*self.defined, *(text for each in self.versions for text in (each.library, each.name)))
        return 2 * _OBJECT + len(self.versions) * _OBJECT + sum(map(sys.getsizeof, texts))

    def as_json(self) -> list[Any]:
        """Plain values; `from_json` reads them back."""
        versions = [[each.library, each.name, int(each.weak)] for each in self.versions]
        head = [self.path, self.bits, self.machine, self.soname, self.interpreter]
        return [*head, self.needed, self.rpath, self.runpath, versions, self.defined, self.problem]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> "ElfFacts":
        """Read what `as_json` wrote."""
        path, bits, machine, soname, interpreter, *lists, versions, defined, problem = values
        needed, rpath, runpath = map(tuple, lists)
        wanted = tuple(NeededVersion(library, name, bool(weak)) for library, name, weak in versions)
        return cls(path, bits, machine, soname, interpreter, needed, rpath, runpath, wanted, tuple(defined), problem)
