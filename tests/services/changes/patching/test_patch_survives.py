"""A patch whose workers die before and after every step, whose registry breaks off, whose AWS throttles and fails."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.errors import Code
from functions_app.domain.runs import Kind, Status
from functions_app.models import Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes import smoke
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.processes import beat, eventually, worker
from tests.publishing import NOW
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between
from tests.services.changes.patching.cutting import LARGE, Cutting
from tests.services.changes.patching.deaths import MOMENTS, Deaths, carry_out_dying, meanwhile, shorter
from tests.services.changes.patching.patch_stage import PatchStage, base, make_patch_stage, make_patch_stages
from tests.services.changes.patching.promises import assert_kept, assert_recorded_once, assert_whole
from tests.services.changes.stage import carry_out, log_of, taken_over_before
from tests.services.changes.test_deploy_survives import ALIAS, CODE, VERSIONS, Held, ended

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def names(run: Run) -> list[str]:
    """The steps of a run."""
    return [spec.name for spec in KINDS[Kind(run.kind)].steps(run.plan)]


def every_moment(run: Run, *moments: str) -> list[str]:
    """Each of these moments of each of its steps."""
    return [f"{moment} {name}" for name in names(run) for moment in moments]


def test_workers_that_die_before_and_after_every_step_patch_it_once(stage: PatchStage) -> None:
    run, deaths = stage.confirm(stage.plan_patch()), Deaths()
    carry_out_dying(run, deaths)
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert deaths.came == every_moment(run, "before", "after")
    assert_kept(stage, run)
    assert (stage.read_alias(), stage.versions()) == (("2", {}), ["1", "2"])
    assert stage.answer(stage.alias) == "release 3 by app"


def test_workers_that_die_before_and_after_every_step_of_an_undo_bring_all_back(stage: PatchStage) -> None:
    patched, before = stage.patch(), stage.digest("1")
    run, deaths = stage.confirm(stage.plan_undo(patched)), Deaths()
    carry_out_dying(run, deaths)
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert deaths.came == every_moment(run, "before", "after")
    assert (stage.read_alias(), stage.digest(), stage.versions()) == (("1", {}), before, ["1", "2"])
    assert_recorded_once(run)
    assert_whole(stage)


def test_without_an_alias_workers_may_die_everywhere_too(stage: PatchStage) -> None:
    stage.without_alias()
    run, deaths = stage.confirm(stage.plan_patch()), Deaths()
    carry_out_dying(run, deaths)
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert deaths.came == every_moment(run, "before", "after")
    assert_kept(stage, run)
    assert stage.versions() == ["1"]
    assert stage.answer() == "release 3 by app"


@pytest.mark.parametrize("aliased", [True, False], ids=["by its alias", "without alias"])
def test_what_fails_after_all_is_taken_back_though_every_worker_dies_at_it(stage: PatchStage, aliased: bool) -> None:
    if not aliased:
        stage.without_alias()
    run = stage.confirm(stage.plan_patch())
    deaths = Deaths(moments=MOMENTS[2:], fails="alias-0" if aliased else "wait")
    carry_out_dying(run, deaths)
    assert run.status == Status.FAILED, log_of(run)
    undone = (["alias-0"] if aliased else []) + ["update"]
    assert deaths.came == [f"{moment} {name}" for name in undone for moment in MOMENTS[2:]]
    assert stage.digest() == PatchPlan.from_json(run.plan).from_digest
    assert stage.functions.read()["LastUpdateStatus"] == "Successful"
    assert not aliased or stage.read_alias() == ("1", {})
    assert "Could not be undone" not in run.result["summary"]
    assert f"Code of $LATEST was put back to {stage.digest()[7:19]}." in run.result["told"]


def test_a_worker_that_dies_in_the_smoke_test_moves_nothing_and_is_not_followed_into_it(stage: PatchStage) -> None:
    smoke.keep(stage.function, Smoke(), stage.actor)
    run, deaths = stage.confirm(stage.plan_patch()), Deaths()
    carry_out_dying(run, deaths)
    assert run.status == Status.FAILED, log_of(run)
    assert (run.problem or {})["code"] == Code.UNKNOWN_OUTCOME
    assert deaths.came[-3:] == ["before smoke", "before the undo of update", "after the undo of update"]
    assert_kept(stage, run)


def test_a_worker_that_was_frozen_before_the_smoke_test_calls_nothing_when_it_wakes(
    stage: PatchStage, sandbox: Sandbox
) -> None:
    def calls() -> int:
        return int(sandbox.admin("GET", f"calls?account={stage.account.account_id}").get("lambda.Invoke", 0))

    smoke.keep(stage.function, Smoke(), stage.actor)
    before = calls()
    run = carry_out(stage.confirm(stage.plan_patch()), taken_over_before(KINDS[Kind.PATCH], "smoke"))
    assert (run.problem or {})["code"] == Code.UNKNOWN_OUTCOME
    assert calls() == before
    assert_kept(stage, run)


class Test_a_real_worker:
    """Killed between what AWS did and what the database knows of it."""

    @pytest.fixture
    def between(self, aws: Sandbox) -> Iterator[Between]:
        proxy = Between(aws.url)
        yield proxy
        proxy.close()

    @pytest.fixture
    def environment(self, process_environment: dict[str, str], between: Between, aws: Sandbox) -> dict[str, str]:
        mirrors = f"public.ecr.aws={aws.url},*.amazonaws.com={between.url}"
        more = {"AWS_ENDPOINT_URL": between.url, "DRYDOCK_REGISTRY_MIRRORS": mirrors}
        return {**process_environment, **more, "PROCESS_SETTINGS": "tests.survive_settings"}

    def test_is_followed_by_another_wherever_it_was(
        self,
        environment: dict[str, str],
        tmp_path: Path,
        functions: Functions,
        aws: Sandbox,
        operator: Actor,
        between: Between,
    ) -> None:
        made = make_patch_stages(functions, aws, operator, ("pushing", "updating", "publishing", "pointing", "bare"))
        stages = {stage.name: stage for stage in made}
        stages["bare"].without_alias()
        runs = {name: stage.confirm(stage.plan_patch()) for name, stage in stages.items()}
        tag = PatchPlan.from_json(runs["pushing"].plan).tag
        held = [
            Held(between, f"PUT /v2/pushing/manifests/{tag}"),
            Held(between, CODE.format("updating")),
            Held(between, VERSIONS.format("publishing")),
            Held(between, ALIAS.format("pointing")),
            Held(between, CODE.format("bare")),
        ]
        with beat(environment, tmp_path):
            with worker(environment, tmp_path, "one") as first:
                eventually(lambda: all(one.arrived.is_set() for one in held), "AWS did what it was asked for", 90)
                first.kill()
            with worker(environment, tmp_path, "two"):
                eventually(lambda: ended(*runs.values()), "all runs have ended", 90)
        for one in held:
            one.go.set()
        for name, run in runs.items():
            assert run.status == Status.SUCCEEDED, log_of(run)
            assert_kept(stages[name], run)
            assert between.seen.count(CODE.format(name)) == 1
            assert stages[name].versions() == (["1"] if name == "bare" else ["1", "2"])


class Test_registry_and_aws:
    def test_a_registry_that_breaks_off_every_other_answer_gets_the_image_whole(
        self, stage: PatchStage, aws: Sandbox
    ) -> None:
        stored = stage.plan_patch()
        for drop, rate in (("before", 0.25), ("after", 0.25)):
            fault = {"match": "registry.*", "account": stage.functions.account, "drop": drop, "rate": rate, "seed": 7}
            aws.admin("POST", "faults", fault)
        run = carry_out(stage.confirm(stored))
        aws.admin("DELETE", f"faults?account={stage.functions.account}")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert_kept(stage, run)

    @pytest.mark.parametrize(
        ("match", "fault"),
        [
            ("lambda.*", {"code": "TooManyRequestsException"}),
            ("lambda.*", {"code": "ServiceException"}),
            ("ecr.*", {"code": "ThrottlingException"}),
            ("ecr.*", {"code": "ServerException"}),
            ("registry.*", {"code": "TOOMANYREQUESTS", "count": 4}),  # each costs a pause of two seconds
            ("registry.*", {"code": "InternalFailure"}),
        ],
    )
    def test_who_refuses_a_third_of_all_calls_holds_it_up_and_no_more(
        self, stage: PatchStage, aws: Sandbox, match: str, fault: dict[str, object]
    ) -> None:
        stored, account = stage.plan_patch(), stage.functions.account
        aws.admin("POST", "faults", {"match": match, "account": account, "rate": 0.3, "seed": 12, **fault})
        run = carry_out(stage.confirm(stored))
        aws.admin("DELETE", f"faults?account={account}")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert_kept(stage, run)

    def test_a_registry_that_takes_no_statement_undoes_nothing(self, stage: PatchStage, aws: Sandbox) -> None:
        run, account = stage.confirm(stage.plan_patch()), stage.functions.account

        def refuse() -> None:
            assert PatchPlan.from_json(run.plan).tag in stage.tags()
            aws.admin("POST", "faults", {"match": "registry.*", "account": account, "code": "InternalFailure"})

        meanwhile(run, "attest", refuse)
        aws.admin("DELETE", f"faults?account={account}")
        run.refresh_from_db()
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert run.steps.get(name="attest").note == f"the registry did not take it: {Code.UNREACHABLE.heading}"
        assert_kept(stage, run)


class Test_a_connection_that_is_cut:
    """In the middle of a blob's body: on its way out of the base's registry, and on its way into ECR."""

    @pytest.fixture
    def run(self, stage: PatchStage) -> Run:
        """Onto a release that has a layer of some size, which ECR can't mount."""
        data = os.urandom(3 * LARGE)
        stage.company.publish(base(4, **{"opt/data": data}), "4")
        stage.company.poll(NOW + timedelta(hours=4))
        judge_images()
        return stage.confirm(stage.plan_patch())

    @pytest.fixture
    def between(self, aws: Sandbox, run: Run, settings: Settings) -> Iterator[Callable[[int], Cutting]]:
        """A registry that cuts each large body so many times, from now on."""
        made = list[Cutting]()

        def cutting(times: int) -> Cutting:
            made.append(Cutting(aws.url, times))
            mirrors = {"public.ecr.aws": made[-1].url, "*.amazonaws.com": made[-1].url}
            settings.ENV = dataclasses.replace(settings.ENV, registry_mirrors=mirrors)
            return made[-1]

        yield cutting
        for each in made:
            each.close()

    def test_once_each_way_is_begun_again_until_the_image_is_whole(
        self, stage: PatchStage, run: Run, between: Callable[[int], Cutting]
    ) -> None:
        cutting = between(1)
        carry_out(run)
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert sorted(method for method, _ in cutting.cut.elements()) == ["GET", "PUT"]
        assert_kept(stage, run)
        assert stage.answer(stage.alias) == "release 4 by app"

    def test_more_often_than_a_push_tries_it_is_tried_again_by_the_step(
        self, stage: PatchStage, run: Run, between: Callable[[int], Cutting]
    ) -> None:
        cutting = between(4)
        carry_out(run)
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert max(cutting.cut.values()) == 4
        assert any("Looking again" in line for line in log_of(run)), log_of(run)
        assert_kept(stage, run)

    def test_for_ever_ends_the_run_with_the_reason_and_nothing_that_could_be_deployed(
        self, stage: PatchStage, run: Run, between: Callable[[int], Cutting]
    ) -> None:
        before, cutting = stage.tags(), between(10_000)
        carry_out(run, shorter(run, "push", timedelta(seconds=1)))
        assert run.status == Status.FAILED, log_of(run)
        assert set(cutting.cut) != set()
        assert stage.tags() == before
        assert_kept(stage, run)
