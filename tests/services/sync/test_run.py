"""Sync against the sandbox: what it stores, and how few calls it makes."""

from dataclasses import replace
from typing import Any

import pytest

from functions_app.domain.fleet.states import RANK_DRIFTED, RANK_GONE, RANK_INACTIVE
from functions_app.models import (
    Account,
    Alias,
    AliasMove,
    Function,
    Image,
    Repository,
    Scope,
    Tag,
    TagMove,
    Version,
)
from functions_app.services.sync import function_details
from functions_app.services.sync.refresh import refresh_function
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between
from tests.services.sync.sync_stage import Counted, Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "def handler(event, context):\n    return 'other'\n"


def test_an_empty_account_is_synced_and_says_when(ours: Account, log: Lines) -> None:
    result = run_once(log)
    scope = Scope.objects.get()
    assert (result.scopes, result.failed) == (1, 0)
    assert scope.synced_at is not None
    assert scope.problem is None


def test_a_function_is_stored_with_its_versions_aliases_and_image(
    ours: Account, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy(Description="takes orders", MemorySize=256, Environment={"Variables": {"KEY": "secret"}})
    version = functions.publish()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=version)
    run_once(log)
    function = Function.objects.get()
    assert (function.name, function.digest, function.memory_mb) == ("app", digest, 256)
    assert (function.state, function.last_update_status) == ("Active", "Successful")
    assert function.image_uri == functions.uri("app:1")
    assert function.env_keys == ["KEY"]
    assert {row.number: row.digest for row in function.versions.all()} == {"$LATEST": digest, version: digest}
    assert [image.digest for image in Image.objects.filter(versions__number=version)] == [digest]
    assert function.alias_chips == [
        {
            "name": "prod", "version": version, "digest": digest, "freshness": "unknown",
            "reason": function.freshness_reason, "base": "", "runtime": "", "overdue_on": "",
            "second_version": "", "second_weight": 0.0, "second_digest": "", "second_freshness": "", "drifted": False,
            "unread": "", "releases_behind": 0, "days_behind": 0, "state": "Active", "by": "", "kept": False,
            "production": True, "at": function.versions.get(number=version).last_modified.isoformat(),
        }
    ]  # fmt: skip


