"""What the chat changes: planned as everywhere, applied at once where nothing is to be confirmed, in two turns else."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from functions_app.domain.changes.invocations import Mode
from functions_app.domain.chat.words import some
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import LATEST
from functions_app.models import Run
from functions_app.services.changes import deploy as deployments
from functions_app.services.changes import invoke as invocations
from functions_app.services.changes import roll_back as rollbacks
from functions_app.services.changes.patching import plan as patching
from functions_app.services.changes.patching import undo as undoing
from functions_app.services.changes.patching.targets import targets as patch_targets
from functions_app.services.chat import two_turns
from functions_app.services.chat.replies import Reply, of_run
from functions_app.services.chat.speakers import Speaker
from functions_app.services.engine import plan_ends, plans
from functions_app.services.engine.plans import Planned
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.fleet.addressing import Named
from functions_app.services.inventory.runs.run_state import reached_run
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.rollback_targets import targets as rollback_targets


def deploy(speaker: Speaker, name: str, image: str, alias: str, plan_id: UUID) -> Reply:
    """Deploy an image, and point the alias to it."""
    named = _named(name, alias, speaker.actor)
    if not named.qualifier:
        return _which_alias(named)
    return _planned(
        speaker, plan_id, lambda key: deployments.plan(named.function, image, named.qualifier, speaker.actor, key)
    )


def patch(speaker: Speaker, name: str, alias: str, plan_id: UUID) -> Reply:
    """Put a function onto the newest release of its base. Where files are to be read first, the run that reads them."""
    named = _named(name, alias, speaker.actor)
    function, digest = named.function, addressing.digest_of(named)
    behind = [one for one in patch_targets(function) if one.base is not None]
    if not digest and len(behind) > 1:
        choices = [one.aliases[0] for one in behind if one.aliases]
        return Reply(f"Several images of {function.name} are behind: name an alias.", _page(named), choices=choices)
    if reading := patching.reading_first(function, digest, speaker.actor):
        told = f"Run {reading.pk} reads files that the verdict needs first: say it again once that has ended."
        return Reply(told, ("run", reading.pk), run=reading, started=True, preparing=True)
    return _planned(speaker, plan_id, lambda key: patching.plan(function, speaker.actor, digest, plan_id=key))


def roll_back(speaker: Speaker, name: str, alias: str, version: str, plan_id: UUID) -> Reply:
    """Point an alias to another version; without one: which there are."""
    named = _named(name, alias, speaker.actor)
    function, qualifier = named.function, named.qualifier
    if not qualifier:
        return _which_alias(named)
    if not version:
        return _which_version(named)
    return _planned(speaker, plan_id, lambda key: rollbacks.plan(function, qualifier, version, speaker.actor, key))


def undo(speaker: Speaker, what: str, plan_id: UUID) -> Reply:
    """Take a patch back: that of a run, or a function's last one that stands."""
    run = _patch(what, speaker.actor)
    if before := undoing.under_way(run):
        return of_run(before)
    return _planned(speaker, plan_id, lambda key: undoing.plan(run, speaker.actor, key))


def invoke(speaker: Speaker, name: str, payload: str, plan_id: UUID) -> Reply:
    """Call a function once; its answer and its log are the run's."""
    named = addressing.find(name, speaker.actor)
    qualifier = named.qualifier or LATEST
    run = plan_ends.became(plan_id) or invocations.submit(
        named.function, qualifier, payload, Mode.SYNC, speaker.actor, plan_id=plan_id
    )
    return of_run(run)


def _planned(speaker: Speaker, plan_id: UUID, make: Callable[[UUID], Planned[Any]]) -> Reply:
    """Plan; and apply, where nothing is to be confirmed."""
    found = plans.once(plan_id, speaker.actor, make)
    return of_run(found) if isinstance(found, Run) else two_turns.first(found, speaker.actor)


def _named(name: str, alias: str, actor: Actor) -> Named:
    """A function, and the alias that stands behind its name or by itself. Raises NOT_FOUND, Ambiguous, INVALID."""
    named = addressing.find(name, actor)
    if alias and named.qualifier not in ("", alias):
        raise DrydockError(Code.INVALID, f"Which alias is meant, {named.qualifier[:130]} or {alias[:130]}?")
    return Named(named.function, alias or named.qualifier)


def _which_alias(named: Named) -> Reply:
    names = tuple(named.function.aliases.order_by("name").values_list("name", flat=True))
    known = f"it has {', '.join(names)}" if names else "it has none yet"
    name = named.function.name
    return Reply(f"Which alias of {name}? Say {name}:ALIAS; {known}.", _page(named), choices=names)


def _which_version(named: Named) -> Reply:
    found = next((each for each in rollback_targets(named.function) if each.alias.name == named.qualifier), None)
    if found is None:
        return _which_alias(named)
    usable = [target for target in found.targets if not target.obstacle]
    lines = []
    for target in usable:
        when = f"live until {target.live_until:%Y-%m-%d %H:%M}" if target.live_until else "never seen live there"
        lines.append(", ".join([f"{target.version}: {when}", *target.tags, *target.remarks]))
    versions = tuple(target.version for target in usable)
    where = f"{named.function.name}:{named.qualifier}"
    told = f"{where} has no version to go back to."
    if versions:
        told = f"Which version? {where} runs {found.alias.version} and could go back to {', '.join(versions[:5])}."
    return Reply(told, _page(named), lines=some(lines), choices=versions)


def _patch(what: str, actor: Actor) -> Run:
    if what.isascii() and what.isdecimal() and len(what) < 19:
        return reached_run(int(what), actor)
    function = addressing.find(what, actor).function
    last = undoing.last_patch(function.pk)
    if last is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{function.name} has no patch that could be undone.",
            next_step="Roll back instead, or name the run.",
        )
    return reached_run(last.pk, actor)


def _page(named: Named) -> tuple[str, int]:
    return ("function-deploy", named.function.pk)
