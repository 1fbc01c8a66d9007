"""Push to deploy: what ECR has under the tag is deployed once, for who made the rule, and the later push wins."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from functions_app import clock
from functions_app.aws import session
from functions_app.domain.changes.approvals import Approval, PlanState
from functions_app.domain.errors import DrydockError
from functions_app.domain.events import EventKind
from functions_app.domain.runs import Kind, Status
from functions_app.domain.tokens import TokenScope
from functions_app.models import Account, AuditEntry, Event, Plan, PushRule, Run
from functions_app.services.changes import deploy, push_rules, pushes
from functions_app.services.engine import approvals
from functions_app.services.people import living_tokens, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from functions_app.services.sync import events as registry_events
from tests.conftest import Valkey
from tests.factories import digest
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.stage import Stage, carry_out, make_stage
from tests.services.sync.events_stage import pushed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function whose repository Drydock knows."""
    made = make_stage(functions, operator)
    made.sync_all()
    return made


def make_rule(stage: Stage, mode: str = "deploy", alias: str = "staging", typed: str = "") -> PushRule:
    return push_rules.make(stage.function, alias, "main", mode, stage.actor, typed)


def tell(stage: Stage, **detail: str) -> str:
    """ECR tells of a push to the tag."""
    return registry_events.handle(pushed(stage.account, stage.name, "main", **detail))


def act(rule: PushRule) -> str:
    """Be the worker, without waiting for what was put off."""
    PushRule.objects.exclude(wanted_at=None).update(wanted_at=clock.now())
    told = [pushes.act(pk) for pk in pushes.due(clock.now())]
    rule.refresh_from_db()
    return told[0] if told else ""


def planned_by_a_worker(stage: Stage, rule: PushRule) -> None:
    """One that died thereafter."""
    bot = Actor(stage.actor.person, f"push rule {rule.pk}")
    deploy.plan(stage.function, "main", rule.alias, bot, pushes._identity(rule))


def deployments() -> list[Run]:
    return list(Run.objects.filter(kind=Kind.DEPLOYMENT).order_by("pk"))


def test_a_push_is_deployed_as_ecr_has_it_whatever_the_event_says(stage: Stage) -> None:
    rule = make_rule(stage)
    two = stage.push("two", "main")
    assert "1 rule looks at its tag" in tell(stage, **{"image-digest": digest("something else")})
    told = act(rule)
    (run,) = deployments()
    assert told == f"Run {run.pk} deploys it."
    assert (run.actor, run.via) == (stage.actor.person, f"push rule {rule.pk}")
    assert carry_out(run).status == Status.SUCCEEDED
    assert stage.digest("staging") == two
    assert (rule.digest, rule.plan, rule.wanted_at) == (two, run.made_from, None)


def test_the_same_event_twice_makes_one_run(stage: Stage) -> None:
    rule = make_rule(stage)
    stage.push("two", "main")
    for _ in range(2):
        tell(stage)
        act(rule)
    assert len(deployments()) == 1
    assert carry_out(deployments()[0]).status == Status.SUCCEEDED
    tell(stage)
    assert act(rule) == ""
    assert len(deployments()) == 1


def test_of_two_pushes_the_later_wins_and_the_older_is_not_deployed_after_it(stage: Stage) -> None:
    rule = make_rule(stage)
    two = stage.push("two", "main")
    tell(stage)
    act(rule)
    three = stage.push("three", "main")
    tell(stage)
    (first,) = deployments()
    assert act(rule).startswith(f"Waits for run {first.pk} ")
    carry_out(first)
    act(rule)
    assert carry_out(deployments()[1]).status == Status.SUCCEEDED
    tell(stage, **{"image-digest": two})
    assert act(rule) == ""
    assert (stage.digest("staging"), len(deployments())) == (three, 2)


