"""A database that is locked, full, read-only or away: every door says so soon, with 503; pages that can be are shown.

Against a real web server with the database in a state that lasts: an answer comes though nothing changes, or none does.
"""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory

from functions_app import clock
from functions_app.models import AuditEntry, BrowserSession
from functions_app.services.engine import database_state, health
from functions_app.services.people import sessions
from functions_app.web.database_guard import bad_request, server_error
from tests.e2e.proxy import CuttableProxy
from tests.processes import Process, eventually, web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has no such lock, and its own disk")
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite is a file, and never away")
PEOPLE = 7  # who sign in at once: all of them find a place in line


@dataclass
class Site:
    """A web server of this database, and the cookie of somebody who is signed in."""

    url: str
    cookie: str
    process: Process

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Cookie": self.cookie, **headers}, timeout=60)

    def sign_in(self, person: str = "vera", **headers: str) -> httpx.Response:
        """As somebody who came without a cookie."""
        with httpx.Client(base_url=self.url, timeout=60) as browser:
            browser.get("/login/")
            form = {"username": person, "password": "a long password"}
            form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
            return browser.post("/login/", data=form, headers=headers)


@pytest.fixture
def site(process_environment: dict[str, str], tmp_path: Path, client: Client, viewer: User) -> Iterator[Site]:
    client.force_login(viewer)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    environment = {**process_environment, "DRYDOCK_HOOK_TOKEN": "a token that is long enough"}
    with web(environment, tmp_path) as (process, port):
        site = Site(f"http://127.0.0.1:{port}", cookie, process)
        assert site.sign_in().status_code == 302  # pages and connections are warm
        yield site


@contextmanager
def locked() -> Iterator[None]:
    """Another program writes to SQLite's file, and does not end."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@on_sqlite
class Test_while_another_program_holds_the_lock:
    def test_whoever_signs_in_is_told_so_however_many_they_are(self, site: Site) -> None:
        with locked(), ThreadPoolExecutor(PEOPLE) as people:
            answers = list(people.map(lambda _: site.sign_in(), range(PEOPLE)))
        assert {answer.status_code for answer in answers} == {503}
        assert all("The database is locked by another program" in answer.text for answer in answers)
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert site.sign_in().status_code in (302, 503)

    def test_htmx_gets_a_toast_and_machines_get_a_problem(self, site: Site) -> None:
        with locked():
            toast = site.sign_in(**{"HX-Request": "true"})
            push = {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "x", "image-tag": "y"}
            event = {"source": "aws.ecr", "detail-type": "ECR Image Action", "region": "eu-west-1"}
            headers = {"Authorization": "Bearer a token that is long enough"}
            body = {**event, "account": "111111111111", "detail": push}
            hook = httpx.post(f"{site.url}/api/v1/hooks/ecr", json=body, headers=headers, timeout=60)
        assert (toast.status_code, toast.headers["HX-Retarget"]) == (503, "#toasts")
        assert "locked" in toast.text
        assert (hook.status_code, hook.headers["Content-Type"]) == (503, "application/problem+json")
        assert json.loads(hook.text)["title"] == "The database can't be used now"

    def test_pages_are_shown(self, site: Site) -> None:
        with locked():
            assert site.sign_in().status_code == 503
            assert site.get("/runs/").status_code == 200

    def test_a_session_that_is_over_leads_to_the_sign_in(self, site: Site) -> None:
        BrowserSession.objects.update(seen=clock.now() - timedelta(days=30))
        with locked():
            answer = site.get("/runs/")
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/login/?next=/runs/")

    def test_healthz_says_so_until_it_is_over(self, site: Site) -> None:
        with locked():
            eventually(lambda: "database locked" in site.get("/healthz").text, "healthz says it")
            assert site.get("/healthz").status_code == 503
        eventually(lambda: site.get("/healthz").status_code == 200, "healthz says that it is over")
        eventually(lambda: site.sign_in().status_code == 302, "people are let in again")


@contextmanager
def refusing_to_store(how: str) -> Iterator[None]:
    """The connection of this thread takes nothing more, as on a full disk or a file system that is read-only."""
    setting = "SET default_transaction_read_only" if connection.vendor == "postgresql" else "PRAGMA query_only"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1" if how == "full" else f"{setting} = on")
    try:
        yield
    finally:
        connection.close()


@pytest.fixture
def visitor(viewer: User) -> Iterator[Client]:
    """A browser that takes 500 for an answer; what was found is forgotten afterwards."""
    database_state.recent.forget()
    yield Client(raise_request_exception=False)
    database_state.recent.forget()


def sign_in(visitor: Client) -> HttpResponse:
    return visitor.post("/login/", {"username": "vera", "password": "a long password"})  # type: ignore[return-value]


class Test_a_database_that_takes_nothing:
    def test_is_told_as_read_only_and_pages_are_shown(self, visitor: Client, viewer: User) -> None:
        visitor.force_login(viewer)
        with refusing_to_store("read-only"):
            answer = sign_in(Client(raise_request_exception=False))
            page = visitor.get("/runs/")
        assert (answer.status_code, page.status_code) == (503, 200)
        assert "can't be written to" in unescape(answer.content.decode())
        assert sign_in(visitor).status_code == 503, "for a moment nobody tries again"
        database_state.recent.forget()
        assert sign_in(visitor).status_code == 302

    def test_is_told_by_whoever_looks_how_it_does(self, visitor: Client) -> None:
        with refusing_to_store("read-only"):
            assert health.database() == "read-only"
        assert health.database() == "ok"

    def test_shows_pages_whose_session_was_used_long_ago_too(self, visitor: Client, viewer: User) -> None:
        visitor.force_login(viewer)
        long_ago = clock.now() - 2 * sessions.SEEN_EVERY
        BrowserSession.objects.update(seen=long_ago)
        with refusing_to_store("read-only"):
            assert visitor.get("/runs/").status_code == 200
        assert BrowserSession.objects.get().seen == long_ago

    @on_sqlite
    def test_of_a_full_disk_names_the_disk(self, visitor: Client) -> None:
        with refusing_to_store("full"):
            fill()
            answer = sign_in(visitor)
        assert answer.status_code == 503
        assert "is full" in answer.content.decode()


def fill() -> None:
    """Use up what room is left in the pages that there are, to the last row of a few bytes."""
    for length in (300, 1):
        with suppress(OperationalError):
            while True:
                AuditEntry.objects.create(at=clock.now(), actor_name="x", action="fill", result="x" * length)


def test_a_session_that_cannot_be_stored_is_no_bad_request(visitor: Client) -> None:
    """Django raises SessionInterrupted, whatever kept it from storing one."""
    interrupted = SessionInterrupted("The request's session was deleted before the request completed.")
    interrupted.__context__ = OperationalError("database is locked")
    assert bad_request(RequestFactory().get("/"), interrupted).status_code == 503


def test_a_defect_stays_a_defect(visitor: Client) -> None:
    request = RequestFactory().get("/")
    try:
        raise OperationalError('near "FORM": syntax error')
    except OperationalError:
        assert server_error(request).status_code == 500


@contextmanager
def postgres_behind(proxy: list[CuttableProxy], environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same database by way of a proxy."""
    address = urlsplit(environment["DATABASE_URL"])
    way = CuttableProxy(address.port or 5432)
    proxy.append(way)
    yield {**environment, "DATABASE_URL": address._replace(netloc=f"{address.username}@127.0.0.1:{way.port}").geturl()}
    way.close()


