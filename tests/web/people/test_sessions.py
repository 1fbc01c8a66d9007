"""Sessions: how long they live, who sees which, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import AuditEntry, BrowserSession
from functions_app.services.engine.database_state import recent
from functions_app.services.tidy import tidy

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
PAGE = "/settings/sessions/"
ALL = "/settings/sessions/end/"


def signed_in(name: str, address: str = "203.0.113.7", agent: str = FIREFOX) -> Client:
    """A browser in which this person has signed in."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    assert client.post("/login/", {"username": name, "password": "a long password"}).status_code == 302
    return client


def text_of(client: Client) -> str:
    return " ".join(client.get(PAGE).content.decode().split())


def lets_in(client: Client) -> bool:
    return client.get("/functions/").status_code == 200


def row_of(client: Client) -> BrowserSession:
    return BrowserSession.objects.get(session_key=client.cookies["sessionid"].value)


def age(client: Client, **times: timedelta) -> None:
    """Have it be older than it is."""
    rows = BrowserSession.objects.filter(session_key=client.cookies["sessionid"].value)
    rows.update(**{name: F(name) - by for name, by in times.items()})


class Test_a_session:
    def test_that_nobody_used_for_half_a_day_is_over_and_its_row_is_tidied_away(self, viewer: User) -> None:
        client = signed_in("vera")
        age(client, seen=timedelta(hours=11, minutes=59))
        assert lets_in(client)
        age(client, seen=timedelta(hours=12, minutes=1))
        assert not lets_in(client)
        assert BrowserSession.objects.exists()
        tidy(clock.now())
        assert not BrowserSession.objects.exists()

    def test_ends_after_a_week_however_busy(self, viewer: User) -> None:
        client = signed_in("vera")
        age(client, since=timedelta(days=7, seconds=1))
        assert not lets_in(client)

    def test_that_is_used_goes_on(self, viewer: User) -> None:
        client = signed_in("vera")
        for _ in range(5):
            age(client, since=timedelta(hours=11), seen=timedelta(hours=11), expire_date=timedelta(hours=11))
            assert lets_in(client)

    def test_is_not_kept_alive_by_a_page_that_reads_itself(self, viewer: User) -> None:
        client = signed_in("vera")
        age(client, seen=timedelta(hours=11))
        before = row_of(client).seen
        client.get("/functions/", headers={"Drydock-Live": "true"})
        assert row_of(client).seen == before

    def test_is_written_once_a_minute_at_most(
        self, viewer: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = signed_in("vera")
        with django_assert_num_queries(3):  # session, person with groups, what stands around the page
            client.get("/settings/password/")
        age(client, seen=timedelta(seconds=61))
        with django_assert_num_queries(4):
            client.get("/settings/password/")
        with django_assert_num_queries(3):
            client.get("/settings/password/")

    @pytest.mark.django_db(transaction=True)
    def test_is_good_for_reading_while_nothing_can_be_stored(self, viewer: User) -> None:
        client = signed_in("vera")
        age(client, seen=timedelta(hours=1))

        def locked(execute: Any, sql: str, *more: Any) -> Any:
            if sql.startswith("UPDATE"):
                raise OperationalError("database is locked")
            return execute(sql, *more)

        try:
            with connection.execute_wrapper(locked):
                assert lets_in(client)
        finally:
            recent.forget()  # or the next test is told of it as well

    def test_of_somebody_who_was_shut_out_does_not_come_back_with_them(self, viewer: User) -> None:
        client = signed_in("vera")
        call_command("person", "vera", "none")
        call_command("person", "vera", "viewer")
        assert not lets_in(client)


class Test_the_list:
    def test_says_since_when_from_where_and_by_which_browser(self, viewer: User) -> None:
        client = signed_in("vera")
        signed_in("vera", "2001:db8::9", "curl/8.5.0")
        text = text_of(client)
        assert "Firefox on Windows" in text
        assert "203.0.113.7" in text
        assert "2001:db8::9" in text
        assert "<b>2</b> sessions" in text
        assert "this one" in text

    def test_has_nobody_elses_but_for_an_administrator(self, viewer: User, operator: User, superuser: User) -> None:
        signed_in("olga", "198.51.100.1")
        assert "198.51.100.1" not in text_of(signed_in("vera"))
        shown = text_of(signed_in("sam"))
        assert "198.51.100.1" in shown
        assert "olga" in shown

    def test_tells_no_key_of_a_session(self, viewer: User, superuser: User) -> None:
        client = signed_in("vera")
        assert row_of(client).session_key not in text_of(client) + text_of(signed_in("sam"))

    def test_has_none_that_is_over_or_of_an_old_password(self, viewer: User) -> None:
        signed_in("vera", "198.51.100.1")
        over = signed_in("vera", "198.51.100.2")
        age(over, seen=timedelta(hours=13))
        viewer.set_password("quay-winch-hawser")
        viewer.save()
        client = Client()
        client.force_login(viewer)
        assert "198.51.100" not in text_of(client)

    def test_costs_the_same_for_few_and_for_many(
        self, viewer: User, superuser: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = signed_in("sam")
        for number in range(10):
            signed_in("vera", f"198.51.100.{number}")
        with django_assert_num_queries(4):  # session, person, frame, sessions with their people
            client.get(PAGE)


class Test_signing_out:
    def test_elsewhere_ends_that_session_alone(self, viewer: User) -> None:
        here, there = signed_in("vera"), signed_in("vera", "198.51.100.1")
        here.post(f"/settings/sessions/{row_of(there).mark}/end/")
        assert (lets_in(here), lets_in(there)) == (True, False)
        entry = AuditEntry.objects.get(action="session.end")
        assert (entry.actor_name, "198.51.100.1" in entry.target) == ("vera", True)

    def test_everywhere_ends_all_of_ones_own_and_nobody_elses(self, viewer: User, operator: User) -> None:
        mine, other, olga = signed_in("vera"), signed_in("vera"), signed_in("olga")
        assert mine.post(ALL).headers["Location"] == "/login/"
        assert (lets_in(mine), lets_in(other), lets_in(olga)) == (False, False, True)
        assert AuditEntry.objects.filter(action="session.end-all", actor_name="vera").count() == 1

    def test_an_administrator_signs_others_out(self, viewer: User, superuser: User) -> None:
        sam, first, second = signed_in("sam"), signed_in("vera"), signed_in("vera")
        sam.post(f"/settings/sessions/{row_of(first).mark}/end/")
        assert (lets_in(first), lets_in(second)) == (False, True)
        assert sam.post(ALL, {"person": viewer.pk}).headers["Location"] == PAGE
        assert (lets_in(second), lets_in(sam)) == (False, True)

    def test_nobody_else_ends_a_session_that_is_not_theirs(self, viewer: User, operator: User) -> None:
        vera, olga = signed_in("vera"), signed_in("olga")
        assert olga.post(f"/settings/sessions/{row_of(vera).mark}/end/").status_code == 404
        assert olga.post(ALL, {"person": viewer.pk}).status_code == 403
        assert lets_in(vera)

    def test_a_session_that_ended_meanwhile_is_no_error(self, viewer: User) -> None:
        here, there = signed_in("vera"), signed_in("vera")
        mark = row_of(there).mark
        there.post("/logout/")
        assert here.post(f"/settings/sessions/{mark}/end/").status_code == 404

    @pytest.mark.parametrize("person", ["0", "x", "-1", "9" * 40, "１"])
    def test_of_nobody_ends_nothing(self, superuser: User, person: str) -> None:
        sam = signed_in("sam")
        assert sam.post(ALL, {"person": person}).status_code == 404
        assert lets_in(sam)


class Test_the_command:
    def test_lists_sessions_and_ends_those_of_a_person(
        self, viewer: User, operator: User, capsys: pytest.CaptureFixture[str]
    ) -> None:
        vera, olga = signed_in("vera"), signed_in("olga", "198.51.100.1")
        call_command("sessions")
        listed = capsys.readouterr().out
        assert "vera" in listed
        assert "Firefox on Windows" in listed
        assert row_of(vera).session_key not in listed
        call_command("sessions", "vera", "--end")
        assert (lets_in(vera), lets_in(olga)) == (False, True)
        assert AuditEntry.objects.get(action="session.end-all").via == "shell"
