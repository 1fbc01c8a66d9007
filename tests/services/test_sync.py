"""Sync against the sandbox: what it stores, how few calls it makes, and what a failure leaves standing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from functions_app.aws import ecr
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet import RANK_DRIFTED, RANK_GONE
from functions_app.domain.runs import Status, StepStatus
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
from functions_app.services import accounts, runs, sync
from tests.fixtures import REGION, ClientFactory, Sandbox
from tests.sandbox.functions import Functions

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "def handler(event, context):\n    return 'other'\n"


class Lines:
    """A log that is kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        """Keep it."""
        self.lines.append(text)

    def warning(self, text: str) -> None:
        """Keep it."""
        self.lines.append(f"warning: {text}")


@pytest.fixture
def log() -> Lines:
    """What the sync told."""
    return Lines()


def add_account(account_id: str, name: str = "production", regions: tuple[str, ...] = (REGION,)) -> Account:
    return Account.objects.create(
        name=name, account_id=account_id, regions=list(regions), role_arn=f"arn:aws:iam::{account_id}:role/Drydock"
    )


@pytest.fixture
def ours(aws: Sandbox, valkey: object, account: str) -> Account:
    """The test's own account, reached by a role."""
    return add_account(account)


def run_once(log: Lines, *, person: bool = True) -> sync.Result:
    return sync.run_once(sync.wanted_scopes(), log, all_aliases=person)


def calls(aws: Sandbox, account: str) -> dict[str, int]:
    counted: dict[str, int] = aws.admin("GET", f"calls?account={account}")
    return counted


class Counted:
    """The calls of one account since this was made."""

    def __init__(self, aws: Sandbox, account: str) -> None:
        self._aws, self._account, self._before = aws, account, calls(aws, account)

    def made(self) -> dict[str, int]:
        """Calls by operation."""
        now = calls(self._aws, self._account)
        return {name: now[name] - self._before.get(name, 0) for name in now if now[name] > self._before.get(name, 0)}


@pytest.fixture
def denied(aws: Sandbox) -> Iterator[Any]:
    """Deny actions of an account until the test ends."""
    touched = set()

    def deny(account: str, *actions: str) -> None:
        touched.add(account)
        aws.admin("POST", "denials", {"account": account, "actions": list(actions)})

    yield deny
    for account in touched:
        aws.admin("DELETE", f"denials?account={account}")


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
            "name": "prod", "version": version, "digest": digest, "second_version": "", "second_weight": 0.0,
            "second_digest": "", "drifted": False,
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


