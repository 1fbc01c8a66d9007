"""What others do between two of our calls, and answers of AWS that do not come: nothing is overwritten or claimed."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Done, Kind, SignalKind, Status
from functions_app.models import AuditEntry, Run, RunStep
from functions_app.services.engine import runs, signals
from functions_app.services.engine.steps import StepSpec
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between, error, once
from tests.services.changes.stage import Stage, answering, carry_out, log_of, make_stage, with_step

pytestmark = pytest.mark.django_db(transaction=True)

CODE, VERSIONS, ALIAS = "PUT /functions/app/code", "POST /functions/app/versions", "PUT /functions/app/aliases/staging"
CHANGES = (CODE, VERSIONS, ALIAS)


@pytest.fixture
def between(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """All of the product's AWS calls pass through it."""
    proxy = Between(aws.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own, and an image to deploy."""
    made = make_stage(functions, operator)
    made.push("two", "2")
    return made


def meanwhile(run: Run, before: str, act: Callable[[Any], object]) -> Run:
    """Carry the run out; somebody acts right before one of its steps."""

    def action(context: Any) -> Done:
        act(context)
        return Done()

    RunStep.objects.create(run=run, position=99, name="meanwhile", title="Meanwhile", status="pending")
    kinds = with_step(KINDS[Kind.DEPLOYMENT], before, StepSpec("meanwhile", "Meanwhile", action))
    return carry_out(run, kinds)


def problem(run: Run) -> dict[str, Any]:
    """What a failed run says."""
    assert run.status == Status.FAILED, log_of(run)
    assert run.problem is not None
    found: dict[str, Any] = run.problem
    return found


def lost(_answer: Answer) -> Answer:
    """Lambda did it, and its answer does not say so."""
    return error(500, "ServiceException", "Something went wrong.")


def throttled_first() -> Callable[[], Answer | None]:
    """The first call is refused, the others pass."""
    left = [error(429, "TooManyRequestsException", "Rate exceeded.")]
    return lambda: left.pop() if left else None


def at_once(count: int, work: Callable[[], object]) -> list[object]:
    """What several threads that begin at the same moment get, errors among it."""
    barrier, got = threading.Barrier(count), list[object]()

    def run() -> None:
        try:
            barrier.wait()
            got.append(work())
        except DrydockError as refused:
            got.append(refused)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


class Test_somebody_else:
    def test_who_updates_the_code_before_we_publish_keeps_it_and_the_alias_stays(self, stage: Stage) -> None:
        theirs: list[str] = []

        def deploy(_context: Any) -> None:
            theirs.append(stage.functions.redeploy(answering("theirs"), tag="ci"))

        run = meanwhile(stage.confirm(stage.plan("2")), "publish", deploy)
        assert problem(run)["code"] == Code.CHANGED
        assert (stage.read_alias(), stage.versions(), stage.digest()) == (("1", {}), ["1"], theirs[0])
        assert f"somebody else changed $LATEST, which now runs {theirs[0][7:19]}" in run.result["told"][0]
        assert run.result["told"][1] == "Alias staging was not moved."

    def test_who_changes_the_settings_before_we_publish_has_them_in_no_version_of_ours(self, stage: Stage) -> None:
        run = stage.confirm(stage.plan("2"))
        run = meanwhile(run, "publish", lambda _: stage.functions.configure("app", MemorySize=512))
        assert problem(run)["code"] == Code.CHANGED
        assert (stage.read_alias(), stage.versions()) == (("1", {}), ["1"])

    def test_who_changes_the_settings_is_seen_where_the_code_need_not_be_updated(self, stage: Stage) -> None:
        run = stage.confirm(stage.plan("1", "canary"))
        run = meanwhile(run, "update", lambda _: stage.functions.configure("app", MemorySize=512))
        assert problem(run)["code"] == Code.CHANGED
        assert stage.versions() == ["1"]

    def test_who_updates_the_code_after_our_publish_does_not_hinder_it(self, stage: Stage, between: Between) -> None:
        run, planned = stage.confirm(stage.plan("2")), stage.functions.push(answering("two"), "app:2")

        def deploy(answer: Answer) -> Answer:
            stage.functions.redeploy(answering("theirs"), tag="ci")
            return lost(answer)

        between.rules[VERSIONS] = once(deploy)
        run = carry_out(run)
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert (stage.read_alias(), stage.versions(), stage.digest("staging")) == (("2", {}), ["1", "2"], planned)

    def test_who_is_quicker_than_our_publish_is_told_with_what_aws_runs_now(
        self, stage: Stage, between: Between
    ) -> None:
        run, theirs = stage.confirm(stage.plan("2")), list[str]()
        planned = stage.functions.push(answering("two"), "app:2")

        def deploy() -> None:
            theirs.append(stage.functions.redeploy(answering("theirs"), tag="ci"))
            between.guards.clear()

        between.guards[VERSIONS] = deploy
        run = carry_out(run)
        assert problem(run)["code"] == Code.CHANGED
        assert f"$LATEST runs {theirs[0][7:19]} now" in problem(run)["message"]
        assert run.result["told"] == [
            f"Code was updated to {planned[7:19]}; somebody else changed $LATEST, which now runs {theirs[0][7:19]}.",
            "Version was not published.",
            "Alias staging was not moved.",
        ]
        assert "Done and kept: Check again." in run.result["summary"]
        assert "Done, and changed by somebody else since: Update the code" in run.result["summary"]

    def test_who_changes_the_configuration_before_our_publish_leaves_our_code_and_that_is_told(
        self, stage: Stage, between: Between
    ) -> None:
        def configure() -> None:
            between.guards.clear()
            stage.functions.configure("app", MemorySize=512)

        between.guards[VERSIONS] = configure
        run = stage.deploy("2")
        assert "its configuration; $LATEST still runs" in problem(run)["message"]
        assert "which $LATEST still runs; somebody else changed its configuration" in run.result["told"][0]
        assert "Update the code" in run.result["summary"].partition("Done and kept: ")[2]

    def test_who_is_still_updating_when_we_publish_is_no_mere_busy(
        self, stage: Stage, between: Between, clock: Any
    ) -> None:
        theirs = stage.functions.push(answering("theirs"), "app:ci")

        def deploy() -> None:
            between.guards.clear()
            with clock(update=60):
                stage.api.update_function_code(FunctionName="app", ImageUri=stage.functions.uri("app:ci"))

        between.guards[VERSIONS] = deploy
        run = stage.deploy("2")
        assert problem(run)["code"] == Code.CHANGED
        assert f"$LATEST, which now runs {theirs[7:19]}" in run.result["told"][0]

    def test_who_changed_only_the_description_of_the_alias_is_told_as_that(self, stage: Stage) -> None:
        stored = stage.plan("2")
        stage.api.update_alias(FunctionName="app", Name="staging", Description="the shop's")
        run = carry_out(stage.confirm(stored))
        assert problem(run)["message"] == (
            "Someone changed alias staging after this plan was made: it still points to version 1; "
            "its description was changed."
        )

    def test_who_pointed_the_alias_where_it_was_is_told_as_that(self, stage: Stage) -> None:
        stored = stage.plan("2")
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="1")
        run = carry_out(stage.confirm(stored))
        assert "still points to version 1, but was written again by somebody" in problem(run)["message"]

    def test_who_deletes_the_image_after_our_update_has_the_alias_put_back_and_ecr_named(self, stage: Stage) -> None:
        digest = stage.functions.push(answering("two"), "app:2")

        def delete(_context: Any) -> None:
            ids = [{"imageDigest": digest}, {"imageTag": "2"}]
            stage.functions.ecr.batch_delete_image(repositoryName="app", imageIds=ids)

        run = meanwhile(stage.confirm(stage.plan("2")), "publish", delete)
        assert f"staging runs {digest[7:19]}, but Lambda can't pull that again" in problem(run)["message"]
        assert "was deleted from" in problem(run)["message"]
        assert stage.read_alias() == ("1", {})
        assert run.result["told"][-1] == "Alias staging was put back to version 1."

    def test_who_archives_the_image_after_our_update_is_noticed_as_well(self, stage: Stage) -> None:
        digest = stage.functions.push(answering("two"), "app:2")

        def archive(_context: Any) -> None:
            image, where = {"imageDigest": digest}, {"repositoryName": "app", "targetStorageClass": "ARCHIVE"}
            stage.functions.ecr.update_image_storage_class(imageId=image, **where)

        run = meanwhile(stage.confirm(stage.plan("2")), "verify", archive)
        assert "is archived" in problem(run)["message"]
        assert stage.read_alias() == ("1", {})

    def test_who_touches_the_alias_after_us_is_not_overwritten_by_the_undo(
        self, stage: Stage, sandbox: Sandbox, account: str
    ) -> None:
        def touch(_context: Any) -> None:
            stage.api.update_alias(FunctionName="app", Name="staging", Description="version 2, on purpose")
            sandbox.admin("POST", "denials", {"account": account, "actions": ["lambda:GetFunction"]})

        run = meanwhile(stage.confirm(stage.plan("2")), "verify", touch)
        assert problem(run)["code"] == Code.DENIED
        assert stage.read_alias() == ("2", {})
        assert "was left alone: somebody changed it meanwhile" in run.result["told"][-1]

    def test_who_confirms_another_plan_at_the_same_moment_is_told_who_was_first(self, stage: Stage) -> None:
        plans = [stage.plan("2"), stage.plan("2", "canary")]
        got = at_once(2, lambda: stage.confirm(plans.pop()))
        (run,) = (one for one in got if isinstance(one, Run))
        (refused,) = (one for one in got if isinstance(one, DrydockError))
        assert refused.problem.code is Code.BUSY
        assert f"Run {run.pk}" in refused.problem.message
        assert Run.objects.count() == 1

    def test_who_confirms_the_same_plan_at_the_same_moment_makes_no_second_run(self, stage: Stage) -> None:
        stored = stage.plan("2")
        got = at_once(3, lambda: stage.confirm(stored))
        (run,) = (one for one in got if isinstance(one, Run))
        refused = [one for one in got if isinstance(one, DrydockError)]
        assert all(f"became run {run.pk}" in one.problem.message for one in refused)
        assert Run.objects.count() == 1
        assert AuditEntry.objects.filter(action="deployment.submit").count() == 1


def test_a_message_that_comes_three_times_at_once_is_one_execution(stage: Stage, between: Between) -> None:
    run, number = stage.confirm(stage.plan("2")), iter(range(9))
    assert sorted(at_once(3, lambda: runs.execute(run.pk, f"worker {next(number)}")), key=bool) == [False, False, True]
    carry_out(run)
    assert stage.read_alias() == ("2", {})
    assert [between.seen.count(change) for change in CHANGES] == [1, 1, 1]


class Test_aws:
    @pytest.mark.parametrize("change", CHANGES)
    def test_that_does_it_without_saying_so_is_looked_at_and_asked_once(
        self, stage: Stage, between: Between, change: str
    ) -> None:
        between.rules[change] = once(lost)
        run = stage.deploy("2")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert (stage.read_alias(), stage.versions()) == (("2", {}), ["1", "2"])
        assert between.seen.count(CODE) == between.seen.count(ALIAS) == 1
        assert [line.partition(" ")[0] for line in run.result["told"]] == ["Code", "Version", "Alias"]
        assert not any("may or may not" in line for line in run.result["told"])

    def test_that_throttles_every_change_once_is_asked_again(self, stage: Stage, between: Between) -> None:
        between.guards |= {change: throttled_first() for change in CHANGES}
        run = stage.deploy("2")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert (stage.read_alias(), stage.versions()) == (("2", {}), ["1", "2"])
        assert [between.seen.count(change) for change in CHANGES] == [2, 2, 2], log_of(run)

    def test_that_denies_the_update_leaves_all_as_it_was_and_the_run_says_so(
        self, stage: Stage, sandbox: Sandbox, account: str
    ) -> None:
        sandbox.admin("POST", "denials", {"account": account, "actions": ["lambda:UpdateFunctionCode"]})
        run = stage.deploy("2")
        assert "lambda:UpdateFunctionCode" in problem(run)["message"]
        assert run.result["told"] == ["Code was not updated.", "Alias staging was not moved."]
        assert (stage.read_alias(), stage.versions()) == (("1", {}), ["1"])

    def test_that_fails_to_take_the_image_fails_the_run_at_once(
        self, stage: Stage, sandbox: Sandbox, account: str
    ) -> None:
        def fail(_context: Any) -> None:
            where = {"account": account, "region": "eu-west-1", "name": "app"}
            failed = ["Failed", "ImageDeleted", "The image was deleted."]
            sandbox.admin("POST", "function-state", where | {"last_update": failed})

        run = meanwhile(stage.confirm(stage.plan("2")), "wait", fail)
        assert problem(run)["message"] == "Lambda could not carry out the update: The image was deleted. (ImageDeleted)"
        assert (stage.read_alias(), stage.versions()) == (("1", {}), ["1"])
        assert run.result["told"][0].startswith("Code updated to")

    def test_that_runs_another_digest_under_the_alias_has_it_put_back_however_busy_it_is(
        self, stage: Stage, between: Between
    ) -> None:
        planned, other = stage.functions.push(answering("two"), "app:2"), "0" * 64

        def pointed(answer: Answer) -> Answer:
            between.rules["GET /functions/app"] = lambda answer: Answer(
                answer.status, answer.headers, answer.body.replace(planned[7:].encode(), other.encode())
            )
            between.guards[ALIAS] = throttled_first()
            return answer

        between.rules[ALIAS] = once(pointed)
        run = stage.deploy("2")
        assert f"planned was version 2 with digest {planned[7:19]}" in problem(run)["message"]
        assert stage.read_alias() == ("1", {})
        assert run.result["told"][-1] == "Alias staging was put back to version 1."
        assert run.result["summary"].endswith("Undone: Point the alias. Not done: Refresh the snapshot.")

    def test_whose_registry_does_not_answer_at_the_end_takes_nothing_back(self, stage: Stage, between: Between) -> None:
        def pointed(answer: Answer) -> Answer:
            between.guards["ecr.BatchGetImage"] = lambda: error(500, "ServerException", "Something went wrong.")
            return answer

        between.rules[ALIAS] = once(pointed)
        run = stage.deploy("2")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert stage.read_alias() == ("2", {})
        assert "whether ECR has its image is not known" in run.steps.get(name="verify").note
        assert any("Whether ECR still has the image is not known" in line for line in log_of(run))

    @pytest.mark.parametrize(
        ("status", "name"),
        [
            (400, "UnableToGetUpstreamImageException"),
            (400, "LimitExceededException"),
            (400, "InvalidParameterException"),
            (407, "407"),  # a proxy's
            (418, "SomethingThatNobodyKnowsException"),
        ],
    )
    def test_whose_registry_answers_with_whatever_error_at_the_end_takes_nothing_back(
        self, stage: Stage, between: Between, status: int, name: str
    ) -> None:
        def pointed(answer: Answer) -> Answer:
            between.guards["ecr.BatchGetImage"] = lambda: error(status, name, "Not now.")
            return answer

        between.rules[ALIAS] = once(pointed)
        run = stage.deploy("2")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert stage.read_alias() == ("2", {})
        assert "whether ECR has its image is not known" in run.steps.get(name="verify").note
        assert any("still has the image is not known" in line and "Not now." in line for line in log_of(run))

    def test_that_may_not_be_asked_for_images_at_the_end_takes_nothing_back(
        self, stage: Stage, sandbox: Sandbox, account: str
    ) -> None:
        denial = {"account": account, "actions": ["ecr:BatchGetImage", "ecr:DescribeImages"]}
        run = meanwhile(stage.confirm(stage.plan("2")), "verify", lambda _: sandbox.admin("POST", "denials", denial))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert stage.read_alias() == ("2", {})

    @pytest.mark.parametrize("done", [True, False])
    def test_whose_answer_about_the_alias_is_missing_when_it_is_cancelled_is_looked_at_and_the_alias_put_back(
        self, stage: Stage, between: Between, done: bool
    ) -> None:
        run = stage.confirm(stage.plan("2"))

        def cancelled() -> Answer:
            signals.give(run, SignalKind.CANCEL, stage.actor)
            connections.close_all()
            between.guards.clear()
            return error(500, "ServiceException", "Something went wrong.")

        if done:
            between.rules[ALIAS] = once(lambda _: cancelled())
        else:
            between.guards[ALIAS] = cancelled
        run = carry_out(run)
        assert run.status == Status.CANCELLED, log_of(run)
        assert stage.read_alias() == ("1", {})
        what = "was put back to version 1" if done else "points to version 1, as before"
        assert run.result["told"][-1] == f"Alias staging {what}."

    def test_that_still_allocates_provisioned_concurrency_is_waited_for_before_and_after(
        self, stage: Stage, clock: Any
    ) -> None:
        config = {"FunctionName": "app", "Qualifier": "staging"}
        with clock(provisioned=1.5):
            stage.api.put_provisioned_concurrency_config(**config, ProvisionedConcurrentExecutions=1)
            run = stage.deploy("2")
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert stage.read_alias() == ("2", {})
        assert stage.api.get_provisioned_concurrency_config(**config)["Status"] == "READY"
