"""A patch of what is live while $LATEST is something else: it is lent, and given back to the last field."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist

from functions_app.aws import session
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code
from functions_app.domain.runs import Kind, Outcome, SignalKind, Status, StepStatus
from functions_app.models import AuditEntry, Plan, Run, RunStep
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching import steps as patch_steps
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.engine import plans, signals
from functions_app.services.engine.steps import Context, RunKind, StepSpec
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.run_kinds import execute
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.patching.patch_stage import PatchStage, make_patch_stage
from tests.services.changes.stage import carry_out, log_of

pytestmark = pytest.mark.django_db(transaction=True)

LIVE: dict[str, Any] = {
    "Timeout": 7,
    "MemorySize": 256,
    "Environment": {"Variables": {"STAGE": "live", "TOKEN": "hunter2-live"}},
    "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:1:dead"},
}
TRIED: dict[str, Any] = {
    "Timeout": 30,
    "Environment": {"Variables": {"STAGE": "tried", "TOKEN": "hunter2-tried"}},
    "DeadLetterConfig": {"TargetArn": ""},
    "ImageConfig": {"Command": ["app.other"]},
}
OTHER = "def handler(event, context):\n    return 'tried'\n"


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator, **LIVE)


def try_settings(stage: PatchStage) -> None:
    """Somebody tries another configuration on $LATEST."""
    stage.functions.configure(stage.name, Description="a trial", **TRIED)


def try_image(stage: PatchStage) -> None:
    """Somebody tries another image on $LATEST."""
    stage.functions.redeploy(python_image(OTHER), stage.name, "tried")


def try_both(stage: PatchStage) -> None:
    """And both."""
    try_settings(stage)
    try_image(stage)


def latest(stage: PatchStage) -> dict[str, Any]:
    """$LATEST as AWS tells it, but for what every update changes."""
    passing = ("RevisionId", "LastModified", "ResponseMetadata")
    return {name: value for name, value in stage.functions.settled(stage.name).items() if name not in passing}


def settings_of(stage: PatchStage, version: str) -> dict[str, Any]:
    """The configuration of a version."""
    own = ("Version", "FunctionArn", "CodeSha256", "Description", "ConfigSha256", "RevisionId", "LastModified")
    found = stage.functions.read(stage.name, version)
    return {name: value for name, value in found.items() if name not in (*own, "ResponseMetadata")}


def plan_kept(stage: PatchStage) -> Plan:
    """Plan so that $LATEST is left as it is; it must be possible."""
    if run := patching.reading_first(stage.function, "", stage.actor):
        carry_out(run)
    made = patching.plan(stage.function, stage.actor, keep_latest=True)
    assert made.stored is not None, [check for check in made.checks if check.ok is False]
    return made.stored


def confirm(stage: PatchStage) -> Run:
    """Plan, tick, confirm."""
    stored = plan_kept(stage)
    return plans.apply(stored.pk, stage.actor, "", [key for key, _ in stored.ticks])


def refused(stage: PatchStage, *, keep: bool = True) -> str:
    """Why it can't be planned."""
    if run := patching.reading_first(stage.function, "", stage.actor):
        carry_out(run)
    made = patching.plan(stage.function, stage.actor, keep_latest=keep)
    assert made.stored is None
    return " ".join(check.text for check in made.checks if check.ok is False)


def assert_patched(stage: PatchStage, run: Run) -> None:
    """The alias runs the patched image, configured as what was live."""
    assert run.status == Status.SUCCEEDED, log_of(run)
    version = run.result["version"]
    assert stage.read_alias() == (version, {})
    assert stage.digest(stage.alias) == PatchPlan.from_json(run.plan).to_digest
    assert settings_of(stage, version) == settings_of(stage, "1")


@pytest.mark.parametrize("tried", [try_settings, try_image, try_both])
def test_what_is_live_is_patched_and_latest_is_what_it_was(
    stage: PatchStage, tried: Callable[[PatchStage], None]
) -> None:
    tried(stage)
    before = latest(stage)

    run = carry_out(confirm(stage))

    assert_patched(stage, run)
    assert latest(stage) == before
    assert stage.answer(stage.alias) == "release 3 by app"
    assert run.result["told"][0] == f"Code: $LATEST is what it was before, by version {run.result['kept']}."


