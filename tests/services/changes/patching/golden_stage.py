"""Functions on a company's golden image in ECR, which stands on an older release of the company's base itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from functions_app.models import BaseRelease, BaseStream, Image
from functions_app.services.bases import polls
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.people.actor import Actor
from sandbox.images.making import Image as Built
from sandbox.images.making import make_image, make_layer
from tests.fixtures import Sandbox
from tests.publishing import NOW
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, app, base, make_patch_stages
from tests.services.sync.sync_stage import Lines

GOLDEN = "platform/golden"


def golden(number: int, on: Built | None = None, files: dict[str, bytes] | None = None) -> Built:
    """A release of the golden image on release 1 of the base; each tells its number in /opt/golden."""
    layer = make_layer({"opt/golden": f"golden {number}".encode(), **(files or {})})
    return make_image([layer], base=on or base(1), created=NOW - timedelta(days=70 - number))


@dataclass
class GoldenStage(PatchStage):
    """A function on the golden image, whose stream is `stream`: the tag `stable` of a repository."""

    stream: BaseStream = field(kw_only=True)
    repository: str = GOLDEN

    def push_golden(self, built: Built, *tags: str, now: datetime) -> str:
        """Its owner pushes a release, which takes the moving tag; Drydock sees it."""
        digest = push_golden(self.functions, self.repository, built, *tags)
        poll(self.stream, now)
        self.sync_all()
        judge_images()
        self.function.refresh_from_db()
        return digest

    def golden_tags(self) -> dict[str, str]:
        """What the tags of the golden image's repository name."""
        images = self.functions.ecr.describe_images(repositoryName=self.repository)["imageDetails"]
        return {tag: each["imageDigest"] for each in images for tag in each.get("imageTags", ())}

    def current(self) -> list[BaseRelease]:
        """The current releases of the golden image."""
        return list(self.stream.releases.filter(current=True))

    def freshness(self) -> str:
        """How the image stands that the alias runs, in the snapshot, on the day of the polls."""
        self.sync_all()
        judge_images(now=NOW)
        return Image.objects.get(digest=self.digest(self.alias), repository__name=self.name).freshness

    def layers(self, digest: str) -> list[str]:
        """The diff ids of an image of the function's or the golden image's repository."""
        return list(Image.objects.filter(digest=digest).values_list("diff_ids", flat=True)[0])


def push_golden(functions: Functions, repository: str, built: Built, *tags: str, account: str = "") -> str:
    """Push under the moving tag and these."""
    for tag in (*tags, "stable"):
        functions.push(built, f"{repository}:{tag}", account=account or functions.account)
    return built.digest


def poll(stream: BaseStream, now: datetime) -> None:
    """Read the stream."""
    polls.poll(now, Lines(), [stream.pk])
    stream.refresh_from_db()


def watch(functions: Functions, repository: str, built: Built, *tags: str, account: str = "") -> BaseStream:
    """Push a golden image and watch its moving tag."""
    push_golden(functions, repository, built, *tags, account=account)
    reference = functions.uri(f"{repository}:stable", account=account or None)
    stream = BaseStream.objects.create(name=f"{repository}:stable", reference=reference, own=True)
    poll(stream, NOW)
    return stream


def make_golden_stage(
    functions: Functions, aws: Sandbox, actor: Actor, on: Built | None = None, built: Built | None = None, **more: str
) -> GoldenStage:
    """The function `app` on release 1 of the golden image (`on`), which stands on release 1 of three of the base."""
    return make_golden_stages(functions, aws, actor, ("app",), on, built, **more)[0]


def make_golden_stages(
    functions: Functions,
    aws: Sandbox,
    actor: Actor,
    names: Sequence[str],
    on: Built | None = None,
    built: Built | None = None,
    *,
    account: str = "",
    repository: str = GOLDEN,
) -> list[GoldenStage]:
    """The same for several functions of these names, all of one image; `account`: another, which has the golden one."""
    below = on or golden(1)
    stages = make_patch_stages(functions, aws, actor, names, built or app(below))
    stream = watch(functions, repository, below, "stable-1.0.0", account=account)
    stages[0].sync_all()
    judge_images()
    for stage in stages:
        stage.function.refresh_from_db()
    return [
        GoldenStage(
            each.functions,
            each.account,
            each.function,
            each.actor,
            each.alias,
            company=each.company,
            stream=stream,
            repository=repository,
        )
        for each in stages
    ]
