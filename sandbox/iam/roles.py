"""Roles: who may be assumed by whom, and what a role's policies forbid.

moto's STS gives credentials for any role; AWS only for one that is there and trusts the caller.

A sandbox would be tedious if every account had to be furnished first, so an account is open until it has a role: with
none, any role of it can be assumed and may do all. Its first role, made by iam CreateRole or POST /_sandbox/roles,
closes it: from then on roles that it does not have are refused. A role without an Allow statement may do all that its
policies do not deny; one with an Allow may do what is allowed, as in AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from moto.iam.models import Role as IamRole
from moto.iam.models import iam_backends

from sandbox.iam import policy_language
from sandbox.iam.policy_language import Document, Verdict, listed

ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/]+)")
_ASSUMED = re.compile(r"arn:aws[\w-]*:sts::(?P<account>\d{12}):assumed-role/(?P<name>[^/]+)/.*")
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    "ecr:ListImageReferrers": "ecr:BatchGetImage",  # as the API reference of ListImageReferrers says
}
_PREFIXES = {"monitoring": "cloudwatch"}


@dataclass(frozen=True)
class Role:
    """A role: its policies, and whom it trusts (None: everybody)."""

    name: str
    policies: tuple[Document, ...] = ()
    trust: Document | None = None


_REGISTERED: dict[tuple[str, str], Role] = {}


def permission(service: str, operation: str) -> str:
    """The action that a policy must allow for an operation: mostly the one of the same name."""
    action = f"{service}:{operation}"
    return _ACTIONS.get(action, action)


def register(account: str, role: Role) -> None:
    """Put a role into an account, in place of the one of that name. Raises ValueError for a policy it cannot read."""
    for document in (*role.policies, *([role.trust] if role.trust else [])):
        policy_language.check(document)
    _REGISTERED[account, role.name] = role


def registered() -> list[tuple[str, str]]:
    """Account and name of the roles that were registered."""
    return list(_REGISTERED)


def forget(account: str | None = None) -> None:
    """Take registered roles away, of one account or of all; those made by IAM stay."""
    for key in [key for key in _REGISTERED if account in (None, key[0])]:
        del _REGISTERED[key]


def find(account: str, name: str) -> Role | None:
    """A role of an account, registered or made by IAM."""
    return _REGISTERED.get((account, name)) or next(
        (_of_iam(role) for role in _iam_roles(account) if role.name == name), None
    )


def is_open(account: str) -> bool:
    """Whether an account has no roles, so that any may be assumed."""
    return not _iam_roles(account) and not any(owner == account for owner, _ in list(_REGISTERED))


def _iam_roles(account: str) -> list[IamRole]:
    # Looked for without making an IAM account, which would cost every caller its time.
    if account not in iam_backends:
        return []
    return [role for backend in list(iam_backends[account].values()) for role in list(backend.roles.values())]


def _of_iam(role: IamRole) -> Role:
    attached = [
        version.document
        for policy in role.managed_policies.values()
        for version in policy.versions
        if version.is_default_version
    ]
    documents = tuple(_document(text) for text in (*role.policies.values(), *attached))
    return Role(role.name, documents, _document(role.assume_role_policy_document))


def _document(text: str) -> Document:
    document: Document = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return document


def may_be_assumed(role_arn: str, caller_arn: str, external_id: str | None) -> bool:
    """Whether STS gives credentials; a malformed ARN is for STS to refuse."""
    match = ROLE_ARN.fullmatch(role_arn)
    if match is None or is_open(match["account"]):
        return True
    role = find(match["account"], match["name"])
    if role is None:
        return False
    facts = {} if external_id is None else {"sts:externalid": external_id}
    return role.trust is None or _trusts(role.trust, caller_arn, facts)


def _trusts(trust: Document, caller_arn: str, facts: Mapping[str, str]) -> bool:
    result = False
    for statement in listed(trust["Statement"]):
        if not policy_language.has_action(statement, "sts:AssumeRole") or not _names(
            statement["Principal"], caller_arn
        ):
            continue
        if not policy_language.conditions_hold(statement, facts):
            continue
        if statement["Effect"] == "Deny":
            return False
        result = True
    return result


def _names(principal: Any, caller_arn: str) -> bool:
    if principal == "*":
        return True
    account = caller_arn.split(":")[4]
    names = {"*", account, f"arn:aws:iam::{account}:root", caller_arn}
    if match := _ASSUMED.fullmatch(caller_arn):
        names.add(f"arn:aws:iam::{account}:role/{match['name']}")
    return any(each in names for each in listed(principal.get("AWS", [])))


def refusal(
    caller_arn: str,
    region: str,
    service: str,
    operation: str,
    resource: Callable[[], str],
    more: Mapping[str, str] = MappingProxyType({}),
) -> str | None:
    """What IAM says when the caller's role may not do this, or None; `more` are facts for conditions.

    The resource is asked for only where a policy must know it.
    """
    match = _ASSUMED.fullmatch(caller_arn)
    role = find(match["account"], match["name"]) if match else None
    if match is None or role is None or not role.policies or operation == "GetCallerIdentity":
        return None
    action = f"{_PREFIXES.get(service, service)}:{operation}"
    action, named = _ACTIONS.get(action, action), resource()
    facts = {
        "aws:requestedregion": region,
        "aws:principalaccount": match["account"],
        "aws:principalarn": f"arn:aws:iam::{match['account']}:role/{match['name']}",
        **more,
    }
    answer = _verdict(role, action, named, facts)
    if answer == "allow":
        return None
    reason = (
        "with an explicit deny in an identity-based policy"
        if answer == "deny"
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {caller_arn} is not authorized to perform: {action} on resource: {named} {reason}"


def _verdict(role: Role, action: str, resource: str, facts: Mapping[str, str]) -> Verdict:
    answer = policy_language.evaluate(role.policies, action, resource, facts)
    statements = [each for document in role.policies for each in listed(document["Statement"])]
    if answer == "silent" and not any(each["Effect"] == "Allow" for each in statements):
        return "allow"
    return answer
