"""What is told of parts of things: releases page by page, ways back, what a lifecycle policy would take."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.errors import Code, Problem
from functions_app.domain.fleet.triggers import Part, Trigger, Triggers
from functions_app.models import FunctionTriggers, Image, LifecycleForecast, Repository, Run
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from functions_app.services.snapshot.function_tags import refresh_tags
from tests.conftest import Valkey
from tests.factories import (
    NOW,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def bot(operator: User, valkey: Valkey) -> Client:
    """A bot that may read, and have things read."""
    made = tokens.make(Wanted("ci", ["read", "patch"]), Actor(operator))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


def endangered(name: str) -> Repository:
    """A live function whose image a rule would take away, and its repository."""
    account = make_account()
    repository = make_repository(account, f"team/{name}")
    image = make_image(repository, name)
    function = make_function(account, name)
    make_version(function, 1, image)
    make_alias(function, "live", 1)
    Image.objects.filter(pk=image.pk).update(expiry_rule=3)
    doomed = {"digest": image.digest, "rule": 3, "action": "delete", "tags": ["1"], "pushed_at": ""}
    LifecycleForecast.objects.create(
        repository=repository, policy="{}", attempted_at=NOW, read_at=NOW, expiring=[doomed]
    )
    return repository


def test_releases_come_page_by_page_for_one_platform(bot: Client) -> None:
    stream = make_stream()
    for number in range(60):
        make_release(stream, f"r{number}", days_old=number)
    path = f"{API}/bases/{stream.pk}/releases"
    first = bot.get(path).json()
    second = bot.get(f"{path}?cursor={first['next']}").json()
    told = [row["label"] for row in (*first["releases"], *second["releases"])]
    assert (first["total"], len(set(told)), second["next"]) == (60, 60, None)
    assert bot.get(f"{path}?platform=moon/rock").status_code == 400


def test_what_a_lifecycle_policy_would_take_is_told_with_who_uses_it(bot: Client) -> None:
    repository = endangered("ledger")
    row = bot.get(f"{API}/at-risk").json()["risks"][0]
    assert (row["function"], row["version"], row["aliases"], row["rule"]) == ("ledger", "1", ["live"], 3)
    assert bot.get(f"{API}/repositories/{repository.pk}/forecast").json()["dangers"] == [row]
    assert bot.get(f"{API}/at-risk?account=nobody").status_code == 400


def test_what_is_at_risk_is_told_within_what_the_token_gets_to(operator: User, valkey: Valkey) -> None:
    endangered("ledger")
    endangered("orders")
    made = tokens.make(Wanted("some", ["read"], functions=["led*"]), Actor(operator))
    some = Client(headers={"Authorization": f"Bearer {made.text}"})
    assert [row["function"] for row in some.get(f"{API}/at-risk").json()["risks"]] == ["ledger"]
    assert some.get(f"{API}/overview").status_code == 404


def test_a_forecast_tells_whom_it_hits_within_what_the_token_gets_to(operator: User, valkey: Valkey) -> None:
    repository = endangered("ledger")
    another = make_function(make_account(), "orders")
    make_version(another, 1, repository.images.get())
    make_alias(another, "live", 1)
    made = tokens.make(Wanted("some", ["read"], accounts=[repository.account.account_id]), Actor(operator))
    some = Client(headers={"Authorization": f"Bearer {made.text}"})
    told = some.get(f"{API}/repositories/{repository.pk}/forecast").json()
    assert [row["function"] for row in told["dangers"]] == ["ledger"]
    assert told["text"].endswith("1 image would go; 1 live.")


def test_stale_are_those_behind_and_those_at_their_end(bot: Client) -> None:
    account = make_account()
    for freshness in ("stale", "end_of_life", "current", "unknown"):
        make_function(account, freshness.replace("_", "-"), freshness=freshness)
    names = {row["name"] for row in bot.get(f"{API}/stale").json()["functions"]}
    assert names == {"stale", "end-of-life"}
    assert bot.get(f"{API}/stale?freshness=end_of_life").json()["total"] == 1
    assert bot.get(f"{API}/stale?freshness=current").status_code == 400


def test_functions_are_asked_for_by_runtime_and_by_tag(bot: Client) -> None:
    functions = [
        make_function(make_account(), name, runtime=runtime, tags={"team": name})
        for name, runtime in (("red", "python3.12"), ("blue", "nodejs20"))
    ]
    refresh_tags(functions)
    for query in ("runtime=python3.12", "tag=team%3Dred", "runtime=python3.12&tag=team%3Dred"):
        (row,) = bot.get(f"{API}/functions?{query}").json()["functions"]
        assert (row["name"], row["runtime"]) == ("red", "python3.12")
    refused = [bot.get(f"{API}/functions?{query}").status_code for query in ("tag=team", "tags=team%3Dred")]
    assert refused == [400, 422]
    csv = bot.get(f"{API}/functions?tag=team%3Dblue&format=csv")
    assert b"nodejs20" in b"".join(csv)


def test_one_repository_is_read_anew_and_another_after_it(bot: Client) -> None:
    account = make_account()
    first, second = (make_repository(account, name) for name in ("team/a", "team/b"))
    answer = bot.post(f"{API}/repositories/{first.pk}/syncs", b"", content_type="application/json")
    run = Run.objects.get()
    assert (answer.status_code, run.plan["repositories"], run.via) == (202, [first.pk], "token ci")
    assert bot.post(f"{API}/repositories/{second.pk}/syncs", b"", content_type="application/json").status_code == 409
    second.refresh_from_db()
    assert second.asked_at is not None


def test_of_a_function_its_aliases_and_ways_back_are_told(bot: Client) -> None:
    function = make_function(make_account(), "app")
    for number in (1, 2):
        make_version(function, number)
    make_alias(function, "live", 2)
    alias = bot.get(f"{API}/functions/app/aliases").json()["aliases"][0]
    assert (alias["name"], alias["version"], alias["production"]) == ("live", "2", True)
    back = bot.get(f"{API}/functions/app/ways-back").json()["aliases"][0]
    assert [target["version"] for target in back["targets"]] == ["1"]


def test_a_list_of_drydocks_own_is_as_of_its_answer_and_is_known_again_though_that_is_later(bot: Client) -> None:
    for path in ("/runs", "/audit", "/plans", "/tokens", "/chat/links"):
        begun = clock.now()
        first = bot.get(f"{API}{path}")
        assert begun.replace(microsecond=0) <= datetime.fromisoformat(first.json()["as_of"]) <= clock.now(), path
        again = bot.get(f"{API}{path}", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again["ETag"], first["ETag"][:2]) == (304, first["ETag"], "W/"), path


def test_what_is_at_risk_is_as_of_the_oldest_forecast_and_of_none_before_there_is_one(bot: Client) -> None:
    assert bot.get(f"{API}/at-risk").json()["as_of"] is None
    endangered("ledger")
    assert datetime.fromisoformat(bot.get(f"{API}/at-risk").json()["as_of"]) == NOW


def test_triggers_that_could_not_be_read_are_not_counted_as_if_all_were_known(bot: Client) -> None:
    function = make_function(make_account(), "ledger")
    refused = Triggers.refused(Problem(Code.DENIED, "May not."))
    found = refused.beside(Triggers((Trigger(Part.URLS, "", "https://orders"),)), NOW)
    FunctionTriggers.objects.create(function=function, read_at=clock.now(), found=found.as_json())
    answer = bot.get(f"{API}/functions/ledger/triggers").json()
    assert answer["text"].startswith(
        "ledger: 1 trigger, 0 of them past its aliases. Not readable: event source mappings,"
    )
    assert [datetime.fromisoformat(each["known_at"]) for each in answer["problems"]] == [NOW]
