"""Frozen plans of patches in a line each; say only what the test is about."""

from datetime import UTC, datetime
from typing import Any

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.judgements import Judgement, Level
from functions_app.domain.changes.patching.base_moves import BaseMove
from functions_app.domain.changes.patching.golden import GoldenPatch
from functions_app.domain.changes.patching.patched_aliases import Patched
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.fleet.functions import FunctionPlace
from functions_app.domain.rebase.safety.findings import Verdict
from functions_app.models import Function
from functions_app.services.changes.function_places import place_of
from tests.factories import digest

BASE = BaseMove(
    stream="python:3.12",
    stream_id=1,
    platform="linux/amd64",
    from_release_id=1,
    from_label="3.12.2026.09.01.10",
    from_reference=f"public.ecr.aws/lambda/python@{digest('old')}",
    to_release_id=2,
    to_label="3.12.2026.11.01.10",
    to_reference=f"public.ecr.aws/lambda/python@{digest('new')}",
    to_name="public.ecr.aws/lambda/python:3.12.2026.11.01.10",
    index_digest=digest("index"),
    released=datetime(2026, 11, 1, 10, tzinfo=UTC),
    releases=2,
)


def make_golden_patch(**values: Any) -> GoldenPatch:
    """A SAFE patch of the golden image `platform/golden:stable`, which stands on the base above."""
    repository = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/platform/golden"
    plain: dict[str, Any] = {
        "name": "platform/golden:stable",
        "stream_id": 2,
        "release_id": 3,
        "label": "stable-1.0.0",
        "moving": f"{repository}:stable",
        "app_image": f"{repository}@{digest('golden')}",
        "app_tag": "stable-1.0.0",
        "image_uri": f"{repository}@{digest('patched golden')}",
        "to_digest": digest("patched golden"),
        "tag": "stable-1.0.0-base-20261101-89abcdef",
        "base": BASE,
        "kept_layers": 1,
        "base_layers": 6,
        "verdict": Verdict(),
        "notes": (),
        "packages": (),
        "more_packages": 0,
        "there": False,
    }
    return GoldenPatch(**{**plain, **values})


def make_patch_plan(function: Function | None = None, **values: Any) -> PatchPlan:
    """A SAFE patch of alias `live` from version 7, of this function or of one that nobody has."""
    place = (
        place_of(function) if function else FunctionPlace("arn:aws:lambda:eu-west-1:1:function:app", "app", "1", "eu")
    )
    repository = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/app"
    plain: dict[str, Any] = {
        "place": place,
        "app_image": f"{repository}@{digest('app')}",
        "app_tag": "1.4.2",
        "image_uri": f"{repository}@{digest('patched')}",
        "to_digest": digest("patched"),
        "tag": "1.4.2-base-20261101-0123abcd",
        "from_digest": digest("app"),
        "function_revision": "a revision",
        "base": BASE,
        "aliases": (Patched("live", AliasState("7", revision_id="r"), digest("app"), production=True),),
        "kept_layers": 3,
        "base_layers": 6,
        "verdict": Verdict(),
        "notes": (),
        "packages": (),
        "more_packages": 0,
        "checks": (),
        "judgement": Judgement("SAFE", Level.FINE),
        "managed_by": "",
        "owner": "",
    }
    return PatchPlan(**{**plain, **values})