def test_a_push_that_another_change_kept_from_its_run_is_not_deployed_after_a_later_one(stage: Stage) -> None:
    rule = make_rule(stage)
    two = stage.push("two", "main")
    planned_by_a_worker(stage, rule)
    other = Run.objects.create(
        kind=Kind.UNDO, status=Status.RUNNING, title="Other", created_at=clock.now(), lock=stage.function.arn
    )
    tell(stage)
    assert "It is tried again." in act(rule)
    three = stage.push("three", "main")
    tell(stage)
    Run.objects.filter(pk=other.pk).update(status=Status.SUCCEEDED, lock="")
    act(rule)
    assert [run.plan["to_digest"] for run in deployments()] == [three]
    assert Plan.objects.get(body__to_digest=two).reason == push_rules.REPLACED
    assert Event.objects.filter(kind=EventKind.PLAN_REJECTED).count() == 1


def test_after_a_plan_that_was_made_before_the_tag_is_looked_at_again_soon(stage: Stage) -> None:
    rule = make_rule(stage)
    stage.push("two", "main")
    tell(stage)
    planned_by_a_worker(stage, rule)
    act(rule)
    assert PushRule.objects.exclude(wanted_at=None).exists()
    assert act(rule) == ""
    assert (rule.wanted_at, len(deployments())) == (None, 1)


def test_events_in_the_wrong_order_deploy_the_newest_once(stage: Stage) -> None:
    rule = make_rule(stage)
    two, three = stage.push("two", "main"), stage.push("three", "main")
    for told in (three, two):
        tell(stage, **{"image-digest": told})
        act(rule)
    assert [run.plan["to_digest"] for run in deployments()] == [three]


def test_a_push_whose_event_was_lost_is_found_by_the_next_sync(stage: Stage) -> None:
    rule = make_rule(stage)
    two = stage.push("two", "main")
    stage.sync_all()
    act(rule)
    assert [run.plan["to_digest"] for run in deployments()] == [two]
    carry_out(deployments()[0])
    stage.sync_all()
    assert pushes.due(clock.now()) == []


def test_what_the_tag_names_when_the_rule_is_made_is_not_deployed(stage: Stage) -> None:
    stage.push("two", "main")
    rule = make_rule(stage)
    stage.sync_all()
    tell(stage)
    assert act(rule) == ""
    assert deployments() == []


def test_another_tag_and_another_repository_wake_no_rule(stage: Stage) -> None:
    make_rule(stage)
    for repository, tag in ((stage.name, "main-2"), ("other", "main")):
        assert "rule" not in registry_events.handle(pushed(stage.account, repository, tag))
    assert pushes.due(clock.now()) == []


class Test_a_rule_that_only_plans:
    def test_makes_a_plan_for_a_day_that_its_maker_applies(self, stage: Stage) -> None:
        rule = make_rule(stage, "plan")
        stage.push("two", "main")
        tell(stage)
        assert act(rule) == "Planned. Somebody has to apply the plan."
        assert deployments() == []
        plan = Plan.objects.get()
        assert (rule.plan, plan.maker) == (plan, stage.actor.person)
        assert plan.expires_at > clock.now() + timedelta(hours=23)
        assert isinstance(approvals.confirm(plan.pk, stage.actor), Run)

    def test_takes_the_plan_of_an_older_push_back(self, stage: Stage) -> None:
        rule = make_rule(stage, "plan")
        for text in ("two", "three"):
            stage.push(text, "main")
            tell(stage)
            act(rule)
        older, newer = Plan.objects.order_by("created_at")
        assert (approvals.state_of(older), approvals.state_of(newer)) == (PlanState.REJECTED, PlanState.OPEN)
        assert AuditEntry.objects.get(action="deployment.reject").result == f"withdrawn: {push_rules.REPLACED}"


class Test_production:
    def test_waits_for_an_approver_as_a_bots_change_does(self, stage: Stage, approver: Actor) -> None:
        rule = make_rule(stage, alias="live", typed="live")
        two = stage.push("two", "main")
        tell(stage)
        assert act(rule) == "Waits for an approver."
        plan = Plan.objects.get()
        assert approvals.state_of(plan) is PlanState.WAITING
        run = carry_out(approvals.approve(plan.pk, approver))
        assert (run.status, stage.digest("live")) == (Status.SUCCEEDED, two)

    def test_whose_newer_push_has_come_is_not_approved_any_more(self, stage: Stage, approver: Actor) -> None:
        rule = make_rule(stage, alias="live", typed="live")
        for text in ("two", "three"):
            stage.push(text, "main")
            tell(stage)
            act(rule)
        older = Plan.objects.order_by("created_at")[0]
        with pytest.raises(Exception, match="A newer push took its place"):
            approvals.approve(older.pk, approver)


