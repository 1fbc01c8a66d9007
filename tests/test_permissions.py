"""Who may do what: every route and method for every role, asked of the real resolver and the raw ASGI streams."""

import ast
import asyncio
import dataclasses
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from functions_app.models import Run
from functions_app.services.people.actor import Actor
from functions_app.streams import application
from functions_app.streams.application import PATH
from functions_app.streams.health_probe import HealthProbe
from tests.asking import AUDIT, Asked, ask, told
from tests.conftest import Valkey
from tests.every_route import ROLES, ROUTES, STREAMS, Places, furnish, nowhere, patterns
from tests.factories import NOW
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

HTMX_STATUSES = {302: (200, 204, 302)}  # a redirect may be told in a header, or be the part itself
PLAIN = {"hook-ecr", "healthz", "metrics"}  # answer machines
ANY = frozenset(model._meta.db_table for model in apps.get_models(include_auto_created=True))


@dataclasses.dataclass
class Door:
    """Asks every route as every role; nothing that is asked for lasts."""

    places: Places
    cookies: dict[str, str]

    def ask(self, role: str, method: str, name: str, **headers: str) -> Asked:
        """One request, taken back afterwards."""
        form = self.places.form(name) if method == "post" else {}
        return ask(self.cookies[role], method, self.places.address(name), form, headers=headers)

    def everything(self, **headers: str) -> Iterator[tuple[str, str, str, Asked]]:
        """Every method of every route as every role."""
        for method, name, role in product(("get", "post"), ROUTES, ROLES):
            yield method, name, role, self.ask(role, method, name, **headers)


@pytest.fixture
def cookies(superuser: User, operator: User, approver: User, viewer: User) -> dict[str, str]:
    """The cookies of somebody of each role."""
    stranger = User.objects.create_user("stan", password="a long password")
    kept = {}
    for role, person in zip(ROLES, (None, stranger, viewer, operator, approver, superuser), strict=True):
        client = Client()
        if person is not None:
            client.force_login(person)
        kept[role] = client.cookies.output(header="", sep=";").strip()
    return kept


@pytest.fixture
def door(
    cookies: dict[str, str], functions: Functions, operator: User, aws: Sandbox, valkey: Valkey, settings: Settings
) -> Door:
    """A furnished installation, and somebody of each role before it."""
    settings.ENV = dataclasses.replace(django_settings.ENV, hook_token="a token that is long enough")
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    return Door(furnish(stage, operator), cookies)


def expected(name: str, role: str, method: str) -> int:
    """The table's word."""
    return getattr(ROUTES[name], method)[ROLES.index(role)]  # type: ignore[no-any-return]


def may_be_written(name: str, role: str, method: str, status: int) -> frozenset[str]:
    """The tables that a request may write: none where it only looks, the audit where it is refused."""
    if method == "post" and status in (403, 404):
        return frozenset({AUDIT})
    through = method == "post" and status in (200, 302) and not (role == "nobody" and status == 302)
    return ANY if through else frozenset()


def must_be_audited(name: str, role: str, method: str, status: int) -> bool:
    """Whether a POST leaves an entry: what is refused to somebody, and what gets through where the table says so."""
    if method == "get" or role in ("nobody", "stranger") or status in (401, 405):
        return False
    return status == 403 or ROUTES[name].audited


def is_the_sign_in(answer: HttpResponse) -> bool:
    """Whether it leads to the sign-in and shows nothing."""
    return answer.headers["Location"].startswith("/login/") and answer.content == b""


def served_raw() -> set[str]:
    """Every text of the raw application that begins like a path."""
    source = Path(application.__file__).read_text()
    texts = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and text.startswith("/") and " " not in text}


def open_stream(path: str, cookie: str, method: str = "GET") -> int:
    """The status of a stream as raw ASGI opens it; whoever watches leaves at once."""
    begun: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        begun.extend([message["status"]] if "status" in message else [])

    async def ask() -> None:
        served = application.Application(nothing_else)
        served.health = HealthProbe()
        while path == "/healthz" and served.health.last is None:
            await asyncio.sleep(0.01)
        headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
        await served({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        for part in (served.hub, served.health):
            if part is not None:
                part.close()

    asyncio.run(ask())
    return begun[0]


async def nothing_else(*_: Any) -> None:
    """What stands behind the streams is not asked."""
    raise AssertionError("no stream")


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    named = [str(pattern.name) for pattern in patterns()]
    assert sorted(named) == sorted(ROUTES)


@pytest.mark.django_db(transaction=True)
class Test_each_role:
    def test_is_answered_as_the_table_says_and_what_is_refused_is_audited_and_changes_nothing(self, door: Door) -> None:
        wrong = set()
        for method, name, role, asked in door.everything():
            status, wanted = asked.status, expected(name, role, method)
            if status != wanted:
                wrong.add(f"{method} {name} as {role}: {status}, not {wanted}")
            elif asked.written - may_be_written(name, role, method, status):
                wrong.add(f"{method} {name} as {role}: writes {asked.written}")
            elif must_be_audited(name, role, method, status) and AUDIT not in asked.written:
                wrong.add(f"{method} {name} as {role}: no entry in the audit")
            elif role == "nobody" and status == 302 and not is_the_sign_in(asked.answer):
                wrong.add(f"{method} {name} as {role}: led elsewhere than to the sign-in")
        assert told(wrong) == ""

    def test_gets_the_same_from_htmx_as_a_toast_or_a_part_of_the_page(self, door: Door) -> None:
        wrong = set()
        for method, name, role, asked in door.everything(**{"HX-Request": "true"}):
            status, wanted = asked.status, expected(name, role, method)
            if status not in HTMX_STATUSES.get(wanted, (wanted,)):
                wrong.add(f"{method} {name} as {role}: {status}, not {wanted}")
            elif status in (403, 405) and name not in PLAIN and asked.answer.headers.get("HX-Retarget") != "#toasts":
                wrong.add(f"{method} {name} as {role}: no toast")
            elif status != 200 and "<html" in asked.text:
                wrong.add(f"{method} {name} as {role}: a whole page")
        assert told(wrong) == ""


@pytest.mark.parametrize("name", ROUTES)
def test_no_route_takes_another_method(cookies: dict[str, str], name: str) -> None:
    client = Client()
    client.cookies.load(cookies["administrator" if name != "login" else "nobody"])
    methods = (client.put, client.patch, client.delete, client.options, client.trace)
    statuses = {method(nowhere().address(name)).status_code for method in methods}
    assert statuses <= {405, 404 if name == "hook-ecr" else 405}  # there is no hook without its token


@pytest.mark.django_db(transaction=True)
class Test_a_stream:
    def test_has_a_line_for_each_address_that_raw_asgi_serves(self) -> None:
        assert served_raw() == {"/healthz", "/events/", PATH.pattern}
        assert PATH.pattern == r"/events/(?:fleet|runs/(\d{1,18}))"

    def test_is_opened_for_whom_the_table_says(self, cookies: dict[str, str]) -> None:
        run = Run.objects.create(kind="sync", status="running", title="Sync", created_at=NOW)
        for path, answers in STREAMS.items():
            where = path.replace("/1", f"/{run.pk}")
            assert (path, tuple(open_stream(where, cookies[role]) for role in ROLES)) == (path, answers)

    def test_is_read_and_takes_nothing(self, cookies: dict[str, str]) -> None:
        methods = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
        statuses = {open_stream(path, cookies["administrator"], method) for path in STREAMS for method in methods}
        assert statuses == {405}
