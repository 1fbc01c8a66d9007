"""Which modules the code in a layer imports: `import` and `from` of Python, `require`, `import` and `from` of Node.

By patterns, not by a parser: Python's own takes more than a hundred times as long, and sources made for it end the
process. So what looks like a statement in a text counts too. Relative imports are the app's own and are left out.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MEGABYTE = 1024**2
_DISTRIBUTION = re.compile(
    r"(?:bin|boot|etc|lib|lib32|lib64|sbin|var/lang|var/runtime"
    r"|usr/(?:bin|include|lib|lib32|lib64|libexec|local|sbin|share))/"
)
_LINE = 200  # bytes before the word within which its line has to begin
_PYTHON = re.compile(
    rb"[ \t]*(?:from[ \t]+([A-Za-z_]\w{0,99})(?![\w\x80-\xff])|import[ \t]+([A-Za-z_][\w., \t\x80-\xff]{0,300}))"
)
_MODULE = re.compile(rb"[ \t]*([A-Za-z_]\w{0,99})(?![\w\x80-\xff])")
_NODE = re.compile(
    rb"""(?:\brequire\s{0,9}\(|\bimport\s{0,9}\(?|\bfrom)\s{0,9}(["'])((?:@[\w.~-]{1,99}/)?\w[\w.~-]{0,199})(?:/[^"'\n]{0,200})?\1"""
)


@dataclass(frozen=True)
class SourceReader:
    """How to read a file of source code: of one longer than `limit` bytes the beginning will do."""

    limit: int
    modules: Callable[[bytes], Iterator[str]]


def source_reader_of(path: str) -> SourceReader | None:
    """The reader for the file at this path; None for one that is no source, or is a distribution's or a runtime's."""
    reader = _BY_SUFFIX.get(path[path.rfind(".") :])
    return reader if reader and not _DISTRIBUTION.match(path) else None


def _python(data: bytes) -> Iterator[str]:
    at = 0
    while (at := data.find(b"import", at)) >= 0:  # in every such statement, and found at once
        line = data.rfind(b"\n", max(0, at - _LINE), at) + 1
        if found := _PYTHON.match(data, line):
            for name in [found[1]] if found[1] else found[2].split(b","):
                if module := _MODULE.match(name):
                    yield module[1].decode("ascii")
        at = data.find(b"\n", at)
        if at < 0:
            return


def _node(data: bytes) -> Iterator[str]:
    for found in _NODE.finditer(data):
        yield found[2].decode("ascii", "replace")


_PYTHON_READER, _NODE_READER = (
    SourceReader(MEGABYTE, _python),
    SourceReader(8 * MEGABYTE, _node),
)  # bundles are one file
_BY_SUFFIX = {".py": _PYTHON_READER, ".js": _NODE_READER, ".mjs": _NODE_READER, ".cjs": _NODE_READER}
