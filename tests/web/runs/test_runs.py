"""The pages of runs: list, one run, its log as a file, cancel, audit."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock, runlog
from functions_app.domain.errors import Code, Problem
from functions_app.domain.runs import Kind, Status, StepStatus
from functions_app.models import AuditEntry, Run, RunStep
from functions_app.services.people import access
from functions_app.services.people.actor import SCHEDULE, Actor
from tests.web.unbroken import unbroken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey"), pytest.mark.shows_dates]
NOW = clock.now()
FRAME_QUERIES = 10  # session, person, and what stands around every page


def make_run(status: Status = Status.RUNNING, kind: Kind = Kind.DEPLOYMENT, **values: Any) -> Run:
    run = Run.objects.create(
        kind=kind, **{"status": status, "title": "Deploy app", "actor_name": "olga", "created_at": NOW, **values}
    )
    for position, (name, state) in enumerate((("one", StepStatus.DONE), ("two", StepStatus.RUNNING)), 1):
        RunStep.objects.create(
            run=run, position=position, name=name, title=f"Step {name}", status=state, note="v 8", started_at=NOW
        )
    return run


def write(run: Run, count: int) -> None:
    runlog.append(run.pk, [(NOW, "info", "drydock", f"line <{number}>") for number in range(1, count + 1)])


def failed_run() -> Run:
    problem = Problem(Code.CHANGED, "Somebody changed it.", "Plan again.", "PreconditionFailedException", "req-42")
    return make_run(Status.FAILED, problem=problem.as_json(), ended_at=NOW, result={"summary": "Failed. Nothing done."})


def shown(client: Client, path: str, **query: Any) -> str:
    response = client.get(path, query)
    assert response.status_code == 200
    return unbroken(response.content.decode())


@pytest.fixture
def watching(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def operating(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


class Test_the_list:
    def test_shows_runs_with_status_in_words_and_how_far_they_are(self, watching: Client) -> None:
        run = make_run()
        page = shown(watching, "/runs/")
        assert f'href="/runs/{run.pk}/"' in page
        assert "Running" in page
        assert "1 of 2" in page

    def test_says_where_a_long_reason_is_cut(self, watching: Client) -> None:
        problem = Problem(Code.CHANGED, "Somebody changed it. " * 20).as_json()
        make_run(Status.FAILED, problem=problem)
        assert "it. Somebody cha…" in shown(watching, "/runs/")

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"status": "failed"}, ["broken"]),
            ({"status": "active"}, ["going"]),
            ({"kind": "sync"}, ["synced"]),
            ({"status": "failed", "kind": "sync"}, []),
            ({"status": "nonsense"}, ["broken", "going", "synced"]),
        ],
    )
    def test_is_filtered_by_status_and_kind(self, watching: Client, query: dict[str, str], expected: list[str]) -> None:
        make_run(Status.FAILED, title="broken")
        make_run(Status.WAITING, title="going")
        make_run(Status.SUCCEEDED, Kind.SYNC, title="synced")
        page = shown(watching, "/runs/", **query)
        assert [title for title in ("broken", "going", "synced") if f">{title}</a>" in page] == expected

    def test_has_fifty_a_page_and_links_that_keep_the_filter(self, watching: Client) -> None:
        for _ in range(51):
            make_run(Status.SUCCEEDED)
        page = shown(watching, "/runs/", status="succeeded")
        assert page.count("<tr data-row") == 50
        assert "?status=succeeded&amp;page=2" in page
        assert shown(watching, "/runs/", status="succeeded", page="2").count("<tr data-row") == 1

    def test_takes_the_same_number_of_queries_for_one_run_and_for_fifty(
        self, watching: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(50):
            make_run(Status.SUCCEEDED)
        with django_assert_max_num_queries(4 + FRAME_QUERIES):
            shown(watching, "/runs/")

    def test_says_what_a_run_is_when_there_are_none(self, watching: Client) -> None:
        assert "No runs yet" in shown(watching, "/runs/")

    def test_gives_htmx_the_rows_alone(self, watching: Client) -> None:
        make_run()
        page = watching.get("/runs/", headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in page
        assert "<tr data-row" in page


class Test_one_run:
    def test_shows_steps_status_and_log(self, watching: Client) -> None:
        run = make_run(started_at=NOW - timedelta(seconds=75))
        write(run, 3)
        Run.objects.update(status=Status.SUCCEEDED, ended_at=NOW)
        page = shown(watching, f"/runs/{run.pk}/")
        assert "Step two" in page
        assert "1 of 2 steps" in page
        assert "1 min 15 s" in page
        assert "line &lt;3&gt;" in page

    def test_follows_the_stream_from_the_last_line_it_shows(self, watching: Client) -> None:
        run = make_run()
        write(run, 3)
        page = shown(watching, f"/runs/{run.pk}/")
        assert f'hx-sse:connect="/events/runs/{run.pk}?after=3"' in page
        assert '<noscript><meta http-equiv="refresh"' in page

    def test_follows_nothing_when_it_has_ended(self, watching: Client) -> None:
        run = make_run(Status.SUCCEEDED, ended_at=NOW)
        page = shown(watching, f"/runs/{run.pk}/")
        assert "hx-sse:connect" not in page
        assert "refresh" not in page

    def test_shows_the_problem_with_aws_code_request_id_and_next_step(self, watching: Client) -> None:
        page = shown(watching, f"/runs/{failed_run().pk}/")
        for text in (
            "Somebody changed it.",
            "Plan again.",
            "PreconditionFailedException",
            "req-42",
            "Copy diagnostics",
        ):
            assert text in page

    @pytest.mark.parametrize(
        ("status", "heading"), [(Status.RUNNING, "What was done so far"), (Status.SUCCEEDED, "What was done")]
    )
    def test_says_that_more_may_come_until_it_has_ended(self, watching: Client, status: Status, heading: str) -> None:
        run = make_run(status, kind=Kind.DEPLOYMENT, result={"told": ["Alias live was not moved."]})
        assert f"<h2>{heading}</h2>" in shown(watching, f"/runs/{run.pk}/")

    def test_shows_the_plan_without_secrets(self, watching: Client) -> None:
        run = make_run(plan={"image": "app@sha256:abc", "token": "kept-to-itself", "nested": {"to": "8"}})
        page = shown(watching, f"/runs/{run.pk}/")
        assert "app@sha256:abc" in page
        assert "Nested to" in page
        assert "kept-to-itself" not in page

    def test_of_a_long_log_shows_the_last_thousand_lines_and_leads_to_the_rest(self, watching: Client) -> None:
        run = make_run()
        write(run, 2_500)
        page = shown(watching, f"/runs/{run.pk}/")
        assert page.count('<li class="ln info"') == 1_000
        assert 'data-n="2500"' in page
        assert f'href="/runs/{run.pk}/?before=1501"' in page
        earlier = shown(watching, f"/runs/{run.pk}/", before="1501")
        assert 'data-n="1500"' in earlier
        assert 'data-n="1501"' not in earlier
        assert "hx-sse:connect" not in earlier

    def test_gives_htmx_earlier_lines_as_rows_alone(self, watching: Client) -> None:
        run = make_run()
        write(run, 1_200)
        rows = watching.get(f"/runs/{run.pk}/?before=201", headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in rows
        assert rows.count('<li class="ln info"') == 200
        assert "Load earlier" not in rows

    def test_takes_a_constant_number_of_queries(
        self, watching: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        run = make_run()
        write(run, 1_500)
        with django_assert_max_num_queries(3 + FRAME_QUERIES):
            shown(watching, f"/runs/{run.pk}/")

    @pytest.mark.parametrize("path", ["/runs/4711/", "/runs/4711/log.txt"])
    def test_that_does_not_exist_is_a_clear_404(self, watching: Client, path: str) -> None:
        response = watching.get(path)
        assert response.status_code == 404
        assert "There is no run 4711." in response.content.decode()

    @pytest.mark.parametrize("before", ["x", "-1", "9" * 40, ""])
    def test_ignores_a_malformed_position(self, watching: Client, before: str) -> None:
        run = make_run()
        write(run, 2)
        assert "Step two" in shown(watching, f"/runs/{run.pk}/", before=before)
        rows = watching.get(f"/runs/{run.pk}/?before={before}", headers={"HX-Request": "true"})
        assert rows.status_code == 200
        assert rows.content.decode().count('<li class="ln info"') == 2

    def test_is_for_people_who_are_signed_in(self, client: Client) -> None:
        assert client.get(f"/runs/{make_run().pk}/").status_code == 302


def test_the_whole_log_can_be_downloaded(watching: Client) -> None:
    run = make_run()
    write(run, 2_300)
    response = watching.get(f"/runs/{run.pk}/log.txt")
    lines = response.getvalue().decode().splitlines()
    assert len(lines) == 2_300
    assert lines[-1].startswith("2300 ")
    assert lines[-1].endswith("INFO    line <2300>")
    assert f"run-{run.pk}.txt" in response["Content-Disposition"]


class Test_what_a_result_offers:
    KINDS = pytest.mark.parametrize(("kind", "form"), [(Kind.INVOCATION, "invoke-again"), (Kind.PATCH, "undo-patch")])

    @KINDS
    def test_has_its_form_for_operators(self, operating: Client, kind: Kind, form: str) -> None:
        page = shown(operating, f"/runs/{make_run(Status.FAILED, kind=kind).pk}/")
        assert f'<form id="{form}"' in page

    @KINDS
    def test_is_not_there_for_viewers_whose_stream_brings_the_same_result(
        self, watching: Client, kind: Kind, form: str
    ) -> None:
        page = shown(watching, f"/runs/{make_run(Status.FAILED, kind=kind).pk}/")
        assert f'<form id="{form}"' not in page
        assert "changes.css" in page  # which hides its button where there is no such form


class Test_cancelling:
    def test_is_offered_to_operators_while_the_run_is_active(self, operating: Client) -> None:
        assert "Cancel run" in shown(operating, f"/runs/{make_run().pk}/")
        assert "Cancel run" not in shown(operating, f"/runs/{make_run(Status.FAILED).pk}/")

    def test_is_not_offered_to_viewers(self, watching: Client) -> None:
        assert "Cancel run" not in shown(watching, f"/runs/{make_run().pk}/")

    def test_asks_the_run_to_end(self, operating: Client) -> None:
        run = make_run()
        response = operating.post(f"/runs/{run.pk}/cancel/", follow=True)
        assert list(run.signals.values_list("kind", "actor_name", "via")) == [("cancel", "olga", "browser")]
        assert "olga asked to cancel" in response.content.decode()

    def test_by_a_viewer_is_refused_and_recorded(self, watching: Client) -> None:
        run = make_run()
        assert watching.post(f"/runs/{run.pk}/cancel/").status_code == 403
        assert not run.signals.exists()
        entry = AuditEntry.objects.get()
        assert (entry.actor_name, entry.action) == ("vera", "run.cancel")
        assert entry.result.startswith("refused: Only operators may do this")

    def test_needs_post(self, operating: Client) -> None:
        assert operating.get(f"/runs/{make_run().pk}/cancel/").status_code == 405

    def test_says_so_when_the_run_had_ended(self, operating: Client) -> None:
        response = operating.post(f"/runs/{make_run(Status.SUCCEEDED).pk}/cancel/", follow=True)
        assert "had already ended (succeeded)" in response.content.decode()


class Test_the_audit_table:
    def test_shows_who_did_what_with_plan_and_result(self, watching: Client, operator: User) -> None:
        run = make_run()
        access.audit(Actor(operator), "deployment.apply", "arn:app", {"to": "8"}, "run accepted", run)
        page = shown(watching, "/audit/")
        for text in ("olga", "deployment.apply", "arn:app", "run accepted", f"Run {run.pk}", "<dt>To</dt>"):
            assert text in page

    def test_is_filtered_by_person_and_by_action_or_target(self, watching: Client, operator: User) -> None:
        access.audit(Actor(operator), "run.cancel", "run 1", None, "asked for")
        access.audit(SCHEDULE, "sync", "all accounts", None, "done")
        assert "run.cancel" not in shown(watching, "/audit/", person="schedule")
        assert "all accounts" not in shown(watching, "/audit/", about="cancel")

    def test_has_fifty_a_page_in_a_constant_number_of_queries(
        self, watching: Client, operator: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(60):
            access.audit(Actor(operator), "run.cancel", "run 1", None, "asked for")
        with django_assert_max_num_queries(2 + FRAME_QUERIES):
            assert shown(watching, "/audit/").count("<tr data-row") == 50
