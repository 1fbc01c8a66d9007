"""Plans of deployments say first what deviates: configuration, repository, base, and whether there is a way back."""

import json
from typing import Any

import pytest

from functions_app.domain.changes.deployments import DeploymentPlan
from functions_app.domain.changes.judgements import Judgement, Level
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Status
from functions_app.domain.tokens import TokenScope
from functions_app.models import Account, AuditEntry, Image, Run
from functions_app.services.changes import deploy
from functions_app.services.engine import plans
from functions_app.services.people.actor import Actor
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Push, Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.sandbox.lambda_.test_open_answers import MANAGED, PROVIDER
from tests.services.changes.stage import Stage, answering, carry_out, log_of, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "hunter2-7f3a"


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own, 640 MB, with an image to deploy."""
    variables = {"Variables": {"K": SECRET, "OLD": "1"}}
    made = make_stage(functions, operator, MemorySize=640, Timeout=5, Environment=variables)
    made.push("two", "2")
    return made


def planned(stage: Stage, image: str = "2", alias: str = "staging") -> DeploymentPlan:
    """A deployment as planned, whether it is possible or not."""
    return deploy.plan(stage.function, image, alias, stage.actor).plan


def judged(stage: Stage, image: str = "2", alias: str = "staging") -> Judgement:
    """What the plan says."""
    return planned(stage, image, alias).judgement


def remarks(judgement: Judgement, level: Level) -> dict[str, str]:
    """The remarks of a level: name and text."""
    return {remark.name: remark.text for remark in judgement.remarks if remark.level is level}


def other_repository(stage: Stage, push: Push, name: str = "other") -> str:
    """An image in a repository that the function never ran; gives its reference."""
    push(name, python_image(answering("two")), ["1"])
    return stage.functions.uri(f"{name}:1")


class Test_configuration:
    def test_what_would_be_published_is_compared_with_what_the_alias_runs(self, stage: Stage) -> None:
        stage.functions.configure(
            "app",
            MemorySize=3008,
            Timeout=30,
            ImageConfig={"Command": ["app.other"]},
            Environment={"Variables": {"K": "new-" + SECRET, "NEW": SECRET}},
        )
        judgement = judged(stage)
        (comparison,) = judgement.comparisons
        assert [(row.name, row.before, row.after) for row in comparison.differences] == [
            ("Memory", "640 MB", "3,008 MB"),
            ("Timeout", "5 s", "30 s"),
            ("Command", "the image's own", '["app.other"]'),
            ("Variable NEW", "not set", "set"),
            ("Variable OLD", "set", "not set"),
            ("Variable K", "set", "changed"),
        ]
        assert "six settings differ" in judgement.verdict
        assert "Memory, Timeout, Command" in remarks(judgement, Level.MIND)["Configuration"]

    def test_no_value_of_a_variable_is_in_the_plan(self, stage: Stage) -> None:
        stage.functions.configure("app", Environment={"Variables": {"K": "new-" + SECRET}})
        assert SECRET not in json.dumps(stage.plan("2").body)

    def test_where_nothing_differs_the_plan_says_that_too(self, stage: Stage) -> None:
        judgement = judged(stage)
        assert "configuration unchanged" in judgement.verdict
        assert not judgement.differs

    def test_the_entry_point_that_counts_is_the_functions(self, stage: Stage) -> None:
        stage.functions.configure("app", ImageConfig={"Command": ["app.other"]})
        found = {check.name: check.text for check in planned(stage).checks}
        assert found["Entry point"] == "Starts /lambda-entrypoint.sh app.other, by the function's Command."

    def test_an_image_that_starts_nothing_by_itself_is_fine_where_the_function_says_what(self, stage: Stage) -> None:
        stage.functions.push(python_image(answering("two"), Entrypoint=None, Cmd=None), "app:bare")
        assert "Nothing to start" in {check.name: check.text for check in planned(stage, "bare").checks}["Entry point"]
        stage.functions.configure("app", ImageConfig={"EntryPoint": ["/run"], "Command": ["x"]})
        assert {check.name: check.ok for check in planned(stage, "bare").checks}["Entry point"] is True

    def test_of_a_split_alias_every_version_is_compared(self, stage: Stage) -> None:
        stage.functions.configure("app", MemorySize=1024)
        assert stage.functions.publish("app") == "2"
        weights = {"AdditionalVersionWeights": {"2": 0.1}}
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="1", RoutingConfig=weights)
        judgement = judged(stage)
        assert judgement.verdict.startswith("Against version 1, which has 90 % of the calls: ")
        assert [(run.version, run.share) for run in judgement.runs] == [("1", 0.9), ("2", 0.1)]
        assert [[row.name for row in one.differences] for one in judgement.comparisons] == [["Memory"], []]

    def test_a_new_alias_is_compared_with_latest(self, stage: Stage) -> None:
        assert judged(stage, alias="canary").verdict.startswith("canary is new; against $LATEST: same repository, ")


class Test_repository:
    def test_one_that_the_function_never_ran_is_said_first_and_in_red(self, stage: Stage, push: Push) -> None:
        judgement = judged(stage, other_repository(stage, push))
        assert judgement.verdict.startswith("From other, a repository that app never ran")
        assert (judgement.level, judgement.remarks[0].name) == (Level.DANGER, "Repository")

    def test_it_needs_a_tick_of_its_own_which_the_server_asks_for(self, stage: Stage, push: Push) -> None:
        stored = stage.plan(other_repository(stage, push))
        assert [key for key, _ in stored.ticks] == ["repository"]
        with pytest.raises(DrydockError, match="tick: other is a repository that app never ran") as caught:
            stage.confirm(stored)
        assert caught.value.problem.code is Code.INVALID
        assert not Run.objects.exists()
        assert AuditEntry.objects.filter(action="deployment.apply", result__contains="never ran").exists()
        run = carry_out(plans.apply(stored.pk, stage.actor, ticked=["repository"]))
        assert run.status == Status.SUCCEEDED, log_of(run)

    def test_a_bot_needs_it_as_well(self, stage: Stage, push: Push) -> None:
        stored = stage.plan(other_repository(stage, push))
        bot = Actor(stage.actor.person, via="a token", scopes=frozenset({TokenScope.DEPLOY_NONPROD}))
        with pytest.raises(DrydockError, match="never ran"):
            plans.apply(stored.pk, bot)

    def test_another_tick_is_not_this_one(self, stage: Stage, push: Push) -> None:
        with pytest.raises(DrydockError, match="never ran"):
            plans.apply(stage.plan(other_repository(stage, push)).pk, stage.actor, ticked=["something", ""])

    def test_one_that_an_older_version_ran_is_no_stranger(self, stage: Stage, push: Push) -> None:
        reference = other_repository(stage, push)
        stage.function.versions.filter(number="1").update(image_uri=reference)
        judgement = judged(stage, reference)
        assert judgement.verdict.startswith("From another repository, other, ")
        assert judgement.ticks == ()
        assert "Repository" in remarks(judgement, Level.MIND)

    def test_its_own_needs_no_tick(self, stage: Stage) -> None:
        assert stage.plan("2").ticks == []


class Test_way_back:
    def test_it_is_the_version_before(self, stage: Stage) -> None:
        assert planned(stage).undo().startswith("Roll staging back to version 1.")

    def test_there_is_none_where_the_image_behind_was_deleted_and_that_is_red(self, stage: Stage) -> None:
        stage.functions.ecr.batch_delete_image(
            repositoryName="app", imageIds=[{"imageDigest": stage.digest("1")}, {"imageTag": "1"}]
        )
        plan = planned(stage)
        assert "There is no way back to version 1" in remarks(plan.judgement, Level.DANGER)["Way back"]
        assert "Roll staging back" not in plan.undo()
        assert plan.judgement.way_back is not None
        assert plan.judgement.way_back.version == ""

    def test_where_ecr_can_not_be_asked_it_is_not_sure_and_the_plan_is_made_all_the_same(
        self, stage: Stage, sandbox: Sandbox, account: str, push: Push
    ) -> None:
        # Of another account without a role here: what it lets Lambda pull it need not let us read.
        detail = stage.functions.api.get_function(FunctionName="app", Qualifier="1")
        assert detail["Code"]["ResolvedImageUri"]
        sandbox.admin("POST", "denials", {"account": account, "actions": ["ecr:DescribeImages"]})
        stage.functions.ecr.batch_delete_image(
            repositoryName="app", imageIds=[{"imageDigest": stage.digest("1")}, {"imageTag": "1"}]
        )
        text = remarks(judged(stage), Level.MIND)["Way back"]
        assert "Whether its image is there is not known" in text
        assert "ecr:DescribeImages" in text

    def test_from_latest_there_is_none_to_latest(self, stage: Stage) -> None:
        stage.functions.redeploy(answering("latest"), "app", "9")
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="$LATEST")
        plan = planned(stage)
        assert "There is no way back: staging points to $LATEST" in remarks(plan.judgement, Level.DANGER)["Way back"]
        assert "as soon as the code is updated" in remarks(plan.judgement, Level.DANGER)["Alias"]
        assert "version $LATEST" not in f"{plan.undo()} {plan.steps()}"

    def test_from_latest_it_is_a_version_with_the_same_digest(self, stage: Stage) -> None:
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="$LATEST")
        assert planned(stage).undo().startswith("Roll staging back to version 1, which has the image that $LATEST runs")

    def test_of_a_split_it_is_one_version_and_the_plan_says_so(self, stage: Stage) -> None:
        stage.functions.next_version("app")
        weights = {"AdditionalVersionWeights": {"2": 0.1}}
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="1", RoutingConfig=weights)
        undo = planned(stage).undo()
        assert "Roll staging back to version 1 alone: a rollback does not restore the split" in undo
        assert "Drydock puts staging back to version 1 (90 %) and version 2 (10 %) by itself" in undo


class Test_base:
    def test_how_many_releases_it_goes_forward_is_in_the_verdict(self, stage: Stage) -> None:
        stage.sync_all()
        stream = factories.make_stream()
        old = factories.make_release(stream, "3.12.old", days_old=60)
        factories.make_release(stream, "3.12.mid", days_old=30)
        new = factories.make_release(stream, "3.12.new", current=True)
        for digest, release, freshness in ((stage.digest("1"), old, "stale"), (stage.push("two", "2"), new, "current")):
            base = {"base_release": release, "base_stream": stream, "freshness": freshness}
            assert Image.objects.filter(digest=digest).update(**base) == 1
        judgement = judged(stage)
        assert judgement.verdict == "Same repository, base two releases newer, configuration unchanged."
        assert str(judgement.runs[0].base) == "python:3.12 3.12.old"
        assert judgement.goal is not None
        assert str(judgement.goal.base) == "python:3.12 3.12.new"

    def test_an_image_that_no_sync_has_read_is_judged_by_what_it_is_now(self, stage: Stage) -> None:
        image = python_image(answering("fresh"))
        stream = factories.make_stream("golden:1", own=True, reference="registry.example.com/golden:1")
        release = factories.make_release(stream, "1.2", current=True)
        diff_ids = list(image.document["rootfs"]["diff_ids"])
        release.diff_ids, release.chain_id = diff_ids, diff_ids[0]
        release.save()
        stage.functions.push(image, "app:fresh")
        judgement = judged(stage, "fresh")
        assert judgement.goal is not None
        assert str(judgement.goal.base) == "golden:1 1.2"


class Test_newer_functions:
    def test_executions_that_are_under_way_on_a_durable_function_stand_in_the_plan(
        self, functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey, sandbox: Sandbox, account: str
    ) -> None:
        durable = make_stage(functions, operator, DurableConfig={"ExecutionTimeout": 3600})
        durable.push("two", "2")
        where = {"account": account, "region": "eu-west-1", "name": "app", "version": "1"}
        sandbox.admin("POST", "durable-executions", {**where, "count": 3})
        sandbox.admin("POST", "durable-executions", {**where, "count": 2, "status": "SUCCEEDED"})
        text = remarks(judged(durable), Level.MIND)["Durable executions"]
        assert text.startswith("3 executions are under way on version 1. They stay there")

    def test_where_executions_may_not_be_listed_the_plan_is_made_and_says_so(
        self, functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey, sandbox: Sandbox, account: str
    ) -> None:
        durable = make_stage(functions, operator, DurableConfig={"ExecutionTimeout": 3600})
        durable.push("two", "2")
        actions = ["lambda:ListDurableExecutionsByFunction"]
        sandbox.admin("POST", "denials", {"account": account, "actions": actions})
        stored = durable.plan("2")
        (remark,) = [one for one in stored.body["judgement"]["remarks"] if one["name"] == "Durable executions"]
        assert "is not known" in remark["text"]
        assert actions[0] in remark["text"]

    def test_the_capacity_provider_stands_in_the_plan_as_a_difference_too(self, stage: Stage) -> None:
        stage.api.update_function_configuration(FunctionName="app", **MANAGED)
        judgement = judged(stage)
        assert PROVIDER in remarks(judgement, Level.MIND)["Capacity provider"]
        assert "Capacity provider" in [row.name for row in judgement.comparisons[0].differences]


class Test_production:
    def test_what_the_account_says_is_production_has_to_be_typed(self, stage: Stage) -> None:
        Account.objects.filter(pk=stage.account.pk).update(production_aliases=["stag*"])
        stage.function.refresh_from_db()
        stored = stage.plan("2")
        assert stored.confirmation == "staging"
        with pytest.raises(DrydockError, match="type the name of the alias"):
            stage.confirm(stored)

    def test_what_it_leaves_out_has_not(self, stage: Stage) -> None:
        Account.objects.filter(pk=stage.account.pk).update(production_aliases=["gold"])
        stage.function.refresh_from_db()
        assert stage.plan("2", "live").confirmation == ""

    def test_the_installations_setting_goes_for_accounts_without_one(self, stage: Stage, settings: Any) -> None:
        settings.DRYDOCK_PRODUCTION_ALIASES = ("staging",)
        assert (stage.plan("2").confirmation, stage.plan("2", "live").confirmation) == ("staging", "")

    @pytest.mark.parametrize("alias", ["prod2", "release", "live-eu"])
    def test_by_default_what_may_be_production_is(self, stage: Stage, alias: str) -> None:
        assert stage.plan("2", alias).confirmation == alias
