"""Lifecycle forecasts: let ECR preview each repository's own policy, and keep what it would take away.

A preview changes nothing in a repository. ECR keeps one per repository, whoever started it: another's is waited for,
and only one of the repository's own policy is believed. A repository that fails keeps its old forecast with its age.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from json import JSONDecodeError, dumps, loads
from typing import Any

from django.db import transaction

from functions_app import clock
from functions_app.aws import ecr, lifecycle
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.lifecycle_policies import POLICY_LIMIT, Expiring, all_digests
from functions_app.domain.images.manifests import Index, parse_manifest
from functions_app.domain.redaction import redact, redact_value
from functions_app.domain.runs import Done, Kind, Outcome, Wait
from functions_app.domain.text import counted, storable
from functions_app.models import Image, LifecycleForecast, Repository, Run, Version
from functions_app.services.engine import runs
from functions_app.services.engine.steps import Cancelled, Context, StepSpec
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot import fleet_revision
from functions_app.services.snapshot.bulk_updates import lock_rows
from functions_app.services.snapshot.endangered_images import dangers
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.scope_reading import GIVE_UP, chunks

LOCK = "forecast"
EVERY = timedelta(days=1)
AT_ONCE = 8  # previews that ECR works on at a time: each takes it seconds
LOOK_EVERY = 2.0  # seconds
PATIENCE = timedelta(minutes=10)  # for one repository: others' previews, and ours
LONGEST = timedelta(hours=6)
TOLD = 20  # images in danger that the log names one by one


def submit(actor: Actor, repository: Repository | None = None) -> Run:
    """Start the forecast of one repository, or of all. Raises BUSY, naming the forecast that is under way."""
    title = f"Forecast of {repository.name}" if repository else "Forecast what lifecycle policies would delete"
    return runs.submit(
        Kind.FORECAST,
        title=title,
        plan={"repository": repository.pk if repository else None},
        actor=actor,
        account=repository.account if repository else None,
        lock=f"{LOCK}:{repository.pk}" if repository else LOCK,
    )


def again(plan: dict[str, Any], actor: Actor) -> Run:
    """The same once more. Raises BUSY, NOT_FOUND."""
    if plan.get("repository") is None:
        return submit(actor)
    row = Repository.objects.select_related("account").filter(pk=plan["repository"], gone_at=None).first()
    if row is None:
        raise DrydockError(Code.NOT_FOUND, "ECR has this repository no more.", next_step="Forecast others.")
    return submit(actor, row)


def is_due(now: datetime) -> bool:
    """Whether the daily forecast of all repositories should start: there are some, and a day has passed."""
    lately = {"created_at__gt": now - EVERY, "created_at__lte": now + clock.APART}
    since = Run.objects.filter(kind=Kind.FORECAST, lock=LOCK, **lately)
    return not since.exists() and Repository.objects.filter(gone_at=None, account__enabled=True).exists()


def _list(context: Context) -> Outcome:
    """Freeze which repositories there are to ask about."""
    if "waiting" not in context.shared:
        found = Repository.objects.filter(gone_at=None, account__enabled=True)
        if context.plan.get("repository"):
            found = found.filter(pk=context.plan["repository"])
        context.shared.update(waiting=list(found.order_by("pk").values_list("pk", flat=True)), begun={}, refused={})
        context.result["repositories"] = {"without": 0, "read": 0, "failed": 0}
    return Done(counted(len(context.shared["waiting"]), "repository", "repositories"))


def _preview(context: Context) -> Outcome:
    """Keep up to AT_ONCE previews going until every repository has had its turn."""
    waiting, begun = context.shared["waiting"], context.shared["begun"]
    rows = {row.pk: row for row in _rows([*map(int, begun), *waiting[: AT_ONCE * 8]])}
    for key in list(begun):
        _stop_if_asked(context)
        _carry_on(context, rows.get(int(key)), key)
    while waiting and len(begun) < AT_ONCE:
        _stop_if_asked(context)
        pk = waiting[0]
        row = rows.get(pk) or next(iter(_rows([pk])), None)
        begun[str(pk)] = {"since": clock.now().isoformat(), "started": False}
        waiting.pop(0)
        _carry_on(context, row, str(pk))
    context.save()
    told = sum(context.result["repositories"].values())
    context.progress(told, told + len(waiting) + len(begun), "repositories")
    if begun:
        return Wait(LOOK_EVERY, f"{len(begun)} previews under way, {len(waiting)} repositories to come")
    counts = context.result["repositories"]
    return Done(f"{counts['read']} read, {counts['without']} without a policy, {counts['failed']} not readable")


def _rows(keys: Sequence[int]) -> list[Repository]:
    return list(Repository.objects.filter(pk__in=keys).select_related("account"))


def _stop_if_asked(context: Context) -> None:
    if context.cancel_requested():
        raise Cancelled("what was read by then is kept; a preview in ECR changes nothing and ends by itself")


def _carry_on(context: Context, row: Repository | None, key: str) -> None:
    """One look at one repository; it leaves `begun` when it has an answer."""
    begun, counts = context.shared["begun"], context.result["repositories"]
    if row is None:
        del begun[key]  # gone from the snapshot meanwhile
        return
    try:
        answer = _ask_for_preview(row, begun[key], context)
    except DrydockError as error:
        answer = error.problem
    if answer is None:
        return
    del begun[key]
    scope = f"{row.account_id}:{row.region}"
    if isinstance(answer, Problem):
        _fail(context, row, answer, scope)
    elif answer.policy:
        counts["read"] += 1
        context.log.info(f"{_name(row)}: {counted(len(answer.expiring), 'image')} to go")
    else:
        counts["without"] += 1
    context.save()


def _fail(context: Context, row: Repository, problem: Problem, scope: str) -> None:
    context.result["repositories"]["failed"] += 1
    now = clock.now()
    LifecycleForecast.objects.update_or_create(
        repository=row, defaults={"attempted_at": now, "problem": problem.as_json()}
    )
    refused = context.shared["refused"]
    if problem.code is Code.DENIED:
        refused[scope] = {"times": refused.get(scope, {}).get("times", 0) + 1, "problem": problem.as_json()}
    told = refused.get(scope, {}).get("times", 0)
    if told <= 1 or problem.code is not Code.DENIED:
        context.log.warning(f"{_name(row)}: {problem.message} {problem.next_step}".strip())


def _ask_for_preview(row: Repository, state: dict[str, Any], context: Context) -> lifecycle.Preview | Problem | None:
    """The preview once it is there (an empty policy: there is none), None while there is more to wait for."""
    refused = context.shared["refused"].get(f"{row.account_id}:{row.region}", {})
    if refused.get("times", 0) >= GIVE_UP:
        return Problem.from_json(refused["problem"])
    target = accounts.target(row.account, row.region)
    if not state["started"]:
        if lifecycle.policy(target, row.name) is None:
            return _store(context, row, lifecycle.Preview("complete"))
        state["started"] = lifecycle.start_preview(target, row.name)
        return _late(state)
    preview = lifecycle.preview(target, row.name)
    if preview.status == "failed":
        return Problem(
            Code.FAILED,
            f"ECR could not preview the lifecycle policy of {row.name}.",
            "Look at the policy in ECR's console and run its dry run there; then read the forecast again.",
        )
    if preview.status == "complete" and _same(preview.policy, lifecycle.policy(target, row.name) or ""):
        return _store(context, row, replace(preview, expiring=_with_members(target, row, preview.expiring)))
    # Somebody else's preview of another text took the place of ours, or ours ran out: begin again.
    state["started"] = preview.status == "in_progress"
    return _late(state)


def _late(state: dict[str, Any]) -> Problem | None:
    since = datetime.fromisoformat(state["since"])
    if clock.now() - since <= PATIENCE:
        return None
    whose = "Its preview" if state["started"] else "A preview that somebody else started"
    return Problem(
        Code.BUSY,
        f"{whose} was not through after {PATIENCE.seconds // 60} minutes.",
        "Read the forecast again later: ECR works on one preview of a repository at a time.",
        retryable=True,
    )


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same policy: ECR may print it with other blanks."""
    with suppress(JSONDecodeError, RecursionError):
        return bool(loads(one) == loads(other))
    return one == other