def test_values_of_variables_go_nowhere(stage: PatchStage) -> None:
    try_both(stage)
    run = carry_out(confirm(stage))
    everywhere = [
        *run.lines.values_list("text", flat=True),
        *(str(row) for row in Run.objects.values()),
        *(str(row) for row in RunStep.objects.values()),
        *(str(row) for row in Plan.objects.values()),
        *(str(row) for row in AuditEntry.objects.values()),
    ]
    assert [text for text in everywhere if "hunter2" in text] == []


class Test_the_plan:
    """What it says."""

    def test_names_each_field_that_differs_and_offers_to_leave_latest(self, stage: PatchStage) -> None:
        try_both(stage)
        if run := patching.reading_first(stage.function, "", stage.actor):
            carry_out(run)
        plan = patching.plan(stage.function, stage.actor).plan
        rows = {row.name: (row.before, row.after) for row in plan.differs}
        assert next(iter(rows)) == "Image"
        assert rows["Timeout"] == ("7 s", "30 s")
        assert rows["Variable STAGE"] == ("set", "changed")
        assert rows["Command"] == ("the image's own", '["app.other"]')
        assert plan.may_keep_latest

    def test_ships_the_configuration_that_is_live_and_asks_for_a_tick(self, stage: PatchStage) -> None:
        try_both(stage)
        stage.functions.api.create_alias(FunctionName=stage.name, Name="next", FunctionVersion="$LATEST")
        stage.sync()
        stored = plan_kept(stage)
        plan = PatchPlan.from_json(stored.body)
        assert plan.judgement.verdict.startswith("SAFE")
        assert not plan.judgement.differs
        assert not plan.may_keep_latest
        ((key, sentence),) = stored.ticks
        assert key == "latest"
        assert "or by next, which points to $LATEST" in sentence
        assert "not known to Drydock" in sentence
        assert plan.undo().endswith("$LATEST is not touched.")

    def test_is_an_ordinary_one_where_nothing_differs(self, stage: PatchStage) -> None:
        plan = PatchPlan.from_json(plan_kept(stage).body)
        assert (plan.kept, plan.differs) == (None, ())

    def test_says_that_passing_the_role_must_be_allowed(self, stage: PatchStage) -> None:
        role = f"arn:aws:iam::{stage.functions.account}:role/other"
        stage.functions.configure(stage.name, Role=role)
        plan = PatchPlan.from_json(plan_kept(stage).body)
        assert [check.text for check in plan.checks if check.name == "Role" and role in check.text] != []

    def test_is_refused_for_two_live_versions_that_differ(self, stage: PatchStage) -> None:
        stage.functions.configure(stage.name, Timeout=8)
        two = stage.functions.publish(stage.name)
        stage.functions.api.create_alias(FunctionName=stage.name, Name="qa", FunctionVersion=two)
        stage.sync()
        try_settings(stage)
        assert "configured otherwise than each other" in refused(stage)

    def test_is_refused_for_what_no_update_sets_back(self, stage: PatchStage) -> None:
        stage.functions.configure(stage.name, DurableConfig={"ExecutionTimeout": 60})
        assert "what no update sets back (DurableConfig)" in refused(stage)

    def test_is_refused_for_managed_instances(self, stage: PatchStage) -> None:
        provider = f"arn:aws:lambda:eu-west-1:{stage.functions.account}:capacity-provider:own"
        capacity = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": provider}}
        stage.functions.api.update_function_configuration(FunctionName=stage.name, CapacityProviderConfig=capacity)
        assert "Managed Instances" in refused(stage)

    def test_is_refused_where_aws_tells_no_environment(self, stage: PatchStage, aws: Sandbox) -> None:
        try_settings(stage)
        denied = {"ErrorCode": "AccessDeniedException", "Message": "no kms:Decrypt"}
        where = {"account": stage.functions.account, "region": stage.function.region, "name": stage.name}
        aws.admin("POST", "function-errors", where | {"errors": {"Environment": denied}})
        assert "What can't be read can't be given back" in refused(stage)

    def test_is_refused_where_the_image_of_latest_is_gone(self, stage: PatchStage) -> None:
        try_image(stage)
        stage.functions.ecr.batch_delete_image(repositoryName=stage.name, imageIds=[{"imageDigest": stage.digest()}])
        assert "The image of $LATEST could not be given back" in refused(stage)

    def test_is_refused_while_latest_is_being_updated(self, stage: PatchStage, clock: Any) -> None:
        with clock(update=60):
            stage.api.update_function_configuration(FunctionName=stage.name, Timeout=9)
        assert "could not be given back as it is" in refused(stage)


