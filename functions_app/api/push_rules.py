"""`/push-rules`: what is planned or deployed once a tag is pushed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from ninja import Field, Router, Schema
from ninja.responses import Status

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Answer, Body, Format, Listed, Told, link
from functions_app.domain.text import counted
from functions_app.models import PushRule
from functions_app.services.changes import push_rules
from functions_app.services.changes.push_rules import Row
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.tables.settings import rule_table
from functions_app.streams.table_download import table_answer

router = Router(tags=["changes"])


class NewRule(Body):
    """A tag, and the alias that is to run what is pushed to it."""

    function: str = Field(max_length=400, description="id, ARN, name or name:alias")
    alias: str = Field("", max_length=130, description="may stand behind the function: name:alias")
    image: str = Field(max_length=600, description="a tag of the function's repository, or HOST/REPOSITORY:TAG")
    mode: PushRule.Mode = Field(PushRule.Mode.DEPLOY, description="plan: somebody applies it")
    confirm: str = Field("", max_length=200, description="the alias's name, where it carries production traffic")


class RuleLine(Schema):
    """A rule: `told` is what became of the last push, `plan` and `run` what came of it."""

    id: int
    function: str
    alias: str
    image: str
    mode: str
    person: str
    created_at: datetime
    digest: str
    told: str
    told_at: datetime | None
    plan: UUID | None
    run: int | None
    stopped: bool


class RuleList(Told):
    """Every rule of functions within reach."""

    rules: list[RuleLine]


class RuleAnswer(Told):
    """One rule."""

    about: RuleLine


class Removed(Told):
    """A rule that is no more."""

    id: int


@router.get("/push-rules", response=RuleList)
def list_push_rules(request: ApiRequest, format: Format = "") -> Listed:
    """What is planned or deployed once a tag is pushed, and what became of the last push."""
    if format:
        return table_answer(request, rule_table(request.actor))
    rows = push_rules.listed(request.actor)
    return {
        "text": f"{counted(len(rows), 'rule')}.",
        "url": link(request, reverse("push-rules")),
        "rules": [_line(row) for row in rows],
    }


@router.post("/push-rules", response={201: RuleAnswer})
def make_push_rule(request: ApiRequest, body: NewRule) -> Answer:
    """Deploy to an alias whatever is pushed to a tag from now on, or plan it; one rule for each alias."""
    named = addressing.find(body.function, request.actor)
    alias = body.alias or named.qualifier
    rule = push_rules.make(named.function, alias, body.image, body.mode, request.actor, body.confirm)
    told = f"{rule}: made.".capitalize()
    url = link(request, reverse("push-rules"))
    return Status(201, {"text": told, "url": url, "about": _line(Row(rule, None))})


@router.post("/push-rules/{int:pk}/remove", response=Removed)
def remove_push_rule(request: ApiRequest, pk: int) -> dict[str, Any]:
    """Take a rule away, and the plan of its last push where nobody has applied it."""
    push_rules.remove(pk, request.actor)
    return {"text": f"Push rule {pk} is removed.", "url": link(request, reverse("push-rules")), "id": pk}


def _line(row: Row) -> dict[str, Any]:
    rule = row.rule
    return {
        "id": rule.pk,
        "function": rule.function.arn,
        "image": f"{rule.repository.uri}:{rule.tag}",
        "person": rule.person_name,
        "plan": rule.plan_id,
        "run": row.run.pk if row.run else None,
        "stopped": rule.stopped_at is not None,
        **{name: getattr(rule, name) for name in ("alias", "mode", "created_at", "digest", "told", "told_at")},
    }
