"""The processes that are served: the Procfile's, with what they stand on."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from dashboard.env import ROOT, Environment

LINE = re.compile(r"^([\w-]+):\s*(\S.*)$", re.MULTILINE)
# Seconds that work under way has to come to its end. A run whose worker is killed is taken over by the next one; an
# invocation, which takes up to 15 minutes, would be of unknown outcome.
PATIENCE = {"invocations": 960, "changes": 60, "reading": 20}
LEAST_PATIENCE = 10


@dataclass(frozen=True)
class Program:
    """A process to keep alive, by the line of a shell that starts it."""

    name: str
    command: str
    patience: int = LEAST_PATIENCE  # seconds between SIGTERM and SIGKILL
    beneath: bool = False  # the others stand on it: it starts before them, and ends after them


def of_procfile(path: Path = ROOT / "Procfile") -> list[Program]:
    """Each line of the Procfile."""
    found = LINE.findall(path.read_text(encoding="utf-8"))
    return [Program(name, command, PATIENCE.get(name, LEAST_PATIENCE)) for name, command in found]


def of_installation(environment: Environment) -> list[Program]:
    """The Procfile's, and the embedded Valkey where no Redis is configured."""
    valkey = Program("valkey", f"'{sys.executable}' -m dashboard.broker", beneath=True)
    return [*([valkey] if environment.embedded_redis else []), *of_procfile()]
