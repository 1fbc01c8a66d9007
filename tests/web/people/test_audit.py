"""The audit: words for what was done, sign-ins folded, addresses for administrators alone, filters that say so."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.models import AuditEntry
from functions_app.services.people import access, sign_in, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:orders-api"
ADDRESS = "203.0.113.77"
FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"stream.add", "deployment.apply"}),
    ({"person": "WIM"}, {"stream.add"}),
    ({"function": "orders"}, {"deployment.apply"}),
    ({"kind": "deployment"}, {"deployment.apply"}),
    ({"kind": ["deployment", "settings"]}, {"deployment.apply", "stream.add"}),
    ({"kind": "sign-in"}, {"login"}),
    ({"status": "refused"}, {"deployment.apply"}),
    ({"status": "done"}, {"stream.add"}),
    ({"since": "24h"}, {"deployment.apply"}),
    ({"until": "24h"}, {"stream.add"}),
    ({"about": "added a base"}, {"stream.add"}),
    ({"sign_ins": "yes"}, {"stream.add", "deployment.apply", "login"}),
]


@pytest.fixture
def entries(operator: User) -> None:
    access.audit(Actor(None, named="wim"), "stream.add", "python:3.12", None, "python:3.12 is watched")
    AuditEntry.objects.update(at=clock.now() - timedelta(days=2))
    access.audit(Actor(operator), "deployment.apply", ARN, None, "refused: not you")
    sign_in.accepted(operator, operator.username, ADDRESS)


@pytest.fixture
def browser(client: Client, viewer: User, entries: None) -> Client:
    client.force_login(viewer)
    return client


def page_of(browser: Client, **query: Any) -> str:
    return browser.get("/audit/", query).content.decode()


def in_file(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.getvalue().decode())))


def test_tells_what_was_done_in_words(browser: Client) -> None:
    page = page_of(browser)
    assert ">Added a base image</span>" in page
    assert ">stream.add<" not in page


def test_folds_sign_ins_into_a_line_that_opens(browser: Client) -> None:
    assert '<a href="?sign_ins=yes">1 sign-in</a>' in page_of(browser)
    assert ">Signed in<" not in page_of(browser)
    opened = page_of(browser, sign_ins="yes")
    assert ">Signed in<" in opened
    assert "Fold sign-ins" in opened


@pytest.mark.parametrize(("query", "wanted"), FILTERS)
def test_rows_count_and_file_have_what_the_filters_find(
    browser: Client, query: dict[str, Any], wanted: set[str]
) -> None:
    page = page_of(browser, **query)
    assert f"<b>{len(wanted)}</b> entr" in page
    assert page.count("<tr data-row") == len(wanted)
    assert {row["action"] for row in in_file(browser.get("/audit/", {**query, "format": "csv"}))} == wanted


@pytest.mark.parametrize(("query", "wanted"), FILTERS)
def test_the_api_names_its_filters_as_the_page_does(
    entries: None, operator: User, query: dict[str, Any], wanted: set[str]
) -> None:
    token = tokens.make(Wanted("some", ["read"]), Actor(operator)).text
    AuditEntry.objects.filter(action__startswith="token").delete()
    query = {"sign_ins": "no", **query} if query.get("kind") != "sign-in" else query
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/audit", query)
    assert {entry["action"] for entry in answer.json()["entries"]} == wanted


def test_where_people_sign_in_from_is_for_administrators_alone(browser: Client, viewer: User, superuser: User) -> None:
    access.audit(Actor(superuser), "session.end", f"wim: Firefox on Linux at {ADDRESS}", None, "signed out")
    query = {"sign_ins": "yes"}
    assert ADDRESS not in page_of(browser, **query)
    assert ADDRESS not in str(in_file(browser.get("/audit/", {**query, "format": "csv"})))
    token = tokens.make(Wanted("some", ["read"]), Actor(viewer)).text
    assert ADDRESS not in Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/audit").content.decode()
    browser.force_login(superuser)
    assert page_of(browser, **query).count(ADDRESS) == 2
    assert ADDRESS in str(in_file(browser.get("/audit/", {**query, "format": "csv"})))


def test_an_address_that_is_not_shown_is_not_found_either(browser: Client, superuser: User) -> None:
    query = {"sign_ins": "yes", "about": ADDRESS[:9]}
    assert "<b>0</b> entries" in page_of(browser, **query)
    browser.force_login(superuser)
    assert "<b>1</b> entry" in page_of(browser, **query)


def test_what_the_address_asks_and_the_audit_does_not_know_is_said(browser: Client) -> None:
    page = page_of(browser, kind="deploy", since="tomorrow")
    assert "“deploy” is not a value of kind" in page
    assert "“tomorrow” is not a value of since" in page