# Somebody else, failures and ends before the end


def meanwhile(before: str, act: Callable[[], object]) -> dict[Kind, RunKind]:
    """The kind of a patch where something happens just before a step, once."""

    def steps(plan: dict[str, Any]) -> Sequence[StepSpec]:
        return [_before(spec, act) if spec.name == before else spec for spec in patch_steps.steps(plan)]

    return {Kind.PATCH: RunKind(Kind.PATCH, steps)}


def _before(spec: StepSpec, act: Callable[[], object]) -> StepSpec:
    def action(context: Context) -> Outcome:
        if not context.shared.get("happened"):
            context.shared["happened"] = True
            act()
        return spec.action(context)

    return replace(spec, action=action)


class Test_somebody_else:
    """Changes $LATEST in between."""

    @pytest.mark.parametrize("step", ["keep", "update"])
    def test_before_anything_was_lent_nothing_is_touched(self, stage: PatchStage, step: str) -> None:
        try_settings(stage)
        run = carry_out(confirm(stage), meanwhile(step, lambda: stage.functions.configure(stage.name, Timeout=99)))
        assert run.status == Status.FAILED
        assert run.problem is not None
        assert run.problem["code"] == Code.CHANGED
        assert stage.read_alias() == ("1", {})
        assert latest(stage)["Timeout"] == 99

    def test_while_it_is_lent_no_version_is_published_of_it(self, stage: PatchStage) -> None:
        try_settings(stage)
        before = stage.versions()
        run = carry_out(confirm(stage), meanwhile("publish", lambda: stage.functions.configure(stage.name, Timeout=99)))
        assert run.status == Status.FAILED
        assert stage.read_alias() == ("1", {})
        assert stage.versions() == [*before, run.result["kept"]]
        assert latest(stage)["Timeout"] == 99
        assert "was left alone" in run.result["told"][0]
        assert "changed by somebody else since: Lend $LATEST" in run.result["summary"]

    def test_after_the_version_was_published_the_patch_stands_and_it_is_told(self, stage: PatchStage) -> None:
        try_settings(stage)
        changes = meanwhile("alias-0", lambda: stage.functions.configure(stage.name, Timeout=99))
        run = carry_out(confirm(stage), changes)
        assert_patched(stage, run)
        assert latest(stage)["Timeout"] == 99
        assert "was left alone: somebody changed it meanwhile" in run.result["told"][0]

    def test_who_only_describes_it_anew_is_no_hindrance(self, stage: PatchStage) -> None:
        try_settings(stage)
        changes = meanwhile("restore", lambda: stage.functions.configure(stage.name, Description="told anew"))
        run = carry_out(confirm(stage), changes)
        assert_patched(stage, run)
        assert latest(stage)["Timeout"] == 30
        assert latest(stage)["Description"] == "told anew"


def test_what_could_not_be_given_back_is_not_lent(stage: PatchStage, aws: Sandbox) -> None:
    own, other = (f"arn:aws:iam::{stage.functions.account}:role/{name}" for name in ("own", "other"))
    stage.functions.configure(stage.name, Role=own)
    two = stage.functions.publish(stage.name)
    stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion=two)
    stage.functions.configure(stage.name, Role=other)
    stage.sync()
    before = latest(stage)
    deny = {"Statement": [{"Effect": "Deny", "Action": "iam:PassRole", "Resource": other}]}
    for name, policies in (("Drydock", [deny]), ("Tests", [])):
        aws.admin("POST", "roles", {"account": stage.functions.account, "name": name, "policy": policies})
    session.forget()

    run = carry_out(confirm(stage))

    assert run.status == Status.FAILED
    assert run.problem is not None
    assert "iam:PassRole" in run.problem["message"]
    assert latest(stage) == before
    assert stage.read_alias() == (two, {})


