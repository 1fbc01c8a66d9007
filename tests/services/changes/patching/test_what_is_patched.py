"""What a patch is of: several aliases and images, images of every origin, and who may apply its plan, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions_app import clock
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Kind, Status
from functions_app.models import Account, Plan, Run
from functions_app.models import Image as Stored
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching.targets import targets
from functions_app.services.engine import approvals, plans
from functions_app.services.images import rebases
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from sandbox.images.making import Image, make_index
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import ClientFactory, Sandbox
from tests.image_kinds.recast import with_config
from tests.publishing import NOW
from tests.sandbox.functions import REGION, Functions
from tests.services.changes.patching.deaths import meanwhile
from tests.services.changes.patching.patch_stage import SITE_PACKAGES, PatchStage, app, base, boto3, make_patch_stage
from tests.services.changes.patching.promises import assert_kept
from tests.services.changes.stage import carry_out, log_of

Staged = Callable[[Image], PatchStage]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def known(stage: PatchStage) -> None:
    """Let Drydock read all that is there, and judge it."""
    stage.sync_all()
    judge_images()
    stage.function.refresh_from_db()


def not_none(run: Run | None) -> Run:
    assert run is not None
    return run


def refused(call: Any) -> DrydockError:
    with pytest.raises(DrydockError) as caught:
        call()
    return caught.value


class Test_aliases:
    def test_all_on_one_image_go_to_one_new_version_and_back(self, stage: PatchStage) -> None:
        stage.api.create_alias(FunctionName=stage.name, Name="canary", FunctionVersion="1")
        stage.sync()
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert [stage.read_alias(name) for name in ("canary", "staging")] == [("2", {})] * 2
        assert stage.versions() == ["1", "2"]
        assert_kept(stage, run)
        stage.undo(run)
        assert [stage.read_alias(name) for name in ("canary", "staging")] == [("1", {})] * 2

    def test_where_the_second_cannot_be_moved_the_first_goes_back(self, stage: PatchStage) -> None:
        stage.api.create_alias(FunctionName=stage.name, Name="canary", FunctionVersion="1")
        stage.sync()
        run = stage.confirm(stage.plan_patch())
        write_again = {"FunctionName": stage.name, "Name": "staging", "FunctionVersion": "1", "Description": "mine"}
        run = meanwhile(run, "alias-1", lambda: stage.api.update_alias(**write_again))
        assert run.status == Status.FAILED, log_of(run)
        assert_kept(stage, run)

    def test_each_stale_image_is_a_target_of_its_own_and_only_that_of_latest_can_be_patched(
        self, stage: PatchStage
    ) -> None:
        older, newer = stage.digest(), app(base(2), {"var/task/newer.py": b""})
        stage.functions.redeploy(newer, tag="2")
        stage.api.create_alias(FunctionName=stage.name, Name="canary", FunctionVersion=stage.functions.publish())
        known(stage)
        assert {(one.digest, one.aliases) for one in targets(stage.function)} == {
            (older, ("staging",)),
            (newer.digest, ("canary",)),
        }
        run = carry_out(stage.confirm(stage.plan_patch(newer.digest)))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert (stage.read_alias("canary"), stage.read_alias()) == (("3", {}), ("1", {}))
        carry_out(not_none(patching.reading_first(stage.function, older, stage.actor)))
        made = patching.plan(stage.function, stage.actor, older)
        assert made.stored is None
        (check,) = (check for check in made.checks if check.ok is False)
        assert f"; {short(older)}, which alias staging runs, is what would be patched." in check.text
        assert "is live:" not in check.text  # canary is, and runs what $LATEST runs
        assert made.plan.judgement.verdict == f"It takes one more choice: {check.text}"

    def test_on_a_base_that_has_ended_the_newer_base_to_build_on_is_named(self, stage: PatchStage) -> None:
        stage.functions.redeploy(app(base(3)), tag="3")
        stage.api.update_alias(
            FunctionName=stage.name, Name=stage.alias, FunctionVersion=stage.functions.publish(stage.name)
        )
        stream, ended = stage.company.stream, NOW.date() - timedelta(days=1)
        stream.deprecated_on, stream.runtime, stream.runtime_version = ended, "python", "3.9"
        stream.save()
        known(stage)
        (target,) = targets(stage.function)
        assert target.why_not.startswith(f"{stream.name} reached its end of life on {ended}")
        assert target.next_step == "Build the image on a newer base, and deploy that."
        for name, more in (("python:3.13", {}), ("python:3.14", {"deprecated_on": ended}), ("python:3.8", {})):
            factories.make_release(factories.make_stream(name, **more), "latest", current=True)
        (target,) = targets(stage.function)
        assert target.next_step == "Build the image on a newer base, python:3.13, and deploy that."

    def test_one_that_is_made_after_the_plan_stays_where_it_is(self, stage: PatchStage) -> None:
        stored = stage.plan_patch()
        stage.api.create_alias(FunctionName=stage.name, Name="late", FunctionVersion="1")
        run = carry_out(stage.confirm(stored))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert (stage.read_alias(), stage.read_alias("late")) == (("2", {}), ("1", {}))

    @pytest.mark.parametrize("before", ["check", "update", "alias-0"])
    def test_one_that_is_deleted_after_the_plan_is_not_made_again(self, stage: PatchStage, before: str) -> None:
        run, was = stage.confirm(stage.plan_patch()), stage.digest()
        run = meanwhile(run, before, lambda: stage.api.delete_alias(FunctionName=stage.name, Name=stage.alias))
        assert run.status == Status.FAILED, log_of(run)
        assert (run.problem or {})["code"] == Code.CHANGED
        assert stage.api.list_aliases(FunctionName=stage.name)["Aliases"] == []
        assert stage.digest() == was


class Test_plans:
    def test_of_two_people_at_once_one_patches_and_the_other_is_told_which_run(
        self, stage: PatchStage, approver: Actor
    ) -> None:
        first = stage.plan_patch()
        second = patching.plan(stage.function, approver).confirmable()
        run = stage.confirm(first)
        found = refused(lambda: plans.apply(second.pk, approver))
        assert (found.problem.code, f"Run {run.pk}" in found.problem.message) == (Code.BUSY, True)
        carry_out(run)
        late = carry_out(plans.apply(second.pk, approver))
        assert (late.problem or {})["code"] == Code.CHANGED
        assert (stage.read_alias(), stage.versions()) == (("2", {}), ["1", "2"])
        assert Run.objects.filter(kind=Kind.PATCH).count() == 2

    def test_one_is_applied_once(self, stage: PatchStage) -> None:
        stored = stage.plan_patch()
        run = carry_out(stage.confirm(stored))
        found = refused(lambda: stage.confirm(stored))
        assert f"became run {run.pk}" in found.problem.message
        assert stage.versions() == ["1", "2"]

    def test_one_that_has_expired_patches_nothing(self, stage: PatchStage) -> None:
        stored = stage.plan_patch()
        Plan.objects.filter(pk=stored.pk).update(expires_at=clock.now() - timedelta(seconds=1))
        assert refused(lambda: stage.confirm(stored)).problem.code == Code.EXPIRED
        assert not Run.objects.filter(kind=Kind.PATCH).exists()

    def test_where_an_approval_is_asked_somebody_else_approves_it(self, stage: PatchStage, approver: Actor) -> None:
        stored = stage.plan_patch()
        Plan.objects.filter(pk=stored.pk).update(approval_asked=True)
        assert refused(lambda: stage.confirm(stored)).problem.code == Code.DENIED
        approvals.confirm(stored.pk, stage.actor)
        run = carry_out(approvals.approve(stored.pk, approver))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert run.actor == approver.person


class Test_images:
    @pytest.fixture
    def staged(self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> Staged:
        return lambda image: make_patch_stage(functions, aws, operator, image)

    def test_pip_install_beside_the_code_is_safe_and_stays(self, staged: Staged) -> None:
        stage = staged(app(base(1), boto3("var/task", "1.34.0")))
        stored = stage.plan_patch()
        assert PatchPlan.from_json(stored.body).verdict.level == Level.SAFE
        run = carry_out(stage.confirm(stored))
        assert run.status == Status.SUCCEEDED, log_of(run)

    def test_a_boto3_pinned_over_the_bases_is_unsafe_and_names_its_path(self, staged: Staged) -> None:
        stage = staged(app(base(1), boto3(SITE_PACKAGES, "1.34.0")))
        carry_out(not_none(patching.reading_first(stage.function, "", stage.actor)))
        made = patching.plan(stage.function, stage.actor)
        assert (made.stored, made.plan.verdict.level) == (None, Level.UNSAFE)
        assert f"/{SITE_PACKAGES}/boto3" in next(one.text for one in made.checks if one.name == "Safety")

    def test_one_without_history_is_patched(self, staged: Staged) -> None:
        stage = staged(with_config(app(base(1)), history=None))
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert stage.answer(stage.alias) == "release 3 by app"

    def test_one_that_was_patched_before_is_patched_again_under_one_suffix(self, stage: PatchStage) -> None:
        first = stage.patch()
        stage.publish_next()
        known(stage)
        second = stage.patch()
        assert second.status == Status.SUCCEEDED, log_of(second)
        tag = PatchPlan.from_json(second.plan).tag
        assert (tag.startswith("1-base-"), tag.count("-base-")) == (True, 1)
        assert tag != PatchPlan.from_json(first.plan).tag
        assert stage.answer(stage.alias) == "release 4 by app"
        image = Stored.objects.get(digest=PatchPlan.from_json(second.plan).app_digest)
        assert image.base_tier == "exact"

    def test_an_index_is_no_image_that_runs(self, stage: PatchStage) -> None:
        index = make_index([app(base(1))])
        digest = stage.functions.push(index, f"{stage.name}:index")  # type: ignore[arg-type]
        known(stage)
        assert digest not in {one.digest for one in targets(stage.function)}
        move, owner = targets(stage.function)[0].movable(), accounts.target(stage.account, REGION)
        reference = ImageRef.parse(stage.functions.uri(f"{stage.name}@{digest}"))
        found = refused(lambda: rebases.put_together(reference, "index", move, owner))
        assert found.problem.code == Code.PREFLIGHT

    def test_one_in_another_accounts_repository_is_patched_there(
        self, stage: PatchStage, aws_client: ClientFactory
    ) -> None:
        other = str(int(stage.functions.account) - 200_000_000_000)  # of no other test: those count upwards
        share(stage, other, aws_client)
        known(stage)
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        plan = PatchPlan.from_json(run.plan)
        assert plan.image_uri.startswith(f"{other}.dkr.ecr.")
        assert stage.answer(stage.alias) == "release 3 by app"
        details = aws_client("ecr", account=other).describe_images(repositoryName="shared")["imageDetails"]
        assert plan.to_digest in {one["imageDigest"] for one in details}
        assert list(stage.tags()) == ["1"]


def share(stage: PatchStage, other: str, client: ClientFactory) -> None:
    """Have the function run an image of another account's, which Drydock looks after too."""
    functions = stage.functions
    mine = app(base(1), {"var/task/shared.py": b""})
    functions.push(mine, "shared:1", account=other)
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*", "Service": '
        '"lambda.amazonaws.com"}, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]}'
    )
    client("ecr", account=other).set_repository_policy(repositoryName="shared", policyText=policy)
    Account.objects.create(
        account_id=other, name="other", regions=[REGION], role_arn=f"arn:aws:iam::{other}:role/Drydock"
    )
    uri = functions.uri("shared:1", account=other)
    stage.api.update_function_code(FunctionName=stage.name, ImageUri=uri)
    functions.settled(stage.name)
    stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion=functions.publish(stage.name))
