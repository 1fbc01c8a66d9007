"""schemathesis as a process: how it is set up, how long it may take, what it says."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.contract import hooks
from tests.fuzz.running import SEED
from tests.processes import ROOT

SECONDS = float(os.environ.get("CONTRACT_SECONDS", "180"))
PATIENCE = 60.0  # seconds more that it has to tell what it found
SAME = 20261129  # the seed of `make test`
EXAMPLES = 30  # of each endpoint, of each kind of them
# Beside those that it expects by itself: what is written well may mean what can't be.
REJECTED = ["400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx"]  # as it has them
# 423 is kept for a freeze, which campaigns bring: nothing answers it yet. What another change holds is 409, for that
# passes by itself.
REFUSALS = ["400", "410", "412", "413", "422", "423"]


ENDED, BROKEN_OFF = 0, 130  # how it ends that found nothing: by itself, or because its time was over


@dataclass(frozen=True)
class Outcome:
    """What came of it: how it ended, what it found by its own report, which operations were answered, what it said."""

    code: int
    found: tuple[str, ...]
    answered: frozenset[str]
    output: str

    @property
    def clean(self) -> bool:
        """Whether it asked, and found nothing wrong until its time was over."""
        return self.code in (ENDED, BROKEN_OFF) and not self.found


def ask(url: str, token: str, token_id: int, known: Mapping[str, Sequence[Any]], folder: Path) -> Outcome:
    """Ask the server at `url` everything; `known` are values of parameters and members that name something there."""
    settings, report, answered = (folder / name for name in ("schemathesis.toml", "report.json", "answered"))
    answered.touch()
    settings.write_text(_settings(known))
    given = os.environ.get(SEED, "")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"]
    command += [f"{url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}", "--checks", "all"]
    command += ["--seed", given or str(SAME), "--generation-database", "none", "--no-color"]
    command += ["--request-timeout", "60", "--max-failures", "20", "--output-sanitize", "false"]
    command += ["--suppress-health-check", "all", "--report-json-path", str(report)]  # of its own speed
    # Another seed each time goes on for as long as there is time; the same each time asks the same, and then ends.
    command += ["--max-time", str(int(SECONDS))] if given else ["--max-examples", str(EXAMPLES)]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": hooks.__name__,
        hooks.OWN: str(token_id),
        hooks.ANSWERED: str(answered),
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # what begins in a background ignores it
    ) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS + (PATIENCE if given else 0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                output, _ = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                output, _ = process.communicate()
    told = json.loads(report.read_text()) if report.exists() else {"failures": [], "errors": []}
    found = tuple(each["title"] for each in (*told["failures"], *told["errors"]))
    return Outcome(process.returncode, found, frozenset(answered.read_text().splitlines()), output)


def _settings(known: Mapping[str, Sequence[Any]]) -> str:
    """schemathesis.toml: what it may expect, and words that mean something to the server."""
    lines = [
        "max-stream-events = 1",
        "[cache]",
        "enabled = false",
        f"[checks.negative_data_rejection]\nexpected-statuses = {json.dumps(sorted({*REJECTED, *REFUSALS}))}",
        "[checks.positive_data_acceptance]",
    ]
    lines += [
        f"expected-statuses = {json.dumps(['2xx', '3xx', '401', '403', '404', '409', '429', '502', '503', *REFUSALS])}"
    ]
    lines += [
        "[dictionaries]",
        *(f"{json.dumps(name)} = {{ values = {json.dumps(list(values))} }}" for name, values in known.items()),
    ]
    lines += [
        "[parameters]",
        *(f"{json.dumps(name)} = {{ dictionary = {json.dumps(name)}, probability = 0.6 }}" for name in known),
    ]
    return "\n".join(lines) + "\n"
