"""The door of the API: what is understood whole, what is told of what is not, and what comes twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import F
from django.test import Client, RequestFactory

from functions_app import clock
from functions_app.api import answers, urls
from functions_app.domain import limits
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import KeptAnswer, Plan, Run
from functions_app.services.engine import plans
from functions_app.services.people import kept_answers, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from functions_app.services.sync import run as syncing
from tests.conftest import Valkey
from tests.factories import make_account, make_function, make_stream
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
ALL = ["read", "invoke", "deploy:nonprod"]


@pytest.fixture
def made(operator: User) -> Made:
    """A token of an operator."""
    return tokens.make(Wanted("ci", ALL), Actor(operator))


@pytest.fixture
def bot(made: Made, valkey: Valkey) -> Client:
    """A bot that shows it: no session, and CSRF is checked."""
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {made.text}"})


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function with an image more than it runs."""
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    return stage


def post(bot: Client, path: str, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return bot.post(f"/api/v1{path}", data, content_type="application/json", headers=headers)


class Test_a_request_that_is_not_understood:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("get", "/nothing", 404),
            ("get", "/", 404),
            ("put", "/functions", 405),
            ("delete", "/runs", 405),
            ("options", "/runs", 405),
            ("get", "/deployments", 405),
            ("get", "/functions?colour=red", 422),
            ("get", "/functions?search=a&search=b", 422),
            ("get", "/runs?status=active&status=active", 422),
            ("get", "/functions?sort=colour", 400),
            ("get", "/functions?freshness=rotten", 400),
            ("get", "/functions?account=nobody", 400),
            ("get", "/functions?cursor=WzIsICJ4Il0", 400),
            ("get", "/runs?status=odd", 400),
            ("get", "/runs?parent=x", 422),
            ("get", "/runs/999", 404),
            ("get", "/runs/x", 404),
            ("get", "/runs/1/logs?after=-1", 422),
            ("get", "/functions/nobody", 404),
            ("get", "/plans/no-plan", 422),
        ],
    )
    def test_is_told_so_as_a_problem(self, bot: Client, method: str, path: str, status: int) -> None:
        answer = getattr(bot, method)(f"/api/v1{path}")
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        told = answer.json()
        assert told["status"] == status
        assert told["detail"]
        assert 0 < len(told["text"]) <= 140
        assert answer["X-Request-Id"]

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"[]",
            b"null",
            b'{"function": "app", "function": "app2"}',
            b'{"function": NaN}',
            b'{"weight": 1e400}',
            b'{"function": "a\\u0000b"}',
            b'{"function": "a\\ud83d"}',
            b'{"a": ' * 100 + b"1" + b"}" * 100,
            b"[" * 10_000,
            b"\xff\xfe",
        ],
    )
    def test_for_its_body_is_told_so_before_anything_is_asked(self, bot: Client, body: bytes) -> None:
        answer = post(bot, "/deployments", body)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert "cannot be read" in answer.json()["detail"]

    def test_for_a_missing_member_names_it(self, bot: Client) -> None:
        answer = post(bot, "/deployments", {"function": "app"})
        assert (answer.status_code, answer.json()["detail"]) == (422, "body.image: Field required")

    @pytest.mark.parametrize("path", ["/invocations", "/deployments", "/patches", "/tokens", "/syncs?x=1"])
    def test_for_a_member_that_nobody_knows_says_so(self, bot: Client, path: str) -> None:
        answer = post(bot, path, {"function": "app", "qualifer": "live"})
        assert answer.status_code == 422
        assert not Run.objects.exists()

    def test_for_its_wait_is_told_what_that_may_be(self, bot: Client) -> None:
        answer = bot.get("/api/v1/functions?wait=60")
        assert (answer.status_code, answer.json()["detail"][:21]) == (422, "wait is 1 to 25 secon")

    def test_as_a_form_is_told_to_send_json(self, bot: Client) -> None:
        assert bot.post("/api/v1/deployments", {"function": "app"}).status_code == 415

    def test_goes_on_with_no_cursor_of_other_filters(self, bot: Client) -> None:
        account = make_account()
        for number in range(51):
            make_function(account, f"f-{number}")
        cursor = bot.get("/api/v1/functions").json()["next"]
        assert len(bot.get(f"/api/v1/functions?cursor={cursor}").json()["functions"]) == 1
        assert bot.get(f"/api/v1/functions?cursor={cursor}&search=f").status_code == 400


