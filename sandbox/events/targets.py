"""What EventBridge does with an event that a rule wants: shape it for the target and hand it over.

moto loses the event's account on the way, keeps no log group of ours and knows no Lambda functions; AWS hands the
whole event to all three. Unlike AWS the sandbox asks for no permission of the target's own policy, and tries once.
"""

from __future__ import annotations

import json
import queue
import re
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import JsonRESTError

from sandbox.core.protocol import Call, ServiceError
from sandbox.lambda_.rest_service import LAMBDA
from sandbox.logs import log_store

Event = Mapping[str, Any]
_ARN = re.compile(r"arn:aws[\w-]*:(?P<service>sqs|lambda|logs):(?P<region>[\w-]+):(?P<account>\d{12}):(?P<rest>.+)")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a target of a rule."""

    event: Event
    target: Mapping[str, Any]
    rule_name: str
    rule_arn: str


class Undeliverable(Exception):
    """The target is not there or refuses; the event goes to the dead-letter queue, or is lost."""


def is_supported(arn: str) -> bool:
    """Whether the sandbox delivers to such a target: an SQS queue, a Lambda function or a log group."""
    return _ARN.fullmatch(arn) is not None


class Courier:
    """Delivers in the background and in order, so that no push waits for a function."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, delivery: Delivery) -> None:
        """Take a delivery over."""
        self._queue.put(delivery)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="eventbridge", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            _deliver(self._queue.get())


COURIER = Courier()


def _deliver(delivery: Delivery) -> None:
    try:
        text = shaped(delivery)
        _hand_over(str(delivery.target["Arn"]), text, delivery.target)
    except Undeliverable as error:
        dead_letters = delivery.target.get("DeadLetterConfig", {}).get("Arn")
        print(f"sandbox: the rule {delivery.rule_name} could not deliver: {error}", file=sys.stderr)
        if dead_letters:
            _to_dead_letters(dead_letters, json.dumps(delivery.event))


def _to_dead_letters(arn: str, text: str) -> None:
    try:
        _hand_over(arn, text, {})
    except Undeliverable as error:
        print(f"sandbox: nor to the dead-letter queue: {error}", file=sys.stderr)


def _hand_over(arn: str, text: str, target: Mapping[str, Any]) -> None:
    match = _ARN.fullmatch(arn)
    if match is None:
        raise Undeliverable(f"no target of the sandbox: {arn}")
    account, region, rest = match["account"], match["region"], match["rest"]
    if match["service"] == "sqs":
        _to_queue(account, region, rest, text, target.get("SqsParameters", {}).get("MessageGroupId"))
    elif match["service"] == "lambda":
        _to_function(account, region, arn, text)
    else:
        _to_log_group(account, region, rest, text)


def _to_queue(account: str, region: str, name: str, text: str, group: str | None) -> None:
    # moto's queues are loaded only when one is wanted.
    from moto.sqs.models import sqs_backends

    try:
        sqs_backends[account][region].send_message(queue_name=name, message_body=text, group_id=group)
    except JsonRESTError as error:
        raise Undeliverable(f"{name}: {error}") from error


def _to_function(account: str, region: str, arn: str, text: str) -> None:
    parameters = {"FunctionName": arn, "InvocationType": "Event"}
    try:
        LAMBDA.operations["Invoke"](Call(account, region, parameters, text.encode()))
    except ServiceError as error:
        raise Undeliverable(f"{arn}: {error}") from error


def _to_log_group(account: str, region: str, rest: str, text: str) -> None:
    name = rest.removeprefix("log-group:").removesuffix(":*")
    if name not in log_store.groups(account, region):
        raise Undeliverable(f"no log group {name}")
    log_store.write(account, region, name, str(uuid.uuid4()), [text])


def shaped(delivery: Delivery) -> str:
    """The text for the target: the whole event, or what Input, InputPath or InputTransformer make of it."""
    target = delivery.target
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_find(delivery.event, target["InputPath"]))
    if "InputTransformer" in target:
        return _transformed(delivery, target["InputTransformer"])
    return json.dumps(delivery.event)


def _transformed(delivery: Delivery, transformer: Mapping[str, Any]) -> str:
    values = {name: _find(delivery.event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": delivery.rule_arn,
        "aws.events.rule-name": delivery.rule_name,
        "aws.events.event": {name: value for name, value in delivery.event.items() if name != "detail"},
        "aws.events.event.json": delivery.event,
        "aws.events.event.ingestion-time": delivery.event["time"],
    }
    template = str(transformer["InputTemplate"])

    def fill(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value = values[match[1]]
        # Between quotation marks a value is written bare, elsewhere as JSON.
        quoted = len(re.findall(r'(?<!\\)"', template[: match.start()])) % 2 == 1
        text = json.dumps(value)
        if not quoted:
            return text
        return text[1:-1] if isinstance(value, str) else json.dumps(text)[1:-1]

    return re.sub(r"<([\w.-]+)>", fill, template)


def _find(event: Event, path: str) -> Any:
    found: Any = event
    for name, index in _STEP.findall(path.removeprefix("$")):
        try:
            found = found[int(index)] if index else found[name]
        except (KeyError, IndexError, TypeError):
            return None
    return found
