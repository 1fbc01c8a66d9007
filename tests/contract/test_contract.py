"""The API answers as its schema says, whatever it is sent: `make test` all scopes at once, `make fuzz` each alone."""

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from functions_app.domain.tokens import TokenScope
from functions_app.services.people import living_tokens, tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.api.every_endpoint import served
from tests.contract.asking import PATIENCE, SECONDS, ask
from tests.every_route import furnish
from tests.fixtures import Sandbox
from tests.free_ports import free_port
from tests.fuzz.running import SEED
from tests.processes import web
from tests.sandbox.functions import Functions
from tests.services.changes.stage import make_stage

ALL = tuple(scope.value for scope in TokenScope)
SCOPES = [(scope,) for scope in ALL] if SEED in os.environ else [ALL]


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(SECONDS + 4 * PATIENCE)
@pytest.mark.parametrize("scopes", SCOPES, ids=lambda scopes: "+".join(scopes) if len(scopes) == 1 else "all scopes")
def test_the_api_answers_as_its_schema_says(
    scopes: tuple[str, ...],
    functions: Functions,
    superuser: User,
    aws: Sandbox,
    process_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    actor = Actor(superuser)
    stage = make_stage(functions, actor)
    stage.push("two", "2")
    keys = furnish(stage, superuser).keys
    made = tokens.make(Wanted("contract", scopes), actor)
    numbers = [
        keys[name] for name in ("function", "image", "repository", "run", "patched", "stream", "token", "policy")
    ]
    known = {
        "path.pk": numbers,
        "path.function": [stage.name, f"{stage.name}:staging", stage.function.arn, str(stage.function.pk)],
        "path.plan_id": [str(keys["plan"]), str(keys["patch"])],
        "body.function": [stage.name, f"{stage.name}:staging", stage.function.arn, f"{stage.name}:$LATEST"],
        "body.image": ["2", "1", stage.digest(), stage.name],
        "body.alias": ["staging", "live"],
        "body.version": ["1", "2"],
        "body.digest": [stage.digest()],
        "body.confirm": ["staging", stage.name],
    }
    environment = {**process_environment, "PROCESS_SETTINGS": "tests.contract.settings", "AWS_ENDPOINT_URL": aws.url}
    with web(environment, tmp_path) as (_, port):
        outcome = ask(f"http://localhost:{port}", made.text, made.row.pk, known, tmp_path)
    assert outcome.clean, outcome.output
    assert {f"{method} {path}" for (method, _), path in served().items()} - outcome.answered == set()
    assert living_tokens.recognise(made.text, "127.0.0.1"), (
        "it ended its own token: what came after that proves nothing"
    )


def test_what_was_never_asked_was_not_found_to_be_right(tmp_path: Path) -> None:
    outcome = ask(f"http://localhost:{free_port()}", "ddk_none", 0, {}, tmp_path)
    assert not outcome.clean, outcome.output
    assert outcome.answered == frozenset()
