"""The steps that rebase an image: put it together, push it, see that ECR has it, push what was done to it beside it.

The function's image goes through them, and the golden images beneath it before. Each step reads before it writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from functions_app.aws import ecr_signing
from functions_app.aws.session import Target
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.patching.base_moves import BaseMove, RebasePlan
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.planned_ways_back import Held
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Done, Outcome, Skipped, Wait
from functions_app.registry.pushing import Progress
from functions_app.services.changes import alias_steps, image_choices
from functions_app.services.changes.careful_steps import LONG, PASSING, SHORT, patient, tell
from functions_app.services.changes.function_places import target_of
from functions_app.services.changes.patching.base_releases import is_withdrawn
from functions_app.services.engine.steps import Cancelled, Context, StepSpec
from functions_app.services.images import rebases
from functions_app.services.images.rebases import Images

PUSHING = timedelta(hours=1)  # gigabytes of a base that no registry mounts
SIGNING = 60  # looks, two seconds apart
ATTESTING = 2  # tries, in each of which a registry that does not answer is asked several times


def refuse_withdrawn(frozen: PatchPlan) -> None:
    """Raise CHANGED where a release that is gone to was taken back after the plan was made."""
    for base in (frozen.base, *(one.base for one in frozen.golden)):
        if is_withdrawn(base):
            raise _withdrawn(base)


def _withdrawn(base: BaseMove) -> DrydockError:
    return DrydockError(
        Code.CHANGED,
        f"{base.stream} {base.to_label} was withdrawn after this plan was made.",
        next_step="Poll the base image, then plan again.",
    )


@dataclass(frozen=True)
class RebaseSteps:
    """The steps of one of a plan's rebases: `of` gives it, `prefix` begins their names, `whose` ends their titles.

    `told`: what the page of the run says once it is pushed, None for what deploying it says.
    """

    of: Callable[[PatchPlan], RebasePlan]
    prefix: str = ""
    whose: str = ""
    told: Callable[[PatchPlan], str] | None = None

    def specs(self) -> tuple[StepSpec, ...]:
        """In their order."""
        return (
            self._spec("rebase", f"Rebase{self.whose}", patient(self._rebase)),
            self._spec("push", f"Push the result{self.whose}", patient(self._push), PUSHING),
            self._spec("prove", f"See that ECR has it{self.whose}", patient(self._prove)),
            self._spec("attest", f"Push a statement of what was done{self.whose}", patient(self._attest), LONG),
        )

    def _spec(self, name: str, title: str, action: Callable[[Context], Outcome], limit: timedelta = SHORT) -> StepSpec:
        return StepSpec(f"{self.prefix}{name}", title, action, limit=limit)

    def _rebase(self, context: Context) -> Outcome:
        """The same inputs give the same digest: another one means that something is not as it was planned."""
        images = self._put_together(PatchPlan.from_json(context.plan))
        result = images.result
        for note in result.notes:
            context.log.info(note.text)
        return Done(f"{result.kept_layers} own layers upon {result.base_layers} of the base: {short(result.digest)}")

    def _put_together(self, frozen: PatchPlan) -> Images:
        rebase = self.of(frozen)
        app = ImageRef.parse(rebase.app_image)
        images = rebases.put_together(app, rebase.app_tag, rebase.base, owner_of(frozen, app))
        if images.result.digest != rebase.to_digest:
            raise changed_message(
                "what the rebase is made of",
                f"it gives {short(images.result.digest)} instead of {short(rebase.to_digest)}",
            )
        return images.tagged(rebase.tag)

    def _push(self, context: Context) -> Outcome:
        """Push it. One that was pushed before, by whomever, is found again by its digest."""
        frozen = PatchPlan.from_json(context.plan)
        refuse_withdrawn(frozen)
        rebase = self.of(frozen)
        into = ImageRef.parse(rebase.image_uri)
        images = self._put_together(frozen)

        def watch() -> None:
            if context.cancel_requested():
                raise Cancelled("what was sent belongs to no image, and ECR clears it away")

        def show(progress: Progress) -> None:
            context.progress(progress.layers, progress.of_layers, "layers")

        pushed = rebases.push_result(images, into, owner_of(frozen, into), watch=watch, progress=show)
        context.result[f"{self.prefix}pushed"] = {"image": f"{into.name}:{rebase.tag}", "digest": pushed.digest}
        if self.told:
            tell(context, self.told(frozen))
        told = f"{pushed.mounted} mounted, {pushed.existing} there before, {pushed.copied} sent"
        context.log.info(f"{rebase.tag}: layers: {told} ({pushed.copied_bytes:,} bytes); {pushed.requests} requests")
        return Done(f"{rebase.tag}: layers {told}")

    def _prove(self, context: Context) -> Outcome:
        """Nothing half is deployed: ECR has to give the image by its digest, so that Lambda can pull it."""
        frozen = PatchPlan.from_json(context.plan)
        rebase = self.of(frozen)
        image = image_choices.image_now(rebase.image_uri, target_of(frozen.place))
        if image.held is Held.THERE:
            return _signed(context, ImageRef.parse(rebase.image_uri), target_of(frozen.place))
        context.memory["looks"] = context.memory.get("looks", 0) + 1
        if context.memory["looks"] < alias_steps.LOOKS:
            return Wait(1, f"ECR does not give it yet. {image.why}".strip())
        raise DrydockError(
            Code.FAILED,
            f"{rebase.tag} was pushed, and ECR does not give it. {image.why}".strip(),
            next_step="Look at the image in ECR: a lifecycle rule may have taken it away at once.",
        )

    def _attest(self, context: Context) -> Outcome:
        """The statement travels with the image. That a registry takes none undoes nothing: it is told."""
        frozen = PatchPlan.from_json(context.plan)
        rebase = self.of(frozen)
        into = ImageRef.parse(rebase.image_uri)
        try:
            images = self._put_together(frozen)
            digest = rebases.attest(images, rebase.base, rebase.verdict, into, owner_of(frozen, into))
        except DrydockError as error:
            context.memory["tries"] = context.memory.get("tries", 0) + 1
            if error.problem.code in PASSING and context.memory["tries"] < ATTESTING:
                raise
            context.log.warning(f"The statement could not be pushed. {error}")
            return Skipped(f"the registry did not take it: {error.problem.code.heading}")
        return Done(f"an in-toto statement, {short(digest)}")


def _signed(context: Context, image: ImageRef, own: Target) -> Outcome:
    """Nothing is deployed before ECR has signed it, where it signs images by itself. That nobody may ask stops nothing.

    Raises FAILED where it can't be signed: whoever has signing on wants no image without it.
    """
    there, (target, registry_id) = f"ECR has {short(image.digest)}", image_choices.registry_target(image.registry, own)
    try:
        found = ecr_signing.signings(target, image.repository, image.digest, registry_id)
    except DrydockError as error:
        if error.problem.code in PASSING:
            raise
        context.log.info(f"Whether ECR signs it could not be asked. {error}")
        return Done(there)
    failed = [each for each in found if each.status == ecr_signing.FAILED]
    if failed:
        raise DrydockError(
            Code.FAILED,
            f"ECR could not sign {short(image.digest)} with {failed[0].profile}. {failed[0].reason}".strip(),
            next_step="Look at the registry's signing configuration and at that profile, then plan again.",
        )
    if all(each.status == ecr_signing.COMPLETE for each in found):
        return Done(f"{there}, and has signed it" if found else there)
    context.memory["signing"] = context.memory.get("signing", 0) + 1
    if context.memory["signing"] < SIGNING:
        return Wait(2, "ECR signs it")
    context.log.warning("ECR has not signed it within two minutes; it goes on signing, and so does this run.")
    return Done(f"{there}; it is not signed yet")


def owner_of(frozen: PatchPlan, image: ImageRef) -> Target:
    """Whose login the repository is asked with."""
    return image_choices.registry_target(image.registry, target_of(frozen.place))[0]
