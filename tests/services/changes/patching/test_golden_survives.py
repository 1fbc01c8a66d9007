"""A golden image that goes first: workers that die, others who patch or build it meanwhile, what stands against it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.runs import Kind, Status
from functions_app.domain.tokens import Reach
from functions_app.models import Account, BaseRelease, Image, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching.targets import targets
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from sandbox.images.making import Image as Built
from tests.conftest import Valkey
from tests.fixtures import ClientFactory, Sandbox
from tests.publishing import NOW
from tests.sandbox.functions import REGION, Functions
from tests.services.changes.patching.deaths import Deaths, carry_out_dying, meanwhile
from tests.services.changes.patching.golden_stage import (
    GOLDEN,
    GoldenStage,
    golden,
    make_golden_stage,
    make_golden_stages,
    poll,
    watch,
)
from tests.services.changes.patching.patch_stage import app, base
from tests.services.changes.patching.promises import assert_kept
from tests.services.changes.stage import carry_out, log_of
from tests.services.sync.sync_stage import Counted

Staged = Callable[..., GoldenStage]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
FIRST = ("golden-0-rebase", "golden-0-push", "golden-0-prove", "golden-0-attest", "golden-0-keep")


@pytest.fixture
def staged(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> Staged:
    return lambda *more, **named: make_golden_stage(functions, aws, operator, *more, **named)


@pytest.fixture
def two(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> list[GoldenStage]:
    return make_golden_stages(functions, aws, operator, ("one", "other"))


def golden_of(run: Run) -> str:
    """The digest of the golden image that it makes."""
    return PatchPlan.from_json(run.plan).golden[0].to_digest


def read(stage: GoldenStage, digest: str = "") -> None:
    """Read all layers that a verdict needs."""
    if run := patching.reading_first(stage.function, digest, stage.actor):
        assert carry_out(run).status == Status.SUCCEEDED, log_of(run)


def refused(stage: GoldenStage) -> Any:
    """The plan that can't be confirmed."""
    read(stage)
    made = patching.plan(stage.function, stage.actor)
    assert made.stored is None
    return made


def test_workers_that_die_before_and_after_every_step_patch_both_once(staged: Staged) -> None:
    stage = staged()
    run, deaths = stage.confirm(stage.plan_patch()), Deaths()
    carry_out_dying(run, deaths)
    assert run.status == Status.SUCCEEDED, log_of(run)
    names = [spec.name for spec in KINDS[Kind.PATCH].steps(run.plan)]
    assert tuple(names[1:6]) == FIRST
    assert deaths.came == [f"{moment} {name}" for name in names for moment in ("before", "after")]
    assert_kept(stage, run)
    assert len(stage.golden_tags()) == 3
    assert [row.manifest_digest for row in stage.current()] == [golden_of(run)]


@pytest.mark.parametrize("before", [*FIRST, "rebase"])
def test_of_two_functions_that_patch_it_at_once_both_stand_on_one_new_image(
    two: list[GoldenStage], before: str, aws: Sandbox
) -> None:
    one, other = two
    first, second = (stage.confirm(stage.plan_patch()) for stage in two)
    meanwhile(first, before, lambda: carry_out(second))
    second.refresh_from_db()
    for stage, run in ((one, first), (other, second)):
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert_kept(stage, run)
    assert golden_of(first) == golden_of(second)
    assert len(one.golden_tags()) == 3
    assert len(one.current()) == 1


def test_one_that_another_function_patched_before_is_taken_and_not_pushed_again(two: list[GoldenStage]) -> None:
    one, other = two
    run = one.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    one.sync_all()
    judge_images()
    plan = other.plan_patch()
    frozen = PatchPlan.from_json(plan.body)
    assert frozen.golden == ()
    assert frozen.base.to_reference.endswith(golden_of(run))
    assert carry_out(other.confirm(plan)).status == Status.SUCCEEDED
    assert other.freshness() == "current"


