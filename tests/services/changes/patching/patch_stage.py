"""Functions on an older release of their base, known to Drydock with all layers read; and patches, carried out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from functions_app.domain.runs import Status
from functions_app.models import Image, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.people.actor import Actor
from sandbox.images.making import Image as Built
from sandbox.images.making import make_image, make_layer
from tests.fixtures import Sandbox
from tests.publishing import NOW
from tests.sandbox.functions import Functions
from tests.services.bases.base_stage import Company
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage

READS_ITS_BASE = """
import os, pathlib
def handler(event, context):
    root = pathlib.Path(os.environ["LAMBDA_TASK_ROOT"]).parents[1]
    return (root / "etc/release").read_text() + " by app"
"""
SITE_PACKAGES = "var/lang/lib/python3.12/site-packages"
OS_RELEASE = b'ID="amzn"\nVERSION_ID="2023"\n'


def base(number: int, **files: bytes) -> Built:
    """A base whose releases share a layer; each tells its number in /etc/release, and has a boto3 of its own."""
    shared = make_layer({"etc/os-release": OS_RELEASE, "lambda-entrypoint.sh": b"#!/bin/sh\n"})
    release = {"etc/release": f"release {number}".encode(), **boto3(SITE_PACKAGES, f"1.42.{number}")}
    own = make_layer({**release, **files})
    settings = {"Entrypoint": ["/lambda-entrypoint.sh"], "WorkingDir": "/var/task", "Env": [f"BASE={number}", "LANG=C"]}
    return make_image([shared, own], created=NOW - timedelta(days=100 - 10 * number), config=settings)


def boto3(folder: str, version: str) -> dict[str, bytes]:
    """What `pip install boto3` leaves in a folder."""
    about = f"Metadata-Version: 2.1\nName: boto3\nVersion: {version}\n"
    return {
        f"{folder}/boto3/__init__.py": f"__version__ = '{version}'\n".encode(),
        f"{folder}/boto3-{version}.dist-info/METADATA": about.encode(),
    }


def app(on: Built, files: dict[str, bytes] | None = None) -> Built:
    """An app on it whose handler answers with what the base has in /etc/release."""
    layer = make_layer({"var/task/app.py": READS_ITS_BASE.encode(), **(files or {})})
    return make_image([layer], base=on, created=NOW - timedelta(days=60), config={"Cmd": ["app.handler"]})


@dataclass
class PatchStage(Stage):
    """The function `app` on release 1 of a company's base, whose stream points to release 3."""

    company: Company = field(kw_only=True)

    def plan_patch(self, digest: str = "") -> Any:
        """Read what is to be read, plan a patch that must be possible."""
        if run := patching.reading_first(self.function, digest, self.actor):
            read = carry_out(run)
            assert read.status == Status.SUCCEEDED, log_of(read)
        made = patching.plan(self.function, self.actor, digest)
        assert made.stored is not None, [check for check in made.checks if not check.ok]
        return made.stored

    def patch(self, typed: str = "") -> Run:
        """Plan, confirm, carry out."""
        return carry_out(self.confirm(self.plan_patch(), typed))

    def undo(self, run: Run) -> Run:
        """Plan the undo of a patch, confirm, carry out."""
        stored = self.plan_undo(run)
        return carry_out(self.confirm(stored, stored.confirmation))

    def plan_undo(self, run: Run) -> Any:
        """Plan the undo of a patch, which must be possible."""
        made = undoing.plan(run, self.actor)
        assert made.stored is not None, made.checks
        return made.stored

    def without_alias(self) -> None:
        """Take the alias away: the callers of the function name none."""
        self.api.delete_alias(FunctionName=self.name, Name=self.alias)
        self.sync()

    def publish_next(self, number: int = 4) -> None:
        """The company publishes another release, and Drydock has seen it."""
        self.company.publish(base(number), str(number))
        self.company.poll(NOW + timedelta(hours=number))
        judge_images()

    def withdraw(self) -> None:
        """The company takes its newest release back: the tag gives the one before."""
        self.company.publish(base(2))
        self.company.poll(NOW + timedelta(hours=9))

    def tags(self) -> dict[str, str]:
        """What the tags of the function's repository name."""
        images = self.functions.ecr.describe_images(repositoryName=self.name)["imageDetails"]
        return {tag: each["imageDigest"] for each in images for tag in each.get("imageTags", ())}

    def answer(self, qualifier: str = "") -> Any:
        """What the function answers there."""
        more = {"Qualifier": qualifier} if qualifier else {}
        return self.functions.invoke(self.name, **more).payload


def make_patch_stage(
    functions: Functions, aws: Sandbox, actor: Actor, built: Built | None = None, **settings: Any
) -> PatchStage:
    """Publish three releases, build the app on the first, deploy it under the alias, let Drydock read all of it.

    `releases`: what gives them by their number; all other `settings` are the function's.
    """
    return make_patch_stages(functions, aws, actor, ("app",), built, **settings)[0]


def make_patch_stages(
    functions: Functions,
    aws: Sandbox,
    actor: Actor,
    names: Sequence[str],
    built: Built | None = None,
    releases: Callable[[int], Built] = base,
    **settings: Any,
) -> list[PatchStage]:
    """The same for several functions of these names, all of the same image."""
    company = Company(aws)
    for number in (1, 2, 3):
        company.publish(releases(number), str(number))
        company.poll(NOW + timedelta(hours=number))
    made = [make_stage(functions, actor, name, image=built or app(releases(1)), **settings) for name in names]
    stages = [
        PatchStage(each.functions, each.account, each.function, each.actor, each.alias, company=company)
        for each in made
    ]
    stages[0].sync_all()
    judge_images()
    for stage in stages:
        stage.function.refresh_from_db()
        assert Image.objects.get(repository__name=stage.name, digest=stage.function.digest).base_release is not None
    return stages
