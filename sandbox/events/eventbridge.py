"""EventBridge: rules that choose events, of the account's services and of PutEvents, and send them to targets."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.models import EventsBackend, Rule, events_backends
from moto.events.responses import EventsHandler

from sandbox import clock
from sandbox.core import account_events as events
from sandbox.core.dispatch import route
from sandbox.events import patterns
from sandbox.events.targets import COURIER, Delivery, is_supported

_ENVELOPE = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")


class EventBridgeBackend(EventsBackend):
    """Rules and buses are moto's; matching and delivery are ours."""

    def put_rule(self, name: str, *args: Any, **kwargs: Any) -> Rule:
        """As moto does, with AWS's check of the pattern. Raises InvalidEventPatternException."""
        if kwargs.get("event_pattern"):
            _parse(kwargs["event_pattern"])
        return super().put_rule(name, *args, **kwargs)

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        """As moto does. Raises ValidationException for a kind of target that the sandbox does not deliver to."""
        for target in targets:
            if not is_supported(target["Arn"]):
                raise JsonRESTError(
                    "ValidationException",
                    "The sandbox delivers to SQS queues, Lambda functions and log groups, "
                    f"not to {target['Arn']} (target {target['Id']}).",
                )
        super().put_targets(name, event_bus_arn, targets)

    def put_events(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send each entry to its bus; an entry that is refused says why, the others go on.

        moto accepts events in the name of AWS's services and of buses that are not there; AWS does not.
        """
        if not 1 <= len(events) <= 10:
            raise JsonRESTError(
                "ValidationException",
                "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy "
                "constraint: Member must have length less than or equal to 10",
            )
        return [self._put_event(entry) for entry in events]

    def _put_event(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
        if str(entry["Source"]).startswith("aws."):
            return {"ErrorCode": "NotAuthorizedForSource", "ErrorMessage": "Not authorized for the source."}
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        at = datetime.fromtimestamp(entry["Time"], UTC) if "Time" in entry else clock.now()
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self.account_id,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region_name,
            "resources": entry.get("Resources", []),
            "detail": detail,
        }
        self.publish(event, self._normalize_event_bus_arn(entry.get("EventBusName")))
        return {"EventId": event["id"]}

    def publish(self, event: Mapping[str, Any], bus: str = "default") -> None:
        """Hand an event to the targets of every enabled rule that wants it. An unknown bus loses it, as in AWS."""
        found = self.event_buses.get(bus)
        for rule in list(found.rules.values()) if found else ():
            pattern = rule.event_pattern.get_pattern()
            if rule.state == "DISABLED" or not pattern or not patterns.matches(pattern, event):
                continue
            for target in list(rule.targets):
                COURIER.send(Delivery(event, target, rule.name, rule.arn))


class EventBridgeResponse(EventsHandler):
    """Answers one EventBridge call."""

    def test_event_pattern(self) -> Any:
        """Whether a pattern matches an event. moto does not do it. Raises InvalidEventPatternException."""
        pattern = _parse(self._get_param("EventPattern"))
        try:
            event = json.loads(self._get_param("Event"))
        except ValueError as error:
            raise JsonRESTError("ValidationException", "Parameter Event is not valid. Reason: not JSON.") from error
        missing = [name for name in _ENVELOPE if name != "version" and name not in event]
        if missing:
            raise JsonRESTError("ValidationException", f"Parameter Event is not valid. Reason: no {missing[0]}.")
        return self._create_response({"Result": patterns.matches(pattern, event)})


def _parse(text: str) -> patterns.Pattern:
    try:
        return patterns.parse(text)
    except patterns.InvalidPattern as error:
        raise JsonRESTError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}") from error


def _publish(event: Mapping[str, Any]) -> None:
    backend = events_backends[event["account"]][event["region"]]
    assert isinstance(backend, EventBridgeBackend), "install() comes before the first event"
    backend.publish(event)


def install() -> None:
    """Answer EventBridge here and listen to the events of the account's services."""
    events_backends.backend = EventBridgeBackend
    route("events", EventBridgeResponse)
    if _publish not in events.LISTENERS:
        events.LISTENERS.append(_publish)
