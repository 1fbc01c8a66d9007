"""What calls a function, asked of AWS when somebody wants to know it, and by syncs that are due a few functions at a
time; kept with the time.

A sync can't ask of all: it would take six calls a function, and two for each alias, of the quotas that syncs live on.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from django.db import connections
from django.db.models import F, Q

from functions_app import clock
from functions_app.aws import lambda_triggers, lambdas, quota
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.triggers import Triggers
from functions_app.domain.runs import Log
from functions_app.models import Function, FunctionTriggers, Scope
from functions_app.services.people import access, accounts
from functions_app.services.people.actor import Actor
from functions_app.services.sync.scopes import SCOPES_AT_ONCE, check_identity, opened

CALLS = 40  # of Lambda's control plane, in an account and region at each sync: five seconds of what readings may take
AGAIN_AFTER = timedelta(days=1)


def read(actor: Actor, function: Function) -> Triggers:
    """Ask AWS now, while somebody waits, and keep what it tells; needs `account`. Raises DrydockError.

    What a part failed with is kept in its place, with what was known of it before.
    """
    access.require_operator(actor, "triggers.read", function.arn)
    began = clock.now()
    with quota.patience(quota.PERSONS_WAIT):
        check_identity(opened(function.account, function.region, True))
        found = _beside_known(function, _asked(function))
    keep(function, began, found)
    return found


def read_in_turn(log: Log, stopped: Callable[[], bool], *, calls: int = CALLS) -> int:
    """Ask of functions that nobody has asked of yet, then of those asked a day ago, then of those that AWS refused to
    tell of for the moment; of how many it was told.

    So many calls in each account and region whose functions could be listed, which go in parallel. Nothing is raised:
    why one could not go on is said in the log, and the next sync tries again.
    """
    wanted = Scope.objects.filter(account__enabled=True, attempted_at__isnull=False)
    scopes = list(wanted.select_related("account").order_by("pk"))
    with ThreadPoolExecutor(max(1, min(len(scopes), SCOPES_AT_ONCE)), thread_name_prefix="triggers") as pool:
        return sum(pool.map(partial(_in_turn, log, stopped, calls), scopes))


def keep(function: Function, began: datetime, found: Triggers) -> None:
    """Store what a reading that began then has told, unless a later one was stored meanwhile."""
    kept, made = FunctionTriggers.objects.get_or_create(
        function=function, defaults={"read_at": began, "found": found.as_json()}
    )
    if not made:
        older = FunctionTriggers.objects.filter(Q(read_at__lt=began) | Q(read_at__gt=clock.latest()), pk=kept.pk)
        older.update(read_at=began, found=found.as_json())


def _asked(function: Function) -> Triggers:
    aliases = sorted(alias.name for alias in function.aliases.all())
    return lambda_triggers.read(accounts.target(function.account, function.region), function.name, aliases)


def _in_turn(log: Log, stopped: Callable[[], bool], calls: int, scope: Scope) -> int:
    told, name = 0, f"{scope.account.name} {scope.region}"
    try:
        due = list(_due(scope, calls))
        if due:
            check_identity(opened(scope.account, scope.region, False, stopped))
        for function in due:
            if stopped():
                break
            found = _read(function)
            told += found.told_of
            if later := found.for_now:  # of the others it would refuse as well, and each is tried several times
                log.warning(f"{name}: what calls functions was read no further: {later.message}")
                break
    except DrydockError as error:
        log.warning(f"{name}: what calls functions was not read: {error.problem.message}")
    finally:
        connections.close_all()
    return told


def _read(function: Function) -> Triggers:
    """Ask of one and keep it. One that AWS refuses keeps what was known, and why, and waits its turn as others do."""
    began = clock.now()
    try:
        found = _asked(function)
    except DrydockError as error:
        found = Triggers.refused(error.problem)
        if error.problem.code is Code.NOT_FOUND:  # that it is gone the next sync finds out
            return found
    keep(function, began, _beside_known(function, found))
    return found


def _beside_known(function: Function, found: Triggers) -> Triggers:
    """What was not told this time is as it was known, of this function and no other of its name before."""
    kept = getattr(function, "triggers", None)
    if kept is None or (function.histories_from and kept.read_at < function.histories_from):
        return found
    return found.beside(Triggers.from_json(kept.found), kept.read_at)


def _due(scope: Scope, calls: int) -> Iterator[Function]:
    """The functions whose turn it is, as many as the calls are enough for."""
    old = Q(triggers__read_at__lt=clock.now() - AGAIN_AFTER) | Q(triggers__read_at__gt=clock.latest())
    another = Q(triggers__read_at__lt=F("histories_from"))  # than that of its name before
    soon = Q(triggers__found__soon=True)  # it was refused for the moment
    own = Function.objects.filter(account=scope.account_id, region=scope.region, gone_at=None)
    there = own.filter(
        synced_at__gte=scope.attempted_at
    )  # as the last sync found them, whatever else it could not read
    rows = (
        there.filter(Q(triggers=None) | old | another | soon)
        .select_related("account", "triggers")
        .prefetch_related("aliases")
    )
    rows = rows.order_by(F("triggers__read_at").asc(nulls_first=True), "name")
    for function in rows[:calls]:
        calls -= lambda_triggers.calls(len(function.aliases.all()))[lambdas.CONTROL]
        if calls < 0:
            return
        yield function
