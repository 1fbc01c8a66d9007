"""Thousands of watchers of one stream in one thread: each read is stamped at once and understood afterwards.

A watcher that parsed as it read would keep the others waiting, and the benchmark would measure itself.
"""

import re
import selectors
import socket
import time
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

STAMP = re.compile(rb"at=(\d+\.\d+) n=(\d+);")
END = b"event: eof\n"
CONNECT_AT_ONCE = 50


class Watchers:
    """Open streams, with what arrived on each and when. `failures` names those that were refused."""

    def __init__(self, port: int, path: str, cookie: str, count: int) -> None:
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
        self.failures: list[str] = []
        self.streams: list[list[tuple[float, bytes]]] = []
        self._known: dict[bytes, bytes] = {}  # all watchers get the same bytes: kept once
        self._selector = selectors.DefaultSelector()
        while len(self.streams) < count:
            self._open(port, min(CONNECT_AT_ONCE, count - len(self.streams)))

    def _open(self, port: int, count: int) -> None:
        connections = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(count)]
        for connection in connections:
            connection.sendall(self.request)
        for connection in connections:
            first = connection.recv(65536)
            if b" 200 " not in first[:20]:
                self.failures.append(first.partition(b"\r\n")[0].decode())
            stream = [(time.time(), first)]
            self.streams.append(stream)
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, stream)

    def watch(self, patience: float) -> None:
        """Read until every stream has ended; those that have not after `patience` seconds fail."""
        deadline = time.monotonic() + patience
        while self._selector.get_map():
            if time.monotonic() > deadline:
                self.failures.append(f"{len(self._selector.get_map())} streams did not end")
                return
            for key, _ in self._selector.select(timeout=1.0):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                data = connection.recv(65536)
                key.data.append((time.time(), self._known.setdefault(data, data)))
                if not data or END in data:
                    self._selector.unregister(connection)
                    connection.close()

    def understand(self, lines: int) -> list[float]:
        """The delay of each line on each stream in seconds; a stream that lost or doubled lines becomes a failure."""
        delays: list[float] = []
        for stream in self.streams:
            found = _stamps(stream)
            delays += [arrived - sent for _, sent, arrived in found]
            if [number for number, _, _ in found] != list(range(lines)):
                self.failures.append(f"{len(found)} lines, expected {lines}")
        return delays


def _stamps(stream: Sequence[tuple[float, bytes]]) -> list[tuple[int, float, float]]:
    """Number, time of the log call and time of arrival of every line."""
    ends = list(accumulate(len(data) for _, data in stream))
    return [
        (int(stamp[2]), float(stamp[1]), stream[bisect_left(ends, stamp.end())][0])
        for stamp in STAMP.finditer(b"".join(data for _, data in stream))
    ]
