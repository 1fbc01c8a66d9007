"""The work that goes on while things break: deploys, rollbacks, patches, undos, invocations, syncs, and what is to
come of each.
"""

import json
import random
import uuid
from contextlib import suppress
from dataclasses import dataclass

from functions_app.domain.changes.invocations import Mode
from functions_app.domain.errors import DrydockError
from functions_app.models import Run
from functions_app.services.changes import invoke, roll_back
from functions_app.services.engine import plans
from functions_app.services.people.actor import SCHEDULE
from functions_app.services.sync import run as sync
from tests.chaos.patches import Patch, Patching
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.stage import Stage, make_stage

CALLED = "called"
CHATTY = """
def handler(event, context):
    print("called " + event["token"], flush=True)
    for number in range(event["lines"]):
        print(f"line {number}", flush=True)
    return event["token"]
"""


@dataclass(frozen=True)
class Change:
    """A run that moves an alias. Digests are "sha256:..."."""

    run: Run
    stage: Stage
    before: str
    planned: str


@dataclass(frozen=True)
class Call:
    """A run that invokes; its function prints the token."""

    run: Run
    token: str


@dataclass(frozen=True)
class Round:
    """What was begun at one time."""

    changes: list[Change]
    patches: list[Patch]
    calls: list[Call]
    others: list[Run]

    @property
    def runs(self) -> list[Run]:
        """All of them."""
        changed = [*(one.run for one in self.changes), *(one.run for one in self.patches)]
        return [*changed, *(one.run for one in self.calls), *self.others]


class Work:
    """Some functions with two images each, one on an old base, and one to call."""

    def __init__(self, functions: Functions, sandbox: Sandbox, actor: object, names: tuple[str, ...]) -> None:
        self._patching = Patching(functions, sandbox, actor)
        self.stages = [make_stage(functions, actor, name) for name in names]  # type: ignore[arg-type]
        self._digests = {
            stage.name: {"1": stage.digest("staging"), "2": stage.push("two", "2"), "3": stage.push("three", "3")}
            for stage in self.stages
        }
        self.called = make_stage(functions, actor, CALLED)  # type: ignore[arg-type]
        functions.redeploy(python_image(CHATTY), CALLED)
        functions.configure(CALLED, Timeout=60)

    def begin(self, chance: random.Random, calls: int) -> Round:
        """A change of each function, some calls and a sync. Whatever is to be chosen, `chance` does."""
        changes = [self._change(stage, chance) for stage in self.stages]
        patches = [self._patching.begin()]
        others: list[Run] = []
        with suppress(DrydockError):  # one is under way
            others.append(sync.submit(SCHEDULE))
        return Round(changes, patches, [self._call(chance) for _ in range(calls)], others)

    def printed(self) -> list[str]:
        """All that the called function has printed, line by line; none while there is no log group."""
        logs = self.called.functions.logs
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{CALLED}"))
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [line for page in pages for event in page["events"] for line in event["message"].splitlines()]

    def _change(self, stage: Stage, chance: random.Random) -> Change:
        stage.sync()
        before = stage.digest("staging")
        version = stage.read_alias()[0]
        older = [number for number in stage.versions() if number != version]
        if older and chance.random() < 0.3:
            number = chance.choice(older)
            made = roll_back.plan(stage.function, "staging", number, stage.actor)
            if made.stored is not None:
                ticks = [key for key, _ in made.stored.ticks]
                run = plans.apply(made.stored.pk, stage.actor, made.stored.confirmation, ticks)
                return Change(run, stage, before, stage.digest(number))
        digests = self._digests[stage.name]
        tag = chance.choice([tag for tag, digest in digests.items() if digest != before])
        stored = stage.plan(tag)
        ticks = [key for key, _ in stored.ticks]
        return Change(plans.apply(stored.pk, stage.actor, stored.confirmation, ticks), stage, before, digests[tag])

    def _call(self, chance: random.Random) -> Call:
        token = uuid.UUID(int=chance.getrandbits(128)).hex
        payload = json.dumps({"token": token, "lines": chance.choice((0, 5, 400))})
        return Call(invoke.submit(self.called.function, "$LATEST", payload, Mode.SYNC, self.called.actor), token)
