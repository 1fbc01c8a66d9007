"""A fresh installation says where it stands: before, during and after its first sync; "not read" is not "none"."""

import re
from typing import Any

import pytest
from django.test import Client

from functions_app import clock
from functions_app.domain.errors import Code, Problem
from functions_app.models import Account, Run, Scope
from functions_app.services.inventory.beginning import Stage
from tests.factories import make_account, make_function, make_stream

pytestmark = pytest.mark.django_db
PAGES = ("/", "/functions/", "/repositories/", "/bases/")
NO_REGION = Problem(Code.INVALID, "The environment names no region to look in.", "Set AWS_REGION.").as_json()


def sync(status: str, **values: Any) -> Run:
    """The last sync of everything."""
    return Run.objects.create(
        kind="sync", lock="sync", status=status, title="Sync all accounts", actor_name="schedule",
        created_at=clock.now(), **values,
    )  # fmt: skip


@pytest.fixture
def unread() -> Account:
    """An account of which nothing was read yet."""
    account = make_account("production")
    Scope.objects.update(synced_at=None, attempted_at=None)
    return account


def stage(person: Client, page: str = "/") -> Stage | None:
    answer: Any = person.get(page)
    text = answer.content.decode()
    assert "Nothing needs attention" not in text
    first = answer.context["beginning"]
    if first:
        assert text.count(first.title) >= 1
    return first.stage if first else None


@pytest.mark.parametrize("page", PAGES)
def test_before_anything_ran_every_page_says_that_nothing_was_read(person: Client, page: str) -> None:
    make_stream()
    assert stage(person, page) is Stage.NOT_STARTED
    text = person.get(page).content.decode()
    assert "no worker or no beat is running, or Redis is away" in text
    assert "<b>0</b> image functions" not in text


@pytest.mark.parametrize("page", PAGES)
def test_while_it_runs_every_page_tells_how_many_functions_are_read(person: Client, unread: Account, page: str) -> None:
    make_stream()
    run = sync("running", progress_done=120, progress_total=400, progress_unit="functions")
    assert stage(person, page) is Stage.READING
    text = person.get(page).content.decode()
    assert "120 of 400 functions read." in text
    assert 'value="120" max="400"' in text
    assert f'href="/runs/{run.pk}/"' in text
    assert 'hx-get="/beginning/"' in text


@pytest.mark.parametrize("page", ["/functions/", "/repositories/"])
def test_a_search_before_anything_was_read_finds_no_nothing(person: Client, page: str) -> None:
    text = person.get(page, {"search": "orders"}).content.decode()
    assert "Nothing was read yet" in text
    assert "matches" not in text
    assert not re.search("<b>0</b> (functions|repositories)", text)


@pytest.mark.parametrize("problem", [None, NO_REGION], ids=["failed for lack of a region", "denied"])
def test_nobody_stands_on_a_base_is_said_only_where_functions_were_read(person: Client, problem: Any) -> None:
    make_stream()
    if problem:
        make_account("production")
        Scope.objects.update(synced_at=None, problem=problem)
    sync("failed", problem=NO_REGION)
    text = person.get("/bases/").content.decode()
    assert "nobody" not in text
    assert "who stands on them is not read yet" in text


def test_why_a_region_could_not_be_read_ends_its_sentence_and_stands_once_among_the_accounts(person: Client) -> None:
    make_account("production")
    denied = Problem(Code.DENIED, "The permission is missing. Not authorized to perform: lambda:ListFunctions")
    Scope.objects.update(synced_at=None, problem=denied.as_json())
    assert "lambda:ListFunctions. It was never read." in " ".join(person.get("/runs/").content.decode().split())
    assert person.get("/settings/accounts/").content.decode().count(denied.message) == 1


def test_functions_that_it_found_so_far_are_no_finding(person: Client, unread: Account) -> None:
    sync("running", progress_done=1, progress_total=3, progress_unit="functions")
    make_function(unread, partly_read=True, freshness="unknown")
    answer = person.get("/")
    assert "1 of 3 functions read." in answer.content.decode()
    assert {card.key for card in answer.context["findings"]} == {"no-streams"}