class Test_whose_rights_ended:
    def test_has_no_push_deployed_and_the_rule_says_so(self, stage: Stage) -> None:
        rule = make_rule(stage)
        assert stage.actor.person is not None
        stage.actor.person.groups.clear()
        stage.push("two", "main")
        tell(stage)
        assert act(rule).startswith("Stopped: olga, for whom it acted, may not change functions any more.")
        assert deployments() == []
        assert rule.stopped_at is not None
        assert AuditEntry.objects.filter(action="push_rule.stop").count() == 1
        assert "rule" not in tell(stage)

    def test_because_they_are_gone_is_told_too(self, stage: Stage) -> None:
        rule = make_rule(stage)
        assert stage.actor.person is not None
        stage.actor.person.delete()
        tell(stage)
        assert act(rule).startswith("Stopped: olga")


class Test_whose_rule_a_token_made:
    """It ends with that token, and goes no further than it got."""

    @pytest.fixture
    def made(self, stage: Stage) -> Made:
        return tokens.make(Wanted("ci", [TokenScope.READ, TokenScope.DEPLOY_NONPROD]), stage.actor)

    @pytest.fixture
    def rule(self, stage: Stage, made: Made) -> PushRule:
        found = living_tokens.recognise(made.text, "127.0.0.1")
        assert found is not None
        return push_rules.make(stage.function, "dev", "main", "deploy", found[0])

    def test_has_its_pushes_deployed_while_the_token_lives(self, stage: Stage, rule: PushRule) -> None:
        stage.push("two", "main")
        tell(stage)
        assert act(rule).startswith("Run ")

    @pytest.mark.parametrize("end", [tokens.revoke, tokens.rotate])
    def test_has_no_push_deployed_once_it_is_revoked_or_has_another_text(
        self, stage: Stage, made: Made, rule: PushRule, end: Callable[[int, Actor], object]
    ) -> None:
        end(made.row.pk, stage.actor)
        stage.push("two", "main")
        tell(stage)
        assert act(rule).startswith("Stopped: token ci, by which olga made it, is over.")
        assert rule.stopped_at is not None
        assert (Plan.objects.count(), deployments()) == (0, [])

    def test_has_no_plan_approved_once_it_is_revoked(
        self, stage: Stage, made: Made, rule: PushRule, approver: Actor
    ) -> None:
        Account.objects.update(approval=Approval.ALWAYS, production_aliases=["dev"])
        PushRule.objects.update(scopes=list(TokenScope), confirmed="dev")
        stage.push("two", "main")
        tell(stage)
        assert act(rule) == "Waits for an approver."
        tokens.revoke(made.row.pk, stage.actor)
        with pytest.raises(DrydockError, match="may not change functions any more"):
            approvals.approve(Plan.objects.get().pk, approver)

    def test_deploys_to_no_alias_that_became_production_since(self, stage: Stage, rule: PushRule) -> None:
        Account.objects.update(approval=Approval.NEVER, production_aliases=["dev"])
        stage.push("two", "main")
        tell(stage)
        assert "lacks the scope deploy:prod" in act(rule)
        assert deployments() == []

    def test_gets_to_no_function_that_it_did_not_get_to(self, stage: Stage, rule: PushRule) -> None:
        PushRule.objects.update(functions=["billing-*"])
        stage.push("two", "main")
        tell(stage)
        assert "There is no such function here" in act(rule)
        assert deployments() == []


