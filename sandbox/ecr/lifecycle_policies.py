"""Which lifecycle policies ECR takes.

moto checks each property for itself; AWS also what they mean together, as far as
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html says. Where the
documentation gives a rule but not the error's words, the words after "validation failure:" are ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.policy_validation import EcrLifecyclePolicyValidator

MAX_RULES, MAX_WILDCARDS = 50, 4
MIN_DAYS_IN_ARCHIVE = 90
_NEW_COUNTS = ("sinceImagePulled", "sinceImageTransitioned")
_LISTS = ("tagPatternList", "tagPrefixList")


def validate(text: str) -> None:
    """Raise InvalidParameterException, with AWS's prefix, for a policy that ECR would refuse."""
    try:
        rules = json.loads(text)["rules"]
    except (ValueError, TypeError, KeyError):
        rules = []
    failure = next(_wrong_types(rules), None)
    if failure is None:
        EcrLifecyclePolicyValidator(_as_moto_knows_it(text, rules)).validate()
        failure = next(_wrong_together(rules), None)
    if failure is not None:
        raise InvalidParameterException(f"{EcrLifecyclePolicyValidator.INVALID_PARAMETER_ERROR_MESSAGE}{failure}'")


def _as_moto_knows_it(text: str, rules: Any) -> str:
    """The policy without storage classes, which moto does not know: the rest is checked by moto."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    for rule in document.get("rules", ()) if isinstance(document, dict) and isinstance(rules, list) else ():
        selection, action = (rule.get(name) if isinstance(rule, dict) else None for name in ("selection", "action"))
        if isinstance(selection, dict):
            selection.pop("storageClass", None)
            if selection.get("countType") in _NEW_COUNTS:
                selection["countType"] = "sinceImagePushed"
        if isinstance(action, dict) and action.get("type") == "transition":
            action["type"] = "expire"
            action.pop("targetStorageClass", None)
    return json.dumps(document)


def _wrong_types(rules: Any) -> Iterator[str]:
    """What moto would stumble over."""
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, dict):
            continue
        for name in ("selection", "action"):
            yield from _not_a("object", dict, rule, name)
        selection = rule.get("selection", {})
        for name, where in (("rulePriority", rule), ("countNumber", selection)):
            yield from _not_a("integer", int, where, name)
        for name in _LISTS:
            yield from _not_a("array", list, selection, name)


def _not_a(kind: str, wanted: type, where: Any, name: str) -> Iterator[str]:
    if not isinstance(where, dict) or name not in where:
        return
    value = where[name]
    if not isinstance(value, wanted) or isinstance(value, bool):
        yield f'instance type ({_json_type(value)}) does not match any allowed primitive type (allowed: ["{kind}"])'


def _json_type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "string")


def _wrong_together(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not 1 <= len(rules) <= MAX_RULES:
        yield f"a policy has 1 to {MAX_RULES} rules, not {len(rules)}"
    priorities = [int(rule["rulePriority"]) for rule in rules]
    if any(priority < 1 for priority in priorities):
        yield f"numeric instance is lower than the required minimum (minimum: 1, found: {min(priorities)})"
    if len(set(priorities)) < len(priorities):
        yield "rulePriority must be unique"
    for rule in rules:
        yield from _wrong_selection(rule["selection"])
        yield from _wrong_storage(rule)
        storage = _storage_class(rule)
        same = [int(each["rulePriority"]) for each in rules if _storage_class(each) == storage]
        if rule["selection"]["tagStatus"] == "any" and rule["rulePriority"] < max(same):
            yield "a rule with tagStatus any must have the highest rulePriority"


def _storage_class(rule: Mapping[str, Any]) -> str:
    return str(rule["selection"].get("storageClass", "standard"))


def _wrong_selection(selection: Mapping[str, Any]) -> Iterator[str]:
    given = [name for name in _LISTS if selection.get(name)]
    if selection["tagStatus"] == "tagged":
        if len(given) != 1:
            yield "tagStatus tagged needs either a tagPatternList or a tagPrefixList"
    elif given:
        yield f"{given[0]} may only be used when tagStatus is tagged"
    for pattern in selection.get("tagPatternList", ()):
        if str(pattern).count("*") > MAX_WILDCARDS:
            yield f"the tag pattern '{pattern}' has more than {MAX_WILDCARDS} wildcards"
    if selection["countType"].startswith("since") != ("countUnit" in selection):
        yield "instance failed to match exactly one schema (matched 0 out of 2)"


def _wrong_storage(rule: Mapping[str, Any]) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html: storageClass, action."""
    selection, action = rule["selection"], rule["action"]
    storage = selection.get("storageClass", "standard")
    if storage not in ("standard", "archive"):
        yield f'instance value ({storage}) not found in enum :(possible values: ["archive", "standard"])'
    if (selection["countType"] == "sinceImageTransitioned") != (storage == "archive"):
        yield "storageClass archive goes with countType sinceImageTransitioned, and with no other"
    if storage == "archive" and int(selection["countNumber"]) < MIN_DAYS_IN_ARCHIVE:
        yield f"images stay in the archive for at least {MIN_DAYS_IN_ARCHIVE} days"
    if action["type"] == "transition":
        if action.get("targetStorageClass") != "archive":
            yield "a transition needs targetStorageClass archive"
        if storage == "archive":
            yield "what is in the archive can't be moved there"
