"""The database of the last state (migration 0006), with rows as the code of that time wrote them, and the upgrade."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from functions_app import clock
from functions_app.domain.changes.deployments import short
from functions_app.domain.runs import Kind
from functions_app.models import Run
from functions_app.services.people.actor import Actor
from tests.services.changes.stage import Stage

APP, THEN = "functions_app", "0006_attempts"
STEPS = {
    Kind.DEPLOYMENT: {
        "check": "Check again",
        "update": "Update the code",
        "wait": "Wait for Lambda to take the image",
        "publish": "Publish a version",
        "alias": "Point the alias",
        "verify": "Read back and compare",
        "refresh": "Refresh the snapshot",
    },
    Kind.INVOCATION: {"check": "Read the function", "invoke": "Invoke", "answer": "Read the answer"},
    Kind.SYNC: {
        "read": "Read accounts and regions",
        "judge": "Judge the bases of new images",
        "summarise": "Bring the lists up to date",
    },
}
NOBODY = "the schedule"


# Statements that change nothing, or that a transaction of one's own stands for.
ASKED = ("SELECT", "PRAGMA", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")


@cache
def way_back() -> list[tuple[str, Any]]:
    """What `migrate` says to the database to bring it to the last state; it is learned by doing so.

    The same however often, for no migration reads rows on its way back: nearly all of the time that it takes is for
    Django's models of each state.
    """
    said: list[tuple[str, Any]] = []

    def hear(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        assert not many, sql
        if not sql.lstrip().startswith(ASKED):
            said.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(hear):
        call_command("migrate", APP, THEN, verbosity=0)
    return said


@cache
def models() -> Any:
    """The models of the last state."""
    return MigrationExecutor(connection).loader.project_state([(APP, THEN)]).apps


class LastState:
    """From its making until `upgrade` the database is the last state's, and today's models of runs do not fit it."""

    def __init__(self) -> None:
        said = way_back()
        if MigrationExecutor(connection).migration_plan([(APP, THEN)]):
            with connection.schema_editor() as schema:
                for sql, params in said:
                    schema.execute(sql, params)

    def model(self, name: str) -> Any:
        """A model as it was."""
        return models().get_model(APP, name)

    def plan(self, kind: Kind, frozen: Any, stage: Stage, *, payload: str = "", **facts: Any) -> Any:
        """A plan as `plans.make` stored it; confirmed, unless `applied_at` says otherwise."""
        body = {**frozen.as_json(), "title": frozen.title, "function_id": stage.function.pk}
        body["target"] = stage.function.arn
        if kind is not Kind.INVOCATION:
            body |= {"lock": stage.function.arn, "confirm": frozen.confirm}
        if payload:
            body["payload"] = payload
        now = clock.now()
        times = {"created_at": now, "expires_at": now + timedelta(minutes=10), "applied_at": now}
        maker = {"created_by_id": stage.actor.person and stage.actor.person.pk}
        return self.model("Plan").objects.create(kind=kind.value, body=body, **{**maker, **times, **facts})

    def run(self, plan: Any, stage: Stage, **facts: Any) -> Any:
        """The run that a plan became, as `runs.submit` stored it, with its audit entry."""
        body = {key: value for key, value in plan.body.items() if key != "payload"}
        of = {"function_id": stage.function.pk, "account_id": stage.account.pk, "lock": plan.body.get("lock", "")}
        return self.submitted(
            Kind(plan.kind), plan.body["title"], {**body, "plan_id": str(plan.pk)}, stage.actor, **{**of, **facts}
        )

    def submitted(self, kind: Kind, title: str, plan: dict[str, Any], actor: Actor | None, **facts: Any) -> Any:
        """A run as `runs.submit` stored it two hours ago; no actor is the schedule."""
        then, person = clock.now() - timedelta(hours=2), actor.person if actor else None
        who = {"actor_id": person and person.pk, "actor_name": person.username if person else "schedule"}
        times = {"created_at": then, "wake_at": then, "handed_out_at": then}
        run = self.model("Run").objects.create(
            kind=kind.value, title=title, plan=plan, **{"status": "queued", **who, **times, **facts}
        )
        for position, (name, words) in enumerate(STEPS[kind].items(), 1):
            run.steps.create(position=position, name=name, title=words, status="pending")
        if person:
            self.audited(f"{kind}.submit", f"run {run.pk} accepted", run=run, plan=plan, **who)
        return run

    def audited(self, action: str, result: str, **facts: Any) -> Any:
        """An entry as `access.audit` stored it."""
        return self.model("AuditEntry").objects.create(at=clock.now(), action=action, result=result, **facts)

    def store(self, run: Any, under_way: str, **facts: Any) -> None:
        """A worker came as far as this step and wrote so: the steps before it are done, its log has lines."""
        now, steps = clock.now(), list(run.steps.order_by("position"))
        for field, value in {"status": "running", "started_at": now, "wake_at": None, **facts}.items():
            setattr(run, field, value)
        for step in steps:
            run.lines.create(sequence=step.position, at=now, text=f"Step {step.position} of {len(steps)}: {step.title}")
            if step.name == under_way:
                status = "waiting" if run.status == "waiting" else "running"
                run.steps.filter(pk=step.pk).update(status=status, started_at=run.started_at)
                break
            run.steps.filter(pk=step.pk).update(status="done", started_at=now, ended_at=now)
        run.line_count = run.lines.count()
        run.save()

    def upgrade(self) -> None:
        """Bring the database to today, as `migrate` does."""
        call_command("migrate", verbosity=0)

    def today(self, run: Any) -> Run:
        """Upgrade; the run as today's code has it."""
        self.upgrade()
        return Run.objects.get(pk=run.pk)