def _with_members(target: Target, row: Repository, expiring: Sequence[Expiring]) -> tuple[Expiring, ...]:
    """What an index holds goes with it: the digests are in its manifest."""
    known = Image.objects.filter(repository=row, is_index=True, gone_at=None).values_list("digest", flat=True)
    indexes = sorted({each.digest for each in expiring} & set(known))
    if not indexes:
        return tuple(expiring)
    members: dict[str, tuple[str, ...]] = {}
    for digest, fact in ecr.manifests(target, row.name, indexes).found.items():
        manifest = parse_manifest(fact.data)
        if isinstance(manifest, Index):
            members[digest] = tuple(descriptor.digest for descriptor, _ in manifest.entries)
    return tuple(replace(each, members=members.get(each.digest, ())) for each in expiring)


def _without_secrets(policy: str) -> str:
    """A policy as it may be kept: its rules have descriptions, and people write anything into them."""
    try:
        told = loads(policy)
    except (ValueError, RecursionError):
        return redact(policy)
    kept = redact_value(told)
    return policy if kept == told else dumps(kept, ensure_ascii=False)


@transaction.atomic
def _store(context: Context, row: Repository, preview: lifecycle.Preview) -> lifecycle.Preview:
    """Keep the forecast, and mark the images it names; an empty policy says that there is none. Raises LeaseLost."""
    context.lease.write()  # ECR may have taken its time: by now another worker may have read a later one
    now = clock.now()
    LifecycleForecast.objects.update_or_create(
        repository=row,
        defaults={
            "policy": storable(_without_secrets(preview.policy), POLICY_LIMIT),
            "expiring": [each.as_json() for each in preview.expiring],
            "read_at": now,
            "attempted_at": now,
            "problem": None,
        },
    )
    lock_rows(Image.objects.filter(repository=row))
    Image.objects.filter(repository=row, expiry_rule__isnull=False).update(expiry_rule=None)
    for rule, digests in all_digests(preview.expiring).items():
        for part in chunks(sorted(digests)):
            Image.objects.filter(repository=row, digest__in=part).update(expiry_rule=rule)
    return preview


