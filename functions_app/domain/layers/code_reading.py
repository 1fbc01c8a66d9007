"""What the code in a layer needs, gathered while its tar streams by: ELF files, imports, extended attributes.

One file at a time is kept: up to 8 MB in memory, a larger ELF file in a temporary one.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import IO

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.elf_reader import MAGIC, read_elf
from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.entries import Import, Limits, Mark
from functions_app.domain.layers.imports import SourceReader, source_reader_of
from functions_app.domain.text import visible

MEGABYTE = 1024**2
IN_MEMORY, ELF_BYTES = 8 * MEGABYTE, 64 * MEGABYTE
ELF_READS = 20_000  # of one file; large libraries take some 700
PATHS = 3  # of which it is kept that they import a module
_ATTRIBUTE = "SCHILY.xattr."  # the PAX records that containerd and Docker unpack
_OBJECT = 100  # bytes of memory that a small object takes beside its texts


class CodeReading:
    """What was found so far, within the limits of a layer."""

    def __init__(self, limits: Limits, watch: Callable[[], None]) -> None:
        self.elves: dict[str, ElfFacts] = {}
        self.gaps: list[str] = []
        self._paths: dict[str, list[str]] = {}  # of each module the first that import it
        self._importing: dict[str, list[str]] = {}  # the other way round
        self._marks: dict[str, tuple[str, ...]] = {}
        self._limits, self._watch = limits, watch
        self._held, self._reads, self._sources = 0, 0, 0
        self._sight: Sight | None = None

    @property
    def imports(self) -> tuple[Import, ...]:
        """Each module with the first paths that import it."""
        return tuple(Import(path, module) for module, paths in self._paths.items() for path in paths)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Each path with each of its extended attributes."""
        return tuple(Mark(path, name) for path, names in self._marks.items() for name in names)

    def replace(self, path: str, records: Mapping[str, str]) -> None:
        """An entry has this path now, and these PAX records: what was known of one before it is gone."""
        self.elves.pop(path, None)
        self._marks.pop(path, None)
        for module in self._importing.pop(path, ()):
            self._paths[module].remove(path)
        if not records:
            return
        names = [visible(key[len(_ATTRIBUTE) :], 255) for key in records if key.startswith(_ATTRIBUTE)]
        if names and self._holds(path, *names):
            self._marks[path] = tuple(names)

    def sight(self, path: str, size: int, head: bytes) -> "Sight | None":
        """What takes the pieces of a file that begins so, and its end; None for a file that needs no reading."""
        self._sight = None
        if head.startswith(MAGIC):
            if size <= ELF_BYTES:
                file = io.BytesIO() if size <= IN_MEMORY else _temporary()
                self._sight = Sight(file, size, lambda: self._read_elf(path, file))
            else:
                self._keep(ElfFacts(path, problem=f"not read: it has {size:,} bytes"))
        elif reader := source_reader_of(path):
            source = io.BytesIO()
            self._sight = Sight(source, reader.limit, lambda: self._read_source(path, source.getvalue(), reader))
        return self._sight

    def close(self) -> None:
        """Let go of the file that was seen last."""
        if self._sight:
            self._sight.close()

    def _read_elf(self, path: str, file: IO[bytes]) -> None:
        left = self._limits.elf_reads - self._reads
        if left <= 0:
            self._gap("Its programs and shared libraries take too many reads: not all are known.")
            return
        effort = Effort(self._watch, min(ELF_READS, left))
        facts = read_elf(file, path, effort)
        self._reads += effort.taken
        if facts:
            self._keep(facts)

    def _read_source(self, path: str, data: bytes, reader: SourceReader) -> None:
        self._sources += len(data)
        if self._sources > self._limits.source_bytes:
            self._gap(f"It has more than {self._limits.source_bytes:,} bytes of source code: not all was read.")
            return
        for module in reader.modules(data):
            paths = self._paths.get(module, [])
            if len(paths) < PATHS and path not in paths and self._holds(path, module):
                self._paths.setdefault(module, paths).append(path)
                self._importing.setdefault(path, []).append(module)

    def _keep(self, facts: ElfFacts) -> None:
        if self._holds(size=facts.held_bytes):
            self.elves[facts.path] = facts

    def _holds(self, *texts: str, size: int = _OBJECT) -> bool:
        """Whether there is room for one thing more, which then is taken."""
        size += sum(map(sys.getsizeof, texts))
        if self._held + size > self._limits.facts_bytes:
            self._gap(f"What its code needs takes more than {self._limits.facts_bytes:,} bytes: not all is known.")
            return False
        self._held += size
        return True

    def _gap(self, text: str) -> None:
        if text not in self.gaps:
            self.gaps.append(text)


class Sight:
    """One file as it streams by, of which so many bytes are kept until it is read."""

    def __init__(self, file: IO[bytes], size: int, read: Callable[[], None]) -> None:
        self._file, self._left, self._read = file, size, read

    def take(self, chunk: bytes) -> None:
        """The next bytes of the file. Raises DrydockError(FAILED) where a temporary file can't be written."""
        if self._left:
            try:
                self._left -= self._file.write(chunk[: self._left])
                self._file.flush()
            except OSError as error:
                raise _no_room(error) from error

    def end(self) -> None:
        """The file was seen to its end."""
        self._read()
        self.close()

    def close(self) -> None:
        """Let go of what was kept."""
        self._file.close()


def _temporary() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(prefix="drydock-elf-")
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> DrydockError:
    return DrydockError(
        Code.FAILED,
        f"A program of the layer can't be kept for reading in {tempfile.gettempdir()}: {error.strerror}.",
        next_step=f"Give the directory for temporary files room for {ELF_BYTES:,} bytes, or name another in TMPDIR; "
        "then read again.",
    )
