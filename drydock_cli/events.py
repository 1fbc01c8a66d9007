"""Server-sent events, as the bytes of a stream come in (WHATWG HTML, 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One event; `identity` is what a stream goes on after."""

    name: str
    data: str
    identity: str


def events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """The events of a stream; one that is not whole is left out. Only line feeds end a line: so Drydock writes."""
    name, identity, data = "", "", list[str]()
    for line in _lines(chunks):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name, "\n".join(data), identity)
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            identity = value


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode(errors="replace")
