"""One function with two versions and an alias in an AWS account of its own, known to Drydock; and its runs, driven."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from functions_app import clock
from functions_app.domain.runs import Kind, Status
from functions_app.models import Account, Function, Run
from functions_app.services.changes import deploy as deployments
from functions_app.services.engine import plans
from functions_app.services.engine.steps import RunKind, StepSpec, always
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.sync import run as sync
from functions_app.services.sync.refresh import refresh_function
from sandbox.images.making import Image
from tests.run_kinds import execute
from tests.sandbox.functions import REGION, Functions, python_image

DEADLINE_SECONDS = 30.0


def answering(text: str) -> str:
    """A handler that answers with this text."""
    return f'def handler(event, context):\n    return "{text}"\n'


@dataclass
class Stage:
    """The function `app`: version 1 (image "one") under the alias, and what a test pushes later."""

    functions: Functions
    account: Account
    function: Function
    actor: Actor
    alias: str = "staging"

    @property
    def name(self) -> str:
        """The function's name, and its repository's."""
        return self.function.name

    @property
    def api(self) -> Any:
        """Plain boto3 as somebody else would use it."""
        return self.functions.api

    def push(self, text: str, tag: str) -> str:
        """Push another image to the function's repository; gives the digest."""
        return self.functions.push(answering(text), f"{self.name}:{tag}")

    def sync(self) -> None:
        """Bring the snapshot up to date."""
        self.function = refresh_function(self.function)

    def sync_all(self) -> None:
        """A whole sync: repositories and images, too."""
        run = carry_out(sync.submit(SCHEDULE))
        assert run.status == Status.SUCCEEDED, log_of(run)
        self.function.refresh_from_db()

    def plan(self, image: str, alias: str = "", plan_id: UUID | None = None) -> Any:
        """Plan a deployment that must be possible."""
        made = deployments.plan(self.function, image, alias or self.alias, self.actor, plan_id)
        assert made.stored is not None, made.plan.checks
        return made.stored

    def confirm(self, stored: Any, typed: str = "") -> Run:
        """Apply a plan."""
        return plans.apply(stored.pk, self.actor, typed)

    def deploy(self, image: str, alias: str = "") -> Run:
        """Plan, confirm, carry out."""
        return carry_out(self.confirm(self.plan(image, alias)))

    def read_alias(self, name: str = "") -> tuple[str, dict[str, float]]:
        """The alias as AWS has it: version and weights."""
        found = self.api.get_alias(FunctionName=self.name, Name=name or self.alias)
        return found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    def versions(self) -> list[str]:
        """The published versions as AWS has them."""
        found = self.api.list_versions_by_function(FunctionName=self.name)["Versions"]
        return [version["Version"] for version in found if version["Version"] != "$LATEST"]

    def digest(self, qualifier: str = "$LATEST") -> str:
        """What AWS runs there."""
        return "sha256:" + str(self.functions.read(self.name, qualifier)["CodeSha256"])


def make_stage(
    functions: Functions, actor: Actor, name: str = "app", *, image: Image | None = None, **settings: Any
) -> Stage:
    """Deploy, publish, alias; tell Drydock of account and function."""
    functions.deploy(image or python_image(answering("one")), name, **settings)
    functions.publish(name)
    functions.settled(name, "1")
    functions.api.create_alias(FunctionName=name, Name="staging", FunctionVersion="1")
    number = functions.account
    account, _ = Account.objects.get_or_create(
        account_id=number,
        defaults={
            "name": f"account {number}",
            "regions": [REGION],
            "role_arn": f"arn:aws:iam::{number}:role/Drydock",
        },
    )
    now = clock.now()
    function = Function.objects.create(
        account=account,
        region=REGION,
        name=name,
        arn=f"arn:aws:lambda:{REGION}:{number}:function:{name}",
        architecture="x86_64",
        memory_mb=128,
        timeout_s=3,
        last_modified=now,
        revision_id="",
        digest="",
        synced_at=now,
    )
    return Stage(functions, account, refresh_function(function), actor)


def carry_out(run: Run, kinds: Mapping[Kind, RunKind] | None = None) -> Run:
    """Be the worker until the run has ended."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        execute(run, f"worker {time.monotonic_ns()}", kinds)
        run.refresh_from_db()
        if Status(run.status).ended:
            return run
        assert time.monotonic() < deadline, (
            f"{run}: {run.status}, {[(s.name, s.status, s.note) for s in run.steps.all()]}"
        )
        time.sleep(0.05)
        # The wait a step asked for need not be slept through.
        Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=run.created_at)


def with_step(kind: RunKind, before: str, step: StepSpec) -> dict[Kind, RunKind]:
    """The kind with one more step, so that something happens between two."""
    specs = kind.steps({})
    at = [spec.name for spec in specs].index(before)
    return {kind.kind: replace(kind, steps=always((*specs[:at], step, *specs[at:])))}


def taken_over_before(kind: RunKind, name: str) -> dict[Kind, RunKind]:
    """The kind whose worker is frozen as this step begins, and wakes when another has taken its run over."""

    def woken(spec: StepSpec) -> StepSpec:
        def action(context: Any) -> Any:
            Run.objects.filter(pk=context.run.pk).update(lease_until=clock.now() - timedelta(hours=1))
            execute(context.run, "another worker")
            return spec.action(context)

        return replace(spec, action=action)

    def steps(plan: dict[str, Any]) -> list[StepSpec]:
        return [woken(spec) if spec.name == name else spec for spec in kind.steps(plan)]

    return {kind.kind: replace(kind, steps=steps)}


def twice(kind: RunKind) -> dict[Kind, RunKind]:
    """The kind with every step done twice, as after a crash before the first one was noted."""

    def doubled(spec: StepSpec) -> StepSpec:
        def action(context: Any) -> Any:
            spec.action(context)
            return spec.action(context)

        return StepSpec(spec.name, spec.title, action, spec.undo, limit=spec.limit)

    return {kind.kind: replace(kind, steps=always(tuple(doubled(spec) for spec in kind.steps({}))))}


def log_of(run: Run) -> list[str]:
    """The run's log, texts alone."""
    return list(run.lines.values_list("text", flat=True))
