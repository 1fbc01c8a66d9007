"""What the pushes of a patch would make a lifecycle rule take: the way back and all that is live must outlive them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.runs import Status
from functions_app.models import Image, Repository
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes.patching import plan as patching
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.publishing import NOW
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Between, error
from tests.services.changes.patching.patch_stage import PatchStage, base, make_patch_stage
from tests.services.changes.stage import carry_out, log_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey) -> PatchStage:
    return make_patch_stage(functions, aws, operator)


def keep(stage: PatchStage, number: int, status: str = "any", **more: Any) -> None:
    """A policy of one rule, 2, that keeps so many images."""
    selection = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": number, **more}
    policy = {"rules": [{"rulePriority": 2, "selection": selection, "action": {"type": "expire"}}]}
    stage.functions.ecr.put_lifecycle_policy(repositoryName=stage.name, lifecyclePolicyText=json.dumps(policy))


def lifecycle(stage: PatchStage) -> Check:
    """What a plan says of it."""
    if run := patching.reading_first(stage.function, "", stage.actor):
        assert carry_out(run).status == Status.SUCCEEDED, log_of(run)
    made = patching.plan(stage.function, stage.actor)
    (check,) = (check for check in made.checks if check.name == "Lifecycle")
    assert (made.stored is None) == (check.ok is False), made.checks
    return check


def previewed(stage: PatchStage) -> set[str]:
    """What ECR itself says now that the policy would take."""
    stage.functions.ecr.start_lifecycle_policy_preview(repositoryName=stage.name)
    preview = stage.functions.ecr.get_lifecycle_policy_preview(repositoryName=stage.name)
    return {each["imageDigest"] for each in preview["previewResults"]}


def test_a_plan_is_refused_where_a_rule_would_take_the_way_back(stage: PatchStage) -> None:
    keep(stage, 2)  # the app's image, the result, its statement
    check = lifecycle(stage)
    assert check.ok is False
    assert "Rule 2 will delete the image behind app staging (version 1)." in check.text
    assert "Let the rule keep two more images" in check.text
    assert f"It is {stage.digest()[7:19]}. {stage.digest()[7:19]} is what is patched, and the way back." in check.text
    assert "Without this patch too" not in check.text


def test_what_would_go_without_the_patch_too_is_told_so(stage: PatchStage) -> None:
    for number in range(3):
        stage.functions.push(f"def handler(event, context): return {number}", f"{stage.name}:more-{number}")
    stage.sync_all()
    keep(stage, 2)
    check = lifecycle(stage)
    assert check.ok is False
    assert check.text.startswith("Without this patch too: Rule 2 will delete the image behind app staging (version 1).")
    assert "Once the result" not in check.text


def test_uses_beyond_the_first_are_named_not_counted(stage: PatchStage) -> None:
    for number in range(4):
        stage.functions.configure(stage.name, Timeout=10 + number)
        version = stage.functions.publish(stage.name)
        stage.api.create_alias(FunctionName=stage.name, Name=f"more-{number}", FunctionVersion=version)
    stage.sync_all()
    keep(stage, 2)
    text = lifecycle(stage).text
    assert "So it is for app version 4, app version 5." in text, text
    assert text.count("is what is patched, and the way back.") == 1


def test_where_the_rule_has_room_for_both_pushes_the_plan_stands_and_ecr_takes_nothing(stage: PatchStage) -> None:
    keep(stage, 3)
    assert lifecycle(stage) == Check(
        "Lifecycle", True, "No lifecycle rule of app takes an image in use for these pushes."
    )
    run = stage.patch()
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert previewed(stage) == set()


def test_ecr_takes_the_way_back_where_the_plan_said_so(stage: PatchStage) -> None:
    """The other side: pushed all the same, the way back is what ECR's own preview names."""
    before = stage.digest()
    keep(stage, 3)
    assert stage.patch().status == Status.SUCCEEDED
    keep(stage, 2)
    assert previewed(stage) == {before}


def test_the_statement_counts_among_the_untagged_and_a_tag_that_no_rule_takes_keeps_what_is_live(
    stage: PatchStage,
) -> None:
    digest = stage.digest()
    stage.functions.push("def handler(event, context): return 1", f"{stage.name}:1")  # takes the app's tag
    stage.sync_all()
    keep(stage, 1, "untagged")
    check = lifecycle(stage)
    assert check.ok is False
    tag = f"drydock-keep-{digest[7:19]}"
    assert f"In ECR, give {digest[7:19]} the tag {tag}, which no rule takes" in check.text
    manifest = stage.functions.ecr.batch_get_image(repositoryName=stage.name, imageIds=[{"imageDigest": digest}])
    stage.functions.ecr.put_image(
        repositoryName=stage.name, imageManifest=manifest["images"][0]["imageManifest"], imageTag=tag
    )
    stage.sync_all()
    assert lifecycle(stage).ok is True


def test_a_rule_that_somebody_makes_stricter_after_the_plan_stops_the_run_before_anything_is_pushed(
    stage: PatchStage,
) -> None:
    run, before = stage.confirm(stage.plan_patch()), stage.tags()
    keep(stage, 2)
    carry_out(run)
    assert run.status == Status.FAILED, log_of(run)
    assert "Rule 2 will delete the image behind app staging (version 1)." in (run.problem or {})["message"]
    assert stage.tags() == before


def test_a_repository_without_a_policy_loses_nothing(stage: PatchStage) -> None:
    assert lifecycle(stage) == Check("Lifecycle", True, "app has no lifecycle policy: nothing goes for these pushes.")


def test_a_policy_that_can_not_be_read_is_minded_and_says_so(stage: PatchStage, between: Between) -> None:
    denied = error(400, "AccessDeniedException", "not authorized to perform: ecr:GetLifecyclePolicy")
    between.rules["ecr.GetLifecyclePolicy"] = lambda _: denied
    check = lifecycle(stage)
    assert check.ok is None
    assert "is not known: its policy could not be read." in check.text


def test_images_that_were_not_all_read_are_minded(stage: PatchStage) -> None:
    keep(stage, 9)
    Repository.objects.update(images_synced_at=None)
    check = lifecycle(stage)
    assert check.ok is None
    assert "its images were not all read" in check.text


def test_what_only_an_older_version_runs_is_minded_and_does_not_forbid(stage: PatchStage) -> None:
    first = Image.objects.get(digest=stage.digest())
    assert stage.patch().status == Status.SUCCEEDED  # version 1 is a way back now
    stage.company.publish(base(4), "4")
    stage.company.poll(NOW + timedelta(hours=4))
    stage.sync_all()
    judge_images()
    keep(stage, 4)
    assert first.digest != stage.digest()
    check = lifecycle(stage)
    assert check.ok is None, check
    assert "Rule 2 will delete the image of version 1, which app staging could go back to." in check.text
