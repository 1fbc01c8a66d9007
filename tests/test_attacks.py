"""Hostile input at every door: what is in an address, a query, a form, a body, a header. No failure, no echo, no write.

Routes come from tests/every_route.py, fields from the forms themselves, names of queries from the source: a new route,
field or name is attacked without a line here.
"""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern
from pytest_django.fixtures import Settings

from functions_app.services.people.actor import Actor
from tests.asking import AUDIT, Asked, ask, told
from tests.conftest import Valkey
from tests.every_route import ROUTES, WANTS_TOKEN, Places, furnish, patterns, taking
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a token that is long enough"
ECHO = re.compile(
    r"<script>alert|<img src=x|\"\s*onmouseover=|(?:href|src|action|formaction|hx-\w+)=[\"']?javascript:|"
    r"[\u202e\u2066\x1b\x00]"
)
FORM = "application/x-www-form-urlencoded"
# What a form or a query may bring.
TEXTS = {
    "markup": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}<{% debug %}",
    "an attribute": '" onmouseover=alert(1) x="',
    "a NUL": "a\0b",
    "half a surrogate": "a\ud800b",
    "what is not seen": "a\u202eb\u2066c\u200b\x1b]0;title\x07\x1b[31m",
    "line ends": "a\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>",
    "wildcards and SQL": "%_*?[a-z]\\'; DROP TABLE functions_app_run; --",
    "another folder": "../../../../etc/passwd",
    "another site": "//evil.example/%2f..",
    "a script's address": "javascript:alert(1)",
    "an address within": "http://169.254.169.254/latest/meta-data/",
    "a huge number": "9" * 1000,
    "no number": "-1e400",
    "digits of others": "١٢٣４５",
    "much": "=" + "x" * 20_000,
}
SOME = ("markup", "another site", "line ends")  # for htmx, which differs in what leads on and in what is shown
# What an address may bring where a thing is named.
NAMES = ("0", "9" * 500, "-1", "１", "1%00", "%ED%A0%80", "..%2f..%2fetc%2fpasswd", "%0d%0aX-A:%20b",
         "%3Cscript%3Ealert(1)%3C/script%3E", "00000000-0000-4000-8000-000000000000", "x" * 3000)  # fmt: skip
BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "another encoding": '{"source": "aws.ecr"}'.encode("utf-16"),
    "a mark of byte order": b"\xef\xbb\xbf{}",
    "no object": b"[1]",
    "depth": b"[" * 10_000 + b"]" * 10_000,
    "depth of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "one name twice": b'{"source": "aws.ecr", "source": "evil", "detail": {}, "detail": []}',
    "a huge number": b'{"detail": ' + b"9" * 5000 + b"}",
    "no number": b'{"detail": NaN, "region": 1e999}',
    "halves of surrogates": b'{"source": "\\ud800", "detail-type": "\\u0000"}',
    "much": b'{"source": "' + b"x" * 10_000_000 + b'"}',
}


@pytest.fixture
def places(functions: Functions, superuser: User, aws: Sandbox, valkey: Valkey, settings: Settings) -> Places:
    """Something of everything."""
    settings.ENV = dataclasses.replace(settings.ENV, hook_token=TOKEN)
    stage = make_stage(functions, Actor(superuser))
    stage.push("two", "2")
    return furnish(stage, superuser)


@pytest.fixture
def cookies(superuser: User) -> str:
    """An administrator's: who may do everything reaches the most code."""
    client = Client()
    client.force_login(superuser)
    return client.cookies.output(header="", sep=";").strip()


def query_names() -> list[str]:
    """Every name that a view looks for in an address or a form."""
    found = set()
    for path in Path(settings.BASE_DIR, "functions_app").rglob("*.py"):
        if "web" not in path.parts and "inventory" not in path.parts:
            continue
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            reader = getattr(call.func, "attr", getattr(call.func, "id", ""))
            texts = [word.value for word in call.args[:2] if isinstance(word, ast.Constant)]
            if reader in ("get", "getlist", "number", "_text", "several"):
                found |= {text for text in texts if isinstance(text, str) and text.isidentifier()}
    return sorted(found)


def faults(asked: Asked, *, reads: bool, form: str = "") -> Iterator[str]:
    """What is wrong with an answer to something hostile; `form` is the type that it must have where it has a body."""
    answer = asked.answer
    kind = answer.headers.get("Content-Type", "")
    if asked.status >= 500:
        yield f"{asked.status}"
    if kind.startswith("text/html"):
        yield from (f"echoes {echo!r}" for echo in set(ECHO.findall(asked.text)))
    if form and form not in kind:
        yield f"answers with {kind}"
    for header in ("Location", "HX-Redirect", "HX-Push-Url"):
        target = urlsplit(answer.headers.get(header, "/").replace("\\", "/"))
        if target.netloc or target.scheme:
            yield f"leads to {answer.headers[header]}"
    if "Set-Cookie" in answer.headers:
        yield "sets a cookie"
    if (reads or asked.status >= 400) and asked.written - {AUDIT}:
        yield f"writes {sorted(asked.written)}"


def hostile_paths(pattern: URLPattern) -> Iterator[str]:
    """The addresses of a route with each hostile name in the place of what it names."""
    route = str(pattern.pattern)
    if "<" in route:
        yield from ("/" + re.sub(r"<[^>]+>", lambda _: each, route) for each in NAMES)  # noqa: B023 - used at once


GROUPS = range(4)  # of routes, a test each: every one has time enough on a machine that is much slower


