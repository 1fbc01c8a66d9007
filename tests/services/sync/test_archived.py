"""Images in ECR's archive are told as that: not as deleted, and not as something to pull."""

from collections.abc import Callable, Iterator

import pytest

from functions_app.domain.fleet.states import RANK_GONE
from functions_app.models import Account, Function, Image, Repository, Tag
from functions_app.services.snapshot import rollback_targets
from tests.fixtures import Sandbox
from tests.processes import eventually
from tests.sandbox.functions import Functions
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "def handler(event, context):\n    return 'other'\n"


def move(functions: Functions, digest: str, storage_class: str) -> None:
    functions.ecr.update_image_storage_class(
        repositoryName="app", imageId={"imageDigest": digest}, targetStorageClass=storage_class
    )


def status_of(digest: str) -> tuple[str, bool]:
    image = Image.objects.get(digest=digest)
    return image.status, image.gone_at is not None


@pytest.fixture
def restoring(aws: Sandbox) -> Iterator[Callable[[float], object]]:
    """Has ECR take so many seconds to restore an image."""
    usual = aws.admin("GET", "clock")["restore"]
    yield lambda seconds: aws.admin("POST", "clock", {"restore": seconds})
    aws.admin("POST", "clock", {"restore": usual})


def test_an_archived_image_is_kept_with_its_status_and_tags(
    ours: Account, functions: Functions, log: Lines, restoring: Callable[[float], object]
) -> None:
    restoring(3600)
    digest = functions.push()
    run_once(log)
    assert status_of(digest) == ("ACTIVE", False)
    move(functions, digest, "ARCHIVE")
    run_once(log)
    assert status_of(digest) == ("ARCHIVED", False)
    assert Tag.objects.get().digest == digest
    move(functions, digest, "STANDARD")
    run_once(log)
    assert status_of(digest) == ("ACTIVATING", False)


def test_an_image_that_was_restored_can_be_pulled_again(
    ours: Account, functions: Functions, log: Lines, restoring: Callable[[float], object]
) -> None:
    restoring(0)
    digest = functions.push()
    move(functions, digest, "ARCHIVE")
    run_once(log)
    assert status_of(digest) == ("ARCHIVED", False)
    move(functions, digest, "STANDARD")
    run_once(log)
    assert status_of(digest) == ("ACTIVE", False)


def test_a_live_image_that_is_archived_is_what_is_wrong_with_the_function(
    ours: Account, functions: Functions, log: Lines
) -> None:
    digest = functions.deploy()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=functions.publish())
    move(functions, digest, "ARCHIVE")
    run_once(log)
    function = Function.objects.get()
    assert function.problem_rank == RANK_GONE
    assert function.problem.startswith("The image behind prod is archived in ECR")
    assert "Restore it in ECR first" in function.problem


def test_an_archived_way_back_says_to_restore_it_first(ours: Account, functions: Functions, log: Lines) -> None:
    old = functions.deploy()
    functions.publish()
    functions.redeploy(OTHER, tag="2")
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=functions.publish())
    run_once(log)
    (alias,) = rollback_targets.targets(Function.objects.get())
    assert (alias.available, alias.targets[0].obstacle) == (1, "")
    move(functions, old, "ARCHIVE")
    run_once(log)
    (alias,) = rollback_targets.targets(Function.objects.get())
    assert (alias.available, alias.lost) == (0, 1)
    assert "archived in ECR" in alias.targets[0].obstacle
    assert "Restore it in ECR first" in alias.targets[0].obstacle
    assert "deleted" not in alias.targets[0].obstacle


def test_what_is_archived_before_it_was_read_is_read_once_it_is_restored(
    ours: Account, functions: Functions, log: Lines
) -> None:
    digest = functions.push()
    move(functions, digest, "ARCHIVE")
    run_once(log)
    assert Image.objects.get().inspected_at is None
    assert "not readable" not in log.lines[-1]
    move(functions, digest, "STANDARD")

    def read() -> bool:
        run_once(log)
        return Image.objects.get().inspected_at is not None

    eventually(read, "the image was read")


def test_each_mode_of_tags_is_stored_with_its_filters(ours: Account, functions: Functions, log: Lines) -> None:
    functions.ecr.create_repository(
        repositoryName="app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest*"}],
    )
    run_once(log)
    row = Repository.objects.get()
    assert (row.tag_mutability, row.tag_filters) == (
        "IMMUTABLE_WITH_EXCLUSION",
        [{"kind": "WILDCARD", "pattern": "latest*"}],
    )
    functions.ecr.put_image_tag_mutability(repositoryName="app", imageTagMutability="MUTABLE")
    run_once(log)
    row.refresh_from_db()
    assert (row.tag_mutability, row.tag_filters) == ("MUTABLE", [])
