"""Every address of the product, a line each: what each role is answered there, and what a POST takes.

A route without a line fails a test, and so does a line without a route (tests/test_permissions.py). The lines are also
what tests/test_attacks.py and tests/web/test_pages_call_nobody.py go through.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from functions_app import clock
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.invocations import Mode
from functions_app.domain.changes.patching.patched_aliases import Patched
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.runs import SignalKind
from functions_app.models import (
    BrowserSession,
    ChatLink,
    FreshnessPolicy,
    Image,
    LifecycleForecast,
    Plan,
    PushRule,
    Repository,
    Run,
)
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes import invoke as invocations
from functions_app.services.changes import patch_list as patches
from functions_app.services.people import selections, tokens, views
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.services.people.views import Draft
from tests import factories
from tests.asking import ask
from tests.factories import NOW, digest
from tests.patch_plans import make_patch_plan
from tests.services.changes.stage import Stage

ROLES = ("nobody", "stranger", "viewer", "operator", "approver", "administrator")
Answers = tuple[int, int, int, int, int, int]  # a status for each of ROLES; 302 for nobody leads to the sign-in

#                        nobody stranger viewer operator approver administrator
SEEN: Answers = (302, 403, 200, 200, 200, 200)
LEADS_ON: Answers = (302, 403, 302, 302, 302, 302)
NOT_TAKEN: Answers = (302, 403, 405, 405, 405, 405)
OPERATORS_SEE: Answers = (302, 403, 403, 200, 200, 200)
OPERATORS_MAY: Answers = (302, 403, 403, 302, 302, 302)
APPROVERS_MAY: Answers = (302, 403, 403, 403, 302, 302)
ADMINISTRATORS_SEE: Answers = (302, 403, 403, 403, 403, 200)
ADMINISTRATORS_MAY: Answers = (302, 403, 403, 403, 403, 302)
ITS_MAKER_SEES: Answers = (302, 403, 403, 200, 403, 403)  # the stage's plan was made by an operator
ITS_MAKER_MAY: Answers = (302, 403, 403, 302, 403, 403)
ALL_SEE: Answers = (302, 200, 200, 200, 200, 200)  # nothing of the fleet
ALL_MAY: Answers = (302, 302, 302, 302, 302, 302)
ALL_NOT: Answers = (302, 405, 405, 405, 405, 405)
WHOSE_IT_IS: Answers = (302, 404, 404, 302, 404, 302)  # the stage's session is an operator's
OPEN: Answers = (200, 200, 200, 200, 200, 200)
WANTS_TOKEN: Answers = (401, 401, 401, 401, 401, 401)


@dataclass(frozen=True)
class Route:
    """What GET and POST are answered; `thing` is what the address names, `form` what a POST needs to get through."""

    get: Answers
    post: Answers
    thing: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)
    audited: bool = True  # whether a POST that gets through leaves an entry


ACCOUNT = {"name": "new", "account_id": "9" * 12, "colour": "blue", "regions": "eu-west-1"}
OLD, NEW = "a long password", "quay-winch-hawser"
NEW_PASSWORD = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
DEPLOYED = {"image_typed": "2", "alias": "staging"}

ROUTES: dict[str, Route] = {
    "overview": Route(SEEN, NOT_TAKEN),
    "beginning": Route(LEADS_ON, NOT_TAKEN),
    "login": Route((200, 302, 302, 302, 302, 302), (200, 302, 302, 302, 302, 302), audited=False),
    "logout": Route(ALL_NOT, ALL_MAY),
    "sessions": Route(ALL_SEE, ALL_NOT),
    "session-end": Route(ALL_NOT, WHOSE_IT_IS, "session", audited=False),  # a session that is not there ends nobody's
    "session-end-all": Route(ALL_NOT, ALL_MAY),
    "password": Route(ALL_SEE, ALL_MAY, form=NEW_PASSWORD),
    "tokens": Route(SEEN, SEEN, form={"name": "ci", "scope": "read"}),
    "token-rotate": Route(LEADS_ON, (302, 403, 404, 200, 404, 403), "token", audited=False),  # the stage's is
    "chat": Route(SEEN, SEEN),  # before the token is over whose bot is chosen
    "token-revoke": Route(NOT_TAKEN, (302, 403, 404, 302, 404, 302), "token", audited=False),  # an operator's
    "chat-unlink": Route(NOT_TAKEN, (302, 403, 404, 302, 404, 302), "link"),  # the stage's is an operator's
    "healthz": Route(OPEN, (405, 405, 405, 405, 405, 405)),
    "hook-ecr": Route(WANTS_TOKEN, WANTS_TOKEN),
    "metrics": Route((404, 404, 404, 404, 404, 404), (405, 405, 405, 405, 405, 405)),  # no token is set
    "audit": Route(SEEN, NOT_TAKEN),
    "settings": Route(ALL_SEE, ALL_NOT),
    "people": Route(ADMINISTRATORS_SEE, NOT_TAKEN),
    "person-change": Route(NOT_TAKEN, ADMINISTRATORS_MAY, "person", {"group": "administrator"}),
    "accounts": Route(SEEN, NOT_TAKEN),
    "account-add": Route(ADMINISTRATORS_SEE, ADMINISTRATORS_MAY, form=ACCOUNT),
    "account-edit": Route(ADMINISTRATORS_SEE, ADMINISTRATORS_MAY, "account", ACCOUNT),
    "doctor": Route(ADMINISTRATORS_SEE, ADMINISTRATORS_SEE, audited=False),  # reads
    "sync": Route(NOT_TAKEN, OPERATORS_MAY),
    "search": Route(SEEN, NOT_TAKEN),
    "functions": Route(SEEN, NOT_TAKEN),
    "functions-look": Route(NOT_TAKEN, (302, 403, 302, 302, 302, 302), form={"column": "alias"}, audited=False),
    "select": Route(LEADS_ON, LEADS_ON, form={"take": "all"}, audited=False),
    "selection": Route(ITS_MAKER_SEES, NOT_TAKEN, "selection"),
    "selection-sync": Route(NOT_TAKEN, ITS_MAKER_MAY, "selection"),
    "views": Route(SEEN, LEADS_ON, form={"name": "mine"}, audited=False),
    "view-default": Route(NOT_TAKEN, LEADS_ON, audited=False),
    "view-remove": Route(NOT_TAKEN, (302, 403, 403, 302, 403, 302), "view"),  # an operator shares it
    "function": Route(SEEN, NOT_TAKEN, "function"),
    "function-image": Route(SEEN, NOT_TAKEN, "function"),
    "function-activity": Route(SEEN, NOT_TAKEN, "function"),
    "function-triggers": Route(LEADS_ON, OPERATORS_MAY, "function", audited=False),  # reads
    "function-configuration": Route(SEEN, OPERATORS_SEE, "function", audited=False),  # reads
    "function-deploy": Route(SEEN, OPERATORS_MAY, "function", DEPLOYED, audited=False),  # to apply the plan is
    "function-patch": Route(SEEN, OPERATORS_MAY, "function", audited=False),  # to read its files is, once
    "function-rebuild": Route(
        LEADS_ON, (302, 403, 403, 422, 422, 422), "function", audited=False
    ),  # no pipeline is set
    "function-smoke": Route(NOT_TAKEN, OPERATORS_MAY, "function", {"payload": "{}"}),
    "function-rollback": Route(
        LEADS_ON, OPERATORS_MAY, "function", {"alias": "staging", "version": "2"}, audited=False
    ),
    "function-invoke": Route(SEEN, OPERATORS_MAY, "function", {"qualifier": "$LATEST", "payload": "{}"}),
    "invoke-check": Route(NOT_TAKEN, OPERATORS_SEE, "function", {"payload": "{}"}, audited=False),  # changes nothing
    "run-invoke-again": Route(NOT_TAKEN, OPERATORS_MAY, "unsent"),
    "plan": Route(ITS_MAKER_SEES, NOT_TAKEN, "plan"),
    "plan-apply": Route(LEADS_ON, ITS_MAKER_MAY, "plan"),
    "plan-approve": Route(LEADS_ON, APPROVERS_MAY, "waiting"),
    "plan-reject": Route(LEADS_ON, OPERATORS_MAY, "waiting"),  # the operator is its maker
    "plans": Route(SEEN, NOT_TAKEN),
    "push-rules": Route(SEEN, OPERATORS_MAY, form={"function": "app", "alias": "dev", "image": "main", "mode": "plan"}),
    "push-rule-remove": Route(NOT_TAKEN, OPERATORS_MAY, "push rule"),
    "repositories": Route(SEEN, NOT_TAKEN),
    "repository": Route(SEEN, NOT_TAKEN, "repository"),
    "repository-forecast": Route(LEADS_ON, OPERATORS_MAY, "repository"),
    "image": Route(SEEN, NOT_TAKEN, "image"),
    "image-deploy": Route(SEEN, NOT_TAKEN, "image"),
    "images-compare": Route(LEADS_ON, NOT_TAKEN),
    "image-compare": Route(SEEN, NOT_TAKEN, "image"),
    "image-read-files": Route(NOT_TAKEN, OPERATORS_MAY, "image"),
    "image-scan": Route(NOT_TAKEN, OPERATORS_MAY, "image", audited=False),  # reads
    "bases": Route(SEEN, NOT_TAKEN),
    "base": Route(SEEN, NOT_TAKEN, "stream"),
    "base-named": Route(LEADS_ON, NOT_TAKEN, "stream name"),
    "base-poll": Route(NOT_TAKEN, OPERATORS_MAY),
    "base-compare": Route(SEEN, NOT_TAKEN, "stream"),
    "base-read-files": Route(NOT_TAKEN, OPERATORS_MAY, "stream"),  # its form names releases of the stage
    "base-new": Route(OPERATORS_SEE, OPERATORS_MAY, form={"reference": "ghcr.io/acme/base:1", "enabled": "on"}),
    "base-edit": Route(OPERATORS_SEE, OPERATORS_MAY, "stream", {"enabled": ""}),
    "base-patch": Route(NOT_TAKEN, OPERATORS_MAY, "stream"),
    "base-plan": Route(SEEN, NOT_TAKEN, "patch"),
    "base-plan-csv": Route(SEEN, NOT_TAKEN, "patch"),
    "base-plan-json": Route(SEEN, NOT_TAKEN, "patch"),
    "policies": Route(SEEN, NOT_TAKEN),
    "policy-add": Route(OPERATORS_SEE, OPERATORS_MAY, form={"max_days": "7", "tag_key": "team", "tag_value": "a"}),
    "policy-edit": Route(OPERATORS_SEE, OPERATORS_MAY, "policy", {"max_days": "7"}),
    "policy-delete": Route(NOT_TAKEN, OPERATORS_MAY, "policy"),
    "runs": Route(SEEN, NOT_TAKEN),
    "run": Route(SEEN, NOT_TAKEN, "run"),
    "run-log": Route(SEEN, NOT_TAKEN, "run"),
    "run-approve": Route(NOT_TAKEN, APPROVERS_MAY, "run"),
    "run-promote": Route(NOT_TAKEN, OPERATORS_MAY, "run"),
    "run-skip": Route(NOT_TAKEN, OPERATORS_MAY, "run"),
    "run-pause": Route(NOT_TAKEN, OPERATORS_MAY, "run"),
    "run-resume": Route(NOT_TAKEN, OPERATORS_MAY, "run", audited=False),  # there is nothing to resume
    "run-cancel": Route(NOT_TAKEN, OPERATORS_MAY, "run"),
    "run-retry": Route(NOT_TAKEN, OPERATORS_MAY, "failed"),
    "run-undo": Route(LEADS_ON, OPERATORS_MAY, "patched"),
}

# What raw ASGI serves in front of Django: every text in streams/application.py that begins with a slash.
STREAMS: dict[str, Answers] = {
    "/events/fleet": (401, 401, 200, 200, 200, 200),
    "/events/runs/1": (401, 401, 200, 200, 200, 200),
    "/events/runs/999": (401, 401, 404, 404, 404, 404),
    "/events/nowhere": (404, 404, 404, 404, 404, 404),
    "/healthz": OPEN,
}


def patterns(among: list[URLPattern | URLResolver] | None = None) -> Iterator[URLPattern]:
    """Every route of the resolver."""
    for pattern in get_resolver().url_patterns if among is None else among:
        if isinstance(pattern, URLResolver):
            if pattern.app_name == "api":  # whose door is another: tests/api/every_endpoint.py
                continue
            yield from patterns(pattern.url_patterns)
        else:
            yield pattern


@dataclass(frozen=True)
class Places:
    """Where each route leads on a stage, and what is posted there."""

    keys: Mapping[str, Any]
    releases: tuple[int, int]

    def address(self, name: str) -> str:
        """The address of a route, of things that have something to show."""
        thing = ROUTES[name].thing
        return reverse(name, args=[self.keys[thing]] if thing else [])

    def fields(self, name: str, cookies: str) -> set[str]:
        """The fields of the form that a page shows for its own address, and those that a POST needs."""
        found = set(self.form(name))
        if ROUTES[name].get[-1] == 200:
            page = ask(cookies, "get", self.address(name)).text
            for form in re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL):
                found |= set(re.findall(r'<(?:input|select|textarea)[^>]*\sname="([\w-]+)"', form))
        return found - {"csrfmiddlewaretoken"}

    def form(self, name: str) -> dict[str, Any]:
        """What a POST there needs to get through."""
        if name == "account-edit":
            return {**ACCOUNT, "name": "renamed", "account_id": self.keys["account id"]}
        if name == "chat":
            return {"bot": self.keys["token"]}
        if name == "base-read-files":
            return dict(zip(("from", "to"), self.releases, strict=True))
        return dict(ROUTES[name].form)


def taking(method: str) -> list[str]:
    """The routes that take a method of an administrator."""
    return [name for name, route in ROUTES.items() if getattr(route, method)[-1] not in (401, 405)]


def nowhere() -> Places:
    """Addresses of things that are not there."""
    missing = dict.fromkeys((route.thing for route in ROUTES.values()), 1)
    plan = "00000000-0000-4000-8000-000000000000"
    plans = dict.fromkeys(("plan", "waiting", "patch", "session", "selection"), plan)
    return Places({**missing, **plans, "account id": "1" * 12}, (1, 2))


def patch_of(stage: Stage) -> PatchPlan:
    """As if version 1 had come of a patch of version 2, so that an undo has somewhere to go."""
    uri = f"{stage.functions.uri(stage.name)}@{stage.digest()}"
    return make_patch_plan(
        stage.function,
        app_image=uri,
        image_uri=uri,
        to_digest=stage.digest(),
        from_digest=stage.digest(),
        aliases=(Patched(stage.alias, AliasState("2"), stage.digest(), production=False),),
    )


def waiting(stage: Stage) -> Plan:
    """A plan that waits for an approval."""
    plan: Plan = stage.plan("2")
    plan.approval_asked, plan.asked_at = True, clock.now()
    plan.save()
    return plan


def push_rule(stage: Stage, repository: Repository) -> PushRule:
    """A rule that deploys what is pushed."""
    person = stage.actor.person
    rule = {"function": stage.function, "alias": "preview", "repository": repository, "tag": "main", "mode": "deploy"}
    return PushRule.objects.create(**rule, person=person, person_name=stage.actor.name, created_at=NOW)


def furnish(stage: Stage, maker: User) -> Places:
    """Something of everything there is; plans are of the maker."""
    stage.functions.next_version(stage.name)
    stage.sync_all()
    stream = factories.make_stream(reference="public.ecr.aws/lambda/python:3.12")
    old = factories.make_release(stream, "3.12.old", days_old=41)
    new = factories.make_release(stream, "3.12.new", current=True)
    repository = Repository.objects.get(account=stage.account, name=stage.name)
    image = Image.objects.get(repository=repository, digest=stage.digest("1"))
    layers = [{"digest": each, "size": 1, "media_type": "layer"} for each in (*old.diff_ids, digest("own"))]
    diff_ids = [*old.diff_ids, digest("own")]
    Image.objects.filter(pk=image.pk).update(base_release=old, diff_ids=diff_ids, layers=layers)
    judge_images()
    LifecycleForecast.objects.create(
        repository=repository,
        policy="{}",
        attempted_at=NOW,
        read_at=NOW,
        expiring=[{"digest": image.digest, "rule": 1, "action": "delete", "tags": ["v1"], "pushed_at": ""}],
    )
    run = Run.objects.create(
        kind="deployment",
        status="waiting",
        title="Deploy v2",
        function=stage.function,
        created_at=NOW,
        waits_for=" ".join((SignalKind.APPROVE, SignalKind.PROMOTE, SignalKind.SKIP)),
    )
    stage.actor = Actor(maker)
    unsent = invocations.submit(stage.function, "1", "{}", Mode.SYNC, stage.actor)
    Run.objects.filter(pk=unsent.pk).update(status="failed", result={invocations.NOT_EXECUTED: True})
    session = BrowserSession.objects.create(
        session_key="an operator's", session_data="", expire_date=NOW, since=NOW, seen=NOW, person=maker
    )
    patched = Run.objects.create(
        kind="patch",
        status="succeeded",
        title="Patched",
        function=stage.function,
        created_at=NOW,
        result={"version": "1"},
        plan=patch_of(stage).as_json(),
    )
    failed = Run.objects.create(kind="base_poll", status="failed", title="Poll base streams", created_at=NOW)
    token = tokens.make(Wanted("bot", ["read"]), Actor(maker)).row
    link = ChatLink.objects.create(token=token, chat_user="U1", person=maker, since=NOW)
    actor = Actor(maker)
    selection = selections.freeze([stage.function.pk], actor)
    view = views.save(Draft("stale", "freshness=stale", shared=True), actor)
    keys = {
        "selection": selection.pk, "view": view.pk,
        "account": stage.account.pk, "account id": stage.account.account_id, "function": stage.function.pk,
        "image": image.pk, "patch": patches.plan(stream, Actor(maker)).pk, "plan": stage.plan("2").pk,
        "waiting": waiting(stage).pk, "push rule": push_rule(stage, repository).pk,
        "policy": FreshnessPolicy.objects.create(max_days=30).pk, "repository": repository.pk, "run": run.pk,
        "patched": patched.pk, "session": session.mark, "stream": stream.pk, "stream name": stream.name,
        "person": maker.get_username(), "unsent": unsent.pk, "failed": failed.pk, "token": token.pk, "link": link.pk,
    }  # fmt: skip
    return Places(keys, (old.pk, new.pk))
