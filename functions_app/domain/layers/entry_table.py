"""Entries of a layer as columns of bytes: 400,000 objects take 150 MB and more, columns a third of that."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from functions_app.domain.layers.entries import FILE_KINDS, FileEntry

DIGEST = 32  # bytes
_CODES = {kind: code for code, kind in enumerate(FILE_KINDS)}
_GONE = 0xFF  # the kind of a row that a later one of its path replaced
_GROUPS = {_CODES["whiteout"]: 1, _CODES["opaque"]: 2}  # each path once in each: a whiteout and a file may share one


class EntryTable(Sequence[FileEntry]):
    """Entries in the order they were put; of a path the last one counts, and comes last.

    What hides a path is another entry than what has it. Objects are made as one looks at them.
    """

    def __init__(self) -> None:
        self.names = bytearray()  # of each row its path and its link, both in UTF-8
        self.links = array("I")  # where the link of a row begins
        self.ends = array("I")  # and where it ends
        self.kinds = bytearray()
        self.modes = array("H")
        self.sizes = array("Q")
        self.marks = bytearray()  # whether there is a digest
        self.digests = bytearray()
        self.gone = 0
        self._slots = array("I", bytes(4 * 1024))  # by the hash of a path: its row and one; 0 is free

    @classmethod
    def of(cls, entries: Iterable[FileEntry]) -> "EntryTable":
        """These entries, as they are."""
        table = cls()
        for entry in entries:
            table.append(entry)
        return table

    def append(self, entry: FileEntry) -> None:
        """Put an entry at the end, whatever was before. Raises ValueError for text that is no UTF-8."""
        self.names += entry.path.encode()
        self.links.append(len(self.names))
        self.names += entry.link.encode()
        self.ends.append(len(self.names))
        self.kinds.append(_CODES[entry.kind])
        self.modes.append(entry.mode)
        self.sizes.append(entry.size)
        self.marks.append(bool(entry.digest))
        self.digests += bytes.fromhex(entry.digest) if entry.digest else bytes(DIGEST)

    def put(self, entry: FileEntry) -> None:
        """Put an entry at the end, in place of one before that has its path."""
        if 3 * (len(self.kinds) + 1) > 2 * len(self._slots):
            self._widen()
        slot, row = self._find(entry.path.encode(), _GROUPS.get(_CODES[entry.kind], 0))
        if row is not None:
            self.kinds[row] = _GONE
            self.gone += 1
        self.append(entry)
        self._slots[slot] = len(self.kinds)

    def _find(self, path: bytes, group: int) -> tuple[int, int | None]:
        """The slot of a path, and its row where there is one. The hash has a key of the process: none can aim at it."""
        mask = len(self._slots) - 1
        slot = hash((path, group)) & mask
        while taken := self._slots[slot]:
            row = taken - 1
            if self._group(row) == group and self.path(row) == path:
                return slot, row
            slot = (slot + 1) & mask
        return slot, None

    def _widen(self) -> None:
        self._slots = array("I", bytes(4 * 4 * len(self._slots)))
        for row in self.rows():
            slot, _ = self._find(bytes(self.path(row)), self._group(row))
            self._slots[slot] = row + 1

    def _group(self, row: int) -> int:
        return _GROUPS.get(self.kinds[row], 0)

    def _start(self, row: int) -> int:
        return self.ends[row - 1] if row else 0

    def rows(self) -> Iterator[int]:
        """The numbers of the rows that count, in order."""
        return (row for row, kind in enumerate(self.kinds) if kind != _GONE)

    def path(self, row: int) -> bytearray:
        """In UTF-8."""
        return self.names[self._start(row) : self.links[row]]

    def link(self, row: int) -> bytearray:
        """In UTF-8."""
        return self.names[self.links[row] : self.ends[row]]

    def digest(self, row: int) -> bytearray:
        """Its bytes, none where there is no digest."""
        return self.digests[DIGEST * row : DIGEST * (row + 1)] if self.marks[row] else bytearray()

    def __len__(self) -> int:
        return len(self.kinds) - self.gone

    def __iter__(self) -> Iterator[FileEntry]:
        return map(self._entry, self.rows())

    def _entry(self, row: int) -> FileEntry:
        path, link = self.path(row).decode(), self.link(row).decode()
        kind = FILE_KINDS[self.kinds[row]]
        return FileEntry(path, kind, self.sizes[row], self.digest(row).hex(), link, self.modes[row])

    @overload
    def __getitem__(self, index: int) -> FileEntry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[FileEntry, ...]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """One entry, or some; all are looked through for it."""
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        """Whether the other one has the same entries in the same order; it may be a tuple."""
        if not isinstance(other, EntryTable | tuple):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it grows
