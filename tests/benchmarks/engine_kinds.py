"""The product's kinds of runs, but a deployment's only step notes when and where it began, and asks no AWS."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from functions_app.domain.runs import Done, Kind, Outcome, Queue
from functions_app.services import kinds
from functions_app.services.engine.steps import Context, RunKind, StepSpec, always

PATIENCE = 90.0  # seconds that a step waits at most


class Beginning(NamedTuple):
    """One call of a step: when (seconds since the epoch), and in which process."""

    at: float
    process: int


def beginnings(folder: Path, run_id: int) -> list[Beginning]:
    """The calls of the step of this run so far; it was stored as running before each."""
    file = folder / f"{run_id}.begun"
    lines = file.read_text().splitlines() if file.exists() else []
    return [Beginning(float(at), int(process)) for at, process in map(str.split, lines)]


def let_go(folder: Path, run_id: int) -> None:
    """Let the step of this run end."""
    (folder / f"{run_id}.go").touch()


def _deploy(context: Context) -> Outcome:
    """Note the beginning; where the plan says so, block as a slow call would."""
    folder = Path(context.plan["folder"])
    with (folder / f"{context.run.pk}.begun").open("a") as file:
        file.write(f"{time.time()} {os.getpid()}\n")  # in one write: whoever reads sees whole lines
    deadline = time.monotonic() + PATIENCE
    go = folder / f"{context.run.pk}.go"
    while context.plan["block"] and not go.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return Done()


KINDS: Mapping[Kind, RunKind] = {
    **kinds.KINDS,
    Kind.DEPLOYMENT: RunKind(Kind.DEPLOYMENT, always([StepSpec("deploy", "Deploy", _deploy)]), Queue.CHANGES),
}
