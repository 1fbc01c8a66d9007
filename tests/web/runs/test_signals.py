"""What may be asked of a run on its page: which buttons stand there for whom, and what a press does."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.runs import Kind, SignalKind, Status
from functions_app.models import AuditEntry, Run, RunStep
from functions_app.services.engine import signals
from functions_app.services.people.actor import Actor
from tests.web.runs.test_runs import make_run, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
ASLEEP: dict[str, Any] = {"waits_for": "approve promote skip"}
OFFERS = [
    (Status.QUEUED, {}, "pause cancel"),
    (Status.RUNNING, {}, "pause cancel"),
    (Status.WAITING, {}, "pause cancel"),
    (Status.WAITING, ASLEEP, "approve promote skip pause cancel"),
    (Status.WAITING, {"waits_for": "promote"}, "promote pause cancel"),
    (Status.WAITING, {"kind": Kind.SYNC}, "cancel"),
    (Status.RUNNING, {"kind": Kind.ROLLBACK}, "cancel"),
    (Status.UNDOING, {}, ""),
    *((status, ASLEEP, "") for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)),
]


@pytest.fixture
def starter(operator: User) -> User:
    """Who started the runs here."""
    return operator


def run_of(starter: User, status: Status = Status.WAITING, **values: Any) -> Run:
    run = make_run(status, **{"actor": starter, "actor_name": starter.get_username(), **values})
    RunStep.objects.filter(run=run, name="two").update(status="waiting")
    return run


def page_of(client: Client, person: User, run: Run) -> str:
    client.force_login(person)
    return shown(client, f"/runs/{run.pk}/")


def buttons(page: str) -> dict[str, bool]:
    """The buttons on a page, and whether they are shown."""
    found = re.findall(r'<button type="submit" class="[^"]+" formaction="[^"]+" data-signal="(\w+)"( hidden)?>', page)
    return {kind: not hidden for kind, hidden in found}


def offers(page: str) -> str:
    found = re.search(r'data-offers="([^"]*)"', page)
    assert found is not None
    return found[1]


def pressed(client: Client, run: Run, kind: str, **form: str) -> int:
    return client.post(f"/runs/{run.pk}/{kind}/", form).status_code


class Test_the_buttons:
    @pytest.mark.parametrize(("status", "values", "offered"), OFFERS)
    def test_are_those_that_the_run_takes_now(
        self, client: Client, starter: User, approver: User, status: Status, values: dict[str, Any], offered: str
    ) -> None:
        page = page_of(client, approver, run_of(starter, status, **values))
        assert offers(page) == offered
        assert " ".join(kind for kind, is_shown in buttons(page).items() if is_shown) == offered

    @pytest.mark.parametrize(("status", "values", "offered"), OFFERS)
    def test_are_what_the_run_then_takes(
        self, starter: User, approver: User, status: Status, values: dict[str, Any], offered: str
    ) -> None:
        for kind in SignalKind:
            run = run_of(starter, status, **values)
            if kind in offered.split():
                assert signals.give(run, kind, Actor(approver))
                assert run.signals.count() == 1

    def test_of_a_run_under_way_are_all_there_for_an_approver_hidden_till_they_are_offered(
        self, client: Client, starter: User, approver: User
    ) -> None:
        page = page_of(client, approver, run_of(starter))
        assert set(buttons(page)) == set(SignalKind)

    def test_are_there_for_an_operator_but_for_the_approval(self, client: Client, starter: User) -> None:
        assert set(buttons(page_of(client, starter, run_of(starter)))) == set(SignalKind) - {SignalKind.APPROVE}

    def test_to_approve_is_not_there_for_an_approver_who_started_the_run(self, client: Client, approver: User) -> None:
        page = page_of(client, approver, run_of(approver, **ASLEEP))
        assert "approve" not in buttons(page)
        assert "It waits for an approver." in page

    def test_are_not_there_for_a_viewer_who_sees_what_is_waited_for(
        self, client: Client, starter: User, viewer: User
    ) -> None:
        page = page_of(client, viewer, run_of(starter, **ASLEEP))
        assert buttons(page) == {}
        assert "It waits for an approver." in page

    def test_change_from_pause_to_resume_and_back(self, client: Client, starter: User) -> None:
        run = run_of(starter)
        assert "resume" not in offers(page_of(client, starter, run))
        assert pressed(client, run, "pause") == 302
        assert offers(page_of(client, starter, run)) == "resume cancel"
        Run.objects.update(status=Status.PAUSED, paused_at=clock.now())
        assert "It stands still until somebody resumes it." in page_of(client, starter, run)
        assert pressed(client, run, "resume") == 302
        assert offers(page_of(client, starter, run)) == "pause cancel"

    def test_are_gone_once_a_cancel_was_asked_for(self, client: Client, starter: User) -> None:
        run = run_of(starter, **ASLEEP)
        client.force_login(starter)
        assert pressed(client, run, "cancel") == 302
        assert offers(page_of(client, starter, run)) == ""

    def test_offer_no_approval_once_it_was_given(self, client: Client, starter: User, approver: User) -> None:
        run = run_of(starter, waits_for="approve")
        client.force_login(approver)
        assert pressed(client, run, "approve") == 302
        page = page_of(client, approver, run)
        assert offers(page) == "pause cancel"
        assert "It waits for an approver." not in page
        assert pressed(client, run, "approve") == 302  # a second click
        assert run.signals.count() == 1

    def test_of_a_paused_run_that_is_being_undone_say_so(self, client: Client, starter: User) -> None:
        run = run_of(starter)
        client.force_login(starter)
        pressed(client, run, "pause")
        pressed(client, run, "cancel")
        Run.objects.update(status=Status.UNDOING)
        page = page_of(client, starter, run)
        assert (offers(page), "What was done is being taken back." in page) == ("", True)
        assert "asked to pause" not in re.sub(r"<ol id=.log-rows.*", "", page, flags=re.S)


@pytest.mark.parametrize("kind", list(SignalKind))
class Test_a_press:
    def test_needs_post(self, client: Client, starter: User, superuser: User, kind: SignalKind) -> None:
        run = run_of(starter, **ASLEEP)
        client.force_login(superuser)
        for method in (client.get, client.head, client.put, client.delete):
            assert method(f"/runs/{run.pk}/{kind}/").status_code == 405
        assert not run.signals.exists()

    def test_needs_the_token_of_its_form(self, starter: User, superuser: User, kind: SignalKind) -> None:
        run = run_of(starter, **ASLEEP)
        client = Client(enforce_csrf_checks=True)
        client.force_login(superuser)
        assert pressed(client, run, kind) == 403
        page = shown(client, f"/runs/{run.pk}/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        assert pressed(client, run, kind, csrfmiddlewaretoken=token[1]) == 302

    def test_needs_somebody_who_is_signed_in(self, client: Client, starter: User, kind: SignalKind) -> None:
        run = run_of(starter, **ASLEEP)
        response = client.post(f"/runs/{run.pk}/{kind}/")
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/login/")
        assert not run.signals.exists()

    def test_of_a_viewer_is_refused_and_recorded(
        self, client: Client, starter: User, viewer: User, kind: SignalKind
    ) -> None:
        run = run_of(starter, **ASLEEP)
        client.force_login(viewer)
        assert pressed(client, run, kind, reason="let me") == 403
        entry = AuditEntry.objects.get()
        assert (entry.actor, entry.action, entry.run, entry.via) == (viewer, f"run.{kind}", run, "browser")
        assert entry.result.startswith("refused: ")
        assert not run.signals.exists()

    def test_on_a_run_that_is_not_there_is_a_clear_404(self, client: Client, superuser: User, kind: SignalKind) -> None:
        client.force_login(superuser)
        assert client.post(f"/runs/4711/{kind}/").status_code == 404
        assert client.post(f"/runs/{'9' * 40}/{kind}/").status_code == 404

    def test_on_a_run_that_has_ended_says_so(
        self, client: Client, starter: User, superuser: User, kind: SignalKind
    ) -> None:
        run = run_of(starter, Status.SUCCEEDED)
        client.force_login(superuser)
        response = client.post(f"/runs/{run.pk}/{kind}/", follow=True)
        assert f"Run {run.pk} had already ended (succeeded). Nothing was changed." in response.content.decode()


def test_a_press_that_the_run_does_not_take_now_says_why_and_is_recorded(client: Client, starter: User) -> None:
    run = run_of(starter, kind=Kind.SYNC)
    client.force_login(starter)
    for kind, why in (("pause", "can&#x27;t be paused"), ("promote", "does not wait for “promote” now")):
        response = client.post(f"/runs/{run.pk}/{kind}/")
        assert (response.status_code, why in response.content.decode()) == (400, True)
        assert AuditEntry.objects.filter(action=f"run.{kind}", result__startswith="refused: ").count() == 1


def test_a_signal_that_nobody_knows_has_no_address(client: Client, starter: User) -> None:
    client.force_login(starter)
    assert client.post(f"/runs/{run_of(starter).pk}/restart/").status_code == 404


class Test_a_reason:
    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\u202egnihton\u2066", "‹U+202E›gnihton‹U+2066›"),
            ("done\nolga asked to cancel this run", "done olga asked to cancel this run"),
            ("{{ request.user }}{% csrf_token %}", "{{ request.user }}{% csrf_token %}"),
        ],
    )
    def test_is_shown_as_text_in_one_line(self, client: Client, starter: User, reason: str, words: str) -> None:
        run = run_of(starter)
        client.force_login(starter)
        assert pressed(client, run, "pause", reason=reason) == 302
        page = shown(client, f"/runs/{run.pk}/")
        assert f": {words}." in page
        assert "<script>alert(1)" not in page + shown(client, "/audit/")
        assert page.count('<li class="ln ') == 1

    def test_of_one_megabyte_is_kept_short(self, client: Client, starter: User) -> None:
        run = run_of(starter)
        client.force_login(starter)
        assert pressed(client, run, "pause", reason="ab" * 500_000) == 302
        assert len(run.signals.get().reason) == 300
        assert len(shown(client, f"/runs/{run.pk}/") + shown(client, "/audit/")) < 100_000

    def test_with_a_nul_is_no_form_that_a_browser_sends(self, client: Client, starter: User) -> None:
        run = run_of(starter)
        client.force_login(starter)
        assert pressed(client, run, "pause", reason="nothing\0") == 400
        assert not run.signals.exists()

    def test_of_ten_megabytes_is_not_read_at_all(self, client: Client, starter: User) -> None:
        run = run_of(starter)
        client.force_login(starter)
        assert pressed(client, run, "pause", reason="ab" * 5_000_000) in (400, 413)
        assert not run.signals.exists()


def test_what_an_actor_came_through_is_shown_with_the_run_what_was_asked_and_the_audit(
    client: Client, starter: User, viewer: User
) -> None:
    run = run_of(starter, via="token ci")
    signals.give(run, SignalKind.PAUSE, Actor(starter, "token chat"), "lunch")
    page = page_of(client, viewer, run)
    assert "started by olga via token ci" in page
    assert "olga via token chat asked to pause" in page
    assert "olga via token chat" in shown(client, "/audit/")
    assert "olga via token ci" in shown(client, "/runs/")
