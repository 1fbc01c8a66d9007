"""What was not read, not reached, is unknown or too old is a card of its own, and nothing is green beside it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from functions_app import clock
from functions_app.domain.bases.detection import REPOSITORY_NOT_READ
from functions_app.domain.bases.unknown_reasons import ADD_BASE, ALIASES_NOT_READ
from functions_app.domain.errors import Code, Problem
from functions_app.models import Account, BaseStream, Function, Image, LifecycleForecast, Repository, Scope
from functions_app.services.inventory.overview.findings import Sources
from functions_app.services.inventory.overview.unread import unread
from functions_app.web.overview.cards import Card
from tests.factories import make_account, make_function, make_image, make_repository, make_stream

pytestmark = pytest.mark.shows_dates
DENIED = Problem(
    Code.DENIED,
    "The permission lambda:ListFunctions is missing. User: arn:aws:iam::1:role/drydock is not authorized",
    "Attach the read-only policy.",
    "AccessDeniedException",
    "4f2a",
).as_json()
AWAY = "The name public.ecr.aws can't be resolved."


@pytest.fixture
def account(db: None) -> Account:
    """An account in which all was read just now and nothing is wrong."""
    account, now = make_account("production", regions=("eu-west-1", "us-east-1")), clock.now()
    make_stream(polled_at=now)
    make_function(account, "app", freshness="current", base_name="python:3.12")
    LifecycleForecast.objects.create(repository=make_repository(account), read_at=now, attempted_at=now)
    return account


def cards(person: Client) -> dict[str, Card]:
    """The cards of the overview by their key; whichever there are, the page is not green."""
    answer: Any = person.get("/")
    found = {card.key: card for card in answer.context["findings"]}
    assert bool(found) != ("Nothing needs attention." in answer.content.decode())
    return found


def test_all_read_and_known_is_green(person: Client, account: Account) -> None:
    assert cards(person) == {}


def test_one_cause_that_keeps_two_regions_unread_is_one_card_with_the_next_step(
    person: Client, account: Account
) -> None:
    Scope.objects.update(problem=DENIED)
    card = cards(person)["unreachable-1"]
    assert card.title == "2 accounts and regions could not be read"
    assert card.meaning == "The permission lambda:ListFunctions is missing."
    assert (card.next_step, card.level) == ("Attach the read-only policy.", "warn")
    assert "AccessDeniedException" in card.codes
    assert person.get("/").content.decode().count("lambda:ListFunctions is missing") == 1


def test_a_region_that_was_never_read_is_worse_than_one_whose_rows_are_old(person: Client, account: Account) -> None:
    Scope.objects.filter(region="us-east-1").update(problem=DENIED, synced_at=None)
    card = cards(person)["unreachable-1"]
    assert (card.level, card.lines[0].name, card.lines[0].why) == ("bad", "us-east-1", "Never read.")


def test_syncs_that_were_missed_are_a_card_too(person: Client, account: Account) -> None:
    Scope.objects.update(synced_at=clock.now() - timedelta(days=1))
    card = cards(person)["late"]
    assert "worker" in card.next_step


def test_functions_not_read_in_all_parts_are_named_with_why(person: Client, account: Account) -> None:
    why = "Aliases could not be read again: The permission lambda:ListAliases is missing."
    Function.objects.update(partly_read=True, problem=why, problem_rank=25)
    card = cards(person)["unread"]
    assert [(line.name, line.why) for line in card.lines] == [("app", why)]
    assert person.get(card.href).context["found"].total == 1


def test_a_repository_whose_images_could_not_be_listed_is_named(person: Client, account: Account) -> None:
    Repository.objects.update(images_problem=DENIED)
    card = cards(person)["repositories-1"]
    assert (card.title, card.lines[0].name) == ("1 repository's images could not be listed", "team/app")


def test_images_of_a_registry_that_is_away_are_one_card(person: Client, account: Account) -> None:
    repository = Repository.objects.get()
    for name in ("a", "b"):
        problem = Problem(Code.UNREACHABLE, f"{AWAY} Asked for: {name}.", "Check the DNS.").as_json()
        make_image(repository, name, inspected_at=None, inspect_problem=problem)
    card = cards(person)["images-1"]
    assert (card.title, card.meaning, card.next_step) == ("2 images could not be read", AWAY, "Check the DNS.")
    Image.objects.update(gone_at=clock.now())
    assert cards(person) == {}


def test_of_very_many_unreadable_images_each_cause_is_told_with_how_many_met_it(
    person: Client, account: Account
) -> None:
    repository = Repository.objects.get()
    denied = Problem(Code.DENIED, "The key may not be used. Asked for: z.", "Allow it.", "KMSException").as_json()
    problems = [
        Problem(Code.UNREACHABLE, f"{AWAY} Asked for: {number}.", "Check the DNS.").as_json() for number in range(297)
    ]
    for number, problem in enumerate([*problems, denied, denied, denied]):
        make_image(repository, f"image{number}", inspected_at=None, inspect_problem=problem)
    found = cards(person)
    titles = [(found[key].title, found[key].meaning, found[key].next_step) for key in ("images-1", "images-2")]
    assert titles == [
        ("3 images could not be read", "The key may not be used.", "Allow it."),
        ("297 images could not be read", AWAY, "Check the DNS."),
    ]
    assert found["images-2"].rest == 0  # all are of one repository, which is named


def test_where_each_fails_for_a_cause_of_its_own_the_rest_is_counted(person: Client, account: Account) -> None:
    for number in range(13):
        problem = Problem(Code.FAILED, f"Cause {number}").as_json()
        make_repository(account, f"odd{number}", images_problem=problem)
    found = cards(person)
    assert [key for key in found if key.startswith("repositories")] == [
        *(f"repositories-{number}" for number in range(1, 11)),
        "repositories-others",
    ]
    assert found["repositories-others"].title == "3 repositories' images could not be listed"


def test_of_more_than_are_looked_at_the_rest_is_counted(
    person: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions_app.services.inventory.overview.unread.LOOKED_AT", 4)
    for number in range(6):
        problem = Problem(Code.FAILED, f"Odd. It is number {number}.").as_json()
        make_repository(account, f"odd{number}", images_problem=problem)
    found = cards(person)
    assert [found[f"repositories-{key}"].count for key in ("1", "others")] == [4, 2]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
@pytest.mark.django_db
def test_images_that_could_not_be_read_are_found_by_their_own_index() -> None:
    with CaptureQueriesContext(connection) as captured:
        unread(Sources(0, 0, None, 0, 0, None, images_failing=1))
    asked = next(query["sql"] for query in captured if "inspect_problem" in query["sql"])
    with connection.cursor() as cursor:
        plan = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {asked}").fetchall()]
    assert "SCAN U0 USING INDEX images_unread" in plan


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks through tables as small as a test's")
def test_whether_any_image_could_not_be_read_is_told_by_that_index_too(person: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        person.get("/")
    (asked,) = (query["sql"] for query in captured if "inspect_problem" in query["sql"])
    with connection.cursor() as cursor:
        plan = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {asked}").fetchall()]
    assert all("images_unread" in line for line in plan if "functions_app_image" in line)


def test_base_images_that_could_not_be_polled_are_told_once(person: Client, account: Account) -> None:
    for name in ("python:3.12", "java:21"):
        problem = Problem(Code.UNREACHABLE, f"{AWAY} Asked for: {name}.", "Check the DNS.").as_json()
        BaseStream.objects.update_or_create(name=name, defaults={"problem": problem})
    found = cards(person)
    assert found["streams-1"].title == "2 base images could not be polled"
    assert person.get("/").content.decode().count("public.ecr.aws can&#x27;t be resolved") == 1


def test_bases_that_nobody_knows_are_a_card_with_their_reasons(person: Client, account: Account) -> None:
    make_function(account, freshness="unknown", freshness_reason="It carries no annotation.")
    card = cards(person)["unknown"]
    assert (card.level, card.lines[0].why) == ("calm", "It carries no annotation.")
    assert person.get("/").content.decode().count("It carries no annotation.") == 1


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        (ALIASES_NOT_READ, "The next sync reads them"),
        (REPOSITORY_NOT_READ, "Settings, Accounts"),
        ("Its 7 layers begin with no known release of the 40 base images watched.", ADD_BASE),
        ("Its one layer is no known release of the one base image watched.", ADD_BASE),
        ("None of its 7 layers' chain ids is a known release of the 40 streams watched.", ADD_BASE),
    ],
)
def test_the_next_step_about_an_unknown_base_follows_from_its_reason(
    person: Client, account: Account, reason: str, step: str
) -> None:
    make_function(account, freshness="unknown", freshness_reason=reason)
    card = cards(person)["unknown"]
    assert step in card.next_step
    assert (ADD_BASE in card.next_step) is (step == ADD_BASE)


def test_each_reason_why_bases_are_unknown_has_its_own_next_step(person: Client, account: Account) -> None:
    odd = [f"Something odd {number}." for number in range(4)]
    for number, reason in enumerate([ALIASES_NOT_READ, REPOSITORY_NOT_READ, *odd]):
        make_function(account, f"other{number}", freshness="unknown", freshness_reason=reason)
    card = cards(person)["unknown"]
    why = [line.why for line in card.lines]
    assert not card.next_step
    assert any(text.startswith(REPOSITORY_NOT_READ) and text.endswith("Settings, Accounts.") for text in why)
    assert not any(ADD_BASE in text for text in why)
    assert (len(why), card.rest) == (5, 1)


def test_what_all_is_judged_by_must_have_been_read(person: Client, account: Account) -> None:
    BaseStream.objects.update(polled_at=None)
    LifecycleForecast.objects.all().delete()
    assert set(cards(person)) == {"no-streams", "no-forecasts"}
    Repository.objects.all().delete()
    assert set(cards(person)) == {"no-streams"}


def test_forecasts_that_are_old_are_told(person: Client, account: Account) -> None:
    LifecycleForecast.objects.update(read_at=clock.now() - timedelta(days=3))
    assert set(cards(person)) == {"late-forecasts"}


def test_another_accounts_trouble_is_not_told_where_one_looks_at_this_one(person: Client, account: Account) -> None:
    other = make_account("staging")
    make_function(other, partly_read=True, unruled=True)
    Scope.objects.filter(account=other).update(problem=DENIED)
    answer = person.get("/?account=production")
    assert answer.context["findings"] == []
