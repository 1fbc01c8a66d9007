"""Repository policies: who may pull, push or look, evaluated as IAM does (a Deny wins).

moto keeps repository policies and asks none; AWS evaluates them at every call, a pull by Lambda included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.iam.policy_language import Verdict, compare, has_action, listed

PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@dataclass(frozen=True)
class Caller:
    """Who asks: an account's identity, or a service on behalf of a resource in that account."""

    account: str
    arn: str = ""
    service: str | None = None
    source_arn: str = ""


def verdict(policy: str | None, caller: Caller, action: str) -> Verdict:
    """What a repository policy (JSON text, None when there is none) says to one action."""
    result: Verdict = "silent"
    for statement in listed(json.loads(policy)["Statement"]) if policy else ():
        if not (has_action(statement, action) and _has_principal(statement, caller) and _holds(statement, caller)):
            continue
        if statement["Effect"] == "Deny":
            return "deny"
        result = "allow"
    return result


def allows_all(policy: str | None, caller: Caller, actions: Iterable[str], *, own_account: bool) -> bool:
    """Whether every action is allowed: in the own account unless denied, from outside only if granted."""
    wanted = {"allow", "silent"} if own_account else {"allow"}
    return all(verdict(policy, caller, action) in wanted for action in actions)


def _has_principal(statement: Mapping[str, Any], caller: Caller) -> bool:
    principals = statement.get("Principal", {})
    if principals == "*":
        return True
    if caller.service:
        return any(each in (caller.service, "*") for each in listed(principals.get("Service", [])))
    names = {"*", caller.account, f"arn:aws:iam::{caller.account}:root", caller.arn}
    return any(each in names for each in listed(principals.get("AWS", [])))


def _holds(statement: Mapping[str, Any], caller: Caller) -> bool:
    facts = {
        "aws:sourcearn": caller.source_arn,
        "aws:sourceaccount": caller.account if caller.service else "",
        "aws:principalaccount": caller.account,
        "aws:principalarn": caller.arn,
    }
    for operator, conditions in statement.get("Condition", {}).items():
        for key, wanted in conditions.items():
            fact = facts.get(key.lower())
            if fact is None or not compare(operator.lower(), fact, [str(each) for each in listed(wanted)]):
                return False
    return True
