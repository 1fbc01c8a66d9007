"""Whatever images, packages, tags and people call themselves is text on the pages of a patch."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.changes.configurations import Comparison, Difference
from functions_app.domain.changes.judgements import Judgement, Level, Remark
from functions_app.domain.changes.patching.base_moves import PackageMove
from functions_app.domain.changes.patching.smokes import Smoke
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.rebase.safety.findings import Finding, Verdict
from functions_app.domain.runs import Kind, Status
from functions_app.models import Function, Image, Plan, RebuildRequest, Run, SmokeTest
from tests.factories import digest, make_account, make_alias, make_function, make_image, make_repository, make_version
from tests.patch_plans import BASE, make_patch_plan
from tests.test_security import HOSTILE

pytestmark = pytest.mark.django_db


@pytest.fixture
def function() -> Function:
    """One whose image says of itself, and of its base, what nobody should."""
    account = make_account()
    function = make_function(account, "orders")
    repository = make_repository(account)
    image = make_image(repository, "app", tags=("1.4.2",))
    Image.objects.filter(pk=image.pk).update(
        freshness="stale", labels={"drydock.rebase": f"false {HOSTILE}"}, base_evidence=[HOSTILE]
    )
    make_version(function, 7, image)
    make_alias(function, "live", 7)
    smoke = Smoke(payload=HOSTILE, path=HOSTILE, value=HOSTILE, tenant=HOSTILE)
    SmokeTest.objects.create(function=function, body=smoke.as_json(), changed_at=clock.now(), changed_by=HOSTILE)
    RebuildRequest.objects.create(
        key=uuid4(), function=function, digest=image.digest, state="failed", answer=HOSTILE, asked_at=clock.now(),
        asked_by=HOSTILE,
    )  # fmt: skip
    return function


@pytest.fixture
def plan(function: Function, operator: User) -> Plan:
    """A plan in which each text is hostile."""
    frozen = make_patch_plan(
        function,
        app_tag=HOSTILE,
        tag=HOSTILE,
        base=replace(BASE, stream=HOSTILE, from_label=HOSTILE, to_label=HOSTILE, to_name=HOSTILE, platform=HOSTILE),
        verdict=Verdict.of([Finding("override-changed", (HOSTILE,), 1, HOSTILE), Finding("not-read", (HOSTILE,), 9)]),
        notes=(HOSTILE,),
        packages=(PackageMove(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        checks=(Check(HOSTILE, None, HOSTILE), Check(HOSTILE, True, HOSTILE)),
        judgement=Judgement(
            HOSTILE,
            Level.DANGER,
            (Remark(Level.MIND, HOSTILE, HOSTILE),),
            comparisons=(Comparison(HOSTILE, (Difference(HOSTILE, HOSTILE, HOSTILE),)),),
            fine=(Check(HOSTILE, True, HOSTILE),),
        ),
        managed_by=HOSTILE,
        owner=HOSTILE,
        smoke=Smoke(path=HOSTILE, value=HOSTILE),
        differs=(Difference(HOSTILE, HOSTILE, HOSTILE),),
    )
    now = clock.now()
    return Plan.objects.create(
        id=uuid4(), kind=Kind.PATCH, title=HOSTILE, target=HOSTILE, function=function, confirmation=HOSTILE,
        ticks=[["review", HOSTILE]], body=frozen.as_json(), maker=operator, created_at=now,
        expires_at=now + timedelta(minutes=9),
    )  # fmt: skip


def test_of_the_plan(client: Client, plan: Plan, operator: User) -> None:
    client.force_login(operator)
    assert_text(client, f"/plans/{plan.pk}/", at_least=20)


def test_of_what_could_be_patched(client: Client, function: Function, operator: User) -> None:
    client.force_login(operator)
    assert_text(client, f"/functions/{function.pk}/patch/", at_least=3)


def test_of_its_run(client: Client, plan: Plan, operator: User) -> None:
    run = Run.objects.create(
        kind=Kind.PATCH, status=Status.SUCCEEDED, title=HOSTILE, plan=plan.body, function=plan.function,
        actor=operator, actor_name=HOSTILE, via="browser", created_at=clock.now(), wake_at=None,
        result={"version": "8", "pushed": {"image": HOSTILE, "digest": digest("x")}, "smoke": {"answer": HOSTILE},
                "told": [HOSTILE], "summary": HOSTILE},
    )  # fmt: skip
    client.force_login(operator)
    assert_text(client, f"/runs/{run.pk}/", at_least=2)


def assert_text(client: Client, address: str, *, at_least: int) -> None:
    """Nothing of it is markup, and it is there that often, or the page shows something else."""
    answer = client.get(address)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "onerror=alert(1)>" not in page
    assert page.count("&lt;script&gt;alert") >= at_least
