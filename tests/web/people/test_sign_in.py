"""Signing in: what is recorded, and how guessing is slowed down."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from functions_app.domain import limits
from functions_app.models import AuditEntry
from functions_app.services.people import sign_in


def attempt(client: Client, password: str, name: str = "vera", address: str = "203.0.113.7") -> Any:
    """One attempt, as a browser at this address makes it."""
    return client.post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def guess(client: Client, times: int, **where: str) -> None:
    """Wrong attempts, without waiting in between: the ones before are made older than any wait."""
    for number in range(times):
        assert attempt(client, f"wrong {number}", **where).status_code == 200
        AuditEntry.objects.filter(action=sign_in.REFUSED).update(at=F("at") - timedelta(minutes=1))
    AuditEntry.objects.filter(action=sign_in.REFUSED).update(at=F("at") + timedelta(minutes=1))


def test_five_wrong_passwords_make_the_sixth_wait_even_if_it_is_right(client: Client, viewer: User) -> None:
    guess(client, 5)
    answer = attempt(client, "a long password")
    assert answer.status_code == 429
    assert "Too many attempts failed here. Wait 10 s" in " ".join(answer.content.decode().split())
    assert answer.headers["Retry-After"] == "10"
    assert "_auth_user_id" not in client.session


def test_another_spelling_of_the_same_name_is_the_same_name(client: Client, viewer: User) -> None:
    guess(client, 5, name="ｖera")
    assert attempt(client, "a long password").status_code == 429
    assert {entry.actor_name for entry in AuditEntry.objects.all()} == {"vera"}


def test_every_further_failure_doubles_the_wait(client: Client, viewer: User) -> None:
    guess(client, 5)
    AuditEntry.objects.update(at=F("at") - timedelta(minutes=1))
    guess(client, 1)
    assert attempt(client, "a long password").headers["Retry-After"] == "20"


def test_who_waited_gets_in_and_is_forgiven(client: Client, viewer: User) -> None:
    guess(client, 5)
    AuditEntry.objects.update(at=F("at") - timedelta(seconds=11))
    assert attempt(client, "a long password").status_code == 302
    assert sign_in.wait("vera", "203.0.113.7") == 0


def test_the_same_name_elsewhere_and_other_names_here_need_not_wait(
    client: Client, viewer: User, operator: User
) -> None:
    guess(client, 5)
    assert attempt(client, "a long password", name="olga").status_code == 302
    assert attempt(Client(), "a long password", address="203.0.113.8").status_code == 302


def test_a_name_that_nobody_has_waits_as_well_and_is_not_written_down(client: Client, db: None) -> None:
    guess(client, 5, name="my secret password")
    assert attempt(client, "x", name="my secret password").status_code == 429
    assert {entry.actor_name for entry in AuditEntry.objects.all()} == {"(unknown name)"}
    assert "secret" not in str([vars(entry) for entry in AuditEntry.objects.all()])


def test_one_address_that_tries_many_names_waits_for_all_of_them(client: Client, viewer: User) -> None:
    for number in range(limits.ADDRESS_SIGN_INS):
        sign_in.refused(f"name {number}", "2001:db8::1")
    assert attempt(client, "a long password", address="2001:db8::2").status_code == 429
    assert attempt(client, "a long password", address="2001:db8:0:1::2").status_code == 302


def test_one_name_that_is_tried_from_ever_other_addresses_is_tried_once_a_minute(client: Client, viewer: User) -> None:
    for number in range(limits.NAME_SIGN_INS):
        sign_in.refused("vera", f"198.51.100.{number}")
    assert attempt(client, "a long password", address="198.51.100.99").headers["Retry-After"] == "60"
    AuditEntry.objects.update(at=F("at") - timedelta(seconds=61))
    assert attempt(client, "a long password", address="198.51.100.99").status_code == 302


def test_who_signed_in_here_lately_waits_for_nobody_elses_failures(
    client: Client, viewer: User, operator: User
) -> None:
    sign_in.accepted(viewer, "vera", "203.0.113.7")
    for number in range(limits.ADDRESS_SIGN_INS):
        sign_in.refused(f"name {number}", "203.0.113.7")
        sign_in.refused("vera", f"198.51.100.{number}")
    assert attempt(client, "a long password").status_code == 302
    assert attempt(Client(), "a long password", name="olga").status_code == 429


def test_sign_in_refusal_and_sign_out_are_in_the_audit_table(client: Client, viewer: User) -> None:
    attempt(client, "wrong")
    attempt(client, "a long password")
    client.post("/logout/", REMOTE_ADDR="203.0.113.7")
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor_name")
    assert list(entries) == [("login.refused", "vera"), ("login", "vera"), ("logout", "vera")]


def test_a_session_gets_a_new_key_at_sign_in(client: Client, viewer: User) -> None:
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    before = session.session_key
    attempt(client, "a long password")
    assert client.session.session_key != before


def test_next_leads_nowhere_else(client: Client, viewer: User) -> None:
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/login/"):
        form = {"username": "vera", "password": "a long password", "next": target}
        assert Client().post("/login/", form).headers["Location"] == "/"


def test_who_is_signed_in_and_asked_to_sign_in_again_goes_on(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.get("/login/?next=/login/").headers["Location"] == "/"


@pytest.mark.parametrize("address", ["/sync/", "/bases/1/patch/", "/logout/"])
def test_who_posts_after_the_session_ended_comes_back_to_the_page_they_came_from(
    client: Client, viewer: User, address: str
) -> None:
    answer = client.post(address, headers={"Referer": "http://testserver/functions/?base=python%3A3.12#f7"})
    assert answer.headers["Location"] == "/login/?next=/functions/%3Fbase%3Dpython%253A3.12"


@pytest.mark.parametrize("before", ["", "https://evil.example/functions/", "//evil.example/x", "nonsense"])
def test_who_posts_from_nowhere_we_know_comes_to_the_overview(client: Client, db: None, before: str) -> None:
    assert client.post("/sync/", headers={"Referer": before}).headers["Location"] == "/login/?next=/"


@pytest.mark.parametrize("address", ["/sync/", "/logout/"])
def test_an_address_that_only_takes_a_form_says_so_in_a_page(client: Client, viewer: User, address: str) -> None:
    client.force_login(viewer)
    answer = client.get(address)
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)
    assert "Go back to the page that has the button." in answer.content.decode()


def test_a_form_of_somebody_who_is_not_signed_in_is_not_parsed(client: Client, db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sync/", b"\xff" * 100, content_type="multipart/form-data; boundary=")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/")
