"""What is changed from a chat: by whom, in how many turns, and what the audit says of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from functions_app import clock
from functions_app.domain.changes.approvals import Approval
from functions_app.domain.errors import DrydockError
from functions_app.domain.runs import Kind, Status
from functions_app.models import Account, AuditEntry, ChatLink, Plan, PlanCode, Run
from functions_app.services.engine import approvals
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from tests.api.chat_room import Room
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import make_patch_stage
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
LIVE = "deploy app:live 2"


@pytest.fixture
def room(viewer: User, operator: User, valkey: Valkey) -> Room:
    """A chat whose bot acts for a viewer, in which U1 is an operator."""
    room = Room.of(viewer)
    room.link(operator)
    return room


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox) -> Stage:
    """A function with an image more than it runs, and an alias with production traffic."""
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    stage.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    stage.sync()
    return stage


def code_of(told: dict[str, Any]) -> str:
    """The code of the plan that was told."""
    return str(told["approve"].split()[1])


class Test_without_production_traffic:
    def test_a_deployment_starts_at_once_and_the_audit_names_person_bot_and_channel(
        self, room: Room, stage: Stage
    ) -> None:
        answer = room.say("deploy app 2 staging")
        run = Run.objects.get()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/runs/{run.pk}")
        assert answer.json()["run"]["id"] == run.pk
        assert answer.json()["text"].startswith(f"Run {run.pk}: ")
        assert (run.kind, run.actor_name, run.via) == (Kind.DEPLOYMENT, "olga", "chat ops-bot in #ops")
        entry = AuditEntry.objects.filter(run=run).first()
        assert entry is not None
        assert (entry.actor_name, entry.via) == ("olga", "chat ops-bot in #ops")

    def test_a_version_is_chosen_from_those_that_there_are_and_never_guessed(self, room: Room, stage: Stage) -> None:
        stage.deploy("2")
        assert room.told("rollback app")["choices"] == ["live", "staging"]
        told = room.told("rollback app staging")
        assert told["choices"] == ["1"]
        assert told["lines"][0].startswith("1: live until ")
        assert Run.objects.count() == 1
        room.told("rollback app staging 1", status=202)
        assert Run.objects.filter(kind=Kind.ROLLBACK).count() == 1

    def test_an_alias_is_never_guessed(self, room: Room, stage: Stage) -> None:
        told = room.told("deploy app 2")
        assert told["choices"] == ["live", "staging"]
        assert not Plan.objects.exists()
        assert "Which alias is meant" in room.told("deploy app:live 2 staging", status=400)["text"]

    def test_what_a_check_forbids_is_told_with_the_check(self, room: Room, stage: Stage) -> None:
        assert room.say("deploy app nowhere staging").status_code in (404, 422)
        assert not Run.objects.exists()

    def test_a_message_that_comes_again_starts_nothing_again(self, room: Room, stage: Stage) -> None:
        first, second = (room.say("deploy app 2 staging", **{"Idempotency-Key": "m1"}) for _ in range(2))
        assert (first.status_code, first.content) == (202, second.content)
        assert Run.objects.count() == 1

    def test_a_run_is_asked_to_end(self, room: Room, stage: Stage) -> None:
        run = room.told("deploy app 2 staging", status=202)["run"]["id"]
        assert room.told(f"cancel {run} wrong image", status=202)["text"] == f"Run {run} is asked to cancel."
        assert AuditEntry.objects.get(action="run.cancel").plan == {"reason": "wrong image"}
        Run.objects.update(status=Status.CANCELLED)
        assert "had ended" in room.told(f"cancel {run}")["text"]

    def test_a_function_is_called_with_json_as_it_was_written(self, room: Room, stage: Stage) -> None:
        told = room.told('invoke app:staging {"a":  "b c"}', status=202)
        run = carry_out(Run.objects.get(pk=told["run"]["id"]))
        assert run.status == Status.SUCCEEDED, log_of(run)
        assert any("one" in line for line in room.told(f"status {run.pk}")["lines"] if line.startswith("answered"))
        assert "Not JSON" in room.told("invoke app {“a”: 1}", status=400)["text"]


class Test_with_production_traffic:
    def test_the_plan_comes_first_with_its_verdict_and_what_to_say(self, room: Room, stage: Stage) -> None:
        told = room.told(LIVE)
        plan = Plan.objects.get()
        assert told["plan"]["id"] == str(plan.pk)
        assert told["plan"]["verdict"]
        assert told["approve"] == f"approve {PlanCode.objects.get().code}"
        assert told["text"].endswith(f"Say “{told['approve']}” by {plan.expires_at:%H:%M} UTC.")
        assert told["plan"]["verdict"] in told["lines"]
        assert not Run.objects.exists()

    def test_the_second_turn_of_who_asked_starts_it(self, room: Room, stage: Stage) -> None:
        told = room.told(f"approve {code_of(room.told(LIVE)).lower()}", status=202)
        run = Run.objects.get()
        assert told["run"]["id"] == run.pk
        assert (run.actor_name, run.via) == ("olga", "chat ops-bot in #ops")

    def test_a_code_is_used_once_and_its_second_use_names_the_run(self, room: Room, stage: Stage) -> None:
        code = code_of(room.told(LIVE))
        room.told(f"approve {code}", status=202)
        told = room.told(f"approve {code}", status=400)
        assert f"became run {Run.objects.get().pk}" in told["detail"]
        assert Run.objects.count() == 1

    def test_a_code_said_by_many_at_once_starts_one_run(self, room: Room, stage: Stage) -> None:
        code = code_of(room.told(LIVE))

        def say(_: int) -> int:
            try:
                return int(room.from_elsewhere().say(f"approve {code}").status_code)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(say, range(8))) == [202, *[400] * 7]
        assert Run.objects.count() == 1

    def test_a_code_expires_with_its_plan(self, room: Room, stage: Stage) -> None:
        code = code_of(room.told(LIVE))
        Plan.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        assert "expired" in room.told(f"approve {code}", status=410)["text"]

    def test_anothers_code_is_refused_and_that_is_in_the_audit(self, room: Room, stage: Stage, approver: User) -> None:
        room.link(approver, "U2")
        code = code_of(room.told(LIVE))
        room.told(f"approve {code}", "U2", 403)
        entry = AuditEntry.objects.get(action="deployment.approve")
        assert (entry.actor, entry.result[:8]) == (approver, "refused:")
        room.told(f"approve {code}", status=202)

    def test_a_code_that_no_plan_has_is_told_so(self, room: Room, stage: Stage) -> None:
        assert "No plan has the code ZZZZ" in room.told("approve ZZZZ", status=404)["text"]
        assert AuditEntry.objects.get(action="plan.apply").result.startswith("refused")

    def test_rights_that_end_between_the_turns_end_the_second(
        self, room: Room, stage: Stage, operator: User, viewer: User
    ) -> None:
        code = code_of(room.told(LIVE))
        operator.groups.set(viewer.groups.all())
        assert "Only operators may" in room.told(f"approve {code}", status=403)["text"]
        room.token.scopes = ["read", "deploy:nonprod"]
        room.token.save()
        operator.groups.clear()
        room.told(f"approve {code}", status=403)
        assert not Run.objects.exists()

    def test_a_link_that_ends_between_the_turns_ends_the_second(self, room: Room, stage: Stage) -> None:
        code = code_of(room.told(LIVE))
        room.token.links.all().delete()
        assert "Nobody knows who you are" in room.told(f"approve {code}", status=403)["text"]
        assert not Run.objects.exists()

    def test_who_is_linked_may_no_more_than_the_token(self, viewer: User, operator: User, stage: Stage) -> None:
        room = Room.of(viewer, "read", "deploy:nonprod", name="small-bot")
        room.link(operator)
        assert "lacks the scope deploy:prod" in room.told(LIVE, status=403)["text"]
        room.told("deploy app 2 staging", status=202)
        narrow = Room.of(viewer, "read", "deploy:nonprod", name="narrow-bot", functions=["other-*"])
        narrow.link(operator)
        narrow.told("deploy app 2 staging", status=404)

    def test_nor_than_the_person(self, room: Room, stage: Stage, viewer: User) -> None:
        room.link(viewer, "U3")
        assert "Only operators may" in room.told(LIVE, "U3", 403)["text"]


def test_a_patch_reads_what_it_must_is_planned_and_taken_back(
    room: Room, functions: Functions, aws: Sandbox, operator: User
) -> None:
    stage = make_patch_stage(functions, aws, Actor(operator))
    first = room.say("patch app staging", **{"Idempotency-Key": "m1"})
    assert (first.status_code, first["Drydock-Ask-Again"]) == (202, "once the run has ended")
    read = carry_out(Run.objects.get(kind=Kind.READ_FILES))
    assert read.status == Status.SUCCEEDED, log_of(read)
    started = room.say("patch app staging", **{"Idempotency-Key": "m1"})
    assert started.status_code == 202, started.content
    patch = carry_out(Run.objects.get(kind=Kind.PATCH))
    assert patch.status == Status.SUCCEEDED, log_of(patch)
    told = room.told("undo app", status=202)
    undo = Run.objects.get(kind=Kind.UNDO)
    assert told["run"]["id"] == undo.pk
    assert room.told(f"undo {patch.pk}", status=202)["run"]["id"] == undo.pk  # it is under way
    assert carry_out(undo).status == Status.SUCCEEDED, log_of(undo)
    assert "has no patch that could be undone" in room.told("undo app", status=404)["text"]
    assert stage.read_alias()[0] == "1"


def test_a_tick_that_is_asked_for_is_named_in_the_second_turn(room: Room, stage: Stage) -> None:
    code = code_of(room.told(LIVE))
    Plan.objects.update(ticks=[["review", "I have looked at it."]])
    told = room.told(f"approve {code}", status=400)
    assert "To confirm, tick: I have looked at it." in told["detail"]
    room.told(f"approve {code} review", status=202)


class Test_where_an_approver_has_to_agree:
    @pytest.fixture(autouse=True)
    def asked(self, stage: Stage) -> None:
        """The account asks for it, whoever changes its production."""
        Account.objects.filter(pk=stage.account.pk).update(approval=Approval.ALWAYS)
        stage.function.refresh_from_db()

    def test_the_second_turn_is_an_approvers_and_the_run_tells_both(self, room: Room, approver: User) -> None:
        room.link(approver, "U2")
        told = room.told(LIVE)
        assert f"An approver says “{told['approve']}” by " in told["text"]
        assert told["plan"]["state"] == "waiting"
        started = room.told(told["approve"], "U2", 202)
        run = Run.objects.get()
        assert started["run"]["id"] == run.pk
        assert run.actor_name == "anna"
        assert "Planned by olga via chat ops-bot in #ops, approved by anna via chat ops-bot in #ops." in log_of(run)
        assert f"became run {run.pk}" in room.told(told["approve"], "U2", 400)["detail"]

    def test_who_asked_only_asks_again_and_others_who_are_no_approvers_may_not(
        self, room: Room, superuser: User, operator: User
    ) -> None:
        other = User.objects.create_user("otto", password="a long password")
        other.groups.set(operator.groups.all())
        room.link(other, "U2")
        told = room.told(LIVE)
        assert room.told(told["approve"])["plan"]["state"] == "waiting"
        assert "needs an approver" in room.told(told["approve"], "U2", 403)["text"]
        assert not Run.objects.exists()

    def test_an_approver_needs_a_bot_that_was_made_for_it(self, room: Room, viewer: User, approver: User) -> None:
        small = Room.of(viewer, "read", "deploy:prod", name="small-bot")
        small.link(approver, "U2")
        assert "needs an approver" in small.told(room.told(LIVE)["approve"], "U2", 403)["text"]

    @pytest.mark.parametrize("over", ["link", "token", "another person's now"])
    def test_what_was_asked_through_what_is_over_gets_nothing_through_an_approver(
        self, room: Room, approver: User, over: str
    ) -> None:
        room.link(approver, "U2")
        room.told(LIVE)
        mine = ChatLink.objects.filter(chat_user="U1")
        if over == "link":
            mine.delete()
        elif over == "token":
            tokens.revoke(room.token.pk, Actor(room.token.person))
        else:
            mine.update(person=approver)
        plan = Plan.objects.get()
        with pytest.raises(DrydockError, match="may not change functions any more"):
            approvals.approve(plan.pk, Actor(approver))
        assert not Run.objects.exists()

    def test_what_is_to_be_ticked_is_ticked_by_who_asks_before_the_approver_agrees(
        self, room: Room, stage: Stage, approver: User
    ) -> None:
        room.link(approver, "U2")
        Account.objects.update(approval=Approval.NEVER)
        told = room.told(LIVE)
        Account.objects.update(approval=Approval.ALWAYS)
        Plan.objects.update(ticks=[["review", "I have looked at it."]])
        room.told(told["approve"], "U2", 403)
        asked = room.told(f"{told['approve']} review")
        assert asked["plan"]["state"] == "waiting"
        room.told(told["approve"], "U2", 202)