def test_one_that_is_there_though_nobody_knows_it_is_found_by_its_digest(staged: Staged, aws: Sandbox) -> None:
    stage = staged()
    run = meanwhile(stage.confirm(stage.plan_patch()), "golden-0-keep", lambda: None)
    assert run.status == Status.SUCCEEDED, log_of(run)
    stage.undo(run)
    BaseRelease.objects.filter(manifest_digest=golden_of(run)).delete()
    stage.stream.releases.filter(tag="").update(current=True)
    stage.stream.releases.filter(patched_from=None).update(current=True)
    stage.sync_all()
    plan = stage.plan_patch()
    (made,) = PatchPlan.from_json(plan.body).golden
    assert (made.there, made.to_digest) == (True, golden_of(run))
    counted = Counted(aws, stage.account.account_id)
    again = carry_out(stage.confirm(plan))
    assert again.status == Status.SUCCEEDED, log_of(again)
    assert not any("PutImage" in name for name in counted.made())
    assert len(stage.current()) == 1


def test_where_the_run_ends_after_the_golden_image_the_next_takes_it(staged: Staged) -> None:
    stage = staged()
    run = stage.confirm(stage.plan_patch())
    stage.functions.push("def handler(event, context): return 1", f"app:{PatchPlan.from_json(run.plan).tag}")
    failed = carry_out(run)
    assert (failed.problem or {})["code"] == Code.PREFLIGHT
    assert_kept(stage, failed)
    assert [row.manifest_digest for row in stage.current()] == [golden_of(run)]


def test_a_tag_of_the_golden_image_that_somebody_has_taken_is_not_moved(staged: Staged) -> None:
    stage = staged()
    run = stage.confirm(stage.plan_patch())
    tag = PatchPlan.from_json(run.plan).golden[0].tag
    theirs = stage.functions.push("def handler(event, context): return 1", f"{GOLDEN}:{tag}")
    failed = carry_out(run)
    assert (failed.problem or {})["code"] == Code.PREFLIGHT
    assert "names another image already" in (failed.problem or {})["message"]
    assert stage.golden_tags()[tag] == theirs
    assert_kept(stage, failed)


def test_an_unsafe_golden_image_refuses_with_the_paths(staged: Staged) -> None:
    stage = staged(golden(1, files={"var/lib/rpm/rpmdb.sqlite": b"a package database of its own"}))
    made = refused(stage)
    assert made.plan.safety.level is Level.UNSAFE
    text = next(check.text for check in made.checks if check.ok is False)
    assert text.startswith("Golden image platform/golden:stable: ")
    assert "/var/lib/rpm/rpmdb.sqlite" in text
    assert "golden image platform/golden:stable would not work on" in made.plan.judgement.verdict


def test_its_review_is_ticked_with_the_functions_own(staged: Staged) -> None:
    stage = staged(golden(1, files={"etc/ld.so.cache": b"ours"}))
    (key, sentence), *more = stage.plan_patch().ticks
    assert (key, more) == ("review", [])
    assert "the list of shared libraries" in sentence


