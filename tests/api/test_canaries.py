"""Secrets planted wherever a fleet has them: no endpoint, page, row or line of the log gives one away.

Endpoints and pages come from the routers' own tables, secrets from the examples of every shape: a new one is covered
without a line here.
"""

import html
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from functions_app import clock
from functions_app.domain.chat.grammar import GRAMMAR
from functions_app.domain.redaction import RedactingFormatter
from functions_app.domain.runs import ACTIVE, Status
from functions_app.domain.secret_shapes import MASK
from functions_app.domain.tokens import TokenScope
from functions_app.models import BaseStream, ChatLink, Function, Image, Plan, Repository, Run
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Made, Wanted
from sandbox.images.making import make_image, make_layer
from tests.api.every_endpoint import ENDPOINTS, served
from tests.asking import ask
from tests.cli import site
from tests.conftest import Valkey
from tests.domain.test_secret_lines import HIDDEN as OVER_LINES
from tests.domain.test_secret_shapes import EXAMPLES, KEY, S
from tests.every_route import Places, furnish, taking
from tests.fixtures import Sandbox
from tests.sandbox.functions import CREATED, Functions
from tests.services.changes.stage import Stage, carry_out, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
VALUE = "a-canary-of-the-environment"  # a value of a variable that nothing but its place tells to be secret
SECRETS = [text for hidden, _ in EXAMPLES.values() for text in hidden]
PARTS = (VALUE, S, S.upper(), KEY[:20], "HUNTER2KEY", "HUNTER2")


def canaries() -> Iterator[str]:
    """What shows that a secret got out: a part that is in nothing else; of one too short for that (a PIN) all of it."""
    yield from PARTS
    for text in SECRETS:
        if not any(part in text for part in PARTS):
            yield text
            yield html.escape(text)
            for _ in range(2):  # a document within a document
                yield (text := json.dumps(text, ensure_ascii=False)[1:-1])


