"""A table that is read in batches: which rows it has is settled at its first, and no more than a batch is in memory."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from functions_app.domain.csv_text import csv_text

BATCH = 500
Row = Sequence[object]


@dataclass(frozen=True)
class Table:
    """What it is called, what its columns are, and its rows, batch by batch."""

    name: str
    columns: tuple[str, ...]
    batches: Iterable[Sequence[Row]]

    def pieces(self) -> Iterator[bytes]:
        """The table as CSV: its head, then a piece for each batch."""
        yield csv_text([self.columns]).encode()
        for rows in self.batches:
            yield csv_text(rows).encode()


def in_batches(keys: QuerySet[Any, int], read: Callable[[list[int]], Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """The rows of these keys, in their order; the keys alone are in memory, of 8 bytes each."""
    known = array("q", keys.iterator(chunk_size=10_000))
    for start in range(0, len(known), BATCH):
        yield read(list(known[start : start + BATCH]))


def values(row: object, names: Iterable[str]) -> list[Any]:
    """These attributes of a row."""
    return [getattr(row, name) for name in names]