class Test_what_its_owner_does:
    def test_one_that_was_built_anew_on_the_new_base_is_taken_instead(self, staged: Staged) -> None:
        stage = staged()
        digest = stage.push_golden(golden(2, base(3)), "stable-1.1.0", now=NOW + timedelta(hours=5))
        plan = stage.plan_patch()
        frozen = PatchPlan.from_json(plan.body)
        assert (frozen.golden, frozen.base.to_reference.endswith(digest)) == ((), True)
        run = carry_out(stage.confirm(plan))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert set(stage.golden_tags()) == {"stable", "stable-1.0.0", "stable-1.1.0"}

    def test_one_that_was_built_anew_on_the_old_base_is_patched_and_the_function_goes_there(
        self, staged: Staged
    ) -> None:
        stage = staged()
        newer = golden(2, base(2))
        digest = stage.push_golden(newer, "stable-1.1.0", now=NOW + timedelta(hours=5))
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        plan = PatchPlan.from_json(run.plan)
        assert plan.golden[0].app_digest == digest
        stage.sync_all()
        layers = (*base(3).layers, *newer.layers[2:], *app(golden(1)).layers[3:])
        assert stage.layers(plan.to_digest) == [layer.diff_id for layer in layers]
        assert stage.freshness() == "current"

    def test_a_release_that_comes_after_the_patch_is_the_current_one_and_the_next_patch_goes_there(
        self, staged: Staged
    ) -> None:
        stage = staged()
        assert stage.patch().status == Status.SUCCEEDED
        digest = stage.push_golden(golden(2, base(3)), "stable-1.1.0", now=NOW + timedelta(days=9))
        assert [row.manifest_digest for row in stage.current()] == [digest]
        assert stage.freshness() == "stale"
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert stage.freshness() == "current"

    def test_while_the_tag_stands_still_what_was_patched_stays_the_current_one(self, staged: Staged) -> None:
        stage = staged()
        run = stage.patch()
        stage.stream.tag_digest = ""
        stage.stream.save()
        poll(stage.stream, NOW + timedelta(days=9))
        assert [row.manifest_digest for row in stage.current()] == [golden_of(run)]

    def test_what_was_patched_and_is_deleted_gives_its_place_back(self, staged: Staged) -> None:
        stage = staged()
        run = stage.patch()
        gone = [{"imageDigest": golden_of(run)}]
        stage.sync_all()
        stage.functions.ecr.batch_delete_image(repositoryName=GOLDEN, imageIds=gone)
        stage.sync_all()
        poll(stage.stream, NOW + timedelta(days=9))
        assert [row.tag for row in stage.current()] == ["stable-1.0.0"]

    @pytest.mark.parametrize("before", [*FIRST[1:2], "push", "update", "alias-0"])
    def test_one_that_is_withdrawn_half_way_stops_it_before_any_traffic(self, staged: Staged, before: str) -> None:
        stage = staged()
        stage.push_golden(golden(2, base(1)), "stable-1.1.0", now=NOW + timedelta(hours=5))
        run = stage.confirm(stage.plan_patch())
        failed = meanwhile(
            run, before, lambda: stage.push_golden(golden(1), "stable-1.0.0", now=NOW + timedelta(days=9))
        )
        assert "was withdrawn after this plan was made" in (failed.problem or {})["message"]
        assert_kept(stage, failed)


