"""Lifecycle forecasts: real previews of the sandbox's policies, held against what functions use."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from functions_app import clock
from functions_app.aws import lifecycle
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind, SignalKind, Status
from functions_app.models import AuditEntry, Function, Image, LifecycleForecast, Repository, Run
from functions_app.services.engine import runs, signals
from functions_app.services.images import forecasts
from functions_app.services.kinds import KINDS
from functions_app.services.people.actor import SCHEDULE, Actor
from functions_app.services.snapshot.endangered_images import dangers
from functions_app.services.snapshot.scope_reading import GIVE_UP
from sandbox.images.making import make_index
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_repository, make_version
from tests.fixtures import Push, Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.aws_between import Answer, Between, error, once
from tests.services.changes.stage import Stage, answering, carry_out, log_of, make_stage, twice
from tests.services.sync.sync_stage import Counted

pytestmark = pytest.mark.django_db(transaction=True)
START, GET = "ecr.StartLifecyclePolicyPreview", "ecr.GetLifecyclePolicyPreview"


def keep(count: int, priority: int = 2) -> str:
    """A policy that keeps so many images and deletes the others."""
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    rule = {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


def put_policy(stage: Stage, text: str, repository: str = "app") -> None:
    stage.functions.ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)


def answered_with(**more: Any) -> Callable[[Answer], Answer]:
    """The answer with other fields."""
    return lambda answer: Answer(
        answer.status, answer.headers, json.dumps({**json.loads(answer.body), **more}).encode()
    )


def forecast_all(actor: Actor = SCHEDULE) -> Run:
    """A forecast of all repositories, through to its end."""
    return carry_out(forecasts.submit(actor))


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """Version 1 is live under the alias; a newer image was pushed and runs nowhere."""
    made = make_stage(functions, operator)
    made.push("two", "2")
    made.sync_all()
    return made


def test_it_names_the_rule_and_the_alias_whose_image_would_go(stage: Stage) -> None:
    put_policy(stage, keep(1))
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    row, latest = dangers()
    assert row.text == "Rule 2 will delete the image behind app staging (version 1)."
    assert latest.text == "Rule 2 will delete the image that $LATEST of app runs."
    assert (row.live, latest.live) == (True, False)
    assert any(row.text in line for line in log_of(run))
    assert run.result["endangered"] == {"live": 1, "others": 1}


def test_a_repository_without_a_policy_has_nothing_to_fear(stage: Stage) -> None:
    run = forecast_all()
    row = LifecycleForecast.objects.get()
    assert (row.policy, row.expiring, row.problem) == ("", [], None)
    assert run.result["repositories"] == {"without": 1, "read": 0, "failed": 0}


def test_every_step_may_be_done_twice(stage: Stage) -> None:
    put_policy(stage, keep(1))
    run = carry_out(forecasts.submit(SCHEDULE), twice(KINDS[Kind.FORECAST]))
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert len(LifecycleForecast.objects.get().expiring) == 1


@pytest.mark.parametrize("every", [True, False], ids=["of all", "of one repository"])
def test_the_function_says_at_once_that_its_image_would_go_and_that_it_no_longer_would(
    stage: Stage, every: bool
) -> None:
    for kept, said in ((1, "Lifecycle rule 2 will take away the image behind staging."), (50, "")):
        put_policy(stage, keep(kept))
        carry_out(forecasts.submit(SCHEDULE, None if every else Repository.objects.get()))
        assert ("Lifecycle" in Function.objects.get().problem) is bool(said)
        assert Function.objects.get().problem.startswith(said)


def test_a_version_to_go_back_to_is_named_as_one(stage: Stage) -> None:
    stage.deploy("2")
    stage.sync_all()
    put_policy(stage, keep(1))
    forecast_all()
    (row,) = dangers()
    assert row.text == "Rule 2 will delete the image of version 1, which app staging could go back to."
    assert not row.live


def test_a_policy_that_is_relaxed_ends_the_danger(stage: Stage) -> None:
    put_policy(stage, keep(1))
    forecast_all()
    put_policy(stage, keep(50))
    forecast_all()
    assert dangers() == ()
    assert not Image.objects.filter(expiry_rule__isnull=False).exists()


def test_a_preview_that_takes_its_time_is_waited_for(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))
    between.rules[GET] = once(answered_with(status="IN_PROGRESS", previewResults=[]))
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert len(LifecycleForecast.objects.get().expiring) == 1


def test_a_preview_that_somebody_else_started_is_waited_for(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))
    busy = [error(400, "LifecyclePolicyPreviewInProgressException", "The previous preview has not completed.")]
    between.guards[START] = lambda: busy.pop() if busy else None
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert between.seen.count(START) == 2


def test_a_preview_of_another_text_is_not_believed(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(50))
    draft = answered_with(lifecyclePolicyText=keep(1), previewResults=[{"imageDigest": stage.digest()}])
    between.rules[GET] = once(draft)
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert LifecycleForecast.objects.get().expiring == []
    assert between.seen.count(START) == 2


def test_a_policy_that_is_deleted_during_its_preview_threatens_nothing(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))

    def deleted(answer: Answer) -> Answer:
        stage.functions.ecr.delete_lifecycle_policy(repositoryName="app")
        return answer

    between.rules[START] = once(deleted)
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    row = LifecycleForecast.objects.get()
    assert (row.policy, row.expiring, row.problem) == ("", [], None)


def test_a_preview_that_ran_out_is_started_again(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))
    between.rules[GET] = once(answered_with(status="EXPIRED", previewResults=[]))
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert between.seen.count(START) == 2


def test_a_preview_that_fails_says_so_and_keeps_the_forecast_before(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))
    forecast_all()
    before = LifecycleForecast.objects.get()
    between.rules[GET] = answered_with(status="FAILED", previewResults=[])
    run = forecast_all()
    after = LifecycleForecast.objects.get()
    assert run.status == Status.FAILED
    assert after.problem is not None
    assert "could not preview" in after.problem["message"]
    assert (after.expiring, after.read_at) == (before.expiring, before.read_at)
    assert len(dangers()) == 2


def test_patience_with_others_has_an_end(stage: Stage, between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    put_policy(stage, keep(1))
    between.guards[START] = lambda: error(400, "LifecyclePolicyPreviewInProgressException", "not completed")
    monkeypatch.setattr(forecasts, "PATIENCE", timedelta(0))
    run = forecast_all()
    row = LifecycleForecast.objects.get()
    assert run.status == Status.FAILED
    assert row.problem is not None
    assert row.problem["message"].startswith("A preview that somebody else started was not through")


@pytest.mark.parametrize("action", ["GetLifecyclePolicy", "StartLifecyclePolicyPreview", "GetLifecyclePolicyPreview"])
def test_a_denial_names_the_permission_and_keeps_the_forecast_before(
    stage: Stage, denied: Callable[..., None], action: str
) -> None:
    put_policy(stage, keep(1))
    forecast_all()
    denied(stage.account.account_id, f"ecr:{action}")
    run = forecast_all()
    row = LifecycleForecast.objects.get()
    assert run.problem is not None
    assert (run.status, run.problem["code"]) == (Status.FAILED, Code.DENIED)
    assert row.problem is not None
    assert f"The permission ecr:{action} is missing." in row.problem["message"]
    assert len(row.expiring) == 1
    assert row.read_at is not None
    assert row.read_at < row.attempted_at


def test_a_repository_that_fails_leaves_the_others_read(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))
    stage.functions.push(answering("other"), "zebra:1")
    put_policy(stage, keep(1), "zebra")
    stage.sync_all()
    odd = [error(400, "InvalidParameterException", "odd")]
    between.guards[START] = lambda: odd.pop() if odd else None
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert run.result["repositories"] == {"without": 0, "read": 1, "failed": 1}


def test_the_image_of_an_index_that_would_go_is_in_danger(stage: Stage, push: Push) -> None:
    image = python_image(answering("in an index"))
    push("team", make_index((image,)), ["v1"])
    stage.functions.create("other", reference=f"team@{image.digest}")
    stage.functions.settled("other")
    stage.functions.push(answering("newer"), "team:v2")
    put_policy(stage, keep(1), "team")
    stage.sync_all()
    run = forecast_all()
    assert run.status == Status.SUCCEEDED, log_of(run)
    (row,) = dangers()
    assert row.text == "Rule 2 will delete the index that holds the image behind other, whose callers reach $LATEST."
    assert row.live


def test_an_image_that_another_account_runs_is_in_danger(stage: Stage) -> None:
    put_policy(stage, keep(1))
    forecast_all()
    other = make_account("staging")
    version = make_version(make_function(other, "shared"), 3, Image.objects.get(digest=stage.digest()))
    make_alias(version.function, "live", 3)
    texts = {row.text: row.use.account for row in dangers(account_id=other.pk)}
    assert texts == {"Rule 2 will delete the image behind shared live (version 3).": "staging"}


def test_only_one_forecast_of_all_goes_on_at_a_time(stage: Stage) -> None:
    forecasts.submit(SCHEDULE)
    with pytest.raises(DrydockError, match="under way"):
        forecasts.submit(SCHEDULE)


def test_it_is_due_once_a_day_and_only_where_there_is_a_repository(db: None) -> None:
    now = clock.now()
    assert not forecasts.is_due(now)


@pytest.mark.shows_dates
def test_it_is_due_again_after_a_day(stage: Stage) -> None:
    assert forecasts.is_due(clock.now())
    forecast_all()
    assert not forecasts.is_due(clock.now())
    assert forecasts.is_due(clock.now() + timedelta(days=1, minutes=1))


def test_a_worker_that_was_frozen_stores_no_forecast_over_one_read_since(stage: Stage, between: Between) -> None:
    def frozen(answer: Answer) -> Answer:
        Run.objects.update(lease_owner="another")
        connections.close_all()
        return answer

    put_policy(stage, keep(1))
    run = forecasts.submit(SCHEDULE)
    assert runs.execute(run.pk, "began the preview")
    Run.objects.update(wake_at=run.created_at)
    between.rules[GET] = frozen
    assert not runs.execute(run.pk, "frozen")
    assert not LifecycleForecast.objects.filter(policy__contains="imageCountMoreThan").exists()


def test_a_cancelled_forecast_stops_between_repositories(stage: Stage) -> None:
    put_policy(stage, keep(1))
    run = forecasts.submit(SCHEDULE)
    signals.give(run, SignalKind.CANCEL, stage.actor)
    assert carry_out(run).status == Status.CANCELLED
    assert not LifecycleForecast.objects.exists()


def test_a_forecast_that_waits_can_be_cancelled(stage: Stage, between: Between) -> None:
    put_policy(stage, keep(1))
    between.rules[GET] = answered_with(status="IN_PROGRESS", previewResults=[])
    run = forecasts.submit(SCHEDULE)
    runs.execute(run.pk, "worker")
    run.refresh_from_db()
    assert run.status == Status.WAITING
    signals.give(run, SignalKind.CANCEL, stage.actor)
    assert carry_out(run).status == Status.CANCELLED
    assert not LifecycleForecast.objects.exists()


def test_many_images_come_in_pages(stage: Stage, between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.push("three", "3")
    put_policy(stage, keep(1))
    monkeypatch.setattr(lifecycle, "PAGE", 1)
    forecast_all()
    assert len(LifecycleForecast.objects.get().expiring) == 2
    assert between.seen.count(GET) == 2


def test_where_everything_is_denied_the_rest_is_not_asked(
    stage: Stage, aws: Sandbox, denied: Callable[..., None]
) -> None:
    own = Repository.objects.get()
    for number in range(GIVE_UP + 5):
        make_repository(stage.account, f"team/{number}")
    denied(stage.account.account_id, "ecr:GetLifecyclePolicy")
    counted = Counted(aws, stage.account.account_id)
    run = forecast_all()
    assert run.status == Status.FAILED
    assert counted.made()["ecr.GetLifecyclePolicy"] == GIVE_UP
    assert LifecycleForecast.objects.filter(problem__isnull=False).count() == GIVE_UP + 6
    assert LifecycleForecast.objects.get(repository=own).problem is not None


def test_a_forecast_that_somebody_asks_for_is_audited(stage: Stage) -> None:
    forecasts.submit(stage.actor, Repository.objects.get())
    entry = AuditEntry.objects.get(action="forecast.submit")
    assert entry.actor_name == stage.actor.name