def test_one_that_waits_for_a_worker_says_so(person: Client, unread: Account) -> None:
    sync("queued")
    assert stage(person) is Stage.WAITING
    assert "It waits for a worker." in person.get("/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_without_a_region_the_cause_is_said_once_with_the_next_step(person: Client, page: str) -> None:
    make_stream()
    sync("failed", problem=NO_REGION)
    assert stage(person, page) is Stage.FAILED
    text = person.get(page).content.decode()
    assert text.count("names no region to look in") == 1
    assert "Set AWS_REGION." in text


def test_one_that_was_stopped_says_that_there_is_more(person: Client, unread: Account) -> None:
    make_function(unread)
    sync("cancelled")
    assert stage(person) is Stage.STOPPED
    assert "stopped before its end" in person.get("/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_where_nothing_may_be_read_the_permission_is_named_once(person: Client, unread: Account, page: str) -> None:
    make_stream(polled_at=clock.now())
    problem = Problem(Code.DENIED, "The permission lambda:ListFunctions is missing.", "Allow it.").as_json()
    Scope.objects.update(problem=problem)
    sync("failed", problem=problem)
    text = person.get(page).content.decode()
    assert text.count("The permission lambda:ListFunctions is missing.") == 1
    assert "Allow it." in text
    assert "none has an ECR repository" not in text
    assert "none holds a function" not in text


def test_read_and_nothing_there_is_said_as_that(person: Client) -> None:
    make_account()
    sync("succeeded")
    assert stage(person) is Stage.NOTHING_FOUND
    assert "none holds a function of package type Image" in person.get("/functions/").content.decode()


def test_a_region_that_came_later_is_named_until_it_was_read(person: Client) -> None:
    account = make_account("production", regions=("eu-west-1", "us-east-1"))
    make_function(account, freshness="current")
    Scope.objects.filter(region="us-east-1").update(synced_at=None)
    sync("succeeded")
    assert "The next sync reads production us-east-1." in person.get("/").content.decode()


@pytest.fixture
def second_region() -> Account:
    """An account that was read and judged, and a region that came later."""
    account = make_account("production", regions=("eu-west-1", "us-east-1"))
    make_stream(polled_at=clock.now())
    make_function(account, freshness="unknown", freshness_reason="It carries no annotation.")
    Scope.objects.filter(region="us-east-1").update(synced_at=None)
    sync("succeeded")
    return account


@pytest.mark.parametrize(
    ("status", "problem", "title"),
    [("cancelled", None, "The last sync was stopped before its end"), ("failed", NO_REGION, "The last sync failed")],
)
def test_a_later_sync_that_ended_early_says_what_is_not_read_and_never_that_nothing_is_judged(
    person: Client, second_region: Account, status: str, problem: Any, title: str
) -> None:
    sync(status, problem=problem)
    text = person.get("/").content.decode()
    assert title in text
    assert "Not read yet: production us-east-1." in text
    assert "nothing of it is judged" not in text
    assert "first sync" not in text


def test_what_was_judged_before_stays_a_finding_while_a_new_region_is_read(
    person: Client, second_region: Account
) -> None:
    sync("running", progress_done=1, progress_total=3, progress_unit="functions")
    answer = person.get("/")
    assert "The reading of new accounts and regions is under way" in answer.content.decode()
    assert "unknown" in {card.key for card in answer.context["findings"]}


def test_where_every_account_is_switched_off_that_is_said(person: Client) -> None:
    Account.objects.create(name="off", account_id="1" * 12, enabled=False)
    sync("succeeded")
    assert "Every account is switched off" in person.get("/").content.decode()


def test_the_card_follows_the_sync_and_reads_the_page_anew_at_its_end(person: Client, unread: Account) -> None:
    run = sync("running", progress_done=3, progress_total=9, progress_unit="functions")
    part = person.get("/beginning/", headers={"HX-Request": "true"})
    assert "3 of 9 functions read." in part.content.decode()
    assert "<html" not in part.content.decode()
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    Scope.objects.update(synced_at=clock.now())
    make_function(unread)
    assert person.get("/beginning/", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert person.get("/beginning/")["Location"] == "/"
