"""The run of a patch: rebase, push, prove, then what every deployment does. Each step reads before it writes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from functions_app.aws import lambdas
from functions_app.aws.session import Target
from functions_app.domain.changes import checks
from functions_app.domain.changes.alias_moves import AliasMove
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.checks import changed_message
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.patches import PatchPlan
from functions_app.domain.changes.planned_ways_back import Held
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.refs import ImageRef
from functions_app.domain.runs import Done, Outcome, Skipped, Wait
from functions_app.registry.pushing import Progress
from functions_app.services.changes import alias_steps, code_steps, image_choices, smoke
from functions_app.services.changes.alias_steps import Goal
from functions_app.services.changes.careful_steps import LONG, PASSING, SHORT, patient, refresh
from functions_app.services.changes.function_places import target_of
from functions_app.services.changes.patching import latest_kept, survival, without_alias
from functions_app.services.changes.patching.code_back import UPDATE
from functions_app.services.changes.patching.targets import is_withdrawn
from functions_app.services.engine.steps import Cancelled, Context, StepSpec
from functions_app.services.images import rebases
from functions_app.services.images.rebases import Images

PUSHING = timedelta(hours=1)  # gigabytes of a base that no registry mounts
ATTESTING = 2  # tries, in each of which a registry that does not answer is asked several times

CODE = (
    UPDATE,
    StepSpec("wait", "Wait for Lambda to take the image", patient(code_steps.wait_for_update), limit=LONG),
    StepSpec("publish", "Publish a version", patient(code_steps.publish), limit=LONG),
)


def steps(plan: dict[str, Any]) -> Sequence[StepSpec]:
    """The steps of a run with this plan: one more pair for each alias."""
    count = len(plan["aliases"])
    begin = (
        StepSpec("check", "Check again", patient(_check_again), limit=SHORT),
        StepSpec("rebase", "Rebase", patient(_rebase), limit=SHORT),
        StepSpec("push", "Push the result", patient(_push), limit=PUSHING),
        StepSpec("prove", "See that ECR has it", patient(_prove), limit=SHORT),
        StepSpec("attest", "Push a statement of what was done", patient(_attest), limit=LONG),
    )
    end = (StepSpec("refresh", "Refresh the snapshot", refresh),)
    if not count:
        shift = without_alias.steps(smoked=bool(plan.get("smoke")))
        return (*begin, *(_while_it_stands(spec) if spec is UPDATE else spec for spec in shift), *end)
    keeps = bool(plan.get("kept"))
    code = (
        *(_while_it_stands(spec) if spec.name == "update" else spec for spec in (latest_kept.LEND if keeps else CODE)),
        *((smoke.STEP,) if plan.get("smoke") else ()),
    )
    names = [one["alias"] for one in plan["aliases"]]
    point = (
        _while_it_stands(alias_steps.pointing(_goal(at), f"alias-{at}", f"Point {name}"))
        for at, name in enumerate(names)
    )
    look = (
        alias_steps.reading_back(_goal(at), f"verify-{at}", f"Read {name} back", settles=at == count - 1 and not keeps)
        for at, name in enumerate(names)
    )
    return (*begin, *code, *point, *look, *((latest_kept.GIVE_BACK,) if keeps else ()), *end)


def _while_it_stands(spec: StepSpec) -> StepSpec:
    """The step, refused where the base release was withdrawn meanwhile: what was begun is then taken back."""

    def action(context: Context) -> Outcome:
        _refuse_withdrawn(PatchPlan.from_json(context.plan))
        return spec.action(context)

    return replace(spec, action=action)


def _goal(at: int) -> Goal:
    def goal(context: Context) -> tuple[AliasMove, AliasState]:
        frozen = PatchPlan.from_json(context.plan)
        return frozen.moves[at], frozen.aliases[at].after(context.shared["version"])

    return goal


def _check_again(context: Context) -> Outcome:
    frozen = PatchPlan.from_json(context.plan)

    def look() -> None:
        detail = lambdas.get_function(target_of(frozen.place), frozen.place.name)
        if detail.fact.latest.revision_id != frozen.function_revision:
            same = detail.fact.latest.digest == frozen.from_digest
            now = "its configuration" if same else f"$LATEST runs {short(detail.fact.latest.digest)} now"
            raise changed_message(f"the function {frozen.place.name}", now)
        for move in frozen.moves:
            alias_steps.check_alias(move)
        _refuse_withdrawn(frozen)
        checks.refuse_blocked((*checks.state_checks(detail, uploads=True), *survival.checks_again(frozen)))

    aliases = [one.alias for one in frozen.aliases]
    return alias_steps.check_once(context, aliases, look, "nothing was changed since the plan")


def _refuse_withdrawn(frozen: PatchPlan) -> None:
    if is_withdrawn(frozen.base):
        raise DrydockError(
            Code.CHANGED,
            f"{frozen.base.stream} {frozen.base.to_label} was withdrawn after this plan was made.",
            next_step="Poll the base image, then plan again.",
        )


def _rebase(context: Context) -> Outcome:
    """The same inputs give the same digest: another one means that something is not as it was planned."""
    images = _put_together(PatchPlan.from_json(context.plan))
    result = images.result
    for note in result.notes:
        context.log.info(note.text)
    return Done(f"{result.kept_layers} own layers upon {result.base_layers} of the base: {short(result.digest)}")


def _put_together(frozen: PatchPlan) -> Images:
    app = ImageRef.parse(frozen.app_image)
    images = rebases.put_together(app, frozen.app_tag, frozen.base, _owner(frozen))
    if images.result.digest != frozen.to_digest:
        raise changed_message(
            "what the rebase is made of", f"it gives {short(images.result.digest)} instead of {short(frozen.to_digest)}"
        )
    return images.tagged(frozen.tag)


def _owner(frozen: PatchPlan) -> Target:
    """Whose login the repository is asked with."""
    return image_choices.registry_target(ImageRef.parse(frozen.app_image).registry, target_of(frozen.place))[0]


def _push(context: Context) -> Outcome:
    """Push it. One that was pushed before a crash is found again by its digest."""
    frozen = PatchPlan.from_json(context.plan)
    _refuse_withdrawn(frozen)
    into = ImageRef.parse(frozen.image_uri)
    images = _put_together(frozen)

    def watch() -> None:
        if context.cancel_requested():
            raise Cancelled("what was sent belongs to no image, and ECR clears it away")

    def tell(progress: Progress) -> None:
        context.progress(progress.layers, progress.of_layers, "layers")

    pushed = rebases.push_result(images, into, _owner(frozen), watch=watch, progress=tell)
    context.result["pushed"] = {"image": f"{frozen.repository}:{frozen.tag}", "digest": pushed.digest}
    told = f"{pushed.mounted} mounted, {pushed.existing} there before, {pushed.copied} sent"
    context.log.info(f"{frozen.tag}: layers: {told} ({pushed.copied_bytes:,} bytes); {pushed.requests} requests")
    return Done(f"{frozen.tag}: layers {told}")


def _prove(context: Context) -> Outcome:
    """Nothing half is deployed: ECR has to give the image by its digest, so that Lambda can pull it."""
    frozen = PatchPlan.from_json(context.plan)
    image = image_choices.image_now(frozen.image_uri, target_of(frozen.place))
    if image.held is Held.THERE:
        return Done(f"ECR has {short(frozen.to_digest)}")
    context.memory["looks"] = context.memory.get("looks", 0) + 1
    if context.memory["looks"] < alias_steps.LOOKS:
        return Wait(1, f"ECR does not give it yet. {image.why}".strip())
    raise DrydockError(
        Code.FAILED,
        f"{frozen.tag} was pushed, and ECR does not give it. {image.why}".strip(),
        next_step="Look at the image in ECR: a lifecycle rule may have taken it away at once.",
    )


def _attest(context: Context) -> Outcome:
    """The statement travels with the image. That a registry takes none undoes nothing: it is told."""
    frozen = PatchPlan.from_json(context.plan)
    try:
        digest = rebases.attest(
            _put_together(frozen), frozen.base, frozen.verdict, ImageRef.parse(frozen.image_uri), _owner(frozen)
        )
    except DrydockError as error:
        context.memory["tries"] = context.memory.get("tries", 0) + 1
        if error.problem.code in PASSING and context.memory["tries"] < ATTESTING:
            raise
        context.log.warning(f"The statement could not be pushed. {error}")
        return Skipped(f"the registry did not take it: {error.problem.code.heading}")
    return Done(f"an in-toto statement, {short(digest)}")
