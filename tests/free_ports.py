"""Ports for servers of tests."""

import socket
from contextlib import suppress
from secrets import randbelow

FIRST, PAST = 10_000, 32_000


def free_port() -> int:
    """A loopback port that nobody listens on.

    It lies below those that outgoing connections are given (Linux: from 32,768 on), so that none of them has it when a
    server that was killed comes back to it.
    """
    while True:
        port = FIRST + randbelow(PAST - FIRST)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
