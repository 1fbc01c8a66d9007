"""What pages tell is told over the API: comparisons, users of bases and images, what happened to a function."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app import clock
from functions_app.domain.errors import Code, Problem
from functions_app.domain.runs import Kind, Status
from functions_app.models import AliasMove, AuditEntry, LayerFiles, Repository, Run
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
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
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


def bot_of(person: User, **limits: list[str]) -> Client:
    """A bot that may read."""
    made = tokens.make(Wanted("ci", ["read"], **limits), Actor(person))  # type: ignore[arg-type]
    return Client(headers={"Authorization": f"Bearer {made.text}"})


@pytest.fixture
def bot(operator: User, valkey: Valkey) -> Client:
    """One that gets everywhere."""
    return bot_of(operator)


def test_two_releases_of_a_base_are_compared_as_on_their_page(bot: Client) -> None:
    stream = make_stream()
    old, new = make_release(stream, "old", days_old=9), make_release(stream, "new")
    path = f"{API}/bases/{stream.pk}/comparison"
    told = bot.get(path).json()
    assert [told["before"]["id"], told["after"]["id"], told["packages"]] == [old.pk, new.pk, None]
    assert told["unread"] == len({*old.diff_ids, *new.diff_ids})
    assert told["url"].endswith(f"/bases/{stream.pk}/compare/?from={old.pk}&to={new.pk}")
    assert bot.get(f"{path}?from={new.pk}&to={old.pk}").json()["before"]["id"] == new.pk
    assert bot.get(f"{path}?from={10**9}").status_code == 404
    assert bot.get(f"{path}?older={old.pk}").status_code == 422


def test_two_images_are_compared_as_on_their_page_within_what_a_token_gets_to(bot: Client, operator: User) -> None:
    accounts = make_account("production"), make_account("test")
    old, new = (
        make_image(make_repository(account, "team/app"), f"of {account.name}", tags=["1"]) for account in accounts
    )
    path = f"{API}/images/{old.pk}/comparison"
    told = bot.get(f"{path}?to={new.pk}").json()
    assert [told["before"]["id"], told["after"]["id"], told["packages"]] == [old.pk, new.pk, None]
    assert (told["unread"], told["shared_layers"], told["remarks"]) == (4, 0, [])
    assert told["url"].endswith(f"/images/{old.pk}/compare/?to={new.pk}")
    assert bot.get(f"{path}?find={new.digest[7:19]}").json()["after"]["id"] == new.pk
    itself = bot.get(f"{path}?find=1").json()
    assert (itself["remarks"][0]["stops"], itself["layers"], itself["findings"]) == (True, [], None)
    assert [bot.get(f"{path}{query}").status_code for query in ("", "?find=nothing", f"?to={10**9}", "?with=1")] == [
        400,
        404,
        404,
        422,
    ]
    some = bot_of(User.objects.create_superuser("sue"), accounts=[accounts[0].account_id])
    queries = f"?to={new.pk}", f"?find={new.digest[7:19]}"
    assert [some.get(f"{path}{query}").status_code for query in queries] == [404, 404]


def test_who_runs_a_base_is_told_of_one_release_and_of_one_account(bot: Client) -> None:
    stream, production, test = make_stream(), make_account("production"), make_account("test")
    old, new = make_release(stream, "old", days_old=40), make_release(stream, "new")
    make_user(production, old, "ledger")
    make_user(test, old, "orders")
    make_user(test, new, "billing")
    path = f"{API}/bases/{stream.pk}"

    def users(query: str) -> list[str]:
        return sorted(row["function"] for row in bot.get(f"{path}{query}").json()["users"])

    assert users("") == ["billing", "ledger", "orders"]
    assert users(f"?release={old.pk}") == ["ledger", "orders"]
    assert users(f"?release={old.pk}&account=test") == ["orders"]
    assert [bot.get(f"{path}?{query}").status_code for query in ("account=nobody", f"release={10**9}")] == [400, 400]


def test_what_happened_to_a_function_and_what_its_run_was_planned_with(bot: Client) -> None:
    function = make_function(make_account(), "app")
    run = Run.objects.create(
        kind="deployment", status="succeeded", title="Deploy 2", created_at=NOW, function=function, plan={"tag": "2"}
    )
    AliasMove.objects.create(function=function, alias="live", version="2", at=NOW, run=run)
    AuditEntry.objects.create(at=NOW, actor_name="olga", action="deployment.apply", target=function.arn, plan={})
    told = bot.get(f"{API}/functions/app/activity").json()
    assert [told["runs"][0]["id"], told["moves"][0]["run"]] == [run.pk, run.pk]
    assert (told["moves"][0]["version"], told["audit"][0]["actor"]) == ("2", "olga")
    assert bot.get(f"{API}/runs/{run.pk}").json()["planned"] == [{"name": "Tag", "text": "2"}]


def test_a_layer_that_was_read_elsewhere_tells_no_repository_beyond_what_a_token_gets_to(
    bot: Client, operator: User
) -> None:
    account = make_account("production")
    repository = make_repository(account)
    old, new = make_image(repository, "1"), make_image(repository, "2")
    why = Problem(Code.DENIED, "registry.example refuses secret-project/app@sha256:1 (HTTP 403).")
    LayerFiles.objects.create(diff_id=old.diff_ids[0], read_at=clock.now(), problem=why.as_json())
    Run.objects.create(kind=Kind.READ_FILES, status=Status.RUNNING, title="Read secret-project", created_at=clock.now())
    some = bot_of(User.objects.create_superuser("sue"), accounts=[account.account_id])
    paths = [f"{API}/images/{old.pk}/comparison?to={new.pk}", f"{API}/images/{old.pk}/files"]
    for asker, known in ((bot, True), (some, False)):
        compared, files = (asker.get(path).json() for path in paths)
        for why in (compared["problem"], files["layers"][0]["problem"]):
            assert ("secret-project" in why) == known
        assert (compared["reading"] is not None, bool(compared["problem"])) == (known, True)


def test_of_an_image_is_told_who_uses_it_and_where_else_it_is_within_what_a_token_gets_to(
    bot: Client, operator: User
) -> None:
    accounts = make_account("production"), make_account("test")
    images = [make_image(make_repository(account, "team/app"), "one", tags=["1"]) for account in accounts]
    for account, image in zip(accounts, images, strict=True):
        function = make_function(account, f"app-{account.name}")
        make_version(function, 1, image)
        make_alias(function, "live", 1)
    path = f"{API}/images/{images[0].pk}"
    some = bot_of(User.objects.create_superuser("sue"), accounts=[accounts[0].account_id])
    for asker, users in ((bot, ["app-production", "app-test"]), (some, ["app-production"])):
        told = asker.get(path).json()
        assert (told["uses"]["functions"], len(told["twins"]), told["tag_history"][0]["tag"]) == (
            len(users),
            len(users) - 1,
            "1",
        )
        assert [row["function"] for row in asker.get(f"{path}/users").json()["users"]] == users
        for search in ("1", images[0].digest[7:19]):
            assert len(asker.get(f"{API}/images?search={search}").json()["images"]) == len(users)
    assert some.get(f"{API}/images/{images[1].pk}/users").status_code == 404


def test_what_a_repository_holds_beside_images(bot: Client) -> None:
    repository = make_repository(make_account(), "team/charts")
    chart = make_image(repository, "chart", tags=["1.0"], role="chart")
    told = bot.get(f"{API}/repositories/{repository.pk}/artifacts").json()
    assert [(row["id"], row["role"], row["tags"]) for row in told["artifacts"]] == [(chart.pk, "chart", ["1.0"])]


def test_what_could_not_be_read_is_told_by_cause_and_how_far_the_first_reading_came(bot: Client) -> None:
    assert bot.get(f"{API}/overview").json()["beginning"]["stage"] == "not started"
    account = make_account()
    problem = Problem(Code.DENIED, "Nobody may list it.", "Allow ecr:DescribeImages.", "AccessDenied").as_json()
    for name in ("team/a", "team/b"):
        repository = make_repository(account, name)
        Repository.objects.filter(pk=repository.pk).update(images_problem=problem)
    (cause,) = bot.get(f"{API}/unread").json()["causes"]
    assert (cause["of"], cause["count"], cause["aws_code"]) == ("repositories", 2, "AccessDenied")
    assert (cause["names"], cause["next_step"]) == (["team/a", "team/b"], "Allow ecr:DescribeImages.")
