"""What a chat is told that changes nothing: by every verb, for whom, and at what cost."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app import clock, runlog
from functions_app.domain.chat.grammar import GRAMMAR, Verb
from functions_app.models import AuditEntry, Function, Run, RunStep, Tag
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.api.chat_room import Room
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = pytest.mark.django_db
MOST = 6  # queries


@pytest.fixture
def room(operator: User, valkey: Valkey) -> Room:
    """A chat in which U1 is an operator."""
    room = Room.of(operator)
    room.link(operator)
    return room


@pytest.fixture
def billing() -> Function:
    """A function whose two aliases run other images than $LATEST, one by a tag that moved on since."""
    account = make_account("production")
    function = make_function(account, "billing-api", tags={"owner": "payments"})
    repository = make_repository(account, "billing")
    reason = "2 releases behind."
    old = make_image(repository, "old", freshness="stale", freshness_reason=reason)
    new = make_image(repository, "new", tags=["1.8"], freshness="current", freshness_reason="The newest release.")
    make_version(function, 7, old, image_uri=f"{repository.uri}:1.8")
    make_version(function, 8, new)
    make_alias(function, "live", 7)
    make_alias(function, "staging", 8, second=7, weight=0.25)
    assert Tag.objects.get(name="1.8").digest == new.digest
    refresh_summaries([function.pk])
    function.refresh_from_db()
    return function


def make_run(function: Function | None = None, status: str = "running", **values: object) -> Run:
    run = Run.objects.create(
        **{"kind": "deployment", "title": "Deploy 2 to billing-api:live", "created_at": clock.now(), **values},
        status=status,
        function=function,
        actor_name="olga",
        via="chat ops-bot in #ops",
    )
    RunStep.objects.create(run=run, position=1, name="check", title="Check again", status="done", note="as planned")
    RunStep.objects.create(run=run, position=2, name="update", title="Update the code", status="running")
    return run


class Test_somebody_asks:
    def test_for_the_list(self, room: Room, billing: Function) -> None:
        make_function(billing.account, "orders")
        told = room.told("list")
        assert told["text"].startswith("2 functions, 1 stale: billing-api")
        assert any(line.startswith("billing-api: ") and "live → 7 " in line for line in told["lines"])
        assert room.told("list orders nowhere")["text"] == "0 functions, 0 stale: none"
        assert room.told("list orders")["url"].endswith("/functions/?search=orders")

    def test_for_what_is_stale(self, room: Room, billing: Function) -> None:
        make_function(billing.account, "orders")
        told = room.told("stale")
        assert told["text"] == "1 stale function: billing-api"
        assert told["lines"][0].startswith("billing-api: 2 releases behind; ")
        assert told["url"].endswith("/functions/?freshness=stale")

    def test_for_functions_of_one_name_and_is_told_which_is_whose(self, room: Room) -> None:
        for name in ("blue", "green"):
            make_function(make_account(name), "twin")
        lines = room.told("list twin")["lines"]
        assert {line.partition(": ")[0] for line in lines} == {"twin (blue, eu-west-1)", "twin (green, eu-west-1)"}

    def test_for_a_function(self, room: Room, billing: Function) -> None:
        told = room.told("show billing-api")
        assert told["text"].startswith("billing-api: ")
        assert f"{billing.arn} (production)" in told["lines"]
        assert "owner payments" in told["lines"]
        ways = [line for line in told["lines"] if "→" in line]
        assert [re.sub(r" [0-9a-f]{12}", "", way) for way in ways] == [
            "live → 7",
            "staging → 8 (75 %)",
            "staging → 7 (25 %)",
        ]

    def test_for_one_alias_of_it(self, room: Room, billing: Function) -> None:
        lines = room.told("show billing-api:live")["lines"]
        assert [line.split()[0] for line in lines if "→" in line] == ["live"]

    def test_why_it_is_stale(self, room: Room, billing: Function) -> None:
        told = room.told("why billing-api")
        assert told["text"] == "billing-api: 2 releases behind."
        assert any(line.startswith("live → 7 ") and "2 releases behind" in line for line in told["lines"])

    def test_what_differs(self, room: Room, billing: Function) -> None:
        told = room.told("diff billing-api:live")
        (line,) = told["lines"]
        assert "its tag 1.8 is" in line
        assert "$LATEST is" in line
        assert line.endswith("its base is stale: 2 releases behind")
        assert told["text"].startswith("billing-api: live → 7")

    def test_how_the_fleet_stands(self, room: Room, billing: Function) -> None:
        make_run(billing)
        told = room.told("status")
        assert told["text"].startswith("1 function, 1 stale; 1 run under way; as of 2")
        assert told["lines"][0].endswith("by olga via chat ops-bot in #ops")

    def test_how_a_run_stands(self, room: Room, billing: Function) -> None:
        run = make_run(billing)
        told = room.told(f"status {run.pk}")
        assert told["text"].startswith(f"Run {run.pk} running: 1 of 2 steps, then Update the code.")
        assert told["run"]["id"] == run.pk
        assert told["lines"][1:] == ["done: Check again (as planned)", "running: Update the code"]

    def test_how_a_run_failed(self, room: Room, billing: Function) -> None:
        problem = {"code": "failed", "message": "Lambda refused it.", "next_step": ""}
        run = make_run(billing, "failed", problem=problem)
        assert room.told(f"status {run.pk}")["text"] == f"Run {run.pk} failed: Lambda refused it."

    def test_what_came_of_a_run_and_is_told_its_status_once(self, room: Room, billing: Function) -> None:
        run = make_run(billing, "succeeded", result={"summary": "Succeeded: 2 of 2 steps."})
        assert room.told(f"status {run.pk}")["text"] == f"Run {run.pk}: Succeeded: 2 of 2 steps."

    def test_for_runs_of_one_status(self, room: Room, billing: Function) -> None:
        failed, running = make_run(billing, "failed"), make_run(billing)
        assert [line.split()[0] for line in room.told("runs")["lines"]] == [str(running.pk), str(failed.pk)]
        assert [line.split()[0] for line in room.told("runs FAILED")["lines"]] == [str(failed.pk)]
        assert [line.split()[0] for line in room.told("runs active")["lines"]] == [str(running.pk)]
        assert "no status “odd”" in room.told("runs odd", status=400)["text"]

    def test_for_help(self, room: Room) -> None:
        assert len(room.told("help")["lines"]) == 17
        assert room.told("help deploy")["lines"][1] == "For example: deploy billing-api 1.8.3 live"

    @pytest.mark.parametrize(
        "text",
        ["list billing", "stale", "show billing-api", "why billing-api", "diff billing-api", "status", "status RUN",
         "logs RUN", "runs", "help"],
    )  # fmt: skip
    def test_in_few_queries_however_many_functions_there_are(self, room: Room, billing: Function, text: str) -> None:
        run = make_run(billing)
        for _ in range(60):
            make_function(billing.account)
        room.say(text)  # whose token was used is noted once a minute
        with CaptureQueriesContext(connection) as queries:
            room.told(text.replace("RUN", str(run.pk)))
        assert len(queries) <= MOST, [query["sql"] for query in queries]


@pytest.mark.django_db(transaction=True)
def test_the_last_lines_of_a_log_come_without_its_secrets(room: Room, billing: Function) -> None:
    run = make_run(billing)
    runlog.append_message(run.pk, "info", "first")
    runlog.append_message(run.pk, "info", "db password=hunter2hunter2 refused")
    told = room.told(f"logs {run.pk}")
    assert told["lines"][0].endswith(" first")
    assert "refused" in told["text"]
    assert "hunter2" not in str(told)


def test_what_an_invoked_function_answered_comes_without_its_secrets(room: Room, billing: Function) -> None:
    answer = {"payload": '{"order": 7, "api_key": "hunter2hunter2"}'}
    run = make_run(
        billing, "succeeded", kind="invocation", result={"answer": answer, "summary": "token=hunter2hunter2"}
    )
    told = room.told(f"status {run.pk}")
    assert any('"order": 7' in line for line in told["lines"])
    assert "hunter2" not in str(told)


@pytest.mark.parametrize("verb", GRAMMAR, ids=str)
def test_every_command_of_the_table_is_answered(room: Room, verb: Verb) -> None:
    assert room.say(verb.example).status_code in (200, 400, 403, 404)  # there is nothing here


class Test_what_is_not_understood:
    def test_is_told_the_nearest_command(self, room: Room) -> None:
        told = room.told("pathc billing-api", status=400)
        assert told["text"] == "Not accepted: There is no command “pathc”. Did you mean “patch”?"

    def test_names_the_choices_of_an_ambiguous_name_and_guesses_none(self, room: Room) -> None:
        arns = sorted(make_function(make_account(), "twin").arn for _ in range(2))
        for text in ("show twin", "why twin", "diff twin:live", "patch twin", "deploy twin 2 live", "invoke twin"):
            assert room.told(text, status=409)["choices"] == arns
        assert not Run.objects.exists()
        assert room.told(f"show {arns[0]}")["text"].startswith("twin: ")

    def test_for_an_alias_that_is_not_there_says_so(self, room: Room, billing: Function) -> None:
        assert "has no alias nope" in room.told("why billing-api:nope", status=404)["text"]

    @pytest.mark.parametrize(
        ("text", "status"), [("show a\u202eb", 400), ("show a\0b", 400), ("x" * 10_240, 422), ("show 'a", 400)]
    )
    def test_for_a_hostile_text_is_refused(self, room: Room, text: str, status: int) -> None:
        assert room.say(text).status_code == status

    @pytest.mark.parametrize("user", ["", "a\u202eb", " U1", "x" * 101, "password=hunter2hunter2"])
    def test_for_a_user_whose_name_could_be_taken_for_another_is_refused(self, room: Room, user: str) -> None:
        assert room.say("list", user).status_code in (400, 422)


class Test_who_is_linked_to_nobody:
    def test_reads_what_the_token_lets_everybody_read(self, operator: User, billing: Function, valkey: Valkey) -> None:
        assert Room.of(operator, "read").told("list", "stranger")["text"].startswith("1 function")

    def test_reads_nothing_where_the_token_is_not_for_reading(self, operator: User, valkey: Valkey) -> None:
        Room.of(operator, "patch").told("list", "stranger", 403)
        entry = AuditEntry.objects.get(action="chat.list")
        assert (entry.actor, entry.actor_name, entry.via) == (None, "(chat user stranger)", "chat ops-bot in #ops")

    @pytest.mark.parametrize(
        "text",
        ["deploy a 1 live", "patch a", "rollback a", "undo 1", "invoke a", "cancel 1", "approve 7F3K", "approve 1"],
    )
    def test_changes_nothing_and_is_told_how_to_be_linked(self, room: Room, text: str) -> None:
        make_function(make_account(), "a")
        told = room.told(text, "stranger", 403)
        assert "Nobody knows who you are here" in told["text"]
        assert "say “link CODE”" in told["next_step"]
        assert AuditEntry.objects.filter(action=f"chat.{text.split()[0]}", result__startswith="refused").count() == 1
        assert not Run.objects.exists()

    def test_gets_no_further_than_the_token(self, operator: User, valkey: Valkey) -> None:
        account = make_account()
        make_function(account, "billing-api")
        hidden = make_function(account, "orders")
        run = make_run(hidden)
        room = Room.of(operator, "read", functions=["billing-*"])
        assert [line.partition(":")[0] for line in room.told("list")["lines"]] == ["billing-api"]
        for text in ("show orders", f"why {hidden.arn}", f"diff {hidden.pk}", f"status {run.pk}", f"logs {run.pk}"):
            room.told(text, status=404)
        assert room.told("runs")["lines"] == []
        assert room.told("status")["text"].startswith("1 function, 0 stale; 0 runs")


class Test_a_link:
    def test_lets_read_what_its_person_may_and_nothing_once_they_may_not(
        self, operator: User, viewer: User, billing: Function, valkey: Valkey
    ) -> None:
        room = Room.of(operator)
        room.link(viewer)
        room.told("list")
        viewer.groups.clear()
        assert "may not look at anything" in room.told("list", status=403)["text"]
        viewer.groups.set(operator.groups.all())
        viewer.is_active = False
        viewer.save()
        room.told("list", status=403)

    def test_is_that_of_one_bot_alone(self, operator: User, billing: Function, valkey: Valkey) -> None:
        Room.of(operator).link(operator)
        other = Room.of(operator, name="other-bot")
        other.told("cancel 1", status=403)


def test_a_token_that_is_over_is_told_so_whoever_speaks(room: Room) -> None:
    room.token.expires_at = clock.now() - timedelta(days=1)
    room.token.save()
    assert room.say("list").status_code == 401
