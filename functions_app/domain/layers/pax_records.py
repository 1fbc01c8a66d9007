"""Refuse PAX records over which tarfile would take for ever: before CPython 3.11.10 its patterns are quadratic
(CVE-2024-6232), and keywords longer than their record fill the memory. Source: POSIX.1-2017, pax, "Extended Header".
"""

import re
import tarfile

DIGITS = 128  # in a row: tarfile searches once more from each of them; who names a file so?
_START = re.compile(rb"([0-9]{1,7}) ")
_DIGITS = re.compile(rb"[0-9]{%d}" % (DIGITS + 1))


def check(data: bytes) -> None:
    """Check the records of one header, without its padding. Raises tarfile.InvalidHeaderError."""
    at = 0
    while at < len(data):
        start = _START.match(data, at)
        end = at + int(start[1]) if start else 0
        if start is None or not start.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise _invalid("a PAX record is not as long as it says")
        if data.find(b"=", start.end(), end) <= start.end():
            raise _invalid("a PAX record has no keyword")
        at = end
    if _DIGITS.search(data):
        raise _invalid(f"a PAX record has more than {DIGITS} digits in a row")


def _invalid(why: str) -> Exception:
    return tarfile.InvalidHeaderError(why)  # type: ignore[attr-defined, no-any-return]  # typeshed has only its parent
