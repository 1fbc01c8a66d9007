"""What ECR tells through EventBridge: a pushed base is polled at once, a changed repository is read soon, and rules
that deploy what is pushed look at their tags.

Events come twice, late, in any order or not at all: each only says where to look, and polling reconciles.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from functions_app import clock
from functions_app.aws import queues
from functions_app.aws.queues import Queue
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.ecr_events import EcrEvent, Happened, parse_event, read_event
from functions_app.domain.runs import Kind
from functions_app.domain.text import counted
from functions_app.models import Account, BaseStream, Run
from functions_app.services.bases.poll_schedule import submit_poll
from functions_app.services.people import accounts
from functions_app.services.people.actor import SCHEDULE
from functions_app.services.sync import pushed_tags, single_repositories

POLLS, PER = 6, timedelta(minutes=1)  # that nobody asked for in person: a flood of events makes no flood of polls
BATCHES = 10  # of ten messages each, from one queue in one go; the next look takes more
log = logging.getLogger(__name__)


def handle(event: Mapping[str, Any], now: datetime | None = None) -> str:
    """Do what an event asks for and say what that was. Raises INVALID for what is no event at all."""
    told = parse_event(event)
    if told is None:
        return "Not about an image in ECR: nothing to do."
    if told.happened is Happened.SCANNED:
        return f"{told.name}: scanned; the next sync reads what the scan found."
    if told.happened is Happened.NOTHING:
        return f"{told.name}: nothing changed."
    when = now or clock.now()
    done = [*_poll_streams(told, when), *_read_repository(told, when), *_look_at_tag(told, when)]
    return f"{told.name}: {told.happened}; {'; '.join(done) or 'nobody here watches it'}."


def _poll_streams(told: EcrEvent, now: datetime) -> list[str]:
    if not told.tag:
        return []
    found = list(BaseStream.objects.filter(reference=told.name, enabled=True).values_list("pk", "name"))
    if not found:
        return []
    names = ", ".join(name for _, name in found)
    lately = {"created_at__gt": now - PER, "created_at__lte": now + clock.APART}
    polls = Run.objects.filter(kind=Kind.BASE_POLL, via=SCHEDULE.via, **lately)
    if polls.count() >= POLLS:
        late = BaseStream.objects.filter(next_poll_at__gt=now + PER, pk__in=[pk for pk, _ in found])
        late.update(next_poll_at=now + PER)
        return [f"{names} is polled within a minute: there were {POLLS} polls in the last one"]
    try:
        run = submit_poll(SCHEDULE, [pk for pk, _ in found])
    except DrydockError as error:
        if error.problem.code is not Code.BUSY:
            raise
        return [f"{names} is polled when the poll under way has ended"]
    return [f"{names} is polled by run {run.pk}"]


def _read_repository(told: EcrEvent, now: datetime) -> list[str]:
    known = single_repositories.ask(told.account_id, told.region, told.repository, now)
    return ["its repository is read within seconds"] if known else []


def _look_at_tag(told: EcrEvent, now: datetime) -> list[str]:
    if told.happened is not Happened.PUSHED or not told.tag:
        return []
    rules = pushed_tags.pushed(told, now)
    return [f"{counted(rules, 'rule looks', 'rules look')} at its tag"] if rules else []


@dataclass
class Received:
    """What came out of the queues: messages handled, and those that were no events."""

    handled: int = 0
    unreadable: int = 0


_BUSY = threading.Lock()
_last_problem: dict[str, str] = {}


def receive() -> Received:
    """Take what is in the queues of DRYDOCK_EVENT_QUEUES now. A message is deleted once it was handled, or cannot be.

    A queue that cannot be read spoils no other; what is wrong with it is logged when it changes. One at a time in this
    process: an SQS that does not answer must not take all of its threads.
    """
    received = Received()
    if not _BUSY.acquire(blocking=False):
        return received
    try:
        for arn in settings.ENV.event_queues:
            try:
                _drain(Queue.parse(arn), received)
            except DrydockError as error:
                _log_change(arn, f"{error} {error.problem.next_step}".strip())
            else:
                _log_change(arn, "")
    finally:
        _BUSY.release()
    if received.unreadable:
        log.warning("event queues: %d messages were no events and were deleted", received.unreadable)
    return received


def _log_change(arn: str, problem: str) -> None:
    if problem != _last_problem.get(arn, ""):
        log.warning("event queue %s: %s", arn, problem or "can be read again")
    _last_problem[arn] = problem


def _drain(queue: Queue, received: Received) -> None:
    target = _target(queue)
    for _ in range(BATCHES):
        messages = queues.receive(target, queue)
        if not messages:
            return
        for message in messages:
            try:
                log.info("event queue %s: %s", queue.name, handle(read_event(message.body.encode("utf-8", "replace"))))
                received.handled += 1
            except DrydockError as error:
                if error.problem.code is not Code.INVALID:
                    raise  # it stays in the queue and comes again
                received.unreadable += 1
        if kept := queues.delete(target, queue, [message.receipt for message in messages]):
            log.warning("event queue %s: %d messages could not be deleted and will come again", queue.arn, kept)


def _target(queue: Queue) -> Target:
    """The way into the queue's account: its role where Drydock looks after it, else the environment's credentials."""
    account = Account.objects.filter(account_id=queue.account_id, enabled=True).first()
    return accounts.target(account, queue.region) if account else Target(queue.account_id, queue.region)