@on_postgresql
def test_a_database_that_is_away_is_told_to_everybody_until_it_is_back(
    process_environment: dict[str, str], tmp_path: Path, client: Client, viewer: User
) -> None:
    client.force_login(viewer)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    ways: list[CuttableProxy] = []
    with postgres_behind(ways, process_environment) as environment, web(environment, tmp_path) as (process, port):
        site = Site(f"http://127.0.0.1:{port}", cookie, process)
        assert site.get("/runs/").status_code == 200
        ways[0].cut()
        with ThreadPoolExecutor(PEOPLE) as people:
            answers = list(people.map(lambda _: site.get("/runs/"), range(PEOPLE)))
        assert {answer.status_code for answer in answers} == {503}
        assert all("The database does not answer" in answer.text for answer in answers)
        stream = site.get("/events/fleet")
        assert (stream.status_code, "does not answer" in stream.text) == (503, True)
        eventually(lambda: site.get("/healthz").text.startswith("database away"), "healthz says it")
        ways[0].mend()
        eventually(lambda: site.get("/runs/").status_code == 200, "pages are shown again")
        eventually(lambda: site.get("/healthz").status_code == 200, "healthz says that it is over")
    assert process.text().count("Traceback") == 0


def test_a_page_offers_to_be_read_again_and_what_was_sent_is_not_sent_again() -> None:
    error = OperationalError("database is locked")

    read = bad_request(RequestFactory().get("/runs/?kind=sync"), error).content.decode()
    sent = bad_request(RequestFactory().post("/sync/"), error).content.decode()

    assert '<a class="btn btn-primary" href="/runs/?kind=sync">Try again</a>' in read
    assert "Try again</a>" not in sent
    assert all('<a class="btn" href="/">Go to the overview</a>' in text for text in (read, sent))
    database_state.recent.forget()
