"""A sync and a refresh after a deploy read the same rows at the same time: what was read later stays."""

from collections.abc import Callable

import pytest
from django.db import connections

from functions_app import clock
from functions_app.domain.bases.detection import not_read
from functions_app.domain.runs import Kind, Status
from functions_app.models import Account, Alias, AliasMove, Function, Image, Run, Tag, TagMove, Version
from functions_app.services.people.actor import Actor
from functions_app.services.sync import scopes
from functions_app.services.sync.refresh import refresh_function
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between, once
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
NOT_READ = not_read(platforms=None, gone=False, problem="")
REFUSED = not_read(platforms=None, gone=False, problem="ECR did not answer.")
OTHER = "def handler(event, context):\n    return 'other'\n"


def after(do: Callable[[], object]) -> Callable[[Answer], Answer]:
    """Do something when AWS has answered the sync, and before the sync gets the answer; once."""

    def held(answer: Answer) -> Answer:
        try:
            do()
        finally:
            connections.close_all()
        return answer

    return once(held)


def refresh(run: Run | None = None) -> None:
    refresh_function(Function.objects.get(name="app"), run)


@pytest.fixture
def versions(ours: Account, functions: Functions, log: Lines) -> tuple[str, str]:
    """A synced function with two versions, prod on the first."""
    functions.deploy()
    first, second = functions.publish(), functions.next_version()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=first)
    run_once(log)
    return first, second


def test_aliases_read_before_a_deploy_never_overwrite_what_its_refresh_stored(
    versions: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    def deploy() -> None:
        functions.api.update_alias(FunctionName="app", Name="prod", FunctionVersion=versions[1])
        refresh()

    between.rules["GET /functions/app/aliases"] = after(deploy)
    run_once(log)
    assert Alias.objects.get().version == versions[1]
    assert list(AliasMove.objects.order_by("id").values_list("version", flat=True)) == list(versions)
    assert Function.objects.get().alias_chips[0]["version"] == versions[1]


def test_a_listing_read_before_a_deploy_leaves_its_function_and_versions_alone(
    versions: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    published: list[str] = []

    def deploy() -> None:
        published.append(functions.redeploy(OTHER, tag="2"))
        published.append(functions.publish())
        refresh()

    between.rules["GET /functions"] = after(deploy)
    run_once(log)
    digest, number = published
    assert Function.objects.get().digest == digest
    assert Version.objects.get(number="$LATEST").digest == digest
    version = Version.objects.get(number=number)
    assert version.digest == digest
    assert version.image is not None
    assert version.image.gone_at is None


def test_details_read_before_a_deploy_leave_its_image_alone(
    versions: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    def deploy() -> None:
        functions.redeploy(OTHER, tag="2")
        refresh()

    between.rules["GET /functions/app"] = after(deploy)
    run_once(log)
    function = Function.objects.get()
    assert function.image_uri == functions.uri("app:2")
    assert Version.objects.get(number="$LATEST").image_uri == functions.uri("app:2")
    assert function.revision_id == function.detailed_revision


def test_details_that_tell_of_a_newer_revision_than_the_listing_are_believed(
    versions: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    changed: list[str] = []
    between.rules["GET /functions"] = after(lambda: changed.append(functions.redeploy(OTHER, tag="2")))
    run_once(log)
    function, latest = Function.objects.get(), Version.objects.get(number="$LATEST")
    assert (function.digest, latest.digest) == (changed[0], changed[0])
    assert function.image_uri == latest.image_uri == functions.uri("app:2")
    assert not function.drifted
    assert latest.image is not None
    assert latest.image.digest == changed[0]


def test_a_repository_read_before_a_push_loses_no_image_and_moves_no_tag_back(
    versions: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    pushed: list[str] = []

    def deploy() -> None:
        pushed.append(functions.redeploy(OTHER))
        refresh()

    between.rules["ecr.DescribeImages"] = after(deploy)
    run_once(log)
    assert Tag.objects.get(name="1").digest == pushed[0]
    assert Image.objects.get(digest=pushed[0]).gone_at is None
    assert list(TagMove.objects.values_list("to_digest", flat=True)) == pushed


def test_an_image_that_a_sync_has_listed_and_not_read_yet_is_read_and_judged_by_the_refresh(
    versions: tuple[str, str], functions: Functions, between: Between, log: Lines
) -> None:
    digest, judged = functions.redeploy(OTHER, tag="2"), list[Image]()

    def finish_a_deploy() -> None:
        refresh()
        judged.append(Image.objects.get(digest=digest))

    between.rules["ecr.BatchGetImage"] = after(finish_a_deploy)
    run_once(log)
    assert between.seen.count("ecr.DescribeImages") == 1  # the sync's: where the image is is known
    assert judged[0].inspected_at is not None
    assert judged[0].base_evidence


@pytest.mark.parametrize(
    "evidence", [[], [NOT_READ], [REFUSED]], ids=["never", "before it was read", "as not readable"]
)
def test_an_image_that_a_sync_has_read_and_not_judged_since_is_judged_by_the_refresh(
    versions: tuple[str, str], functions: Functions, log: Lines, evidence: list[str]
) -> None:
    digest = functions.redeploy(OTHER, tag="2")
    scopes.read_scopes(scopes.wanted_scopes(), log, full=False)
    Image.objects.filter(digest=digest).update(base_evidence=evidence)
    refresh()
    assert Image.objects.get(digest=digest).base_evidence not in ([], [NOT_READ], [REFUSED])


def test_what_an_image_has_no_base_for_is_not_judged_again_by_each_refresh(
    versions: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions_app.services.sync.refresh.judge_images", lambda _: pytest.fail("judged"))
    assert not Image.objects.exclude(base_stream=None).exists()
    refresh()


def deployment(operator: Actor, version: str, before: str) -> Run:
    now = clock.now()
    return Run.objects.create(
        kind=Kind.DEPLOYMENT, status=Status.RUNNING, title="Deploy", actor=operator.person, actor_name="olga",
        plan={"alias": "prod", "before": {"version": before}}, memory={"version": version},
        created_at=now, started_at=now,
    )  # fmt: skip


def test_the_history_names_the_run_even_when_a_sync_saw_its_move_first(
    versions: tuple[str, str], functions: Functions, operator: Actor, log: Lines
) -> None:
    run = deployment(operator, versions[1], versions[0])
    functions.api.update_alias(FunctionName="app", Name="prod", FunctionVersion=versions[1])
    run_once(log)
    assert AliasMove.objects.latest("id").run is None
    refresh(run)
    moves = AliasMove.objects.order_by("id").values_list("version", "run")
    assert list(moves) == [(versions[0], None), (versions[1], run.pk)]


def test_what_others_moved_meanwhile_is_not_put_down_to_the_run(
    versions: tuple[str, str], functions: Functions, operator: Actor
) -> None:
    run = deployment(operator, "99", versions[0])
    functions.api.update_alias(FunctionName="app", Name="prod", FunctionVersion=versions[1])
    functions.api.create_alias(FunctionName="app", Name="next", FunctionVersion=versions[1])
    refresh(run)
    assert AliasMove.objects.filter(version=versions[1]).count() == 2
    assert not AliasMove.objects.filter(run=run).exists()
