"""What failed is asked for once more where asking changes nothing; whatever changes something is planned anew."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.patching.undos import Returned, UndoPlan
from functions_app.domain.runs import Kind, Status
from functions_app.models import AuditEntry, Run
from functions_app.services.changes.function_places import place_of
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests import factories
from tests.conftest import Valkey
from tests.web.runs.test_runs import NOW, make_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]
CHANGES = (Kind.DEPLOYMENT, Kind.ROLLBACK, Kind.PATCH, Kind.UNDO, Kind.INVOCATION)


@pytest.fixture
def operating(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def keys() -> Mapping[str, int]:
    """The keys of things that a run may be about."""
    account = factories.make_account()
    repository, stream = factories.make_repository(account), factories.make_stream()
    return {
        "function": factories.make_function(account).pk,
        "repository": repository.pk,
        "image": factories.make_image(repository).pk,
        "stream": stream.pk,
        "release": factories.make_release(stream, "1").pk,
        "account": account.pk,
    }


def failed(kind: Kind, plan: dict[str, Any] | None = None, status: Status = Status.FAILED) -> Run:
    return make_run(status, kind, plan=plan or {}, ended_at=NOW)


def page_of(browser: Client, run: Run) -> str:
    return browser.get(f"/runs/{run.pk}/").content.decode()


def retried(browser: Client, run: Run) -> Run:
    answer = browser.post(f"/runs/{run.pk}/retry/")
    latest = Run.objects.latest("pk")
    assert answer["Location"] == f"/runs/{latest.pk}/"
    assert latest.pk != run.pk
    return latest


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (Kind.SYNC, {"functions": ["function"]}),
        (Kind.SYNC, {"repositories": ["repository"]}),
        (Kind.BASE_POLL, {}),
        (Kind.BASE_POLL, {"streams": ["stream"]}),
        (Kind.FORECAST, {"repository": None}),
        (Kind.FORECAST, {"repository": "repository"}),
        (Kind.READ_FILES, {"image": "image"}),
        (Kind.READ_FILES, {"releases": ["release"]}),
        (Kind.READ_FILES, {"image": "image", "releases": ["release"]}),
    ],
)
def test_what_changes_nothing_is_just_asked_for_again(
    operating: Client, keys: Mapping[str, int], kind: Kind, named: dict[str, Any]
) -> None:
    plan = {
        name: [keys[one] for one in thing] if isinstance(thing, list) else keys.get(thing or "")
        for name, thing in named.items()
    }
    run = failed(kind, plan)
    assert 'form="ask-again"' in page_of(operating, run)
    again = retried(operating, run)
    assert (again.kind, again.actor_name, plan.items() <= again.plan.items()) == (kind, "olga", True)


@pytest.mark.parametrize("some", [True, False])
def test_a_sync_is_asked_for_again_of_the_same_regions_and_whole_as_a_persons_is(
    operating: Client, keys: Mapping[str, int], some: bool
) -> None:
    scopes = [[keys["account"], "eu-west-1"]] if some else None
    again = retried(operating, failed(Kind.SYNC, {"scopes": scopes, "full": False}, Status.CANCELLED))
    assert again.plan == {"scopes": scopes, "full": True}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_changes_something_or_may_have_run_is_never_repeated_by_itself(operating: Client, kind: Kind) -> None:
    run = failed(kind)
    page = page_of(operating, run)
    assert ('form="ask-again"' in page, 'id="ask-again"' in page) == (False, False)
    answer = operating.post(f"/runs/{run.pk}/retry/")
    assert answer.status_code == 422
    assert ("never repeated" in answer.content.decode(), Run.objects.count()) == (True, 1)
    assert AuditEntry.objects.get(action="run.retry").run_id == run.pk


def test_an_undo_that_failed_is_planned_again_from_its_patch(operating: Client) -> None:
    function = factories.make_function(factories.make_account(), "app")
    patch = make_run(Status.SUCCEEDED, Kind.PATCH, function=function, ended_at=NOW)
    plan = UndoPlan(
        place=place_of(function),
        run_id=patch.pk,
        aliases=(Returned("live", AliasState("2"), AliasState("1"), "", production=False),),
        image_uri="",
        from_digest="",
        to_digest="",
        function_revision="",
        gives_back=False,
        checks=(),
    )
    run = make_run(Status.FAILED, Kind.UNDO, function=function, ended_at=NOW, plan=plan.as_json())
    page = page_of(operating, run)
    assert f'form="undo-patch" formaction="/runs/{patch.pk}/undo/"' in page
    assert 'id="undo-patch"' in page


def test_what_went_well_or_goes_on_is_not_asked_for_again(operating: Client) -> None:
    for status in (Status.SUCCEEDED, Status.RUNNING):
        run = failed(Kind.BASE_POLL, status=status)
        assert 'form="ask-again"' not in page_of(operating, run)
        assert operating.post(f"/runs/{run.pk}/retry/").status_code == 422
    assert Run.objects.count() == 2


def test_one_that_is_under_way_again_already_is_said(operating: Client) -> None:
    run = failed(Kind.BASE_POLL)
    first = retried(operating, run)
    answer = operating.post(f"/runs/{run.pk}/retry/")
    assert (answer.status_code, f"Run {first.pk}" in answer.content.decode()) == (409, True)


@pytest.mark.parametrize(
    ("kind", "plan"),
    [
        (Kind.FORECAST, {"repository": 77}),
        (Kind.READ_FILES, {"image": 77}),
        (Kind.SYNC, {"repositories": [77]}),
        (Kind.SYNC, {"functions": [77]}),
        (Kind.SYNC, {"scopes": [[77, "eu-west-1"]]}),
    ],
)
def test_what_is_not_there_any_more_is_said(operating: Client, kind: Kind, plan: dict[str, Any]) -> None:
    answer = operating.post(f"/runs/{failed(kind, plan).pk}/retry/")
    assert (answer.status_code in (404, 422), Run.objects.count()) == (True, 1)


def test_who_may_only_look_has_no_form_for_it(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert 'id="ask-again"' not in page_of(client, failed(Kind.BASE_POLL))


def test_a_bot_retries_what_a_person_may(operator: User, valkey: Valkey) -> None:
    bot = Client(headers={"Authorization": f"Bearer {tokens.make(Wanted('ci', ['invoke']), Actor(operator)).text}"})
    answer = bot.post(f"/api/v1/runs/{failed(Kind.BASE_POLL).pk}/retry", content_type="application/json")
    again = Run.objects.latest("pk")
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/runs/{again.pk}")
    assert (again.kind, again.via) == (Kind.BASE_POLL, "token ci")
    refused = bot.post(f"/api/v1/runs/{failed(Kind.INVOCATION).pk}/retry", content_type="application/json")
    assert (refused.status_code, "never repeated" in refused.json()["detail"]) == (422, True)
