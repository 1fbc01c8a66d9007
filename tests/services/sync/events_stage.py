"""A queue that EventBridge fills with ECR's events, and such events, for the tests of what follows from them."""

import dataclasses
import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from functions_app.models import Account
from functions_app.services.sync import events as registry_events
from tests.fixtures import REGION, ClientFactory
from tests.processes import eventually

GOLDEN = "bases/golden"
IMAGES = {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"]}


class Events:
    """A queue in the test's account that its EventBridge fills, named to Drydock."""

    def __init__(self, client: ClientFactory, account: str, settings: Settings) -> None:
        self.sqs = client("sqs")
        self.url = self.sqs.create_queue(QueueName="drydock-events")["QueueUrl"]
        self.arn = f"arn:aws:sqs:{REGION}:{account}:drydock-events"
        client("events").put_rule(Name="images", EventPattern=json.dumps(IMAGES))
        client("events").put_targets(Rule="images", Targets=[{"Id": "1", "Arn": self.arn}])
        settings.ENV = dataclasses.replace(settings.ENV, event_queues=(self.arn,))

    def send(self, body: str) -> None:
        """Put any text into the queue."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def receive(self, messages: int) -> registry_events.Received:
        """Receive until so many messages have come."""
        received = registry_events.Received()

        def enough() -> bool:
            found = registry_events.receive()
            received.handled += found.handled
            received.unreadable += found.unreadable
            return received.handled + received.unreadable >= messages

        eventually(enough, f"{messages} messages")
        return received

    def left(self) -> int:
        """Messages that are still there, seen or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.fixture
def events(ours: Account, client: ClientFactory, settings: Settings) -> Events:
    """The queue of the test's account."""
    return Events(client, ours.account_id, settings)


def host(account: Account) -> str:
    return f"{account.account_id}.dkr.ecr.{REGION}.amazonaws.com"


def pushed(account: Account, repository: str = GOLDEN, tag: str = "stable", **detail: str) -> dict[str, Any]:
    """The event of a push."""
    told = {"action-type": "PUSH", "result": "SUCCESS", "repository-name": repository, "image-tag": tag, **detail}
    envelope = {"source": "aws.ecr", "detail-type": "ECR Image Action", "region": REGION}
    return {**envelope, "account": account.account_id, "detail": told}
