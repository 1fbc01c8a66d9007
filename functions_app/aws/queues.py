"""SQS: take messages from the queues that EventBridge fills, and delete those that were handled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from functions_app.aws import quota
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError

FAMILY = "sqs"
BATCH = 10  # messages of one call, as many as SQS gives
TIMEOUT = 10.0  # seconds for an answer; nobody waits for messages that are not there yet
_ARN = re.compile(r"arn:aws[a-z-]*:sqs:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):(?P<name>[\w-]+(?:\.fifo)?)")


@dataclass(frozen=True)
class Queue:
    """A queue by its ARN."""

    arn: str
    account_id: str
    region: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> Queue:
        """Read `arn:aws:sqs:REGION:ACCOUNT:NAME`. Raises INVALID."""
        match = _ARN.fullmatch(arn)
        if match is None:
            raise DrydockError(Code.INVALID, f"{arn[:200]!r} is no SQS queue's ARN.")
        return cls(arn, match["account"], match["region"], match["name"])


@dataclass(frozen=True)
class Message:
    """A message's text, and the receipt by which it is deleted."""

    body: str
    receipt: str


def receive(target: Target, queue: Queue) -> tuple[Message, ...]:
    """Up to ten messages that are there now; for its visibility time-out nobody else is given them.

    Raises DrydockError.
    """
    url = _url(target, queue)
    answer = quota.read(
        target,
        FAMILY,
        lambda: client(target, "sqs", read_timeout=TIMEOUT).receive_message(
            QueueUrl=url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0
        ),
    )
    return tuple(Message(message["Body"], message["ReceiptHandle"]) for message in answer.get("Messages", ()))


def delete(target: Target, queue: Queue, receipts: Sequence[str]) -> int:
    """Delete messages, at most ten; how many AWS did not delete: these come again. Raises DrydockError."""
    url = _url(target, queue)
    answer = quota.read(
        target,
        FAMILY,
        lambda: client(target, "sqs", read_timeout=TIMEOUT).delete_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)],
        ),
    )
    return len(answer.get("Failed", ()))


def find(target: Target, queue: Queue) -> None:
    """Whether it is there and may be used: its address is asked anew. Raises DrydockError."""
    _url.__wrapped__(target, queue)


@lru_cache(maxsize=64)
def _url(target: Target, queue: Queue) -> str:
    try:
        answer = quota.read(
            target,
            FAMILY,
            lambda: client(target, "sqs", read_timeout=TIMEOUT).get_queue_url(
                QueueName=queue.name, QueueOwnerAWSAccountId=queue.account_id
            ),
        )
    except DrydockError as error:
        if error.problem.code is not Code.NOT_FOUND:
            raise
        raise DrydockError(
            Code.NOT_FOUND,
            f"There is no queue {queue.arn}, or it may not be seen.",
            next_step="Check DRYDOCK_EVENT_QUEUES, and that the policy allows sqs:GetQueueUrl for it.",
            aws_code=error.problem.aws_code,
            request_id=error.problem.request_id,
        ) from error
    return answer["QueueUrl"]
