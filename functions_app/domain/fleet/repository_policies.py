"""May Lambda pull from a repository? The decision on an ECR repository policy, as far as a text can tell."""

import fnmatch
import json
from collections.abc import Iterable, Mapping
from typing import Any

PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LAMBDA = "lambda.amazonaws.com"


def allows_pull(policy: str | None, *, function_arn: str, owner_account: str) -> tuple[bool | None, str]:
    """Whether Lambda may pull for the function: True, False or None (it depends on what can't be seen), and why.

    `policy` is the repository's policy text, None where there is none; `owner_account` owns the repository.
    In its own account Lambda writes the grant itself when it is missing, so only an explicit Deny forbids there.
    """
    account = function_arn.split(":")[4]
    statements = _statements(policy)
    if statements is None:
        return None, "The repository policy can't be read as JSON; Lambda will decide."
    denies = [item for item in statements if item.get("Effect") == "Deny" and _concerns(item, function_arn)]
    if any(not item.get("Condition") for item in denies):
        return False, f"The repository policy denies Lambda the pull ({_named(denies)})."
    if denies:
        return None, f"The repository policy denies pulls under a condition ({_named(denies)}); Lambda will decide."
    if account == owner_account:
        return True, "Nothing in the repository policy forbids the pull."
    return _other_account(statements, function_arn, owner_account)


def _other_account(statements: Iterable[Mapping[str, Any]], function_arn: str, owner: str) -> tuple[bool | None, str]:
    """Another account needs a grant: for Lambda's service (with the function as source) or for the account."""
    account = function_arn.split(":")[4]
    allows = [item for item in statements if item.get("Effect") == "Allow" and _concerns(item, function_arn)]
    granted = {action for action in PULL for item in allows if _has_action(item, action)}
    if missing := [action for action in PULL if action not in granted]:
        return False, (
            f"The repository belongs to account {owner}, and its policy does not allow account {account} "
            f"or {LAMBDA} {' and '.join(missing)}."
        )
    if any(item.get("Condition") and not _source_matches(item["Condition"], function_arn) for item in allows):
        return None, "The repository policy allows the pull under a condition; Lambda will decide."
    return True, f"The policy of account {owner} allows the pull."


def _statements(policy: str | None) -> list[dict[str, Any]] | None:
    if not policy:
        return []
    try:
        found = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError):
        return None
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _concerns(statement: Mapping[str, Any], function_arn: str) -> bool:
    """Whether a statement speaks of pulls by Lambda or by the function's account."""
    return _has_principal(statement, function_arn) and any(_has_action(statement, action) for action in PULL)


def _has_principal(statement: Mapping[str, Any], function_arn: str) -> bool:
    account = function_arn.split(":")[4]
    principal = statement.get("Principal")
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    accounts = {"*", account, f"arn:aws:iam::{account}:root"}
    return LAMBDA in _list(principal.get("Service")) or bool(accounts & set(_list(principal.get("AWS"))))


def _has_action(statement: Mapping[str, Any], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), given.lower()) for given in _list(statement.get("Action")))


def _source_matches(condition: Any, function_arn: str) -> bool:
    """Whether the one condition is on the source, as AWS documents it for Lambda, and fits the function."""
    if not isinstance(condition, dict) or len(condition) != 1:
        return False
    operator, wanted = next(iter(condition.items()))
    if operator not in ("StringLike", "StringEquals", "ArnLike", "ArnEquals") or not isinstance(wanted, dict):
        return False
    keys = {name.lower(): value for name, value in wanted.items()}
    if set(keys) == {"aws:sourceaccount"}:
        return function_arn.split(":")[4] in _list(keys["aws:sourceaccount"])
    if set(keys) != {"aws:sourcearn"}:
        return False
    return any(fnmatch.fnmatchcase(function_arn, pattern) for pattern in _list(keys["aws:sourcearn"]))


def _named(statements: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"statement {item['Sid']!r}" if item.get("Sid") else "a Deny statement" for item in statements)


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [item for item in value or [] if isinstance(item, str)]
