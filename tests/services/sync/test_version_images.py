"""Which image a version runs: the one at the URI that AWS gave, whatever other repositories hold its digest."""

from collections.abc import Callable
from typing import Any

import pytest

from functions_app.domain.fleet.states import RANK_GONE
from functions_app.models import Account, Function, Image, Repository, Version
from functions_app.services.sync import scopes, single_repositories
from functions_app.services.sync.refresh import refresh_function
from tests.sandbox.functions import Functions
from tests.sandbox.lambda_.test_create import pull_policy
from tests.services.changes.aws_between import Between, error
from tests.services.sync.sync_stage import Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "def handler(event, context):\n    return 'other'\n"


@pytest.fixture
def twins(ours: Account, functions: Functions) -> str:
    """One digest in the repositories app and copy; live runs it from app, $LATEST from copy has another image."""
    digest = functions.push(reference="app:1")
    assert functions.push(reference="copy:1") == digest
    functions.create()
    functions.settled()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=functions.publish())
    functions.push(OTHER, "copy:2")
    functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("copy:2"))
    functions.settled()
    return digest


def live() -> Version:
    return Version.objects.select_related("image__repository").get(number="1")


def another(account: Account) -> str:
    """The id of an account that no other test has."""
    return str(int(account.account_id) - 200_000_000_000)


def delete(functions: Functions, repository: str, digest: str) -> None:
    functions.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])


def test_a_version_is_linked_to_the_repository_of_its_own_uri(twins: str, log: Lines) -> None:
    run_once(log)
    image = live().image
    assert image is not None
    assert image.repository.name == "app"


def test_an_image_deleted_from_the_functions_own_repository_is_gone_though_a_namesake_is_there(
    twins: str, functions: Functions, log: Lines
) -> None:
    run_once(log)
    delete(functions, "app", twins)
    run_once(log)
    function = Function.objects.get()
    assert function.problem_rank == RANK_GONE
    assert "live" in function.problem


def test_an_image_deleted_before_the_first_sync_is_gone_though_a_namesake_is_there(
    twins: str, functions: Functions, log: Lines
) -> None:
    delete(functions, "app", twins)
    run_once(log)
    image = live().image
    assert image is not None
    assert (image.repository.name, image.gone_at is None) == ("app", False)
    assert Function.objects.get().problem_rank == RANK_GONE


def test_a_namesake_that_is_deleted_is_nobodys_loss(twins: str, functions: Functions, log: Lines) -> None:
    run_once(log)
    delete(functions, "copy", twins)
    run_once(log)
    assert Function.objects.get().problem_rank < RANK_GONE


def test_an_image_that_comes_back_heals(twins: str, functions: Functions, log: Lines) -> None:
    delete(functions, "app", twins)
    run_once(log)
    assert functions.push(reference="app:again") == twins
    run_once(log, person=False)
    image = live().image
    assert image is not None
    assert (image.repository.name, image.gone_at) == ("app", None)
    assert Function.objects.get().problem_rank < RANK_GONE


def test_a_repository_that_is_deleted_and_made_again_with_the_image_heals(
    twins: str, functions: Functions, log: Lines
) -> None:
    run_once(log)
    functions.ecr.delete_repository(repositoryName="app", force=True)
    run_once(log)
    assert Function.objects.get().problem_rank == RANK_GONE
    assert functions.push(reference="app:1") == twins
    run_once(log)
    assert Function.objects.get().problem_rank < RANK_GONE


def test_a_repository_that_could_not_be_listed_proves_no_deletion(
    twins: str, functions: Functions, between: Between, log: Lines
) -> None:
    functions.ecr.delete_repository(repositoryName="copy", force=True)
    between.rules["ecr.DescribeImages"] = lambda _: error(400, "AccessDeniedException", "no ecr:DescribeImages")
    run_once(log)
    assert live().image is None
    between.rules.clear()
    run_once(log)
    image = live().image
    assert image is not None
    assert image.gone_at is None