def _compare(context: Context) -> Outcome:
    """Tell which images in use would go."""
    repository = context.plan.get("repository")
    found = dangers(repository_id=repository)
    for danger in found[:TOLD]:
        tell = context.log.warning if danger.live else context.log.info
        tell(f"{danger.use.account}: {danger.text}")
    if len(found) > TOLD:
        context.log.info(f"and {len(found) - TOLD} more; each repository's page names its own")
    refresh_summaries(_users(repository))
    live = sum(danger.live for danger in found)
    context.result["endangered"] = {"live": live, "others": len(found) - live}
    fleet_revision.changed()
    counts = context.result["repositories"]
    if counts["failed"] and not counts["read"] and not counts["without"]:
        _raise_first(repository)
    return Done(f"{live} uses behind aliases would lose their image, {len(found) - live} others")


def _users(repository: int | None) -> list[int] | None:
    """Whose image may have been marked, or is no longer: of one repository or (None) of all."""
    if repository is None:
        return None
    users = Version.objects.filter(image__repository=repository, function__gone_at=None)
    return list(users.values_list("function", flat=True).distinct())


def _raise_first(repository: int | None) -> None:
    """No repository at all could be read: the run says why."""
    failed = LifecycleForecast.objects.filter(problem__isnull=False).order_by("-attempted_at", "pk")
    row = failed.filter(repository=repository).first() if repository else failed.first()
    if row is None or row.problem is None:
        return
    told = Problem.from_json(row.problem)
    raise DrydockError(
        told.code,
        f"No forecast could be read. {told.message}",
        next_step=told.next_step,
        aws_code=told.aws_code,
        request_id=told.request_id,
        retryable=told.retryable,
    )


def _name(row: Repository) -> str:
    return f"{row.account.name} {row.region} {row.name}"


STEPS = (
    StepSpec("list", "List the repositories", _list),
    StepSpec("preview", "Let ECR preview their lifecycle policies", _preview, limit=LONGEST),
    StepSpec("compare", "Compare with the images in use", _compare),
)
