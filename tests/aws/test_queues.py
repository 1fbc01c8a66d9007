"""SQS as the event queues use it: ten at a time, deleted by receipt, missing and forbidden queues named."""

import pytest

from functions_app.aws import queues
from functions_app.aws.queues import Queue
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from tests.fixtures import REGION, ClientFactory, Sandbox

NAME = "drydock-events"


@pytest.fixture
def target(account: str) -> Target:
    """The test's own account."""
    return Target(account, REGION, f"arn:aws:iam::{account}:role/Drydock")


@pytest.fixture
def queue(aws: Sandbox, valkey: object, aws_client: ClientFactory, account: str) -> Queue:
    """A queue with twelve messages."""
    sqs = aws_client("sqs")
    url = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=f"message {number}")
    return Queue.parse(f"arn:aws:sqs:{REGION}:{account}:{NAME}")


def test_messages_come_ten_at_a_time_and_not_again_once_they_are_deleted(queue: Queue, target: Target) -> None:
    first = queues.receive(target, queue)
    assert len(first) == 10
    second = queues.receive(target, queue)
    assert {message.body for message in (*first, *second)} == {f"message {number}" for number in range(12)}
    for part in (first, second):
        assert queues.delete(target, queue, [message.receipt for message in part]) == 0
    assert queues.receive(target, queue) == ()


def test_a_receipt_that_is_not_one_is_counted_as_not_deleted(queue: Queue, target: Target) -> None:
    (message, *_) = queues.receive(target, queue)
    assert queues.delete(target, queue, [message.receipt, "no receipt"]) == 1


def test_a_queue_that_is_not_there_is_named_with_what_to_check(
    aws: Sandbox, valkey: object, target: Target, account: str
) -> None:
    with pytest.raises(DrydockError) as caught:
        queues.receive(target, Queue.parse(f"arn:aws:sqs:{REGION}:{account}:drydock-missing"))
    assert caught.value.problem.code is Code.NOT_FOUND
    assert "drydock-missing" in caught.value.problem.message
    assert "DRYDOCK_EVENT_QUEUES" in caught.value.problem.next_step
    assert caught.value.problem.request_id


@pytest.mark.parametrize("arn", ["", "drydock-events", "arn:aws:sns:eu-west-1:123456789012:x", "arn:aws:sqs:x"])
def test_only_a_queues_arn_is_one(arn: str) -> None:
    with pytest.raises(DrydockError):
        Queue.parse(arn)