class Test_who_is_to_come_again:
    def test_is_told_when_where_the_token_was_shown_too_often(
        self, bot: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "TOKEN_BURST", 1)
        monkeypatch.setattr(limits, "TOKEN_RATE", 0.01)  # however slow the machine, the third comes too early
        found = [bot.get("/api/v1/runs") for _ in range(3)]
        assert [answer.status_code for answer in found] == [200, 200, 429]
        assert 0 < int(found[-1]["Retry-After"]) <= 100

    @pytest.mark.parametrize("code", Code)
    def test_is_told_when_by_every_refusal_that_passes(self, code: Code) -> None:
        refused = urls.expected(RequestFactory().get("/"), DrydockError(code, "No."))
        passes = refused.status_code in (429, 503) or code is Code.BUSY
        assert ("Retry-After" in refused, answers.passes(refused)) == (passes, passes or refused.status_code >= 500)

    def test_is_told_the_seconds_where_they_are_known(self) -> None:
        error = DrydockError(Code.THROTTLED, "The quota is used up.", again_in=41.2)
        assert urls.expected(RequestFactory().get("/"), error)["Retry-After"] == "42"


class Test_who_shows_no_token:
    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer nothing", "Basic b2xnYTpvbGdh", "Bearer ddk_" + "a" * 38])
    def test_is_told_how(self, header: str, valkey: Valkey) -> None:
        answer = Client().get("/api/v1/functions", headers={"Authorization": header})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="drydock"')
        assert answer["Content-Type"] == "application/problem+json"

    def test_is_not_let_in_by_a_session(self, client: Client, operator: User) -> None:
        client.force_login(operator)
        assert client.get("/api/v1/functions").status_code == 401


