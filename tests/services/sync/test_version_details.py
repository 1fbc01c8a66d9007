"""What each version really is: its own state and URI are read once it is named, and nothing is concluded before."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions_app.aws import lambdas
from functions_app.domain.fleet.states import RANK_DRIFTED, RANK_FAILED, RANK_GONE, RANK_IDLE_FAILED, RANK_UNREAD
from functions_app.domain.runs import Kind, Status
from functions_app.models import Account, Alias, Function, Run, Scope, Version
from functions_app.services.people import accounts
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.sync import function_details, version_details
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between, error
from tests.services.sync.sync_stage import Counted, Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
SECOND, THIRD = (f"def handler(event, context):\n    return {number}\n" for number in (2, 3))
NO_ACCESS = error(403, "AccessDeniedException", "User is not authorized to perform: lambda:GetFunction")


def put(aws: Sandbox, functions: Functions, version: str, **state: Any) -> None:
    """Put a version into a state."""
    aws.admin(
        "POST",
        "function-state",
        {"account": functions.account, "region": REGION, "name": "app", "version": version, **state},
    )


@pytest.fixture
def adopted(ours: Account, functions: Functions) -> tuple[str, str]:
    """Version 1 was deployed by the tag rel, version 2 by digest; $LATEST has another image. live -> 1, next -> 2."""
    functions.push(reference="app:rel")
    functions.create(reference="app:rel")
    functions.settled()
    first = functions.publish()
    digest = functions.push(SECOND, "app:2")
    functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri(f"app@{digest}"))
    functions.settled()
    second = functions.publish()
    functions.redeploy(THIRD, tag="3")
    for name, number in (("live", first), ("next", second)):
        functions.api.create_alias(FunctionName="app", Name=name, FunctionVersion=number)
    return first, second


def version(number: str) -> Version:
    return Version.objects.get(number=number)


def test_a_version_that_an_alias_names_gets_its_own_uri_and_state(
    adopted: tuple[str, str], functions: Functions, log: Lines
) -> None:
    run_once(log)
    first, second = map(version, adopted)
    assert first.image_uri == functions.uri("app:rel")
    assert second.image_uri == functions.uri(f"app@{second.digest}")
    assert (first.state, first.last_update_status, second.state) == ("Active", "Successful", "Active")


def test_a_tag_that_moved_under_a_version_that_is_not_latest_is_drift(
    adopted: tuple[str, str], functions: Functions, log: Lines
) -> None:
    functions.push(SECOND, "app:rel")
    run_once(log)
    function = Function.objects.get()
    assert (function.drifted, function.problem_rank) == (True, RANK_DRIFTED)
    assert {chip["name"]: chip["drifted"] for chip in function.alias_chips} == {"live": True, "next": False}


def test_a_version_deployed_by_digest_has_no_tag_that_could_move_though_latest_runs_the_same_image_by_one(
    ours: Account, functions: Functions, log: Lines
) -> None:
    digest = functions.push(reference="app:rel")
    functions.create(Code={"ImageUri": functions.uri(f"app@{digest}")})
    functions.settled()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=functions.publish())
    functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app:rel"))
    functions.settled()
    functions.push(SECOND, "app:rel")
    run_once(log)
    function = Function.objects.get()
    assert version("$LATEST").image_uri == functions.uri("app:rel")
    assert version("1").image_uri == functions.uri(f"app@{digest}")
    assert not function.drifted


def test_an_image_uri_without_a_tag_means_latest(ours: Account, functions: Functions, log: Lines) -> None:
    functions.push(reference="app:latest")
    functions.create(reference="app")
    functions.settled()
    functions.push(SECOND, "app:latest")
    run_once(log)
    assert "Tag latest moved" in Function.objects.get().problem


def test_a_version_is_not_known_until_it_is_read_and_never_shown_as_clean(
    adopted: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    functions.push(SECOND, "app:rel")
    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = lambda _: NO_ACCESS
    run_once(log)
    function = Function.objects.get()
    chips = {chip["name"]: chip for chip in function.alias_chips}
    assert version(adopted[0]).detailed_at is None
    assert (function.drifted, function.state, function.problem_rank) == (False, "", RANK_UNREAD)
    assert "lambda:GetFunction" in function.problem
    assert "lambda:GetFunction" in chips["live"]["unread"]
    assert chips["next"]["unread"] == ""


def test_a_version_that_may_not_be_read_costs_itself_alone_and_is_asked_for_again(
    adopted: tuple[str, str], between: Between, log: Lines
) -> None:
    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = lambda _: NO_ACCESS
    run_once(log)
    assert Scope.objects.get().problem is None
    assert version(adopted[1]).state == "Active"
    assert sum("lambda:GetFunction" in line for line in log.lines) == 1
    between.rules.clear()
    run_once(log, person=False)
    assert (version(adopted[0]).state, version(adopted[0]).detail_problem) == ("Active", None)


def test_what_was_known_of_a_version_stays_with_its_age_where_it_can_not_be_read_again(
    adopted: tuple[str, str], between: Between, log: Lines
) -> None:
    run_once(log)
    before = version(adopted[0])
    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = lambda _: NO_ACCESS
    run_once(log)
    after = version(adopted[0])
    assert (after.state, after.image_uri, after.detailed_at) == (before.state, before.image_uri, before.detailed_at)
    assert after.detail_problem is not None


@pytest.mark.parametrize("answer", [b"{}", b'{"Configuration": {}}', b'{"Configuration": null, "Code": null}'])
def test_an_answer_that_nobody_understands_costs_its_version_alone(
    adopted: tuple[str, str], between: Between, log: Lines, answer: bytes
) -> None:
    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = lambda told: replace(told, body=answer)
    run_once(log)
    assert version(adopted[1]).state == "Active"
    assert Function.objects.get().problem_rank == RANK_UNREAD
    assert any(f"state and image URI of app:{adopted[0]} could not be read" in line for line in log.lines)


def test_a_version_that_is_deleted_between_the_listing_and_its_reading_is_left_for_the_next_sync(
    adopted: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    def gone(_: Answer) -> Answer:
        return error(404, "ResourceNotFoundException", "Function not found")

    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = gone
    run_once(log)
    assert Scope.objects.get().problem is None
    assert version(adopted[0]).detailed_at is None
    functions.api.delete_alias(FunctionName="app", Name="live")
    functions.api.delete_function(FunctionName="app", Qualifier=adopted[0])
    run_once(log)
    assert not Version.objects.filter(number=adopted[0]).exists()


def test_the_state_of_the_version_that_an_alias_runs_counts(
    adopted: tuple[str, str], aws: Sandbox, functions: Functions, log: Lines
) -> None:
    put(aws, functions, adopted[0], state="Failed", reason_code="InternalError", reason="it broke")
    run_once(log)
    function = Function.objects.get()
    assert (function.state, function.problem_rank) == ("Failed", RANK_FAILED)
    assert function.problem == f"live, version {adopted[0]}: Failed: it broke"


def test_an_image_that_lambda_found_deleted_under_an_alias_is_told_though_latest_is_active(
    adopted: tuple[str, str], aws: Sandbox, functions: Functions, log: Lines
) -> None:
    put(aws, functions, adopted[0], state="Inactive", reason_code="ImageDeleted", reason="it is gone")
    run_once(log)
    assert Function.objects.get().problem_rank == RANK_GONE


def test_latest_idle_says_nothing_of_what_aliases_run(
    adopted: tuple[str, str], aws: Sandbox, functions: Functions, log: Lines
) -> None:
    put(aws, functions, "$LATEST", state="Inactive", reason_code="Idle")
    run_once(log)
    function = Function.objects.get()
    assert (function.state, function.problem_rank) == ("Active", 20)  # of the base nothing is known here


def test_latest_counts_where_an_alias_leads_to_it(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="dev", FunctionVersion="$LATEST")
    put(aws, functions, "$LATEST", state="Inactive", reason_code="Idle")
    run_once(log)
    assert Function.objects.get().state == "Inactive"


def test_an_update_of_latest_that_failed_is_told_but_breaks_no_alias(
    adopted: tuple[str, str], aws: Sandbox, functions: Functions, log: Lines
) -> None:
    put(aws, functions, "$LATEST", last_update=["Failed", "InternalError", "no room"])
    run_once(log)
    function = Function.objects.get()
    assert (function.state, function.last_update_status) == ("Active", "Failed")
    assert (function.problem_rank, function.problem) == (
        RANK_IDLE_FAILED, "$LATEST, which no alias runs: The last update failed: no room",
    )  # fmt: skip


def test_the_second_version_of_a_split_alias_counts_too(
    adopted: tuple[str, str], aws: Sandbox, functions: Functions, log: Lines
) -> None:
    functions.api.delete_alias(FunctionName="app", Name="next")
    functions.api.update_alias(
        FunctionName="app", Name="live", RoutingConfig={"AdditionalVersionWeights": {adopted[1]: 0.1}}
    )
    put(aws, functions, adopted[1], state="Failed", reason="it broke")
    run_once(log)
    assert Function.objects.get().state == "Failed"


@pytest.fixture
def no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions can't use the budgets up."""
    monkeypatch.setattr(function_details, "BUDGET", 0)
    monkeypatch.setattr(version_details, "BUDGET", 0)