def test_an_alias_that_became_production_waits_for_somebody_who_types_its_name(stage: Stage) -> None:
    rule = make_rule(stage, alias="dev")
    Account.objects.update(approval=Approval.NEVER, production_aliases=["dev"])
    stage.push("two", "main")
    tell(stage)
    assert act(rule).startswith("Planned: dev carries production traffic now")
    assert deployments() == []
    assert isinstance(approvals.confirm(Plan.objects.get().pk, stage.actor, "dev"), Run)


def updating(stage: Stage, sandbox: Sandbox, state: list[str]) -> None:
    """Lambda says this of the function's last update."""
    where = {"account": stage.account.account_id, "region": stage.function.region, "name": stage.name}
    sandbox.admin("POST", "function-state", where | {"last_update": state})


class Test_what_goes_wrong:
    def test_once_is_told_and_not_tried_for_ever(self, stage: Stage) -> None:
        rule = make_rule(stage)
        stage.functions.push(python_image(architecture="arm64"), f"{stage.name}:main")
        tell(stage)
        assert act(rule).startswith("Refused: ")
        assert "linux/arm64" in rule.told
        stage.sync_all()
        assert pushes.due(clock.now()) == []

    def test_only_for_a_moment_is_tried_again(self, stage: Stage, sandbox: Sandbox) -> None:
        rule = make_rule(stage)
        stage.push("two", "main")
        tell(stage)
        updating(stage, sandbox, ["InProgress", "Creating", "somebody is at it"])
        assert act(rule).endswith("It is tried again in 10 s.")
        assert act(rule).endswith("It is tried again in 20 s.")
        updating(stage, sandbox, ["Successful", "", ""])
        assert act(rule).startswith("Run ")
        assert rule.tries == 0

    def test_for_long_is_not_tried_for_ever_and_the_next_push_is(self, stage: Stage, sandbox: Sandbox) -> None:
        rule = make_rule(stage)
        stage.push("two", "main")
        tell(stage)
        updating(stage, sandbox, ["InProgress", "Creating", "somebody is at it"])
        PushRule.objects.update(tries=len(pushes.PAUSES))
        act(rule)
        assert (rule.wanted_at, rule.told.startswith("Refused: ")) == (None, True)
        stage.push("three", "main")
        tell(stage)
        assert act(rule).endswith("It is tried again in 10 s.")

    def test_because_aws_gives_no_answer_is_tried_again_in_a_minute(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rule = make_rule(stage)
        stage.push("two", "main")
        tell(stage)
        with monkeypatch.context() as broken:
            broken.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            session.forget()
            assert act(rule).endswith("It is tried again in a minute.")
        session.forget()
        assert rule.wanted_at is not None
        assert pushes.due(clock.now()) == []
        act(rule)
        assert len(deployments()) == 1


class Test_a_worker_that_dies:
    def test_after_it_planned_leaves_a_plan_that_the_next_goes_on_with(self, stage: Stage) -> None:
        rule = make_rule(stage)
        stage.push("two", "main")
        tell(stage)
        planned_by_a_worker(stage, rule)
        PushRule.objects.update(held_until=clock.now() - timedelta(seconds=1))
        act(rule)
        assert (Plan.objects.count(), len(deployments())) == (1, 1)

    def test_after_it_started_the_run_starts_no_second_one(self, stage: Stage) -> None:
        rule = make_rule(stage)
        before = PushRule.objects.values("digest", "turn", "plan").get()
        two = stage.push("two", "main")
        tell(stage)
        act(rule)
        PushRule.objects.update(**before, wanted_at=clock.now())
        act(rule)
        assert (rule.digest, len(deployments())) == (two, 1)

    def test_holds_the_rule_from_others_for_two_minutes(self, stage: Stage) -> None:
        rule = make_rule(stage)
        tell(stage)
        PushRule.objects.update(held_until=clock.now() + pushes.HOLD)
        assert (pushes.due(clock.now()), pushes.act(rule.pk)) == ([], "")


def test_a_push_while_the_one_before_is_carried_out_stays_wanted(stage: Stage) -> None:
    rule = make_rule(stage)
    tell(stage)
    rule.refresh_from_db()
    tell(stage)
    pushes._note(rule, pushes.NOTHING_NEW)
    assert pushes.due(clock.now()) == [rule.pk]
