"""What the dynamic loader would learn of a program or shared library, as kept of every ELF file in a layer.

Sources: the System V ABI's "Dynamic Section", and the Linux Standard Base's "Symbol Versioning".
"""

from dataclasses import dataclass


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
