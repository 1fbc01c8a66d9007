"""Repository policies: who may pull, push or look, evaluated as IAM does (a Deny wins).

moto keeps repository policies and asks none; AWS evaluates them at every call, a pull by Lambda included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.iam.policy_language import Verdict, compare, has_action, has_resource, knows, listed

PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):root")
_SESSION = re.compile(r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.*")


@dataclass(frozen=True)
class Caller:
    """Who asks: an account's identity, or a service on behalf of a resource in that account."""

    account: str
    arn: str = ""
    service: str | None = None
    source_arn: str = ""


def verdict(policy: str | None, caller: Caller, action: str, resource: str = "") -> Verdict:
    """What a repository policy (JSON text, None when there is none) says to one action.

    A condition that the sandbox can't judge grants nothing, and denies: it is never kinder than AWS.
    """
    result: Verdict = "silent"
    for statement in listed(json.loads(policy)["Statement"]) if policy else ():
        if not (has_action(statement, action) and has_resource(statement, resource or "*")):
            continue
        if not (_has_principal(statement, caller) and _holds(statement, caller)):
            continue
        if statement["Effect"] == "Deny":
            return "deny"
        result = "allow"
    return result


def allows_all(
    policy: str | None, caller: Caller, actions: Iterable[str], *, own_account: bool, resource: str = ""
) -> bool:
    """Whether every action is allowed: in the own account unless denied, from outside only if granted."""
    wanted = {"allow", "silent"} if own_account else {"allow"}
    return all(verdict(policy, caller, action, resource) in wanted for action in actions)


def _has_principal(statement: Mapping[str, Any], caller: Caller) -> bool:
    if "NotPrincipal" in statement:
        # Of an account's exception its roles and users have no part unless they are named too.
        named = caller.service or not caller.arn or caller.arn in listed(_of(statement["NotPrincipal"], "AWS"))
        return not (named and _is_listed(statement["NotPrincipal"], caller))
    return _is_listed(statement.get("Principal", {}), caller)


def _is_listed(principals: Any, caller: Caller) -> bool:
    if principals == "*" or "*" in listed(_of(principals, "AWS")):
        return True
    if caller.service:
        return caller.service in listed(_of(principals, "Service"))
    names = {caller.account, caller.arn, _role_of(caller.arn)} - {""}
    given = [str(each) for each in listed(_of(principals, "AWS"))]
    roots = [match["account"] for each in given if (match := _ROOT.fullmatch(each))]
    return bool(names & set(given)) or caller.account in roots


def _of(principals: Any, kind: str) -> Any:
    return principals.get(kind, []) if isinstance(principals, dict) else []


def _role_of(arn: str) -> str:
    """The role behind a session, which a policy may name instead."""
    match = _SESSION.fullmatch(arn)
    return f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}" if match else ""


def _holds(statement: Mapping[str, Any], caller: Caller) -> bool:
    facts = {
        "aws:sourcearn": caller.source_arn,
        "aws:sourceaccount": caller.account if caller.service else "",
        "aws:principalaccount": "" if caller.service else caller.account,
        "aws:principalarn": "" if caller.service else caller.arn,
        "aws:principalisawsservice": "true" if caller.service else "false",
        "aws:securetransport": "true",
    }
    denies = statement["Effect"] == "Deny"
    return all(
        _condition(operator.lower(), facts.get(key.lower()), [str(each) for each in listed(wanted)], unknown=denies)
        for operator, conditions in statement.get("Condition", {}).items()
        for key, wanted in conditions.items()
    )


def _condition(operator: str, fact: str | None, wanted: list[str], *, unknown: bool) -> bool:
    name = operator.removesuffix("ifexists")
    if fact is None or any("${" in each for each in wanted):
        return unknown
    if name == "null":
        return (fact == "") in [each.lower() == "true" for each in wanted]
    if name == "bool":
        return operator.endswith("ifexists") if fact == "" else fact in [each.lower() for each in wanted]
    if not knows(name):
        return unknown
    if fact == "":
        return operator.endswith("ifexists") or "not" in name
    return compare(name, fact, wanted)