def test_values_of_the_environment_are_stored_nowhere(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy(Environment={"Variables": {"KEY": "very-secret-value"}})
    run_once(log)
    row = Function.objects.values().get()
    assert "very-secret-value" not in str(row) + " ".join(log.lines)


def test_manifest_and_config_are_read_once_per_digest_ever(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    functions.push()
    run_once(log)
    image = Image.objects.get()
    assert image.inspected_at is not None
    assert image.architecture == "amd64"
    assert len(image.diff_ids) == 1
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert "ecr.BatchGetImage" not in counted.made()
    assert "ecr.GetAuthorizationToken" not in counted.made()


def test_a_scheduled_sync_without_a_budget_reads_details_only_of_what_changed(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three functions can't use the budget up.
    monkeypatch.setattr(function_details, "BUDGET", 0)
    for name in ("one", "two", "three"):
        functions.deploy(name=name)
    run_once(log)
    functions.configure("two", MemorySize=512)
    counted = Counted(aws, ours.account_id)
    run_once(log, person=False)
    assert counted.made()["lambda.GetFunction"] == 1
    assert Function.objects.get(name="two").memory_mb == 512


def test_a_tag_that_moved_is_recorded_and_shown_as_drift(ours: Account, functions: Functions, log: Lines) -> None:
    before = functions.deploy()
    run_once(log)
    after = functions.push(OTHER, "app:1")
    run_once(log)
    move = TagMove.objects.get()
    assert (move.tag, move.from_digest, move.to_digest) == ("1", before, after)
    assert Tag.objects.get(name="1").digest == after
    function = Function.objects.get()
    assert function.drifted
    assert function.problem_rank == RANK_DRIFTED
    assert function.digest == before


def test_an_alias_move_is_recorded_whenever_it_is_seen(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy()
    first, second = functions.publish(), functions.next_version()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=first)
    run_once(log)
    functions.api.update_alias(
        FunctionName="app", Name="prod", FunctionVersion=second,
        RoutingConfig={"AdditionalVersionWeights": {first: 0.1}},
    )  # fmt: skip
    run_once(log)
    run_once(log)
    moves = AliasMove.objects.order_by("id").values_list("version", "second_version", "second_weight")
    assert list(moves) == [(first, "", 0.0), (second, first, 0.1)]
    functions.api.delete_alias(FunctionName="app", Name="prod")
    run_once(log)
    latest = AliasMove.objects.latest("id")
    assert (latest.alias, latest.version) == ("prod", "")
    assert not Alias.objects.exists()


def test_the_schedule_reads_a_moved_alias_too_the_oldest_first(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy()
    first, second = functions.publish(), functions.next_version()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=first)
    run_once(log, person=False)
    functions.api.update_alias(FunctionName="app", Name="prod", FunctionVersion=second)
    run_once(log, person=False)
    assert Alias.objects.get().version == second


def test_an_image_deleted_under_an_alias_is_gone_and_worst_of_all(
    ours: Account, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=functions.publish())
    run_once(log)
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    run_once(log)
    assert Image.objects.get(digest=digest).gone_at is not None
    function = Function.objects.get()
    assert function.problem_rank == RANK_GONE
    assert "prod" in function.problem


def test_an_image_deleted_before_the_first_sync_is_known_as_gone(
    ours: Account, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=functions.publish())
    functions.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": digest}])
    run_once(log)
    image = Image.objects.get(digest=digest)
    assert image.gone_at is not None
    assert Function.objects.get().problem_rank == RANK_GONE


def test_what_vanished_is_marked_gone_and_may_come_back(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy()
    run_once(log)
    functions.api.delete_function(FunctionName="app")
    functions.ecr.delete_repository(repositoryName="app", force=True)
    run_once(log)
    assert Function.objects.get().gone_at is not None
    assert Repository.objects.get().gone_at is not None
    assert Image.objects.get().gone_at is not None
    functions.deploy()
    run_once(log)
    assert Function.objects.get().gone_at is None
    assert Repository.objects.get().gone_at is None
    assert Image.objects.get().gone_at is None


def test_regions_are_synced_apart(aws: Sandbox, valkey: object, account: str, functions: Functions, log: Lines) -> None:
    add_account(account, regions=(REGION, "us-east-1"))
    functions.deploy()
    run_once(log)
    assert Scope.objects.filter(problem__isnull=True).count() == 2
    assert set(Function.objects.values_list("region", flat=True)) == {REGION}


def test_the_owner_and_who_else_manages_come_from_tags(ours: Account, functions: Functions, log: Lines) -> None:
    functions.deploy(Tags={"team": "payments", "aws-note": "x", "terraform": "true"})
    run_once(log)
    function = Function.objects.get()
    assert (function.owner, function.managed_by) == ("payments", "terraform")
    assert "payments" in function.search_text


def test_a_function_that_was_pending_is_read_again_until_it_settled(
    ours: Account, aws: Sandbox, functions: Functions, clock: Any, log: Lines
) -> None:
    functions.push()
    with clock(create=600):
        functions.create()
        run_once(log)
    function = Function.objects.get()
    assert function.state == "Pending"
    where = {"account": ours.account_id, "region": REGION, "name": function.name}
    aws.admin("POST", "function-state", where | {"state": "Active"})
    run_once(log)
    assert Function.objects.get().state == "Active"


@pytest.mark.parametrize("person", [True, False], ids=["a person's", "a scheduled"])
def test_a_state_that_changes_without_a_new_revision_is_seen_by_the_next_sync(
    ours: Account, between: Between, functions: Functions, log: Lines, person: bool
) -> None:
    functions.deploy()
    run_once(log)

    def idle(answer: Answer) -> Answer:
        # The sandbox gives every change of state a new revision, AWS does not.
        return replace(answer, body=answer.body.replace(b'"State": "Active"', b'"State": "Inactive"'))

    between.rules["GET /functions/app"] = idle
    run_once(log, person=person)
    function = Function.objects.get()
    assert (function.state, function.problem_rank) == ("Inactive", RANK_INACTIVE)


def test_a_scheduled_sync_reads_again_as_many_as_its_budget_the_oldest_first(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five functions can't use the budget up.
    monkeypatch.setattr(function_details, "BUDGET", 2)
    functions.push()
    for number in range(5):
        functions.create(f"app{number}")
    for number in range(5):
        functions.settled(f"app{number}")
    run_once(log)
    read: list[set[str]] = []
    for _ in range(3):
        before = dict(Function.objects.values_list("name", "detailed_at"))
        counted = Counted(aws, ours.account_id)
        run_once(log, person=False)
        assert counted.made()["lambda.GetFunction"] == 2
        after = dict(Function.objects.values_list("name", "detailed_at"))
        read.append({name for name in after if after[name] != before[name]})
    assert read[0] | read[1] | read[2] == {f"app{number}" for number in range(5)}


def test_refreshing_one_function_reads_it_now_even_its_new_image(
    ours: Account, functions: Functions, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    digest = functions.redeploy(OTHER, tag="2")
    version = functions.publish()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=version)
    function = refresh_function(Function.objects.get())
    assert function.digest == digest
    assert [chip["digest"] for chip in function.alias_chips] == [digest]
    live = Version.objects.get(number=version)
    assert live.image is not None
    assert live.image.digest == digest
    assert live.image_uri == functions.uri("app:2")
