"""Sync: the run that brings the snapshot up to date with AWS: read, judge what was read, bring the lists up to date."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.runs import ACTIVE, SYNC_LOCK, Done, Kind, Outcome
from functions_app.domain.text import counted
from functions_app.models import Account, Image, Run, Scope
from functions_app.services.bases import daily_counts
from functions_app.services.bases.repository_releases import find_releases
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine import runs
from functions_app.services.engine.steps import Cancelled, Context, StepSpec
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.sync import pushed_tags, single_functions, single_repositories
from functions_app.services.sync import triggers as trigger_readings
from functions_app.services.sync.scopes import check_identity, read_scopes, wanted_scopes

ScopeName = tuple[int, str]  # account's key, region


def submit(
    actor: Actor, scopes: Iterable[ScopeName] | None = None, *, full: bool | None = None, triggers: bool = False
) -> Run:
    """Start a sync of these scopes (None: all). `full` (as a person's is): every state and alias. `triggers`: in
    the end what calls some functions. Raises BUSY, naming the sync that is under way: there is one at a time.
    """
    named = None if scopes is None else sorted(list(scope) for scope in scopes)
    plan: dict[str, Any] = {"scopes": named, "full": not actor.is_schedule if full is None else full}
    plan |= {"triggers": True} if triggers else {}
    title = "Sync all accounts" if named is None else f"Sync {len(named)} of the accounts' regions"
    return runs.submit(Kind.SYNC, title=title, plan=plan, actor=actor, lock=SYNC_LOCK)


def again(plan: dict[str, Any], actor: Actor) -> Run:
    """The same once more as a person's: chosen functions, repositories, or regions. Raises BUSY, PREFLIGHT."""
    if "functions" in plan:
        return single_functions.submit(plan["functions"], actor)
    if "repositories" in plan:
        return single_repositories.submit_known(plan["repositories"], actor)
    named = plan.get("scopes")
    if named is None:
        return submit(actor)
    regions = dict(Account.objects.filter(enabled=True).values_list("pk", "regions"))
    there = [(int(account), str(region)) for account, region in named if region in regions.get(account, ())]
    if not there:
        raise DrydockError(Code.PREFLIGHT, "None of these regions is read any more.", next_step="Sync everything.")
    return submit(actor, there)


def submit_or_join(actor: Actor) -> tuple[Run, bool]:
    """A full sync of everything and True, or the sync that is under way and False. Raises DrydockError."""
    accounts.ensure_first()
    try:
        return submit(actor), True
    except DrydockError as error:
        running = Run.objects.filter(lock=SYNC_LOCK, status__in=ACTIVE).first()
        if error.problem.code is not Code.BUSY or running is None:
            raise
        return running, False


def judge(images: Iterable[int]) -> int:
    """Judge the bases of these images and of those never judged; the summaries are left to the next step.

    Never judged are also those of an older Drydock that kept a release without its stream and lineage.
    """
    without = Q(base_evidence=[]) | Q(base_release__isnull=False, base_stream=None)
    unjudged = Image.objects.filter(without).values_list("pk", flat=True)
    return judge_images(sorted({*images, *unjudged}), refresh=False)


def _read_scopes(context: Context) -> Outcome:
    scopes = wanted_scopes(context.plan.get("scopes"))
    result = read_scopes(
        scopes,
        context.log,
        full=bool(context.plan.get("full")),
        stopped=context.cancel_requested,
        progress=context.progress,
    )
    context.shared["images"] = sorted({*context.shared.get("images", ()), *result.images})
    if context.cancel_requested():
        raise Cancelled("Stopped while reading: what was read by then is kept, nothing was marked as gone.")
    whole = result.scopes - result.failed
    context.result["scopes"] = {"read": whole, "failed": result.failed}
    context.result["missed"] = dict(result.missed)
    told = [
        f"{counted(whole, 'account and region', 'accounts and regions')} read",
        *([f"{result.failed} with problems"] if result.failed else []),
    ]
    told += [f"{what} of {count} not readable" for what, count in result.missed.items()]
    return Done(", ".join(told))


def _read_repositories(context: Context) -> Outcome:
    asked = context.plan["repositories"]
    reads = single_repositories.read_asked(asked, context.log, check_identity, context.cancel_requested)
    found = frozenset[int]().union(*(read.images for read in reads))
    context.shared["images"] = sorted({*context.shared.get("images", ()), *found})
    if context.cancel_requested():
        raise Cancelled("Stopped while reading: what was read by then is kept; the next sync reads the rest.")
    failed = sum(bool(read.problems) for read in reads)
    context.result["scopes"] = {"read": len(reads) - failed, "failed": failed}
    return Done(f"repositories asked for: {len(asked)}" + (f"; regions with problems: {failed}" if failed else ""))


def _read_functions(context: Context) -> Outcome:
    read, failed = single_functions.read_chosen(
        context.plan["functions"], context.log, context.cancel_requested, context.progress
    )
    if context.cancel_requested():
        raise Cancelled("Stopped while reading: what was read by then is kept.")
    context.result["functions"] = {"read": read, "failed": failed}
    if failed and not read:
        raise DrydockError(Code.FAILED, "None of the functions could be read.", next_step="The log says why of each.")
    return Done(f"functions read: {read}" + (f"; not readable: {failed}" if failed else ""))


def _judge_step(context: Context) -> Outcome:
    now = context.now
    # Whoever died read images of which nobody else knows that they were read; a new day may change any verdict.
    found = find_releases(now)  # what stands on them may be any image
    if found or context.lease.taken_over or daily_counts.begins_a_day(now):
        changed = judge_images(None, now=now, refresh=False)
        context.shared["judged_on"] = now.date().isoformat()
        return Done(f"{counted(changed, 'image has', 'images have')} another verdict")
    return Done(f"{counted(judge(context.shared.get('images', ())), 'image has', 'images have')} another verdict")


def _summarise_step(context: Context) -> Outcome:
    now = context.now
    changed = refresh_summaries(now=now)
    context.result["functions_changed"] = changed
    pushed_tags.moved(now)
    judged_on = context.shared.get("judged_on")
    daily_counts.count_day(now, judged_on=date.fromisoformat(judged_on) if judged_on else None)
    _require_one(context)
    return Done(f"{counted(changed, 'function has', 'functions have')} another summary")


def _triggers_step(context: Context) -> Outcome:
    told = trigger_readings.read_in_turn(context.log, context.cancel_requested)
    if context.cancel_requested():
        raise Cancelled("Stopped while reading what calls functions: what was read by then is kept.")
    return Done(f"{counted(told, 'function')}")


def _require_one(context: Context) -> None:
    """Raise what went wrong where no account and region at all could be read completely."""
    read = context.result["scopes"]
    if read["read"] or not read["failed"]:
        return
    named = wanted_scopes(context.plan.get("scopes"))
    row = Scope.objects.filter(pk__in=[scope.pk for scope in named], problem__isnull=False).first()
    if row is None or row.problem is None:
        return
    told = Problem.from_json(row.problem)
    raise DrydockError(
        told.code,
        f"No account and region could be read completely. {told.message}",
        next_step=told.next_step,
        aws_code=told.aws_code,
        request_id=told.request_id,
        retryable=told.retryable,
    )


def steps(plan: dict[str, Any]) -> tuple[StepSpec, ...]:
    """The steps of a sync: of accounts and regions, of the repositories that events asked for, of chosen functions."""
    if "functions" in plan:
        return (READ_FUNCTIONS,)
    if "repositories" in plan:
        return (READ_REPOSITORIES, *AFTERWARDS)
    return (READ_SCOPES, *AFTERWARDS, *([READ_TRIGGERS] if plan.get("triggers") else []))


READ_SCOPES = StepSpec("read", "Read accounts and regions", _read_scopes)
READ_REPOSITORIES = StepSpec("read", "Read the repositories asked for", _read_repositories)
READ_FUNCTIONS = StepSpec("read", "Read the selected functions", _read_functions)
READ_TRIGGERS = StepSpec("triggers", "Read what calls functions", _triggers_step)
AFTERWARDS = (
    StepSpec("judge", "Judge the bases of new images", _judge_step),
    StepSpec("summarise", "Bring the lists up to date", _summarise_step),
)
