"""The steps that patch the golden images beneath a function's image, and keep what comes of each as a release."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions_app.domain.changes.patching.golden import GoldenPatch
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Done, Outcome
from functions_app.models import Image
from functions_app.services.bases.patched_releases import keep_patched
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.changes.careful_steps import SHORT, patient
from functions_app.services.changes.patching.rebase_steps import RebaseSteps, owner_of
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.images.registries import open_registry


def golden_steps(golden: Sequence[Mapping[str, Any]]) -> tuple[StepSpec, ...]:
    """The steps for the golden images of a plan, as it keeps them: five for each, the deepest image first."""
    return tuple(spec for at, one in enumerate(golden) for spec in _steps(at, str(one["name"])))


def _steps(at: int, name: str) -> tuple[StepSpec, ...]:
    def of(frozen: PatchPlan) -> GoldenPatch:
        return frozen.golden[at]

    return (
        *RebaseSteps(of, f"golden-{at}-", f": golden image {name}", lambda frozen: of(frozen).told).specs(),
        StepSpec(f"golden-{at}-keep", f"Take it for the newest release of {name}", patient(_keep(of)), limit=SHORT),
    )


def _keep(of: Callable[[PatchPlan], GoldenPatch]) -> Callable[[Context], Outcome]:
    def keep(context: Context) -> Outcome:
        """From here on what stands on it is as new as it is, and what stands on the release before is not."""
        frozen = PatchPlan.from_json(context.plan)
        golden = of(frozen)
        image = ImageRef.parse(golden.image_uri)
        with open_registry(image.registry, target=owner_of(frozen, image)) as registry:
            kept = keep_patched(registry, golden.release_id, image, golden.tag, context.now)
        judge_images(list(Image.objects.filter(base_stream__own=True).values_list("pk", flat=True)))
        return Done(kept)

    return keep
