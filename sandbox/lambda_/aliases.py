"""Aliases: names for versions, with weights that shift traffic.

moto takes any weights and ignores the RevisionId that a caller gives; AWS refuses bad weights, and changes that were
planned on another revision.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.core.protocol import Call
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import LATEST, Alias, Function, new_id
from sandbox.lambda_.rest_service import (
    LAMBDA,
    check_revision,
    conflict,
    find_function,
    find_version,
    listing,
    not_found,
    page,
)


def choose(alias: Alias, draw: float | None = None) -> str:
    """The version that one call through the alias goes to; `draw` in [0, 1) stands for chance."""
    draw = random.random() if draw is None else draw
    for version, weight in alias.weights.items():
        if draw < weight:
            return version
        draw -= weight
    return alias.version


def checked(function: Function, alias: Alias) -> Alias:
    """The alias, if Lambda allows it. Raises ResourceNotFoundException, InvalidParameterValueException."""
    find_version(function, alias.version)
    if not alias.weights:
        return alias
    if len(alias.weights) > 1:
        raise invalid("The number of additional versions in the routing configuration must be at most 1.")
    ((other, weight),) = alias.weights.items()
    if LATEST in alias.versions:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if other == alias.version:
        raise invalid(f"The alias's own version {other} cannot be an additional version of its routing configuration.")
    if not isinstance(weight, int | float) or not 0.0 <= weight <= 1.0:
        raise invalid(f"Value '{weight}' at 'additionalVersionWeights' must be between 0.0 and 1.0.")
    first, second = find_version(function, alias.version).settings, find_version(function, other).settings
    if (first.role, first.dead_letter) != (second.role, second.dead_letter):
        raise invalid("Both versions of a weighted alias must have the same execution role and dead-letter config.")
    return alias


def document(function: Function, alias: Alias) -> dict[str, Any]:
    """An AliasConfiguration."""
    found: dict[str, Any] = {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.weights:
        found["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return found


def _find(call: Call) -> tuple[Function, Alias]:
    function = find_function(call)
    alias = function.aliases.get(call["Name"])
    if alias is None:
        raise not_found(f"Cannot find alias arn: {function.arn}:{call['Name']}")
    return function, alias


def _weights(routing: Mapping[str, Any] | None) -> dict[str, float]:
    return dict((routing or {}).get("AdditionalVersionWeights") or {})


@LAMBDA.operation("CreateAlias")
def create_alias(call: Call) -> Mapping[str, Any]:
    """A new alias for a version that exists."""
    function = find_function(call)
    name = call["Name"]
    with function.lock:
        if name.isdigit():
            raise invalid(f"Alias name {name} must not be a number.")
        if name in function.aliases:
            raise conflict(f"Alias already exists: {function.arn}:{name}")
        alias = Alias(name, call["FunctionVersion"], call.get("Description", ""), _weights(call.get("RoutingConfig")))
        function.aliases[name] = checked(function, alias)
        return document(function, alias)


@LAMBDA.operation("GetAlias")
def get_alias(call: Call) -> Mapping[str, Any]:
    """One alias."""
    return document(*_find(call))


@LAMBDA.operation("ListAliases")
def list_aliases(call: Call) -> Mapping[str, Any]:
    """The aliases by name, of one version where FunctionVersion is given; at most 50 a page."""
    function = find_function(call)
    wanted = call.get("FunctionVersion")
    with function.lock:
        aliases = [alias for _, alias in sorted(function.aliases.items()) if wanted is None or wanted in alias.versions]
    aliases_page, marker = page(call, aliases, lambda alias: alias.name)
    return listing("Aliases", [document(function, alias) for alias in aliases_page], marker)


@LAMBDA.operation("UpdateAlias")
def update_alias(call: Call) -> Mapping[str, Any]:
    """Change an alias. Without RoutingConfig the old weights stay, as on AWS; an empty one clears them."""
    function = find_function(call)
    with function.lock:
        _, alias = _find(call)
        check_revision(call.get("RevisionId"), alias.revision)
        provisioned = function.provisioned.get(alias.name)
        if provisioned and not provisioned.is_ready:
            raise conflict(
                f"Provisioned concurrency is being allocated for {function.arn}:{alias.name}. Try again later."
            )
        routing = call.get("RoutingConfig")
        alias = replace(
            alias,
            version=call.get("FunctionVersion", alias.version),
            description=call.get("Description", alias.description),
            weights=alias.weights if routing is None else _weights(routing),
            revision=new_id(),
        )
        function.aliases[alias.name] = checked(function, alias)
        if provisioned:
            provisioned.restart()
        return document(function, alias)


@LAMBDA.operation("DeleteAlias")
def delete_alias(call: Call) -> None:
    """Forget an alias; one that is not there is no error, as on AWS."""
    function = find_function(call)
    with function.lock:
        function.aliases.pop(call["Name"], None)
        function.provisioned.pop(call["Name"], None)
