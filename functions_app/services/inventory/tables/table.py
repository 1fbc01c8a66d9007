"""A table that is read in batches: which rows it has is settled at its first, and no more than a batch is in memory."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.db.models import QuerySet

from functions_app.domain.csv_text import csv_text
from functions_app.domain.json_text import json_rows

BATCH = 500
Key = TypeVar("Key")
Row = Sequence[object]


class Form(StrEnum):
    """How a table is written."""

    CSV = "csv"
    JSON = "json"

    @property
    def content_type(self) -> str:
        """As HTTP has it."""
        return "text/csv; charset=utf-8" if self is Form.CSV else "application/json"


@dataclass(frozen=True)
class Table:
    """What it is called, what its columns are, and its rows, batch by batch."""

    name: str
    columns: tuple[str, ...]
    batches: Iterable[Sequence[Row]]

    def pieces(self, form: Form) -> Iterator[bytes]:
        """The table written so, a piece for each batch; none is empty."""
        filled = (rows for rows in self.batches if rows)
        return self._json(filled) if form is Form.JSON else self._csv(filled)

    def _csv(self, batches: Iterable[Sequence[Row]]) -> Iterator[bytes]:
        yield csv_text([self.columns]).encode()
        for rows in batches:
            yield csv_text(rows).encode()

    def _json(self, batches: Iterable[Sequence[Row]]) -> Iterator[bytes]:
        between = ""
        yield b"["
        for rows in batches:
            yield (between + json_rows(self.columns, rows)).encode()
            between = ","
        yield b"\n]\n"


def in_batches(keys: QuerySet[Any, int], read: Callable[[list[int]], Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """The rows of these keys, in their order; the keys alone are in memory, of 8 bytes each."""
    yield from batched(array("q", keys.iterator(chunk_size=10_000)), read)


def batched(known: Sequence[Key], read: Callable[[list[Key]], Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """The same of keys that are known already."""
    for start in range(0, len(known), BATCH):
        yield read(list(known[start : start + BATCH]))


def values(row: object, names: Iterable[str]) -> list[Any]:
    """These attributes of a row."""
    return [getattr(row, name) for name in names]
