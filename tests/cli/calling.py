"""The command line, called in this process: what it writes where, and how it ends."""

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

from drydock_cli.main import main

TOKEN = "ddk_" + "a" * 38


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which is one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Caller:
    """A shell with this environment."""

    environment: Mapping[str, str]

    def __call__(self, *words: str, typed: str = "", **variables: str) -> Said:
        """Call `drydock` with these words; `typed` is its standard input."""
        out, err = io.StringIO(), io.StringIO()
        # mocked: standard input belongs to pytest, and a process for each command would take most of the time
        with redirect_stdout(out), redirect_stderr(err), mock.patch("sys.stdin", io.StringIO(typed)):
            try:
                code = main(words, {**self.environment, **variables})
            except SystemExit as ended:  # argparse's
                code = int(ended.code or 0)
        return Said(code, out.getvalue(), err.getvalue())


def at(url: str, home: str, token: str = TOKEN) -> Caller:
    """A shell that is set up for this server."""
    return Caller({"DRYDOCK_URL": url, "DRYDOCK_TOKEN": token, "HOME": home})
