"""Secret values of an image, of its build and of the function are nowhere once it was planned and patched."""

import logging
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.test import Client

from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.runs import Status
from functions_app.services.changes import smoke
from functions_app.services.changes.patching import plan as patching
from functions_app.services.engine import plans
from functions_app.services.people.actor import Actor
from sandbox.images.making import Image
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.image_kinds.recast import with_config
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import app, base, make_patch_stage
from tests.services.changes.stage import carry_out, log_of

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "hunter2-canary"
ENV = [f"API_TOKEN={CANARY}", f"PLAIN={CANARY}", f"DATABASE_URL=postgres://app:{CANARY}@db/app"]
STEPS = (
    f"ENV API_TOKEN={CANARY} # buildkit",
    f"ARG NPM_TOKEN={CANARY}",
    f"RUN |1 NPM_TOKEN={CANARY} /bin/sh -c dnf install -y gcc # buildkit",
    f"RUN /bin/sh -c yum -y --setopt=x.password={CANARY} install https://bot:{CANARY}@repo.example/x.rpm # buildkit",
)


def secretive(releases: Image) -> Image:
    """An app with secrets in its settings and in the steps of its build, as many have them."""
    built = app(releases)
    settings = built.document["config"]
    steps = [{"created_by": step, "empty_layer": True} for step in STEPS]
    return with_config(
        built,
        config={**settings, "Env": [*settings["Env"], *ENV]},
        history=[*built.document["history"], *steps],
    )


def test_what_the_command_of_an_image_gives_away_is_in_no_plan_and_on_no_page(
    functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey
) -> None:
    built = app(base(1))
    settings = built.document["config"]
    command = ["app.handler", "--password", CANARY, f"--api-key={CANARY}"]
    image = with_config(built, config={**settings, "Cmd": command})
    stage = make_patch_stage(functions, aws, operator, image)
    if run := patching.reading_first(stage.function, "", operator):
        carry_out(run)
    made = patching.plan(stage.function, operator)
    assert any("app.handler" in check.text for check in made.checks)
    assert [text[:3000] for text in (*stored(), str(made)) if CANARY in text] == []


def stored() -> Iterator[str]:
    """Every row of every table."""
    for model in apps.get_models():
        for row in model._base_manager.values():
            yield f"{model.__name__}: {row}"


def test_they_are_in_no_table_no_log_and_on_no_page(
    functions: Functions,
    aws: Sandbox,
    operator: Actor,
    valkey: Valkey,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "functions_app")
    variables = {"Variables": {"PASSWORD": CANARY, "PLAIN": CANARY}}
    stage = make_patch_stage(functions, aws, operator, secretive(base(1)), Environment=variables)
    smoke.keep(stage.function, Smoke(), operator)
    plan = stage.plan_patch()
    assert plan.ticks, "the commands of its build are for review"
    assert operator.person is not None
    browser = Client()
    browser.force_login(operator.person)
    pages = [browser.get(f"/functions/{stage.function.pk}/patch/"), browser.get(f"/plans/{plan.pk}/")]
    run = carry_out(plans.apply(plan.pk, operator, plan.confirmation, [key for key, _ in plan.ticks]))
    assert run.status == Status.SUCCEEDED, log_of(run)
    pages += [browser.get(f"/runs/{run.pk}/"), browser.get(f"/functions/{stage.function.pk}/")]
    assert [page.status_code for page in pages] == [200] * 4
    everywhere = [*stored(), *(record.getMessage() for record in caplog.records)]
    everywhere += [page.content.decode() for page in pages]
    assert [text[:3000] for text in everywhere if CANARY in text] == []