CANARIES = frozenset(canaries())
KEPT = "the rest of it is told"
LISTED: dict[str, type[Model]] = {
    "function": Function,
    "image": Image,
    "repository": Repository,
    "run": Run,
    "plan": Plan,
    "stream": BaseStream,
}
CODE = f"""
SECRETS = {SECRETS!r}
OVER_LINES = {OVER_LINES!r}
def handler(event, context):
    for secret in SECRETS + OVER_LINES:
        print(secret, flush=True)
    print({KEPT!r}, flush=True)
    if "fail" in event:
        raise RuntimeError("{KEPT}: " + " and ".join(SECRETS[1:9]))
    return {{"told": {KEPT!r}, "password": "{S}", "order": event["order"], "texts": SECRETS[::-1], "event": event}}
"""


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What the process's own log says, as it is written."""
    lines: list[str] = []
    formatter = RedactingFormatter("%(name)s: %(message)s")

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(formatter.format(record))

    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def stage(functions: Functions, superuser: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function whose image, build, settings, tags and texts are full of secrets."""
    steps = [f"RUN |1 NPM_TOKEN={S} /bin/sh -c npm ci # buildkit"]
    config = {
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Cmd": ["app.handler", "--password", S],
        "Env": ["PATH=/usr/bin", f"PLAIN={VALUE}", f"DB_PASSWORD={S}", f"DATABASE_URL=postgres://app:{S}@db/app"],
        "Labels": {"api_key": S, "note": f"password={S}"},
    }
    layer = make_layer({"var/task/app.py": CODE.encode()})
    image = make_image([layer], created=CREATED, config={**config, "WorkingDir": "/var/task"}, created_by=steps)
    return make_stage(
        functions,
        Actor(superuser),
        image=image,
        Description=f"{KEPT}: password={S}",
        Environment={"Variables": {"PLAIN": VALUE, "DB_PASSWORD": S}},
        Tags={"owner": "payments", "note": f"token={S}"},
        ImageConfig={"Command": ["app.handler"]},
    )


@pytest.fixture
def bot(superuser: User) -> Made:
    """A token that may do everything."""
    return tokens.make(Wanted("canary", [scope.value for scope in TokenScope]), Actor(superuser))


def client_of(bot: Made, **more: str) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {bot.text}", **more})


def post(bot: Made, path: str, body: Any) -> Any:
    return client_of(bot).post(f"/api/v1{path}", json.dumps(body), content_type="application/json")


def invoked(bot: Made, payload: Any) -> Run:
    """Invoke over the API, and carry it out."""
    answer = post(bot, "/invocations", {"function": "app", "payload": payload})
    assert answer.status_code == 202, answer.content
    return carry_out(Run.objects.get(pk=answer.json()["id"]))


def told(bot: Made, places: Places) -> Iterator[tuple[str, str]]:
    """What every GET of the API answers about each thing there is, whole and as one line; and every page."""
    for (method, name), line in ENDPOINTS.items():
        path = served()[method, name]
        if method != "GET":
            continue
        keys = [{**places.keys, "": "", "its own": bot.row.pk}[line.thing]]
        if line.thing in LISTED:
            keys = list(LISTED[line.thing]._default_manager.values_list("pk", flat=True))
        for key in keys:
            address = path if not line.thing else path.replace(path[path.index("{") : path.index("}") + 1], str(key))
            for accepted, query in (("application/json", ""), ("text/plain", ""), ("text/csv", "?format=csv")):
                answer = client_of(bot, Accept=accepted).get(address + query)
                assert answer.status_code < 500, address
                yield f"{accepted} {address}", b"".join(answer).decode()
    browser = Client()
    browser.force_login(bot.row.person)
    cookies = browser.cookies.output(header="", sep=";")
    for name in taking("get"):
        yield name, ask(cookies, "get", places.address(name)).text
    for run in Run.objects.all():
        yield f"page of run {run.pk}", ask(cookies, "get", reverse("run", args=[run.pk])).text


def streamed(bot: Made, address: str) -> Iterator[tuple[str, str]]:
    """The events of every run that has ended, frame by frame; by a token that has not asked too often."""
    follower = tokens.make(Wanted("follower", ["read"]), Actor(bot.row.person))
    for run in Run.objects.exclude(status__in=ACTIVE):
        path, headers = f"/api/v1/runs/{run.pk}/events", {"Authorization": f"Bearer {follower.text}"}
        frames = httpx.get(f"{address}{path}", headers=headers, timeout=60).text
        assert "event: eof" in frames
        yield path, frames


def chatted(bot: Made, payload: Any) -> Iterator[tuple[str, str]]:
    """What the chat answers to each of its verbs: of the function, and of every run."""
    ChatLink.objects.create(token=bot.row, chat_user="U1", person=bot.row.person, since=clock.now())
    words = {"NAME": "app", "RUN|NAME": "app", "IMAGE": "2", "ALIAS": "staging", "PAYLOAD": json.dumps(payload)}
    for key in list(Run.objects.values_list("pk", flat=True)):
        for verb in GRAMMAR:
            places = (words.get(place.name, "" if place.optional else str(key)) for place in verb.places)
            said = " ".join([verb.word, *places])
            answer = post(bot, "/chat", {"text": said, "user": "U1", "channel": "#ops"})
            assert answer.status_code < 500 or b"aws_code" in answer.content, answer.content
            yield f"chat: {said[:40]}", answer.content.decode()


def stored() -> Iterator[tuple[str, str]]:
    """Every row of every table, but what waits to be sent, and is forgotten then."""
    for model in apps.get_models():
        for row in model._default_manager.values():
            if model is Plan:
                row["body"].pop("payload", None)
            yield f"{model.__name__} {row.get('id', '')}", json.dumps(row, default=str, ensure_ascii=False)


def test_no_secret_is_in_any_answer_page_row_or_line_of_the_log_and_the_rest_is_told(
    stage: Stage,
    bot: Made,
    superuser: User,
    functions: Functions,
    aws: Sandbox,
    valkey: Valkey,
    logged: list[str],
    unhurried: None,
    tmp_path: Path,
) -> None:
    stage.push("two", "2")
    places = furnish(stage, superuser)
    payload = {"texts": SECRETS, "authorization": f"Bearer {S}", "order": KEPT}
    succeeded, failed = invoked(bot, payload), invoked(bot, {**payload, "fail": True})
    fault = {"code": "InvalidParameterValueException", "message": f"{KEPT}: password={S}, {SECRETS[0]}", "count": 1}
    aws.admin("POST", "faults", {"match": "lambda.Invoke", "account": functions.account, **fault})
    refused = invoked(bot, payload)
    aws.admin("POST", "faults", {"match": "lambda.GetFunction*", "account": functions.account, **fault})
    planned = post(bot, "/deployments?dry_run=true", {"function": "app:staging", "image": "2"})
    planned_again = post(bot, "/deployments?dry_run=true", {"function": "app:staging", "image": "2"})
    assert (planned_again.status_code, refused.status) == (200, Status.FAILED), planned_again.content

    texts = [("plan", planned.content.decode()), ("plan", planned_again.content.decode()), *told(bot, places)]
    with site.serving(valkey, aws, tmp_path) as address:
        texts += (events := list(streamed(bot, address)))
    texts += [*(said := list(chatted(bot, payload))), *stored()]
    texts += [("log", line) for line in logged]
    found = [
        f"{where}: …{text[max(0, text.index(canary) - 100) : text.index(canary) + 60]}…"
        for where, text in texts
        for canary in (*CANARIES, bot.text)
        if canary in text
    ]
    assert "\n".join(found) == ""

    answers = {run.pk: client_of(bot).get(f"/api/v1/runs/{run.pk}").json() for run in (succeeded, failed, refused)}
    assert all(any(KEPT in text for _, text in each) for each in (events, said))
    lines = client_of(bot).get(f"/api/v1/runs/{succeeded.pk}/logs").json()["lines"]
    assert KEPT in [line["text"] for line in lines if line["source"] == "function"]
    assert sum(line["source"] == "function" for line in lines) >= len(SECRETS)
    given = answers[succeeded.pk]["result"]["answer"]["payload"]
    assert given.count(KEPT) == 3  # from its beginning to its end
    assert given.count(MASK) > 10
    assert KEPT in json.dumps(answers[failed.pk])
    assert KEPT in answers[refused.pk]["problem"]["message"]
