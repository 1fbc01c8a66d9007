"""An account in a region, asked: whose credentials lead there, the clock, quotas left, each permission."""

from collections.abc import Iterator

from django.conf import settings

from functions_app import clock
from functions_app.aws import permissions, queues, quota, session
from functions_app.aws.permissions import Caller, Sample
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.health.findings import Finding, State
from functions_app.domain.health.permissions import (
    ENTERING,
    FINDING_QUEUES,
    OF_PATCHES,
    OF_QUEUES,
    PERMISSIONS,
    allowed,
    refused,
    untried,
)
from functions_app.models import Account, Alias, Function, Image
from functions_app.services.people import accounts

EXPIRY = 240.0  # seconds: AWS refuses signatures that are five minutes off
SKEW = 2.0
LONG = 5.0  # seconds that a call would wait now


def targets() -> list[tuple[Target, Sample]]:
    """All accounts and regions that are enabled, each with something to ask about. Three queries each at most."""
    found = []
    for account in Account.objects.filter(enabled=True).order_by("name"):
        found += [(accounts.target(account, region), _sample(account, region)) for region in account.regions]
    return found


def _sample(account: Account, region: str) -> Sample:
    functions = Function.objects.filter(account=account, region=region, gone_at=None).exclude(image_uri="")
    alias = Alias.objects.filter(function__in=functions).select_related("function").order_by("pk").first()
    function = alias.function if alias else functions.order_by("pk").first()
    images = Image.objects.filter(repository__account=account, repository__region=region, gone_at=None)
    image = images.filter(repository__gone_at=None).select_related("repository").order_by("pk").first()
    return Sample(
        function=function.name if function else "",
        image_uri=function.image_uri if function else "",
        log_group=(function.log_group or f"/aws/lambda/{function.name}") if function else "",
        alias=alias.name if alias else "",
        repository=image.repository.name if image else "",
        digest=image.digest if image else "",
    )


def own_identity() -> Iterator[Finding]:
    """Whose credentials Drydock itself has, where accounts need no role, and what leads to the event queues."""
    part = "credentials"
    regions = accounts.regions_of_environment()
    if not Account.objects.exists():
        words = "There is no account yet: the first sync makes one from these credentials."
        yield Finding(part, State.WARN, words, "" if regions else "Set AWS_REGION or DRYDOCK_REGIONS.")
        for region in regions[:1]:
            yield from identity(Target("", region), part)
    for arn in settings.ENV.event_queues:
        yield from _queue(arn)
    if not settings.ENV.event_queues:
        for action in (FINDING_QUEUES, *OF_QUEUES):
            yield untried("event queues", action, "DRYDOCK_EVENT_QUEUES names no queue")


def _queue(arn: str) -> Iterator[Finding]:
    part = f"event queue {arn.rpartition(':')[2]}"
    try:
        queue = queues.Queue.parse(arn)
        account = Account.objects.filter(account_id=queue.account_id).first()
        there = accounts.target(account, queue.region) if account else Target(queue.account_id, queue.region)
        queues.find(there, queue)
    except DrydockError as error:
        yield Finding.of(part, State.BAD, f"The queue can't be found ({FINDING_QUEUES}).", error.problem)
    else:
        yield Finding(part, State.OK, f"The queue is there, and {FINDING_QUEUES} is allowed.")
    for action, why in OF_QUEUES.items():
        yield untried(part, action, why)


def examine(target: Target, sample: Sample) -> list[Finding]:
    """All of one account and region; nothing but the identity where that is refused."""
    part = str(target)
    found = list(identity(target, part))
    if not target.role_arn:
        found.append(untried(part, ENTERING, "the account is entered without a role"))
    if found[0].state is State.BAD:
        return [*found, Finding(part, State.NOT_TRIED, "Permissions: nobody is let in there.")]
    found += [_clock(target, part), *_quotas(target, part)]
    found += [_permission(target, part, action, sample) for action in PERMISSIONS]
    return found + [untried(part, action, why) for action, why in OF_PATCHES.items()]


def identity(target: Target, part: str) -> Iterator[Finding]:
    """Whose credentials lead there; the region is enabled where they are taken. It needs no permission to ask."""
    try:
        who = permissions.caller(target)
    except DrydockError as error:
        role = f" Its role is entered by {ENTERING}." if target.role_arn else ""
        yield Finding.of(part, State.BAD, f"{_not_let_in(error.problem)}{role}", error.problem)
        return
    yield _whose(target, part, who)


def _not_let_in(problem: Problem) -> str:
    if problem.code is Code.UNREACHABLE:
        return "AWS does not answer there."
    return "AWS does not take the credentials there; a region that is not enabled refuses them too."


def _whose(target: Target, part: str, who: Caller) -> Finding:
    if target.account_id and who.account_id != target.account_id:
        words = f"The credentials are {who.arn}, of account {who.account_id}, and not of this one."
        step = "Give the account a role in Settings, or Drydock the credentials of this account."
        return Finding(part, State.BAD, words, step)
    role = f", and {ENTERING} is allowed" if target.role_arn else ""
    return Finding(part, State.OK, f"AWS takes the credentials of {who.arn}, so the region is enabled{role}.")


def _clock(target: Target, part: str) -> Finding:
    theirs = session.now(target)
    if theirs is None:
        return Finding(part, State.WARN, "AWS told no time.")
    seconds = abs((clock.now() - theirs).total_seconds())
    words = f"This host's clock differs from AWS's by {seconds:.0f} s."
    if seconds <= SKEW:
        return Finding(part, State.OK, words)
    state = State.BAD if seconds > EXPIRY else State.WARN
    return Finding(part, state, words, "Set the time (NTP): AWS refuses what is signed five minutes off.")


def _quotas(target: Target, part: str) -> Iterator[Finding]:
    waits = quota.waits_now(target)
    long = {family: wait for family, wait in waits.items() if wait > LONG}
    if not long:
        yield Finding(part, State.OK, "No quota is used up: a call would wait for none longer than 5 s.")
    for family, wait in long.items():
        step = "Runs use this account now. If it stays: a longer DRYDOCK_SYNC_EVERY, or more DRYDOCK_QUOTA_SHARE."
        yield Finding(part, State.WARN, f"A call would wait {wait:.0f} s for the {family} quota.", step)


def _permission(target: Target, part: str, action: str, sample: Sample) -> Finding:
    if why := PERMISSIONS[action].untried:
        return untried(part, action, why)
    try:
        on = permissions.ask(target, action, sample)
    except LookupError as error:
        return untried(part, action, str(error))
    except DrydockError as error:
        return refused(part, action, "", error.problem)
    return allowed(part, action, on)