@pytest.mark.parametrize("group", GROUPS)
def test_no_name_in_an_address_is_a_failure(places: Places, cookies: str, group: int) -> None:
    wrong = []
    for pattern in list(patterns())[group :: len(GROUPS)]:
        method = "post" if ROUTES[str(pattern.name)].get[-1] == 405 else "get"
        for address in hostile_paths(pattern):
            asked = ask(cookies, method, address)
            wrong += [f"{pattern.name} {address[:80]}: {fault}" for fault in faults(asked, reads=True)]
    assert told(wrong) == ""


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("htmx", [False, True])
def test_no_query_is_a_failure(places: Places, cookies: str, htmx: bool, group: int) -> None:
    wrong, names = [], query_names()
    headers = {"HX-Request": "true", "HX-Current-URL": "http://evil.example/"} if htmx else {}
    assert {"page", "search", "account", "sort", "version", "q", "from", "platform", "before"} <= set(names)
    for what in SOME if htmx else TEXTS:
        query = urlencode([(name, TEXTS[what][:500]) for name in names] * 2, errors="surrogatepass")
        for name in taking("get")[group :: len(GROUPS)]:
            asked = ask(cookies, "get", f"{places.address(name)}?{query}", headers=headers)
            wrong += [f"{name} with {what}: {fault}" for fault in faults(asked, reads=True)]
    assert told(wrong) == ""


@pytest.mark.parametrize("group", GROUPS)
def test_no_field_of_a_form_is_a_failure(places: Places, cookies: str, group: int) -> None:
    wrong = []
    for name in taking("post")[group :: len(GROUPS)]:
        good = places.form(name)
        for field in places.fields(name, cookies):
            for what, text in TEXTS.items():
                if (field, what) == ("payload", "what is not seen"):
                    continue  # a payload is sent, and shown again, as it was typed
                body = urlencode({**good, field: text}, errors="surrogatepass", doseq=True)
                asked = ask(cookies, "post", places.address(name), body, content_type=FORM)
                wrong += [f"{name}, {field} with {what}: {fault}" for fault in faults(asked, reads=False)]
    assert told(wrong) == ""


def test_no_body_of_a_hook_is_a_failure(places: Places) -> None:
    wrong = []
    hooks = [name for name, route in ROUTES.items() if route.post == WANTS_TOKEN]
    kinds = ("application/json", "multipart/form-data; boundary=x", FORM, "text/plain")
    for name in hooks:
        for what, body in BODIES.items():
            for kind in kinds:
                headers = {"X-Drydock-Token": TOKEN}
                asked = ask("", "post", places.address(name), body, content_type=kind, headers=headers)
                wrong += [f"{name}, {what} as {kind}: {fault}" for fault in faults(asked, reads=True, form="json")]
    assert hooks
    assert told(wrong) == ""


def test_no_body_is_a_failure_as_a_payload(places: Places, cookies: str) -> None:
    wrong = []
    for what, body in BODIES.items():
        text = body[:100_000].decode("utf-8", "surrogateescape")
        form = urlencode({**places.form("function-invoke"), "payload": text}, errors="surrogateescape")
        for name in ("function-invoke", "invoke-check"):
            asked = ask(cookies, "post", places.address(name), form, content_type=FORM)
            wrong += [f"{name} with {what}: {fault}" for fault in faults(asked, reads=False)]
    assert told(wrong) == ""


def test_every_form_wants_its_token_and_comes_from_here(places: Places, cookies: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies.load(cookies)
    token = client.get(places.address("account-add")).cookies["csrftoken"].value
    sent = {"X-CSRFToken": token}
    wrong = []
    for name in taking("post"):
        if name == "login":  # who is signed in is led on
            continue
        for what, headers in {
            "without the token": {},
            "with a wrong one": {"X-CSRFToken": token[::-1]},
            "from elsewhere": {**sent, "Origin": "https://evil.example"},
            "from nowhere": {**sent, "Origin": "null"},
            "by htmx without it": {"HX-Request": "true"},
        }.items():
            if client.post(places.address(name), places.form(name), headers=headers).status_code != 403:
                wrong.append(f"{name} {what}")
    assert told(wrong) == ""


ELSEWHERE = (
    "//evil.example", "https://evil.example/", "\\\\evil.example", "/\\evil.example", "javascript:alert(1)",
    "https:evil.example", "///evil.example", " //evil.example", "http://localhost@evil.example/", "\t//evil.example",
    "/login/?next=/login/",
)  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_sign_in_leads_elsewhere(client: Client, viewer: User, address: str) -> None:
    form = {"username": "vera", "password": "a long password", "next": address}
    answer = client.post("/login/?" + urlencode({"next": address}), form)
    assert answer.headers["Location"] == "/"
    shown = client.get("/login/", headers={"HX-Request": "true", "HX-Current-URL": address})
    assert shown.headers.get("HX-Redirect", "/").startswith("/")


@pytest.mark.parametrize("host", ["evil.example", "localhost@evil.example", "localhost:80:80", "", "[::1", "a" * 300])
def test_no_host_but_ours_is_answered(client: Client, viewer: User, host: str) -> None:
    client.force_login(viewer)
    assert client.get("/functions/", headers={"Host": host}).status_code == 400


def test_no_other_header_names_the_host(client: Client, viewer: User) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = client.get("/", headers=forged)
    assert "evil.example" not in answer.headers["Location"] + answer.content.decode()
