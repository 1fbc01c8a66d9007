"""What a plan offers beside the patch: to build anew, the team's pipeline, other tools' lines, what else is behind."""

import dataclasses
import html
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.domain.runs import Kind, Status
from functions_app.models import AuditEntry, BaseRelease, Image, ImageScan, Plan, RebuildRequest, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.people.actor import Actor
from sandbox.images.making import Blob, make_image, make_layer
from sandbox.images.making import Image as Built
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.publishing import NOW
from tests.receiving import Pipeline, receiving
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, app, base, make_patch_stage
from tests.services.changes.stage import carry_out, log_of

pytestmark = pytest.mark.django_db(transaction=True)
RPM = {"var/lib/rpm/rpmdb.sqlite": b"a package database of its own"}

Staged = Callable[..., PatchStage]


@pytest.fixture
def browser(operator: User) -> Client:
    """An operator's browser."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def staged(functions: Functions, aws: Sandbox, operator: User, valkey: Valkey) -> Staged:
    """Makes the stage with this image."""
    return lambda image=None, **more: make_patch_stage(functions, aws, Actor(operator), image, **more)


@pytest.fixture
def pipeline(settings: Settings) -> Iterator[Pipeline]:
    """A team's pipeline that Drydock is to tell of rebuilds."""
    with receiving() as made:
        secret = "a secret of some length"
        settings.ENV = dataclasses.replace(settings.ENV, rebuild_webhook_url=made.url, rebuild_webhook_secret=secret)
        yield made


def page(browser: Client, stage: PatchStage) -> str:
    return html.unescape(browser.get(reverse("function-patch", args=[stage.function.pk])).content.decode())


def planned(browser: Client, stage: PatchStage) -> str:
    """The page with the plan, once its files are read; refused or not."""
    address = reverse("function-patch", args=[stage.function.pk])
    browser.post(address)
    for run in Run.objects.filter(kind=Kind.READ_FILES):
        assert carry_out(run).status == Status.SUCCEEDED, log_of(run)
    return html.unescape(browser.post(address, follow=True).content.decode())


def rebuild(browser: Client, stage: PatchStage, digest: str = "") -> Any:
    address = reverse("function-rebuild", args=[stage.function.pk])
    return browser.post(address, {"digest": digest or stage.digest()}, follow=True)


def test_an_unsafe_plan_offers_the_from_line_and_the_commands_to_copy(browser: Client, staged: Staged) -> None:
    stage = staged(app(base(1), RPM), Tags={"ManagedBy": "Terraform"})
    shown = planned(browser, stage)
    release = BaseRelease.objects.get(stream=stage.company.stream, current=True)
    assert "UNSAFE: " in shown
    assert f"FROM public.ecr.aws/{stage.company.repository}:" in shown
    assert f"@{release.manifest_digest}" in shown
    assert "docker build --pull --provenance=false --platform linux/amd64 -t " in shown
    assert "to build it anew" not in shown  # no pipeline is set
    assert "image_uri = " not in shown  # of an image that there will never be


def test_a_safe_plan_offers_no_rebuild(browser: Client, staged: Staged) -> None:
    shown = planned(browser, staged())
    assert "SAFE: " in shown
    assert "docker build" not in shown


def test_the_pipeline_is_told_once_signed_and_audited_and_its_answer_is_shown(
    browser: Client, staged: Staged, pipeline: Pipeline
) -> None:
    stage = staged(app(base(1), RPM))
    assert "Tell 127.0.0.1 to build it anew" in planned(browser, stage)
    shown = html.unescape(rebuild(browser, stage).content.decode())
    assert "it answered HTTP 202." in shown
    (message,) = pipeline.messages
    told = json.loads(message.body)
    assert told["function"] == stage.function.arn
    assert told["image"].endswith(f"/{stage.name}@{stage.digest()}")
    assert told["dockerfile_from"].startswith("FROM public.ecr.aws/")
    entry = AuditEntry.objects.get(action="patch.rebuild")
    assert entry.result == "taken: HTTP 202"
    assert rebuild(browser, stage).status_code == 400
    assert len(pipeline.messages) == 1


def test_a_pipeline_that_did_not_take_it_may_be_told_again_with_the_same_id(
    browser: Client, staged: Staged, pipeline: Pipeline
) -> None:
    stage = staged()
    pipeline.status = 500
    assert "did not take it: HTTP 500" in html.unescape(rebuild(browser, stage).content.decode())
    pipeline.status = 202
    assert "it answered HTTP 202." in html.unescape(rebuild(browser, stage).content.decode())
    first, second = (message.headers["X-Drydock-Id"] for message in pipeline.messages)
    assert first == second