@pytest.mark.usefixtures("no_budget")
def test_a_schedule_asks_again_for_what_is_not_settled_and_leaves_the_others_to_their_turn(
    adopted: tuple[str, str], ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    put(aws, functions, adopted[0], state="Inactive", reason_code="Idle")
    run_once(log)
    counted = Counted(aws, ours.account_id)
    run_once(log, person=False)
    assert counted.made()["lambda.GetFunction"] == 1
    put(aws, functions, adopted[0], state="Active")
    run_once(log, person=False)
    assert Function.objects.get().state == "Active"
    assert "lambda.GetFunction" not in _made(aws, ours, log)


@pytest.mark.usefixtures("no_budget")
def test_a_schedule_reads_the_versions_of_a_function_that_a_run_works_on(
    adopted: tuple[str, str], ours: Account, aws: Sandbox, log: Lines
) -> None:
    run_once(log)
    Run.objects.create(
        kind=Kind.DEPLOYMENT, status=Status.WAITING, title="Deploy", function=Function.objects.get(), plan={},
        created_at=Function.objects.get().synced_at,
    )  # fmt: skip
    assert _made(aws, ours, log)["lambda.GetFunction"] == 2


def test_a_schedule_reads_states_in_turn_the_oldest_first(
    adopted: tuple[str, str], ours: Account, aws: Sandbox, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_once(log)
    # Two versions can't use the budgets up.
    monkeypatch.setattr(function_details, "BUDGET", 0)
    monkeypatch.setattr(version_details, "BUDGET", 1)
    before = {number: version(number).detailed_at for number in adopted}
    for _ in adopted:
        assert _made(aws, ours, log)["lambda.GetFunction"] == 1
    assert all(version(number).detailed_at != before[number] for number in adopted)


def _made(aws: Sandbox, ours: Account, log: Lines) -> dict[str, int]:
    counted = Counted(aws, ours.account_id)
    run_once(log, person=False)
    return counted.made()


def test_a_latest_that_was_changed_is_not_known_until_it_is_read_again(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    functions.configure(MemorySize=512)
    between.rules["GET /functions/app"] = lambda _: NO_ACCESS
    run_once(log)
    function = Function.objects.get()
    assert (function.memory_mb, function.state, function.problem_rank) == (512, "", RANK_UNREAD)


def test_an_older_reading_of_a_version_never_overwrites_a_newer_one(
    adopted: tuple[str, str], ours: Account, log: Lines
) -> None:
    run_once(log)
    row = version(adopted[0])
    assert row.detailed_at is not None
    detail = lambdas.get_function(accounts.target(ours, REGION), "app", adopted[0])
    earlier = row.detailed_at.replace(year=row.detailed_at.year - 1)
    version_details.store_versions({row.pk: (earlier, replace(detail, state="Failed"))}, [row.function_id])
    refresh_summaries()
    assert version(adopted[0]).state == "Active"


def test_a_uri_that_aws_does_not_tell_is_not_known_and_one_that_was_known_stays(
    adopted: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    def without_code(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        told["Code"] = {"Error": {"ErrorCode": "InternalError", "Message": "no"}}
        return replace(answer, body=json.dumps(told).encode())

    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = without_code
    run_once(log)
    function = Function.objects.get()
    assert (version(adopted[0]).state, function.problem_rank) == ("Active", RANK_UNREAD)
    between.rules.clear()
    run_once(log)
    between.rules[f"GET /functions/app?Qualifier={adopted[0]}"] = without_code
    run_once(log)
    assert version(adopted[0]).image_uri == functions.uri("app:rel")


def test_what_can_not_be_seen_in_a_description_is_written_out(
    adopted: tuple[str, str], functions: Functions, log: Lines
) -> None:
    functions.configure(Description="a\u202eb\u200bc\x07")
    functions.api.update_alias(FunctionName="app", Name="live", Description="d\u2066e\x07")
    published = functions.publish(Description="f\u202eg\u200b")
    run_once(log)

    assert Function.objects.get().description == "a‹U+202E›b‹U+200B›c‹U+0007›"
    assert Alias.objects.get(name="live").description == "d‹U+2066›e‹U+0007›"
    assert version(published).description == "f‹U+202E›g‹U+200B›"
    assert version("$LATEST").description == "a‹U+202E›b‹U+200B›c‹U+0007›"
