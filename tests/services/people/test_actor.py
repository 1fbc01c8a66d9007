"""Who does something: a person by themself or through something, or what is no person at all."""

from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from functions_app.domain.runs import Kind, Priority
from functions_app.models import AuditEntry, Run
from functions_app.services.engine import runs
from functions_app.services.inventory.audit import AuditFilter, audit_list
from functions_app.services.inventory.runs.run_filter import RunFilter
from functions_app.services.inventory.runs.run_list import run_list
from functions_app.services.people import access
from functions_app.services.people.actor import BROWSER, SCHEDULE, SHELL, Actor, named

pytestmark = pytest.mark.django_db
MISLEADING = ("schedule", "the schedule", "browser", "shell", "run 5", "(nobody)")


def submit(actor: Actor, folder: Path, settings: Settings) -> Run:
    settings.DRYDOCK_KINDS = "tests.run_kinds.KINDS"
    return runs.submit(Kind.DEPLOYMENT, title="A change", plan={"folder": str(folder)}, actor=actor)


@pytest.mark.parametrize("name", MISLEADING)
def test_a_person_is_a_person_whatever_their_name(name: str) -> None:
    actor = Actor(User.objects.create_user(name))
    assert (actor.name, actor.is_schedule) == (name, False)


def test_the_schedule_is_no_person() -> None:
    assert (SCHEDULE.person, SCHEDULE.name, SCHEDULE.is_schedule) == (None, "the schedule", True)


def test_whoever_is_not_signed_in_is_nobody() -> None:
    assert Actor.in_browser(AnonymousUser()) == Actor(None, BROWSER, named="(nobody)")


def test_what_is_no_person_is_called_as_it_says_or_as_what_it_came_through() -> None:
    assert (Actor(None, SHELL, named="root").name, Actor(None, "run 5").name) == ("root", "run 5")


@pytest.mark.parametrize(
    ("name", "via", "words"),
    [
        ("olga", BROWSER, "olga"),
        ("anna", "token ci", "anna via token ci"),
        ("root", SHELL, "root via shell"),
        ("run 5", "run 5", "run 5"),
        ("the schedule", SCHEDULE.via, "the schedule"),
        ("schedule", BROWSER, "schedule"),
        ("browser", BROWSER, "browser"),
        ("the schedule", BROWSER, "the schedule via browser"),
        ("olga", SCHEDULE.via, "olga via schedule"),
    ],
)
def test_the_words_for_an_actor_say_through_what_where_that_says_more(name: str, via: str, words: str) -> None:
    assert named(name, via) == words


def test_a_run_and_its_entries_name_the_person_and_what_they_came_through(
    operator: Actor, tmp_path: Path, settings: Settings
) -> None:
    run = submit(Actor(operator.person, "token ci"), tmp_path, settings)
    entry = AuditEntry.objects.get()
    assert (run.actor, run.actor_name, run.via) == (operator.person, "olga", "token ci")
    assert (entry.actor, entry.actor_name, entry.via, entry.run) == (operator.person, "olga", "token ci", run)
    assert audit_list(AuditFilter(), 1).rows[0].actor_name == "olga via token ci"
    assert run_list(RunFilter(), 1).rows[0].actor == "olga via token ci"


@pytest.mark.parametrize("name", MISLEADING)
def test_what_a_person_with_such_a_name_starts_is_a_persons_run(name: str, tmp_path: Path, settings: Settings) -> None:
    run = submit(Actor(User.objects.create_user(name)), tmp_path, settings)
    assert run.priority == Priority.PERSON
    assert AuditEntry.objects.get().actor_name == name


def test_a_person_who_is_deleted_stays_by_name(operator: Actor, tmp_path: Path, settings: Settings) -> None:
    run = submit(operator, tmp_path, settings)
    User.objects.all().delete()
    run.refresh_from_db()
    entry = AuditEntry.objects.get()
    assert (run.actor, run.actor_name, entry.actor, entry.actor_name) == (None, "olga", None, "olga")
    assert audit_list(AuditFilter(person="olga"), 1).total == 1


def test_a_person_of_the_same_name_is_not_the_one_who_was_deleted(operator: Actor) -> None:
    access.audit(operator, "run.cancel", "run 1", None, "asked for")
    User.objects.all().delete()
    User.objects.create_user("olga")
    assert AuditEntry.objects.get().actor is None


@pytest.mark.parametrize("name", ["the schedule", "\u202egalo", "<b>", ""])
def test_nobody_is_added_whose_name_could_pass_for_another(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # A terminal is what a test does not have.
    monkeypatch.setattr("functions_app.management.commands.person.getpass", lambda _: "quay-winch-hawser")
    with pytest.raises(CommandError):
        call_command("person", name, "operator")
    assert not User.objects.exists()