def test_who_died_while_sending_keeps_nobody_from_sending_again(
    browser: Client, staged: Staged, pipeline: Pipeline
) -> None:
    stage = staged()
    rebuild(browser, stage)
    RebuildRequest.objects.update(state="sending", answer="")
    assert rebuild(browser, stage).status_code == 400
    RebuildRequest.objects.update(asked_at=clock.now() - timedelta(minutes=2))
    assert rebuild(browser, stage).status_code == 200
    assert len(pipeline.messages) == 2


def test_viewers_tell_no_pipeline(browser: Client, staged: Staged, viewer: User, pipeline: Pipeline) -> None:
    stage = staged()
    browser.force_login(viewer)
    assert rebuild(browser, stage).status_code == 403
    assert pipeline.messages == []


def test_without_a_pipeline_it_says_what_to_set(browser: Client, staged: Staged) -> None:
    answer = rebuild(browser, staged())
    assert answer.status_code == 422
    assert "DRYDOCK_REBUILD_WEBHOOK_URL" in answer.content.decode()


def test_the_plan_gives_the_line_for_the_tool_that_would_bring_the_old_image_back(
    browser: Client, staged: Staged
) -> None:
    stage = staged(Tags={"ManagedBy": "Terraform"})
    shown = planned(browser, stage)
    plan = Plan.objects.get(kind=Kind.PATCH)
    assert "terraform manages this function: its next apply brings the old image back" in shown
    assert shown.count("terraform manages this function") == 1
    assert f'image_uri = "{plan.body["image_uri"]}"' in shown


def test_the_findings_of_both_bases_are_shown_as_expected_where_both_were_scanned(
    browser: Client, staged: Staged
) -> None:
    stage = staged()
    shown = planned(browser, stage)
    assert "ECR has not scanned the two bases" in " ".join(shown.split())
    plan = Plan.objects.get(kind=Kind.PATCH)
    repository = factories.make_repository(stage.account, "golden")
    for end, severities in (("from", {"CRITICAL": 3, "LOW": 1}), ("to", {"LOW": 2})):
        digest = plan.body["base"][f"{end}_reference"].partition("@")[2]
        image = factories.make_image(repository)
        Image.objects.filter(pk=image.pk).update(digest=digest)
        ImageScan.objects.create(image=image, status="COMPLETE", severities=severities, read_at=NOW)
    shown = " ".join(html.unescape(browser.get(reverse("plan", args=[plan.pk])).content.decode()).split())
    assert "3 → 0" in shown
    assert "1 → 2" in shown
    assert "Of the result this is expected. What the result really has is known once ECR has scanned it" in shown


def test_the_verdict_on_a_function_without_alias_says_what_it_is_red_for(browser: Client, staged: Staged) -> None:
    stage = staged()
    stage.without_alias()
    shown = " ".join(planned(browser, stage).split())
    assert ">Patch app, which has no alias</h2>" in shown
    verdict = shown.partition('class="verdict')[2].partition("</div>")[0]
    assert "your one layer stays byte for byte. It has no alias: its calls run the new image at once." in verdict
    assert "No alias.</b> Its calls run the new image as soon as the code is updated, before any check." in shown


def test_a_check_that_was_made_of_each_alias_is_named_once(browser: Client, staged: Staged) -> None:
    stage = staged()
    stage.api.create_alias(FunctionName=stage.name, Name="canary", FunctionVersion="1")
    stage.sync_all()
    shown = " ".join(planned(browser, stage).split())
    named = shown.partition("checks passed:")[2].partition("</summary>")[0]
    assert named.count("Alias") == 1, named
    assert "canary points to version 1." in shown
    assert "staging points to version 1." in shown


def test_a_plan_names_the_other_images_that_are_behind_each_with_its_own_patch(browser: Client, staged: Staged) -> None:
    stage = staged()
    other = stage.functions.redeploy(app(base(2)), stage.name, "2")
    stage.functions.publish(stage.name)
    stage.functions.settled(stage.name, "2")
    stage.api.create_alias(FunctionName=stage.name, Name="live", FunctionVersion="2")
    stage.sync_all()
    judge_images()
    address = reverse("function-patch", args=[stage.function.pk])
    browser.post(address, {"digest": other})
    for run in Run.objects.filter(kind=Kind.READ_FILES):
        assert carry_out(run).status == Status.SUCCEEDED, log_of(run)
    shown = html.unescape(browser.post(address, {"digest": other}, follow=True).content.decode())
    assert "Also behind, each with its own patch:" in shown
    first = "sha256:" + stage.functions.read(stage.name, "1")["CodeSha256"]
    assert f'href="{address}?digest={first}"' in shown