class Test_what_ends_before_the_end:
    """Gives $LATEST back."""

    def test_a_failure_after_it_was_lent(self, stage: PatchStage) -> None:
        try_both(stage)
        before = latest(stage)

        def fail() -> None:
            raise ObjectDoesNotExist

        run = carry_out(confirm(stage), meanwhile("verify-0", fail))
        assert run.status == Status.FAILED
        assert stage.read_alias() == ("1", {})
        assert latest(stage) == before

    @pytest.mark.parametrize("step", ["publish", "alias-0", "restore"])
    def test_a_cancellation_after_it_was_lent(self, stage: PatchStage, step: str) -> None:
        try_both(stage)
        before, run = latest(stage), confirm(stage)
        previous = {"publish": "update", "alias-0": "publish", "restore": "verify-0"}[step]

        def cancel() -> None:
            signals.give(Run.objects.get(pk=run.pk), SignalKind.CANCEL, stage.actor)

        carry_out(run, meanwhile(previous, cancel))
        run.refresh_from_db()
        assert run.status == Status.CANCELLED, log_of(run)
        assert stage.read_alias() == ("1", {})
        assert latest(stage) == before


class Killed(BaseException):
    """The worker is gone."""


def dying(*, after: bool, undo: bool = False) -> dict[Kind, RunKind]:
    """The kind of a patch whose worker dies at every step: before it, or after what it did and before that is noted.

    Steps that are called more than once die at each of their first three calls. `undo`: the run fails at the end.
    """
    calls: Counter[str] = Counter()

    def mortal(name: str, act: Callable[[Context], Any]) -> Callable[[Context], Any]:
        def action(context: Context) -> Any:
            calls[name] += 1
            dies = calls[name] in (1, 3, 5)
            if dies and not after:
                raise Killed
            outcome = act(context)
            if dies:
                raise Killed
            return outcome

        return action

    def fail(context: Context) -> Outcome:
        raise ObjectDoesNotExist

    def steps(plan: dict[str, Any]) -> Sequence[StepSpec]:
        return [
            replace(
                spec,
                action=fail if undo and spec.name == "restore" else mortal(spec.name, spec.action),
                undo=mortal(f"undo {spec.name}", spec.undo) if spec.undo else None,
            )
            for spec in patch_steps.steps(plan)
        ]

    return {Kind.PATCH: RunKind(Kind.PATCH, steps)}


def carry_on(run: Run, kinds: dict[Kind, RunKind]) -> Run:
    """One worker after the other, each of which may die."""
    for number in range(400):
        try:
            execute(run, f"worker {number}", kinds)
        except Killed:
            Run.objects.filter(pk=run.pk).update(lease_until=run.created_at)
        run.refresh_from_db()
        if Status(run.status).ended:
            return run
        Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=run.created_at)
        Run.objects.filter(pk=run.pk, status=Status.UNDOING, lease_owner="").update(lease_until=run.created_at)
    raise AssertionError(log_of(run))


class Test_workers_that_die:
    """Before and after every step, and in the middle of those that take several calls."""

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_leave_what_one_that_lives_would_have_left(self, stage: PatchStage, *, after: bool) -> None:
        try_both(stage)
        before, versions = latest(stage), stage.versions()
        run = carry_on(confirm(stage), dying(after=after))
        assert_patched(stage, run)
        assert latest(stage) == before
        assert stage.versions() == [*versions, run.result["kept"], run.result["version"]]

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_give_back_what_was_lent_to_a_patch_that_fails(self, stage: PatchStage, *, after: bool) -> None:
        try_both(stage)
        before = latest(stage)
        run = carry_on(confirm(stage), dying(after=after, undo=True))
        assert run.status == Status.FAILED
        assert run.steps.get(name="update").status == StepStatus.UNDONE
        assert stage.read_alias() == ("1", {})
        assert latest(stage) == before


def test_an_undo_takes_the_alias_back_and_leaves_latest_alone(stage: PatchStage) -> None:
    try_both(stage)
    run = carry_out(confirm(stage))
    before = latest(stage)
    made = undoing.plan(run, stage.actor)
    assert made.stored is not None, made.checks
    assert not made.plan.gives_back
    undone = carry_out(stage.confirm(made.stored))
    assert undone.status == Status.SUCCEEDED, log_of(undone)
    assert stage.read_alias() == ("1", {})
    assert latest(stage) == before
