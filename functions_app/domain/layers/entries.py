"""What a layer holds: its files, directories and links, what it hides, and the packages that its metadata names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.package_files import Package

FileKind = Literal["file", "dir", "symlink", "hardlink", "device", "whiteout", "opaque"]
FILE_KINDS: tuple[FileKind, ...] = ("file", "dir", "symlink", "hardlink", "device", "whiteout", "opaque")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry of a layer. `path` has no leading slash, no "." and no "..".

    `size` in bytes and `digest` (sha256 of the contents, hex) are a file's; `link` is a symbolic link's target as it
    stands in the tar, a hard link's as a path; `mode` the permission bits. A whiteout's path is what it hides, an
    opaque entry's the directory of which lower layers show nothing (image-spec layer.md, "Whiteouts").
    """

    path: str
    kind: FileKind
    size: int = 0
    digest: str = ""
    link: str = ""
    mode: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """Code at `path` imports the top-level `module`: "boto3" of Python, "sharp" or "@aws-sdk/client-s3" of Node."""

    path: str
    module: str


@dataclass(frozen=True, slots=True)
class Mark:
    """The entry at `path` has this extended attribute, such as "security.capability"; setuid stands in its mode."""

    path: str
    attribute: str


@dataclass(frozen=True)
class Limits:
    """What a layer may have; more is refused, never cut, but for packages and what its code needs: there it is told
    that not all is known.

    Texts are measured in bytes. `names_bytes` are those of all paths and links together, `packages_bytes` and
    `facts_bytes` what the packages, and what its code needs, take in memory; `elf_reads` are reads in ELF files,
    `source_bytes` those of source code.
    """

    entries: int = 400_000
    path_length: int = 4096
    names_bytes: int = 32 * 1024**2
    size_bytes: int = 10 * 1024**3
    packages: int = 50_000
    packages_bytes: int = 16 * 1024**2
    facts_bytes: int = 16 * 1024**2
    elf_reads: int = 4_000_000
    source_bytes: int = 256 * 1024**2


@dataclass(frozen=True)
class LayerContents:
    """One layer: entries in the tar's order, each path once; packages of its metadata files; bytes of its files.

    `notes` are sentences on metadata that could not be read: the packages are then not all there are. `imports` are of
    files outside the directories of a distribution or a runtime, each module with the first few files alone; `gaps`
    are sentences on what was left out of `elves`, `imports` and `marks` because there is too much of it. `facts_read`
    is False where the three are empty because the layer was read before Drydock kept them.
    """

    entries: Sequence[FileEntry]
    packages: tuple[Package, ...] = ()
    size_bytes: int = 0
    notes: tuple[str, ...] = ()
    elves: tuple[ElfFacts, ...] = ()
    imports: tuple[Import, ...] = ()
    marks: tuple[Mark, ...] = ()
    gaps: tuple[str, ...] = ()
    facts_read: bool = True