class Test_an_answer:
    def test_is_one_line_where_that_is_asked_for(self, bot: Client) -> None:
        answer = bot.get("/api/v1/functions", headers={"Accept": "text/plain"})
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.content.decode() == "0 functions, 0 stale, as of never: none\n"

    def test_is_not_sent_again_to_who_has_it(self, bot: Client) -> None:
        first = bot.get("/api/v1/functions")
        again = bot.get("/api/v1/functions", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        make_function(make_account(), "new")
        assert bot.get("/api/v1/functions", headers={"If-None-Match": first["ETag"]}).status_code == 200

    def test_has_the_request_id_that_was_sent_or_one_of_its_own(self, bot: Client) -> None:
        assert bot.get("/api/v1/runs", headers={"X-Request-Id": "ci-7"})["X-Request-Id"] == "ci-7"
        assert len(bot.get("/api/v1/runs", headers={"X-Request-Id": "two words"})["X-Request-Id"]) == 32

    def test_is_found_in_the_log_by_its_request_id(self, bot: Client, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO", "functions_app.api.door"):
            answer = bot.get("/api/v1/runs")
        assert [line for line in caplog.messages if answer["X-Request-Id"] in line] == [
            f"GET /api/v1/runs 200 by olga (token ci), request {answer['X-Request-Id']}"
        ]

    def test_is_cut_to_a_line(self, bot: Client) -> None:
        make_function(make_account(), "f" * 64, description="d" * 300)
        assert len(bot.get(f"/api/v1/functions/{'f' * 64}").json()["text"]) <= 140


class Test_a_function_is_named:
    def test_by_id_arn_name_and_alias(self, bot: Client) -> None:
        function = make_function(make_account(), "billing")
        for name in (str(function.pk), "billing", "billing:live", function.arn, f"{function.arn}:live"):
            assert bot.get(f"/api/v1/functions/{name}").json()["id"] == function.pk

    def test_and_where_several_are_called_so_the_choices_are_told(self, bot: Client) -> None:
        arns = sorted(make_function(make_account(), "billing").arn for _ in range(2))
        answer = bot.get("/api/v1/functions/billing")
        told = answer.json()
        assert (answer.status_code, told["code"], told["choices"]) == (409, "ambiguous", arns)

    def test_within_what_the_token_gets_to(self, operator: User, valkey: Valkey) -> None:
        account, other = make_account(), make_account()
        make_function(account, "billing-api")
        hidden = [make_function(account, "orders"), make_function(other, "billing-api")]
        wanted = Wanted("some", ["read"], accounts=[account.account_id], functions=["billing-*"])
        headers = {"Authorization": f"Bearer {tokens.make(wanted, Actor(operator)).text}"}
        some = Client(headers=headers)
        listed = some.get("/api/v1/functions").json()
        assert (listed["total"], [row["name"] for row in listed["functions"]]) == (1, ["billing-api"])
        assert {some.get(f"/api/v1/functions/{each.pk}").status_code for each in hidden} == {404}
        for path in ("functions", "stale", "at-risk"):
            for name in ("nobody", other.name):  # one that exists elsewhere is told of as one that does not
                answer = some.get(f"/api/v1/{path}?account={name}")
                assert (answer.status_code, answer.json()["next_step"]) == (400, f"It is one of {account.name}.")
        run = Run.objects.create(kind="sync", status="succeeded", title="Sync", created_at=clock.now())
        assert some.get(f"/api/v1/runs/{run.pk}").status_code == 404
        assert some.get("/api/v1/runs").json()["total"] == 0


DEPLOY = {"function": "app", "image": "2", "alias": "staging"}


class Test_a_change:
    def test_is_planned_and_applied_at_once_where_nothing_is_to_be_confirmed(self, bot: Client, stage: Stage) -> None:
        answer = post(bot, "/deployments", DEPLOY)
        run = Run.objects.get()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/runs/{run.pk}")
        assert (run.actor_name, run.via) == ("olga", "token ci")

    def test_is_told_as_a_plan_with_its_verdict_and_its_steps(self, bot: Client, stage: Stage) -> None:
        told = post(bot, "/deployments?dry_run=true", DEPLOY).json()
        assert "to app:staging" in told["title"]
        assert told["verdict"]
        assert told["steps"][:2] == ["Check again", "Update the code"]

    def test_asked_of_a_run_needs_no_body(self, bot: Client, stage: Stage) -> None:
        run = post(bot, "/deployments", DEPLOY).json()["id"]
        assert post(bot, f"/runs/{run}/cancel", b"").status_code == 202

    def test_of_production_needs_its_scope_even_to_be_planned(self, bot: Client, stage: Stage) -> None:
        answer = post(bot, "/deployments?dry_run=true", {**DEPLOY, "alias": "live"})
        assert answer.status_code == 403
        assert "lacks the scope deploy:prod" in answer.json()["detail"]
        assert not Plan.objects.exists()

    def test_that_a_check_forbids_names_the_check(self, bot: Client, stage: Stage) -> None:
        answer = post(bot, "/deployments", {**DEPLOY, "image": "nowhere"})
        assert answer.status_code in (404, 422)
        assert answer["Content-Type"] == "application/problem+json"
        assert not Run.objects.exists()


class Test_a_request_with_a_key:
    def test_that_comes_again_gets_the_same_answer_and_changes_nothing(self, bot: Client, stage: Stage) -> None:
        first, second = (post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, first.content, first["Location"]) == (202, second.content, second["Location"])
        assert second["Idempotent-Replayed"] == "true"
        assert Run.objects.count() == 1

    def test_and_another_body_is_refused(self, bot: Client, stage: Stage) -> None:
        post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"})
        answer = post(bot, "/deployments", {**DEPLOY, "image": "1"}, **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
        assert Run.objects.count() == 1

    def test_while_another_answers_it_is_told_when_to_come_again(self, bot: Client, made: Made, stage: Stage) -> None:
        kept_answers.begin(made.row, "/api/v1/deployments", "k", json.dumps(DEPLOY).encode())
        answer = post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer["Retry-After"]) == (409, "2")

    def test_goes_on_where_who_answered_it_died(self, bot: Client, made: Made, stage: Stage) -> None:
        path, body = "/api/v1/deployments", json.dumps(DEPLOY).encode()
        kept_answers.begin(made.row, path, "k", body)
        stored = stage.plan("2", plan_id=kept_answers.identity(made.row, path, "k", body))
        run = plans.apply(stored.pk, Actor(stored.maker))
        KeptAnswer.objects.update(begun_at=clock.now() - timedelta(minutes=5))
        answer = post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["id"], Run.objects.count()) == (202, run.pk, 1)

    def test_that_came_while_another_change_was_under_way_is_carried_out_later(self, bot: Client) -> None:
        make_stream()
        in_the_way = post(bot, "/polls", {}).json()["id"]
        refused = post(bot, "/polls", {}, **{"Idempotency-Key": "k"})
        assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (409, "busy", "5")
        Run.objects.filter(pk=in_the_way).update(status="cancelled")
        assert post(bot, "/polls", {}, **{"Idempotency-Key": "k"}).status_code == 202

    def test_whose_check_was_that_no_other_change_is_under_way_is_too(self, bot: Client, stage: Stage) -> None:
        in_the_way = post(bot, "/deployments", DEPLOY).json()["id"]
        refused = post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"})
        assert (refused.status_code, refused.json()["retryable"]) == (422, True)
        Run.objects.filter(pk=in_the_way).update(status="cancelled")
        assert post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"}).status_code == 202

    def test_is_planned_anew_where_its_plan_expired(self, bot: Client, made: Made, stage: Stage) -> None:
        path, body = "/api/v1/deployments", json.dumps(DEPLOY).encode()
        stored = stage.plan("2", plan_id=kept_answers.identity(made.row, path, "k", body))
        Plan.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        answer = post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"})
        assert (answer.status_code, Run.objects.get().made_from_id) == (202, stored.pk)

    def test_is_carried_out_anew_each_day_by_the_job_of_every_night(self, bot: Client, stage: Stage) -> None:
        for night in (3, 2, 1):
            assert post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "nightly"}).status_code == 202
            assert Run.objects.count() == 4 - night
            Run.objects.update(status="succeeded")
            for row, moment in ((KeptAnswer, "begun_at"), (Plan, "applied_at")):
                row.objects.update(**{moment: F(moment) - timedelta(hours=25)})

    def test_never_applies_the_plan_of_another_body(self, bot: Client, made: Made, stage: Stage) -> None:
        path, body = "/api/v1/deployments", json.dumps(DEPLOY).encode()
        stage.plan("2", plan_id=kept_answers.identity(made.row, path, "k", body))  # its answer was not kept
        digest = stage.push("three", "3")
        post(bot, "/deployments", {**DEPLOY, "image": "3"}, **{"Idempotency-Key": "k"})
        assert Run.objects.get().plan["image_uri"].endswith(digest)

    def test_that_was_refused_for_good_is_told_the_same_again(self, bot: Client) -> None:
        first, second = (post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, first.content) == (404, second.content)
        assert second["Idempotent-Replayed"] == "true"

    def test_is_another_one_with_another_query(self, bot: Client, stage: Stage) -> None:
        assert post(bot, "/deployments?dry_run=true", DEPLOY, **{"Idempotency-Key": "k"}).status_code == 200
        answer = post(bot, "/deployments", DEPLOY, **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
        again = post(bot, "/deployments?dry_run=true", DEPLOY, **{"Idempotency-Key": "k"})
        assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")

    def test_has_it_for_its_token_and_its_address_alone(self, bot: Client, operator: User) -> None:
        make_account()
        other = Client(headers={"Authorization": f"Bearer {tokens.make(Wanted('cd', ALL), Actor(operator)).text}"})
        asked = [(bot, "/syncs"), (other, "/syncs"), (bot, "/polls"), (bot, "/syncs")]
        told = [post(sender, path, {}, **{"Idempotency-Key": "k"}) for sender, path in asked]
        assert ["Idempotent-Replayed" in answer for answer in told] == [False, False, False, True]

    def test_is_known_for_24_hours_and_no_longer(self, bot: Client) -> None:
        def comes_again(after: timedelta) -> bool:
            KeptAnswer.objects.update(begun_at=clock.now() - after)
            return "Idempotent-Replayed" in post(bot, "/syncs", {}, **{"Idempotency-Key": "k"})

        make_account()
        assert not comes_again(timedelta())
        assert comes_again(timedelta(hours=23, minutes=30))
        assert not comes_again(timedelta(hours=24, seconds=1))

    def test_that_ended_in_an_error_of_ours_is_not_remembered(
        self, bot: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_account()

        def away(*_: object) -> None:
            raise DrydockError(Code.UNREACHABLE, "AWS gives no answer.")

        with monkeypatch.context() as broken:  # an AWS that is away for one call alone
            broken.setattr(syncing, "submit_or_join", away)
            assert post(bot, "/syncs", {}, **{"Idempotency-Key": "k"}).status_code == 502
        assert not KeptAnswer.objects.exists()
        assert post(bot, "/syncs", {}, **{"Idempotency-Key": "k"}).status_code == 202

    def test_of_a_new_token_keeps_nothing_of_it(self, superuser: User, valkey: Valkey) -> None:
        maker = tokens.make(Wanted("maker", ["read", "admin"]), Actor(superuser))
        headers = {"Authorization": f"Bearer {maker.text}"}
        answer = post(Client(headers=headers), "/tokens", {"name": "x", "scopes": ["read"]}, **{"Idempotency-Key": "k"})
        assert answer.json()["token"].startswith("ddk_")
        assert not KeptAnswer.objects.exists()

    def test_sent_twenty_times_at_once_makes_one_run(self, made: Made, stage: Stage) -> None:
        def send(_: int) -> int:
            sender = Client(headers={"Authorization": f"Bearer {made.text}"})
            try:
                return int(post(sender, "/deployments", DEPLOY, **{"Idempotency-Key": "k"}).status_code)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(20) as pool:
            statuses = set(pool.map(send, range(20)))
        assert statuses <= {202, 409}
        assert 202 in statuses
        assert Run.objects.count() == 1