DEAD = {"status": "running", "lease_owner": "host:1:1:dead"}


def deploying(run: Any, stage: Stage) -> Iterator[str]:
    """Do a deployment as the code of that time did, in AWS and in what the run has learned; stops after each write."""
    plan, memory, told, api, name = run.plan, run.memory, {}, stage.api, stage.name
    wanted, by = short(plan["to_digest"]), f"Drydock run {run.pk}, plan {plan['plan_id'][:8]}"

    def tell(sentence: str) -> None:
        told[sentence.partition(" ")[0]] = sentence
        run.result["told"] = [told[subject] for subject in ("Code", "Version", "Alias") if subject in told]

    yield "check"
    memory["checked"] = True
    tell("Alias staging was not moved.")
    yield "update"
    memory["update_sent"] = True
    tell(f"Code may or may not have been updated to {wanted} ($LATEST).")
    yield "update, and noted that it would ask"
    revision = plan["function_revision"]
    api.update_function_code(FunctionName=name, ImageUri=plan["image_uri"], RevisionId=revision)
    yield "update, and Lambda was asked"
    tell(f"Code updated to {wanted} ($LATEST).")
    yield "wait"
    memory["revision"] = stage.functions.read(name)["RevisionId"]
    yield "wait, for the second look"
    memory["revision"] = stage.functions.settled(name)["RevisionId"]
    yield "publish"
    tell("Version may or may not have been published.")
    guards = {"CodeSha256": plan["to_digest"][7:], "RevisionId": memory["revision"], "Description": by}
    version = api.publish_version(FunctionName=name, **guards)["Version"]
    yield "publish, and Lambda did"
    memory["version"] = run.result["version"] = version
    tell(f"Version {version} published.")
    yield "publish, and noted the version"
    stage.functions.settled(name, version)
    yield "alias"
    tell(f"Alias staging may or may not point to version {version} by now.")
    guards = {"FunctionVersion": version, "RevisionId": plan["before"]["revision_id"]}
    moved = api.update_alias(FunctionName=name, Name="staging", **guards)
    yield "alias, and Lambda did"
    memory["alias_revision"] = moved["RevisionId"]
    tell(f"Alias staging points to version {version}.")
    yield "verify"
    yield "refresh"


POINTS = (
    "check",
    "update",
    "update, and noted that it would ask",
    "update, and Lambda was asked",
    "wait",
    "wait, for the second look",
    "publish",
    "publish, and Lambda did",
    "publish, and noted the version",
    "alias",
    "alias, and Lambda did",
    "verify",
    "refresh",
)


@pytest.fixture
def last_state(transactional_db: None) -> Iterator[type[LastState]]:
    """Called, it makes the database of the last state; whatever happens then, the next test has today's."""
    del transactional_db
    yield LastState
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        # The upgrade failed, or was never made: rows must not hinder the next test.
        own = [table for table in connection.introspection.table_names() if table.startswith(f"{APP}_")]
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), own, allow_cascade=True))
        call_command("migrate", verbosity=0)
