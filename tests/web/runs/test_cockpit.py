"""The head of a run's page, the tab, what comes next, and the way back."""

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.domain.runs import Kind, Status
from functions_app.models import Plan, Run
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, carry_out, make_stage
from tests.web.runs.test_runs import NOW, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own, with a second image to deploy."""
    made = make_stage(functions, Actor(operator))
    made.push("two", "2")
    return made


@pytest.fixture
def browser(client: Client, operator: User, valkey: Valkey) -> Client:
    client.force_login(operator)
    return client


def page_of(browser: Client, run: Run, **headers: str) -> str:
    return html.unescape(browser.get(reverse("run", args=[run.pk]), headers=headers).content.decode())


def head_of(browser: Client, run: Run) -> str:
    return page_of(browser, run).split('id="run-head"')[1].split('class="run of-')[0]


def planned(stage: Stage) -> Run:
    return stage.confirm(stage.plan("2", "staging"))


def test_the_head_names_function_alias_and_where_it_goes(browser: Client, stage: Stage) -> None:
    run = planned(stage)
    head = head_of(browser, run)
    assert f'href="{reverse("function", args=[stage.function.pk])}"' in head
    assert "staging" in head
    assert "version 1" in head
    assert "a new version" in head
    assert "Queued" in head
    carry_out(run)
    done = head_of(browser, run)
    assert "version 2" in done
    assert "Succeeded" in done


def test_a_deployment_is_rolled_back_from_its_run_in_two_clicks(browser: Client, stage: Stage) -> None:
    run = carry_out(planned(stage))
    page = page_of(browser, run)
    assert 'form="roll-back" name="version" value="1"' in page
    door = reverse("function-rollback", args=[stage.function.pk])
    assert f'id="roll-back" method="post" action="{door}"' in page
    answer = browser.post(door, {"alias": "staging", "version": "1"})  # what the button sends
    browser.post(reverse("plan-apply", args=[Plan.objects.latest("created_at").pk]))
    back = Run.objects.latest("pk")
    assert answer.status_code == 302
    assert back.kind == Kind.ROLLBACK
    assert "Roll staging forward to 2" in page_of(browser, carry_out(back))


def test_a_deployment_that_failed_is_tried_again_from_its_filled_form(browser: Client, stage: Stage) -> None:
    run = planned(stage)
    Run.objects.filter(pk=run.pk).update(status=Status.FAILED, ended_at=NOW)
    page = page_of(browser, run)
    link = page.split('<a class="btn" href="')[1].split('"')[0]
    assert link.startswith(reverse("function-deploy", args=[stage.function.pk]))
    assert "alias=staging" in link
    assert 'value="1">' not in page.split('class="run-next"')[1]


def test_a_reading_of_functions_says_how_many_could_not_be_read(browser: Client) -> None:
    result = {"functions": {"read": 1, "failed": 2}}
    page = page_of(browser, make_run(Status.SUCCEEDED, Kind.SYNC, plan={"functions": [7, 8, 9]}, result=result))
    assert "Functions not readable" in page
    assert "Functions, by id" in page


def test_the_tab_tells_the_state(browser: Client) -> None:
    page = page_of(browser, make_run(Status.FAILED, ended_at=NOW))
    assert "<title>Failed: run" in page
    assert 'runs/bad.svg" type="image/svg+xml"' in page


def test_who_may_only_look_gets_no_form_for_what_comes_next(client: Client, viewer: User, stage: Stage) -> None:
    client.force_login(viewer)
    assert 'id="roll-back"' not in page_of(client, carry_out(planned(stage)))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("/bases/1/compare/?from=1&to=2", "Back to the comparison"),
        ("/functions/?state=Failed", "Back to the functions"),
        ("/functions/3/deploy/", "Back to the function"),
        ("/runs/", "Back to the runs"),
    ],
)
def test_the_way_back_leads_to_the_page_of_before(browser: Client, before: str, words: str) -> None:
    page = page_of(browser, make_run(), Referer=f"http://testserver{before}")
    assert f'href="{before}"' in page
    assert words in page


def test_an_address_may_name_the_way_back(browser: Client) -> None:
    run = make_run()
    page = browser.get(reverse("run", args=[run.pk]), {"next": "/bases/1/compare/?a=1"}).content.decode()
    assert 'href="/bases/1/compare/?a=1"' in page


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/runs/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "/nowhere/",
        "/login/",
    ],
)
def test_no_way_back_leads_off_this_site_or_to_what_is_over(browser: Client, elsewhere: str) -> None:
    run = make_run()
    page = browser.get(reverse("run", args=[run.pk]), {"next": elsewhere}, headers={"Referer": elsewhere})
    assert "run-back" not in page.content.decode()