def test_a_second_sync_reads_details_only_of_what_changed(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    for name in ("one", "two", "three"):
        functions.deploy(name=name)
    run_once(log)
    functions.configure("two", MemorySize=512)
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert counted.made()["lambda.GetFunction"] == 1
    assert Function.objects.get(name="two").memory_mb == 512


def test_a_full_sync_makes_the_least_possible_calls(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    functions.push()
    for number in range(12):
        functions.create(f"app{number}")
    for number in range(12):
        functions.settled(f"app{number}")
        for _ in range(4):
            version = functions.next_version(f"app{number}")
        for alias in ("prod", "next"):
            functions.api.create_alias(FunctionName=f"app{number}", Name=alias, FunctionVersion=version)
    counted = Counted(aws, ours.account_id)
    run_once(log)
    assert counted.made() == {
        "ecr.BatchGetImage": 1,
        "ecr.DescribeImages": 1,
        "ecr.DescribeRepositories": 1,
        "ecr.GetAuthorizationToken": 1,
        "lambda.GetFunction": 12,
        "lambda.ListAliases": 12,
        "lambda.ListFunctions": 2,
        "registry.GetBlob": 1,
    }
    assert (Version.objects.count(), Alias.objects.count()) == (60, 24)


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


def test_one_denied_account_leaves_the_other_synced_and_names_the_permission(
    ours: Account, functions: Functions, client: ClientFactory, denied: Any, log: Lines
) -> None:
    functions.deploy()
    neighbour = add_account(str(int(ours.account_id) ^ 1), "neighbour")
    denied(neighbour.account_id, "lambda:ListFunctions")
    result = run_once(log)
    assert (result.scopes, result.failed) == (2, 1)
    assert Scope.objects.get(account=ours).problem is None
    problem = Scope.objects.get(account=neighbour).problem
    assert problem is not None
    assert problem["code"] == Code.DENIED
    assert "lambda:ListFunctions" in problem["message"]
    assert "lambda:ListFunctions" in problem["next_step"]
    assert problem["aws_code"] == "AccessDeniedException"
    assert problem["request_id"]
    assert Function.objects.filter(account=ours).count() == 1


def test_a_denied_listing_keeps_the_old_rows_with_their_age(
    ours: Account, functions: Functions, denied: Any, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    age, synced = Function.objects.get().synced_at, Scope.objects.get().synced_at
    denied(ours.account_id, "lambda:ListFunctions", "ecr:DescribeRepositories")
    run_once(log)
    function, scope = Function.objects.get(), Scope.objects.get()
    assert (function.gone_at, function.synced_at, scope.synced_at) == (None, age, synced)
    assert Image.objects.get().gone_at is None
    assert scope.attempted_at is not None
    assert synced is not None
    assert scope.attempted_at > synced
    assert scope.problem is not None
    assert "ecr:DescribeRepositories" in scope.problem["message"]


def test_a_denied_detail_still_stores_the_listing(ours: Account, functions: Functions, denied: Any, log: Lines) -> None:
    functions.deploy()
    denied(ours.account_id, "lambda:GetFunction")
    run_once(log)
    function = Function.objects.get()
    assert function.state == ""
    assert function.digest
    problem = Scope.objects.get().problem
    assert problem is not None
    assert "lambda:GetFunction" in problem["message"]


def test_an_account_whose_role_refuses_says_so(ours: Account, denied: Any, log: Lines) -> None:
    denied(ours.account_id, "sts:AssumeRole")
    ours.role_arn += "Closed"
    ours.save()
    run_once(log)
    problem = Scope.objects.get().problem
    assert problem is not None
    assert "sts:AssumeRole" in problem["message"]
    assert "trust policy" in problem["next_step"]


def test_an_endpoint_that_does_not_answer_is_a_problem_of_the_scope(
    ours: Account, monkeypatch: pytest.MonkeyPatch, log: Lines
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    run_once(log)
    problem = Scope.objects.get().problem
    assert problem is not None
    assert problem["code"] == Code.UNREACHABLE
    assert problem["retryable"]


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
    ours: Account, functions: Functions, clock: Any, log: Lines
) -> None:
    functions.push()
    with clock(create=1.0):
        functions.create()
        run_once(log)
    assert Function.objects.get().state == "Pending"
    functions.settled()
    run_once(log)
    assert Function.objects.get().state == "Active"


def test_refreshing_one_function_reads_it_now_even_its_new_image(
    ours: Account, functions: Functions, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    digest = functions.redeploy(OTHER, tag="2")
    version = functions.publish()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=version)
    function = sync.refresh_function(Function.objects.get())
    assert function.digest == digest
    assert [chip["digest"] for chip in function.alias_chips] == [digest]
    live = Version.objects.get(number=version)
    assert live.image is not None
    assert live.image.digest == digest
    assert live.image_uri == functions.uri("app:2")


def test_the_first_account_is_made_from_the_environment(aws: Sandbox, valkey: object, db: None) -> None:
    account = accounts.ensure_first()
    assert account is not None
    assert (account.account_id, account.regions) == ("111111111111", [REGION])
    assert accounts.ensure_first() is None


def test_a_sync_by_a_run_tells_its_steps_and_ends(
    ours: Account, functions: Functions, operator: User, denied: Any
) -> None:
    functions.deploy()
    neighbour = add_account(str(int(ours.account_id) ^ 1), "neighbour")
    denied(neighbour.account_id, "lambda:ListFunctions")
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED
    assert run.result["scopes"] == {"read": 2, "failed": 1}
    assert [step.status for step in run.steps.all()] == [StepStatus.DONE] * 3
    lines = [line.text for line in run.lines.all()]
    assert any("production eu-west-1: 1 changed, 1 functions" in line for line in lines)
    assert any("neighbour eu-west-1: The permission lambda:ListFunctions is missing." in line for line in lines)
    assert Function.objects.count() == 1


def test_a_sync_in_which_nothing_could_be_read_fails_and_says_why(ours: Account, operator: User, denied: Any) -> None:
    denied(ours.account_id, "lambda:ListFunctions")
    run = sync.submit(operator)
    runs.execute(run.pk, "tests")
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.problem is not None
    assert "lambda:ListFunctions" in run.problem["message"]


def test_a_sync_of_one_region_leaves_the_others_alone(
    aws: Sandbox, valkey: object, account: str, operator: User
) -> None:
    row = add_account(account, regions=(REGION, "us-east-1"))
    run = sync.submit(operator, [(row.pk, "us-east-1")])
    runs.execute(run.pk, "tests")
    synced = Scope.objects.filter(synced_at__isnull=False)
    assert [scope.region for scope in synced] == ["us-east-1"]


def test_a_cancelled_sync_marks_nothing_as_gone(
    ours: Account, functions: Functions, log: Lines, operator: User
) -> None:
    functions.deploy()
    run_once(log)
    functions.api.delete_function(FunctionName="app")
    scopes = sync.wanted_scopes()
    sync.read_scopes(scopes, log, all_aliases=True, stopped=lambda: True)
    assert Function.objects.get().gone_at is None


def test_the_command_shows_its_log_and_fails_where_an_account_does(
    ours: Account, functions: Functions, denied: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.deploy()
    call_command("sync")
    assert "production eu-west-1: 1 changed, 1 functions" in capsys.readouterr().out
    denied(ours.account_id, "ecr:DescribeRepositories")
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("sync")
    assert "The permission ecr:DescribeRepositories is missing." in capsys.readouterr().err


def test_summaries_cost_the_same_queries_for_one_function_and_for_many(
    ours: Account, functions: Functions, log: Lines, django_assert_max_num_queries: Any
) -> None:
    functions.push()
    for number in range(6):
        functions.create(f"app{number}")
    run_once(log)
    Function.objects.update(search_text="")
    with django_assert_max_num_queries(9):
        assert sync.refresh_summaries() == 6


def test_a_single_repository_that_can_not_be_read_leaves_the_others(
    ours: Account, functions: Functions, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sandbox denies whole actions, while a real policy may close one repository.
    functions.push(reference="open:1")
    functions.push(reference="closed:1")
    real = ecr.images

    def images(target: Target, repository: str) -> tuple[ecr.ImageFact, ...]:
        if repository == "closed":
            raise DrydockError(Code.DENIED, "The permission ecr:DescribeImages is missing.", aws_code="AccessDenied")
        return real(target, repository)

    monkeypatch.setattr(ecr, "images", images)
    result = run_once(log)
    assert result.failed == 1
    assert list(Image.objects.values_list("repository__name", flat=True)) == ["open"]
    assert Repository.objects.filter(gone_at=None).count() == 2
