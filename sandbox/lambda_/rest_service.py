"""Lambda's REST service and what all its operations share: finding functions, guarding changes, cutting pages."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.core.protocol import Call, RestJsonService, ServiceError
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import LATEST, Alias, Function, Version
from sandbox.lambda_.spaces import space

LAMBDA = RestJsonService("lambda")
PAGE = 50
_NAME = re.compile(
    r"(?:arn:aws[\w-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):function:|function:)?"
    r"(?P<name>[\w-]+)(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[\w-]+))?"
)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Target:
    """A function and the version that a qualifier leads to."""

    function: Function
    version: Version
    qualifier: str | None
    alias: Alias | None = None


def not_found(message: str) -> ServiceError:
    """ResourceNotFoundException."""
    return ServiceError("ResourceNotFoundException", 404, message)


def conflict(message: str) -> ServiceError:
    """ResourceConflictException."""
    return ServiceError("ResourceConflictException", 409, message)


def split_name(call: Call, parameter: str = "FunctionName") -> tuple[str, str | None]:
    """Name and qualifier from a name, a partial ARN or an ARN. Raises for malformed and for foreign names."""
    given = str(call[parameter])
    match = _NAME.fullmatch(given)
    if not match:
        raise invalid(f"Invalid function name: {given}")
    if match["account"] not in (None, call.account):
        raise ServiceError(
            "AccessDeniedException", 403, f"No resource-based policy of {given} allows account {call.account}."
        )
    if match["region"] not in (None, call.region):
        raise not_found(f"Functions from '{match['region']}' are not reachable in this region ('{call.region}')")
    qualifier = match["qualifier"] or call.get("Qualifier")
    return match["name"], qualifier


def find_function(call: Call) -> Function:
    """The function a call names. Raises ResourceNotFoundException."""
    name, _ = split_name(call)
    function = space(call.account, call.region).functions.get(name)
    if function is None:
        raise not_found(f"Function not found: arn:aws:lambda:{call.region}:{call.account}:function:{name}")
    return function


def find_target(call: Call) -> Target:
    """The function and version a call names; an alias leads to its first version. Raises ResourceNotFoundException."""
    function = find_function(call)
    _, qualifier = split_name(call)
    if qualifier is None:
        return Target(function, function.latest, None)
    alias = function.aliases.get(qualifier)
    return Target(function, find_version(function, alias.version if alias else qualifier), qualifier, alias)


def find_version(function: Function, number: str) -> Version:
    """$LATEST or a published version. Raises ResourceNotFoundException."""
    version = function.latest if number == LATEST else function.versions.get(number)
    if version is None:
        raise not_found(f"Function not found: {function.arn}:{number}")
    return version


def check_revision(given: str | None, current: str) -> None:
    """Refuse a change that was planned on another revision. Raises PreconditionFailedException."""
    if given is not None and given != current:
        raise ServiceError(
            "PreconditionFailedException",
            412,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
        )


def check_settled(function: Function) -> None:
    """Refuse a change while the function is being created or updated. Raises ResourceConflictException."""
    latest = function.latest
    if not latest.is_busy:
        return
    if "LastUpdateStatus" in (states := latest.states()) and states["LastUpdateStatus"] == "InProgress":
        raise conflict(
            f"The operation cannot be performed at this time. An update is in progress for resource: {function.arn}"
        )
    raise conflict(
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )


def page(
    call: Call, items: Sequence[Item], key: Callable[[Item], Any], *, most: int = PAGE
) -> tuple[Sequence[Item], str | None]:
    """The items after the call's Marker, and the next Marker. `items` must be ordered by `key`, which is JSON."""
    after = read_marker(call)
    if after is not None:
        items = [item for item in items if key(item) > after]
    size = min(call.get("MaxItems", most), most)
    more = len(items) > size
    items = items[:size]
    return items, write_marker(key(items[-1])) if more else None


def read_marker(call: Call) -> Any:
    """What the Marker says the last page ended with; None at the start. Raises InvalidParameterValueException."""
    marker = call.get("Marker")
    if not marker:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(marker))
    except ValueError as error:
        raise invalid("Invalid value for Marker") from error


def write_marker(last: Any) -> str:
    """An opaque Marker for a page that ended with this key."""
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()


def listing(name: str, items: Sequence[Any], marker: str | None) -> dict[str, Any]:
    """A list answer, with NextMarker where there is more."""
    return {name: list(items)} | ({"NextMarker": marker} if marker else {})
