"""EventBridge: rules send the events of ECR and of PutEvents to queues, functions and log groups."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.fixtures import ClientFactory, Push, Sandbox, login
from tests.sandbox.fixtures import small_image
from tests.sandbox.functions import Functions, until

PUSHES = {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"], "detail": {"action-type": ["PUSH"]}}
ORDERS = {"source": ["shop"]}
LAST = {"Source": "shop", "DetailType": "end", "Detail": "{}"}


class Queue:
    """An SQS queue in the test's account that is a rule's target."""

    def __init__(self, client: ClientFactory, account: str, region: str = "eu-west-1", name: str = "events") -> None:
        self.sqs = client("sqs", region)
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{region}:{account}:{name}"

    def take(self, count: int) -> list[Any]:
        """Wait for so many messages and give their bodies."""
        found: list[str] = []

        def enough() -> bool:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            found.extend(message["Body"] for message in answer.get("Messages", ()))
            return len(found) >= count

        until(enough)
        return [json.loads(body) for body in found]


@pytest.fixture
def queue(client: ClientFactory, account: str) -> Queue:
    return Queue(client, account)


def rule(events: Any, pattern: Mapping[str, Any], arn: str, name: str = "rule", **target: Any) -> str:
    put: str = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    answer = events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, **target}])
    assert answer["FailedEntryCount"] == 0
    return put


def order(number: int) -> dict[str, str]:
    return {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"number": number})}


def test_a_push_reaches_a_queue(client: ClientFactory, push: Push, queue: Queue, account: str) -> None:
    rule(client("events"), PUSHES, queue.arn)
    digest = push("team/app", small_image(), ["v1"])
    (event,) = queue.take(1)
    assert (event["source"], event["detail-type"]) == ("aws.ecr", "ECR Image Action")
    assert (event["account"], event["region"]) == (account, "eu-west-1")
    assert event["detail"] == {
        "action-type": "PUSH",
        "result": "SUCCESS",
        "repository-name": "team/app",
        "image-digest": digest,
        "image-tag": "v1",
    }


def test_a_deletion_reaches_a_queue(client: ClientFactory, push: Push, queue: Queue) -> None:
    rule(client("events"), {"source": ["aws.ecr"], "detail": {"action-type": ["DELETE"]}}, queue.arn)
    digest = push("team/app", small_image(), ["v1"])
    client("ecr").batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    (event,) = queue.take(1)
    assert (event["detail"]["action-type"], event["detail"]["image-digest"]) == ("DELETE", digest)


def test_a_deletion_through_v2_reaches_a_queue(
    client: ClientFactory, push: Push, queue: Queue, sandbox: Sandbox
) -> None:
    rule(client("events"), {"source": ["aws.ecr"], "detail": {"action-type": ["DELETE"]}}, queue.arn)
    digest = push("team/app", small_image(), ["v1", "v2"])
    httpx.delete(f"{sandbox.url}/v2/team/app/manifests/{digest}", auth=login(client("ecr"))).raise_for_status()
    assert [event["detail"]["image-tag"] for event in queue.take(2)] == ["v1", "v2"]


def test_a_scan_reaches_a_queue(client: ClientFactory, push: Push, queue: Queue) -> None:
    rule(client("events"), {"detail-type": ["ECR Image Scan"]}, queue.arn)
    digest = push("team/app", small_image(), ["v1"])
    client("ecr").start_image_scan(repositoryName="team/app", imageId={"imageTag": "v1"})
    (event,) = queue.take(1)
    assert event["detail"] == {
        "scan-status": "COMPLETE",
        "repository-name": "team/app",
        "image-digest": digest,
        "image-tags": ["v1"],
        "finding-severity-counts": {},
    }


def test_events_stay_in_their_account_and_region(client: ClientFactory, push: Push, queue: Queue, account: str) -> None:
    other = Queue(client, account, "us-east-1")
    rule(client("events"), {"source": ["aws.ecr", "shop"]}, queue.arn)
    rule(client("events", "us-east-1"), {"source": ["aws.ecr", "shop"]}, other.arn)
    push("team/app", small_image(), ["v1"], region="us-east-1")
    # No test's account begins with a 1.
    push("team/app", small_image(), ["v1"], account="1" + account[1:])
    client("events").put_events(Entries=[LAST])
    client("events", "us-east-1").put_events(Entries=[LAST])
    assert [event["detail-type"] for event in queue.take(1)] == ["end"]
    assert [event["region"] for event in other.take(2)] == ["us-east-1", "us-east-1"]


def test_put_events_reaches_the_rules_that_want_it(client: ClientFactory, queue: Queue) -> None:
    events = client("events")
    rule(events, {"source": ["shop"], "detail": {"number": [{"numeric": [">", 1]}]}}, queue.arn)
    answer = events.put_events(Entries=[order(1), order(2), order(3)])
    assert answer["FailedEntryCount"] == 0
    assert [event["detail"]["number"] for event in queue.take(2)] == [2, 3]


def test_put_events_says_which_entries_it_refused(client: ClientFactory) -> None:
    entries = [order(1), {**order(1), "Detail": "{"}, {**order(1), "Source": "aws.ecr"}, {"Source": "shop"}]
    answer = client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 3
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        "MalformedDetail",
        "NotAuthorizedForSource",
        "InvalidArgument",
    ]


def test_an_event_starts_a_function(client: ClientFactory, functions: Functions, push: Push) -> None:
    functions.deploy("def handler(event, context):\n    print(event['detail'])\n")
    arn = client("lambda").get_function(FunctionName="app")["Configuration"]["FunctionArn"]
    rule(client("events"), {"source": ["aws.ecr"], "detail": {"image-tag": ["v9"]}}, arn)
    digest = push("team/other", small_image(), ["v9"])
    assert until(lambda: [line for line in functions.lines() if digest in line])


def test_an_event_lands_in_a_log_group(client: ClientFactory, account: str) -> None:
    logs, events = client("logs"), client("events")
    logs.create_log_group(logGroupName="/aws/events/orders")
    rule(events, ORDERS, f"arn:aws:logs:eu-west-1:{account}:log-group:/aws/events/orders")
    events.put_events(Entries=[order(7)])
    (event,) = until(lambda: logs.filter_log_events(logGroupName="/aws/events/orders")["events"])
    assert json.loads(event["message"])["detail"] == {"number": 7}


def test_a_disabled_rule_sends_nothing(client: ClientFactory, queue: Queue) -> None:
    events = client("events")
    rule(events, ORDERS, queue.arn)
    events.disable_rule(Name="rule")
    events.put_events(Entries=[order(1)])
    events.enable_rule(Name="rule")
    events.put_events(Entries=[order(2)])
    assert [event["detail"]["number"] for event in queue.take(1)] == [2]


def test_a_removed_target_gets_nothing_more(client: ClientFactory, queue: Queue) -> None:
    events = client("events")
    rule(events, ORDERS, queue.arn)
    rule(events, {"detail-type": ["end"]}, queue.arn, "end")
    events.remove_targets(Rule="rule", Ids=["1"])
    events.put_events(Entries=[order(1), LAST])
    assert [event["detail-type"] for event in queue.take(1)] == ["end"]


def test_input_path_sends_a_part_of_the_event(client: ClientFactory, queue: Queue) -> None:
    events = client("events")
    rule(events, ORDERS, queue.arn, InputPath="$.detail")
    events.put_events(Entries=[order(5)])
    assert queue.take(1) == [{"number": 5}]


def test_an_input_transformer_writes_the_message(client: ClientFactory, queue: Queue) -> None:
    events = client("events")
    transformer = {
        "InputPathsMap": {"number": "$.detail.number", "source": "$.source"},
        "InputTemplate": '{"text": "order <number> of <source>", "number": <number>, "rule": <aws.events.rule-name>}',
    }
    rule(events, ORDERS, queue.arn, InputTransformer=transformer)
    events.put_events(Entries=[order(5)])
    assert queue.take(1) == [{"text": "order 5 of shop", "number": 5, "rule": "rule"}]


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(
    client: ClientFactory, queue: Queue, account: str
) -> None:
    events = client("events")
    gone = f"arn:aws:lambda:eu-west-1:{account}:function:gone"
    rule(events, ORDERS, gone, DeadLetterConfig={"Arn": queue.arn})
    events.put_events(Entries=[order(3)])
    assert [event["detail"] for event in queue.take(1)] == [{"number": 3}]


def test_a_rule_without_a_true_pattern_is_refused(client: ClientFactory) -> None:
    events = client("events")
    with pytest.raises(ClientError) as refused:
        events.put_rule(Name="rule", EventPattern='{"source": [{"like": "shop"}]}')
    assert refused.value.response["Error"]["Code"] == "InvalidEventPatternException"


def test_a_target_of_another_kind_is_refused(client: ClientFactory, account: str) -> None:
    events = client("events")
    events.put_rule(Name="rule", EventPattern=json.dumps(ORDERS))
    with pytest.raises(ClientError, match="delivers to SQS queues"):
        events.put_targets(
            Rule="rule", Targets=[{"Id": "1", "Arn": f"arn:aws:states:eu-west-1:{account}:stateMachine:x"}]
        )


def test_rules_and_targets_are_listed(client: ClientFactory, queue: Queue) -> None:
    events = client("events")
    arn = rule(events, ORDERS, queue.arn)
    (found,) = events.list_rules(NamePrefix="ru")["Rules"]
    assert (found["Arn"], found["State"], json.loads(found["EventPattern"])) == (arn, "ENABLED", ORDERS)
    assert events.list_targets_by_rule(Rule="rule")["Targets"] == [{"Id": "1", "Arn": queue.arn}]
    assert events.list_rule_names_by_target(TargetArn=queue.arn)["RuleNames"] == ["rule"]


def test_a_pattern_can_be_tried_out(client: ClientFactory, account: str) -> None:
    event = {
        "id": "1",
        "detail-type": "order",
        "source": "shop",
        "account": account,
        "time": "2026-06-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {},
    }
    answer = client("events").test_event_pattern(EventPattern=json.dumps(ORDERS), Event=json.dumps(event))
    assert answer["Result"] is True