class Test_where_it_lies:
    def test_a_rule_that_would_take_its_image_refuses_the_plan(self, staged: Staged) -> None:
        stage = staged()
        selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}
        policy = {"rules": [{"rulePriority": 2, "selection": selection, "action": {"type": "expire"}}]}
        stage.functions.ecr.put_lifecycle_policy(repositoryName=GOLDEN, lifecyclePolicyText=json.dumps(policy))
        text = next(check.text for check in refused(stage).checks if check.name == "Lifecycle" and check.ok is False)
        assert text.startswith("Rule 2 of platform/golden would take the golden image away")
        assert "Let the rule keep two more images" in text

    def test_tags_that_can_not_be_moved_are_no_hindrance(self, staged: Staged) -> None:
        stage = staged()
        stage.functions.ecr.put_image_tag_mutability(repositoryName=GOLDEN, imageTagMutability="IMMUTABLE")
        stage.functions.ecr.put_image_tag_mutability(repositoryName=stage.name, imageTagMutability="IMMUTABLE")
        stage.sync_all()
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)

    def test_in_another_account_it_is_pushed_there(
        self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey, aws_client: ClientFactory
    ) -> None:
        other = str(int(functions.account) - 200_000_000_000)  # of no other test: those count upwards
        Account.objects.create(
            account_id=other, name="platform", regions=[REGION], role_arn=f"arn:aws:iam::{other}:role/Drydock"
        )
        (stage,) = make_golden_stages(functions, aws, operator, ("app",), account=other)
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        details = aws_client("ecr", account=other).describe_images(repositoryName=GOLDEN)["imageDetails"]
        assert golden_of(run) in {one["imageDigest"] for one in details}
        assert stage.freshness() == "current"

    def test_a_token_that_does_not_get_to_its_account_patches_nothing_there(
        self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey
    ) -> None:
        other = str(int(functions.account) - 200_000_000_000)
        Account.objects.create(
            account_id=other, name="platform", regions=[REGION], role_arn=f"arn:aws:iam::{other}:role/Drydock"
        )
        (stage,) = make_golden_stages(functions, aws, operator, ("app",), account=other)
        read(stage)
        token = replace(operator, via="token of a bot", reach=Reach(frozenset({functions.account})))
        with pytest.raises(DrydockError, match=f"this token does not get to the account {other}") as caught:
            patching.plan(stage.function, token)
        assert caught.value.problem.code == Code.DENIED

    def test_where_drydock_may_not_push_there_it_ends_before_anything_is_changed(
        self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey
    ) -> None:
        other = str(int(functions.account) - 200_000_000_000)
        Account.objects.create(
            account_id=other, name="platform", regions=[REGION], role_arn=f"arn:aws:iam::{other}:role/Drydock"
        )
        (stage,) = make_golden_stages(functions, aws, operator, ("app",), account=other)
        run, before = stage.confirm(stage.plan_patch()), stage.tags()
        aws.admin("POST", "denials", {"account": other, "actions": ["ecr:PutImage"]})
        failed = carry_out(run)
        aws.admin("DELETE", f"denials?account={other}")
        assert (failed.problem or {})["code"] == Code.DENIED, log_of(failed)
        assert stage.tags() == before
        assert_kept(stage, failed)

    def test_in_the_functions_own_repository_all_four_pushes_count(
        self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey
    ) -> None:
        stage = make_golden_stage(functions, aws, operator, repository="app")
        selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
        policy = {"rules": [{"rulePriority": 2, "selection": selection, "action": {"type": "expire"}}]}
        stage.functions.ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=json.dumps(policy))
        check = next(check for check in refused(stage).checks if check.name == "Lifecycle")
        assert check.ok is False
        assert "keep four more images" in check.text

    def test_where_drydock_reads_no_such_repository_it_says_so_and_leads_to_its_owner(self, staged: Staged) -> None:
        stage = staged()
        Image.objects.filter(repository__name=GOLDEN).delete()
        (target,) = targets(stage.function)
        assert target.base is None
        assert "which itself stands on an older release of" in target.why_not
        assert "so that it can push nothing there" in target.why_not
        assert "Have platform/golden:stable built anew on" in target.next_step

    def test_an_account_that_is_switched_off_is_named(self, staged: Staged) -> None:
        stage = staged()
        type(stage.account).objects.update(enabled=False)
        (target,) = targets(stage.function)
        assert f"whose account {stage.account.name} is switched off in Drydock" in target.why_not

    def test_on_a_base_that_has_ended_nothing_is_patched_and_why_is_told(self, staged: Staged) -> None:
        stage = staged(golden(1, base(3)))
        stage.company.stream.deprecated_on = NOW.date() - timedelta(days=1)
        stage.company.stream.save()
        judge_images()
        (target,) = targets(stage.function)
        assert target.why_not.endswith(f"stands on {stage.company.stream.name}: that has reached its end of life.")
        assert target.next_step.startswith("Build platform/golden:stable on a base that lives")

    def test_its_owner_who_wants_no_rebase_is_quoted(self, staged: Staged) -> None:
        stage = staged()
        Image.objects.filter(repository__name=GOLDEN).update(labels={"drydock.rebase": "false: ask Ada"})
        (target,) = targets(stage.function)
        assert "its label drydock.rebase says “false: ask Ada”" in target.why_not


class Test_golden_images_on_golden_images:
    TEAM = "team/golden"

    def stage(self, functions: Functions, aws: Sandbox, operator: Actor) -> tuple[GoldenStage, Built]:
        """A function on a team's golden image, which stands on the platform's."""
        team = golden(7, golden(1), {"opt/team": b"team"})
        stage = make_golden_stage(functions, aws, operator, built=app(team))
        watch(functions, self.TEAM, team, "stable-7.0.0")
        stage.sync_all()
        judge_images()
        return stage, team

    def test_go_in_their_order(self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> None:
        stage, team = self.stage(functions, aws, operator)
        run = stage.patch()
        assert run.status == Status.SUCCEEDED, log_of(run)
        plan = PatchPlan.from_json(run.plan)
        assert [one.name for one in plan.golden] == ["platform/golden:stable", "team/golden:stable"]
        stage.sync_all()
        layers = (*base(3).layers, *team.layers[2:], *app(team).layers[4:])
        assert stage.layers(plan.to_digest) == [layer.diff_id for layer in layers]
        assert stage.freshness() == "current"

    def test_that_stand_on_each_other_are_no_circle(
        self, functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey
    ) -> None:
        stage, team = self.stage(functions, aws, operator)
        stage.push_golden(golden(2, team), "stable-2.0.0", now=NOW + timedelta(hours=6))
        (target,) = targets(stage.function)
        assert len(target.golden) <= 2