def relabelled(**labels: str) -> Built:
    files = {"var/task/app.py": b"def handler(event, context): return 1"}
    return make_image([make_layer(files)], base=base(1), created=NOW, config={"Cmd": ["app.handler"], "Labels": labels})


def rewritten(image: Built, change: Callable[[dict[str, Any]], None]) -> Built:
    """The image with its manifest changed."""
    document = json.loads(image.manifest.data)
    change(document)
    return dataclasses.replace(image, manifest=Blob(image.manifest.media_type, json.dumps(document).encode()))


def test_an_owner_who_wants_no_rebase_is_quoted_before_anything_is_read(browser: Client, staged: Staged) -> None:
    shown = page(browser, staged(relabelled(**{"drydock.rebase": "false: payments builds it, ask Ada"})))
    assert "its label drydock.rebase says “false: payments builds it, ask Ada”." in shown
    assert "Ask the owner for a new build, or to take the label away." in shown
    assert "Plan the patch" not in shown


def test_a_foreign_layer_is_named_with_what_would_help(browser: Client, staged: Staged) -> None:
    """By its row: Lambda takes no such image any more, here as there, but runs what it has taken before."""
    stage = staged()
    row = Image.objects.get(digest=stage.digest())
    foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    Image.objects.filter(pk=row.pk).update(layers=[*row.layers[:-1], {**row.layers[-1], "media_type": foreign}])
    shown = page(browser, stage)
    assert "is kept elsewhere than in a registry (a foreign layer)." in shown
    assert "Build it anew, so that every layer of it is in a registry." in shown


def squashed(stage_base: str) -> Built:
    """One layer of base and app together, which still says what it was built on."""
    return make_image(
        [make_layer({"etc/release": b"release 1", "var/task/app.py": b"def handler(event, context): return 1"})],
        created=NOW,
        config={"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": ["app.handler"], "WorkingDir": "/var/task"},
        annotations={"org.opencontainers.image.base.name": stage_base},
    )


def live(stage: PatchStage, image: Built) -> None:
    """The alias runs this image now, and Drydock knows."""
    stage.functions.redeploy(image, stage.name, "2")
    stage.functions.publish(stage.name)
    stage.functions.settled(stage.name, "2")
    stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion="2")
    stage.sync_all()
    judge_images()


def test_a_squashed_image_says_that_no_layer_can_be_swapped(browser: Client, staged: Staged) -> None:
    stage = staged()
    live(stage, squashed(f"public.ecr.aws/{stage.company.repository}:1"))
    shown = page(browser, stage)
    assert "it was squashed or flattened, so no layer can be swapped." in shown
    assert "without --squash the next patch needs no build." in shown


def test_an_image_on_a_release_that_nobody_knows_says_so(browser: Client, staged: Staged) -> None:
    stage = staged()
    two_shared = make_image(
        [*base(1).layers[:1], make_layer({"etc/release": b"release 0"}), make_layer({"var/task/app.py": b"x = 1"})],
        created=NOW,
        config={"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": ["app.handler"], "WorkingDir": "/var/task"},
    )
    live(stage, two_shared)
    shown = page(browser, stage)
    assert "Nothing that is live stands on an older release" not in shown
    assert "not known" in shown
    assert "else build the image anew." in shown


def test_an_image_of_another_platform_than_its_base_has_no_release_to_stand_on(browser: Client, staged: Staged) -> None:
    stage = staged()
    document = {**app(base(1)).document, "architecture": "arm64"}
    config = Blob(app(base(1)).config.media_type, json.dumps(document).encode())
    image = rewritten(app(base(1)), lambda manifest: manifest.update(config=config.descriptor))
    stage.functions.push(dataclasses.replace(image, config=config), f"{stage.name}:arm")
    stage.sync_all()
    judge_images()
    row = Image.objects.get(digest=image.digest)
    stage.function.versions.filter(number="1").update(image=row)
    shown = page(browser, stage)
    assert "Which base it stands on is not known." in shown
    assert "arm64" in shown
