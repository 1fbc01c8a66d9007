"""What came of the work: each thing that is not as promised, in a sentence. Nothing of it depends on what broke."""

from collections.abc import Collection, Iterable, Iterator

from functions_app import runlog
from functions_app.domain.runs import Kind, Status
from functions_app.models import AuditEntry, Run
from functions_app.services.people.actor import SCHEDULE
from tests.chaos.patches import Patch
from tests.chaos.watchers import Watcher
from tests.chaos.work import Call, Change, Round
from tests.services.changes.patching.promises import halves


def wrongs(round_: Round, printed: Collection[str], watchers: Collection[Watcher]) -> list[str]:
    """All that is wrong; `printed` is what the called function has printed, line by line."""
    found: list[str] = []
    for run in round_.runs:
        run.refresh_from_db()
        found += _of_any(run)
    for change in round_.changes:
        found += _of_change(change)
    for patch in round_.patches:
        found += _of_patch(patch)
    for call in round_.calls:
        found += _of_call(call, printed)
    for watcher in watchers:
        found += _of_watcher(watcher)
    return found


def _of_any(run: Run) -> Iterator[str]:
    if not Status(run.status).ended:
        yield f"{run}: never ended, it is {run.status}"
        return
    if (run.problem is None) != (run.status != Status.FAILED):
        yield f"{run}: {run.status}, and its problem is {run.problem}"
    if run.problem and "report them as a defect" in str(run.problem.get("next_step")):
        yield f"{run}: Drydock itself failed: {run.problem['message']}"
    numbers = [line.sequence for line in runlog.read_all(run.pk)]
    if numbers != list(range(1, run.line_count + 1)):
        yield f"{run}: its lines are numbered {numbers[:5]}... of {run.line_count}"
    if run.via == SCHEDULE.via:
        return  # nobody asked for it
    actions = list(AuditEntry.objects.filter(run=run).order_by("pk").values_list("action", flat=True))
    if actions != [f"{run.kind}.submit", f"{run.kind}.{run.status}"]:
        yield f"{run}: the audit has {actions}"


def _of_change(change: Change) -> Iterator[str]:
    run, now = change.run, change.stage.digest("staging")
    version, weights = change.stage.read_alias()
    if weights:
        yield f"{run}: the alias is split: {version} {weights}"
    if now not in (change.before, change.planned):
        yield f"{run}: the alias is neither where it was nor where the plan said: version {version}"
    if run.status == Status.SUCCEEDED and now != change.planned:
        yield f"{run}: succeeded, and the alias is not where the plan said"
    kept = any("Done and kept" in line.text for line in runlog.tail(run.pk, 3))
    if run.status != Status.SUCCEEDED and now == change.planned and not kept:
        yield f"{run}: {run.status}, and the alias is where the plan said without a word of it: {run.problem}"


def _of_patch(patch: Patch) -> Iterator[str]:
    run, stage = patch.run, patch.stage
    now, latest, (version, weights) = stage.digest(stage.alias), stage.digest(), stage.read_alias()
    if weights:
        yield f"{run}: the alias is split: {version} {weights}"
    if now not in (patch.alias, patch.planned):
        yield f"{run}: the alias is on a version that nobody planned: {version}"
    if latest not in (patch.latest, patch.planned):
        yield f"{run}: $LATEST runs what nobody planned: {latest}"
    if run.status == Status.SUCCEEDED and {now, latest} != {patch.planned}:
        yield f"{run}: succeeded, and alias or $LATEST is not where the plan said: {now}, {latest}"
    undone = (now, latest) == (patch.alias, patch.latest)
    told = "could not be put back" in " ".join(run.result.get("told", []))
    if run.kind == Kind.PATCH and run.status != Status.SUCCEEDED and not (undone or told):
        yield f"{run}: {run.status}, and what it did is neither taken back nor told: {run.problem}"
    if len(new := set(stage.versions()) - patch.versions) > 1:
        yield f"{run}: versions published twice: {sorted(new)}"
    yield from (f"{run}: {one}" for one in halves(stage))


def _of_call(call: Call, printed: Collection[str]) -> Iterator[str]:
    run = call.run
    times = sum(line.strip() == f"called {call.token}" for line in printed)
    if times > 1:
        yield f"{run}: the function ran {times} times"
    if run.status == Status.SUCCEEDED and times != 1:
        yield f"{run}: succeeded, and the function ran {times} times"
    if run.result.get("not_executed") and times:
        yield f"{run}: said not to be executed, and the function ran"
    ours = [line.text for line in runlog.read_all(run.pk) if line.source == "function"]
    # Without an answer nobody knows which request was ours, which its problem says: each that was seen is whole.
    for lines in [ours] if "answer" in run.result else by_request(ours):
        numbered = [line for line in lines if line.startswith("line ")]
        if numbered != [f"line {number}" for number in range(len(numbered))]:
            yield f"{run}: the function's lines are out of order, lost or doubled: {lines}"
    if run.status == Status.SUCCEEDED and not run.result.get("log_cut") and f"called {call.token}" not in ours:
        yield f"{run}: its own line is missing in its log: {[line.text for line in runlog.tail(run.pk, 30)]}"


def by_request(lines: Iterable[str]) -> list[list[str]]:
    """Lines of functions, parted where a request begins."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("START "):
            parts.append([])
        parts[-1].append(line)
    return parts


def _of_watcher(watcher: Watcher) -> Iterator[str]:
    count = Run.objects.values_list("line_count", flat=True).get(pk=watcher.run_id)
    if not watcher.over:
        yield f"run {watcher.run_id}: a watcher was not told of its end; it saw {len(watcher.seen)} of {count} lines"
    elif watcher.seen != list(range(1, count + 1)):
        doubled = len(watcher.seen) - len(set(watcher.seen))
        yield f"run {watcher.run_id}: a watcher saw {len(watcher.seen)} of {count} lines, {doubled} of them twice"