def test_while_its_uri_is_not_known_a_version_gets_no_namesake_and_no_loss(
    twins: str, functions: Functions, between: Between, log: Lines
) -> None:
    delete(functions, "copy", twins)
    refused = error(403, "AccessDeniedException", "no lambda:GetFunction")
    between.rules["GET /functions/app?Qualifier=1"] = lambda _: refused
    run_once(log)
    assert live().image is None
    between.rules.clear()
    run_once(log, person=False)
    image = live().image
    assert image is not None
    assert image.repository.name == "app"


def test_what_was_taken_for_a_versions_repository_is_corrected_by_its_uri(
    twins: str, functions: Functions, between: Between, log: Lines
) -> None:
    between.rules["GET /functions/app?Qualifier=1"] = lambda _: error(403, "AccessDeniedException", "denied")
    run_once(log)
    image = live().image
    assert image is not None
    assert image.repository.name == "copy"  # $LATEST's, which has the digest
    between.rules.clear()
    run_once(log)
    image = live().image
    assert image is not None
    assert image.repository.name == "app"


def test_a_namesake_in_another_account_is_not_taken_for_the_functions(
    twins: str, ours: Account, functions: Functions, log: Lines
) -> None:
    neighbour = add_account(another(ours), "neighbour")
    functions.push(reference="app:1", account=neighbour.account_id)
    delete(functions, "app", twins)
    run_once(log)
    image = live().image
    assert image is not None
    assert image.repository.account == ours
    assert Function.objects.get().problem_rank == RANK_GONE


@pytest.fixture
def neighbour(ours: Account, functions: Functions, client: Callable[..., Any]) -> Account:
    """Another account that Drydock reads, which has the image of the function."""
    neighbour = add_account(another(ours), "neighbour")
    functions.push(account=neighbour.account_id)
    ecr = client("ecr", account=neighbour.account_id)
    ecr.set_repository_policy(repositoryName="app", policyText=pull_policy(ours.account_id))
    functions.create(Code={"ImageUri": functions.uri(account=neighbour.account_id)})
    functions.settled()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=functions.publish())
    return neighbour


def test_an_image_of_another_account_that_drydock_reads_is_linked_there_and_its_loss_is_seen(
    neighbour: Account, client: Callable[..., Any], log: Lines
) -> None:
    run_once(log)
    image = live().image
    assert image is not None
    assert image.repository.account == neighbour
    ecr = client("ecr", account=neighbour.account_id)
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": image.digest}])
    run_once(log)
    run_once(log)
    assert Function.objects.get().problem_rank == RANK_GONE


def test_an_image_of_another_account_is_linked_though_that_is_read_after_the_functions(
    ours: Account, neighbour: Account, log: Lines
) -> None:
    scopes.read_scopes([scope for scope in scopes.wanted_scopes() if scope.account == ours], log, full=True)
    assert live().image is None
    scopes.read_scopes([scope for scope in scopes.wanted_scopes() if scope.account == neighbour], log, full=True)
    assert live().image == Image.objects.get(repository__account=neighbour)


def test_a_push_to_another_account_that_an_event_tells_of_is_linked_at_once(
    ours: Account, neighbour: Account, log: Lines
) -> None:
    run_once(log)
    Version.objects.update(image=None)
    Image.objects.all().delete()
    single_repositories.read_asked([Repository.objects.get().pk], log, scopes.check_identity, lambda: False)
    assert live().image == Image.objects.get(repository__account=neighbour)


def test_an_image_of_an_account_that_drydock_does_not_read_is_not_called_deleted(
    ours: Account, functions: Functions, client: Callable[..., Any], log: Lines
) -> None:
    stranger = another(ours)
    functions.push(account=stranger)
    ecr = client("ecr", account=stranger)
    ecr.set_repository_policy(repositoryName="app", policyText=pull_policy(ours.account_id))
    functions.create(Code={"ImageUri": functions.uri(account=stranger)})
    functions.settled()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion=functions.publish())
    run_once(log)
    assert live().image is None
    assert not Repository.objects.exists()
    assert not Image.objects.exists()
    assert Function.objects.get().problem_rank < RANK_GONE


def test_a_refresh_links_a_version_to_its_own_repository_too(twins: str, log: Lines) -> None:
    run_once(log)
    Version.objects.update(image=None, image_uri="", detailed_at=None)
    refresh_function(Function.objects.get())
    image = live().image
    assert image is not None
    assert image.repository.name == "app"
