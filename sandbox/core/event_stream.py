"""AWS's event stream encoding: length-prefixed messages with headers and two checksums.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

_STRING = 7


def event(kind: str, payload: bytes, content_type: str = "application/json") -> bytes:
    """An event of this type."""
    return _message({":event-type": kind, ":content-type": content_type, ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes, content_type: str = "application/json") -> bytes:
    """A modelled exception; it is a stream's last message."""
    return _message({":exception-type": kind, ":content-type": content_type, ":message-type": "exception"}, payload)


def _message(headers: Mapping[str, str], payload: bytes) -> bytes:
    fields = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(fields) + len(payload), len(fields))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + fields + payload
    return message + struct.pack("!I", zlib.crc32(message))
