"""May Lambda pull from a repository? The decision on an ECR repository policy, as far as a text can tell.

https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions: across accounts both
the function's account (or the caller in it) and the Lambda service need the grant. In its own account Lambda writes the
grant itself where it is missing, so that only a Deny forbids there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.domain.fleet.policy_language import (
    ABSENT,
    Facts,
    Statement,
    all_of,
    any_of,
    conditions_hold,
    has_action,
    has_resource,
    negated,
    texts,
)
from functions_app.domain.json_fields import read_text
from functions_app.domain.text import visible

PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
LAMBDA = "lambda.amazonaws.com"
NAMED, NAME_LENGTH = 4, 80  # statements, and characters of each one's name, that a reason tells


@dataclass(frozen=True)
class _Asker:
    """One of the two that pull: the account through a caller in it, or Lambda's service for the function."""

    name: str
    partition: str
    account: str
    caller: str  # the caller's role; empty: not known
    service: bool
    facts: Facts


def allows_pull(
    policy: str | None, *, function_arn: str, owner_account: str, repository_arn: str = "", caller: str = ""
) -> tuple[bool | None, str]:
    """Whether Lambda may pull for the function: True, False or None (it depends on what can't be seen), and why.

    `policy` is the repository's policy text, None where there is none; `owner_account` owns the repository; `caller` is
    the ARN of the role that deploys, where that is known.
    """
    statements = _statements(policy)
    if statements is None:
        return None, "The repository policy can't be read as JSON; Lambda will decide."
    askers = _askers(function_arn, caller)
    denies = [each for each in statements if each.get("Effect") == "Deny"]
    forbidding = {id(each): _speaks(each, askers, repository_arn) for each in denies}
    if certain := [each for each in denies if forbidding[id(each)]]:
        return False, f"The repository policy denies Lambda the pull ({_named(certain)})."
    own = _account(function_arn) == owner_account
    missing, doubtful = ([], []) if own else _grants(statements, askers, repository_arn)
    if missing:
        return False, (
            f"The repository belongs to account {owner_account}, and its policy does not allow "
            f"{'; nor '.join(missing)}. "
            "Across accounts it must allow both."
        )
    doubtful += [each for each in denies if forbidding[id(each)] is None]
    if doubtful:
        return None, f"It depends on what Drydock can't see ({_named(doubtful)}): Lambda will decide."
    if own:
        return True, "Nothing in the repository policy forbids the pull."
    return True, f"The policy of account {owner_account} allows the pull to the account and to Lambda."


def _grants(
    statements: Sequence[Statement], askers: Sequence[_Asker], repository_arn: str
) -> tuple[list[str], list[Statement]]:
    """What is granted to nobody, in words; and the statements on which it depends whether the rest is."""
    missing: list[str] = []
    doubtful: list[Statement] = []
    allows = [each for each in statements if each.get("Effect") == "Allow"]
    for asker in askers:
        without = []
        for action in PULL:
            answers = [(each, _applies(each, asker, action, repository_arn)) for each in allows]
            granted = any_of(answer for _, answer in answers)
            if granted is False:
                without.append(action)
            elif granted is None:
                doubtful += [each for each, answer in answers if answer is None and each not in doubtful]
        if without:
            missing.append(f"{asker.name} {' and '.join(without)}")
    return missing, doubtful


def _askers(function_arn: str, caller: str) -> tuple[_Asker, _Asker]:
    partition, account = function_arn.split(":")[1], _account(function_arn)
    shared: dict[str, str | None] = {"aws:securetransport": "true"}  # ECR speaks https alone
    of_account = {
        "aws:principalaccount": account,
        "aws:principalarn": caller or None,
        "aws:principalisawsservice": "false",
    }
    of_service = {
        "aws:sourcearn": function_arn,
        "aws:sourceaccount": account,
        "aws:principalservicename": LAMBDA,
        "aws:principalisawsservice": "true",
        "aws:principalaccount": ABSENT,
    }
    return (
        _Asker(f"account {account}", partition, account, caller, False, shared | of_account),
        _Asker(LAMBDA, partition, account, "", True, shared | of_service),
    )


def _account(function_arn: str) -> str:
    return function_arn.split(":")[4]


def _statements(policy: str | None) -> list[dict[str, Any]] | None:
    if not policy:
        return []
    try:
        found = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _speaks(statement: Statement, askers: Sequence[_Asker], repository_arn: str) -> bool | None:
    """Whether a statement applies to a pull by either of the two."""
    return any_of(_applies(statement, asker, action, repository_arn) for asker in askers for action in PULL)


def _applies(statement: Statement, asker: _Asker, action: str, repository_arn: str) -> bool | None:
    return all_of(
        (
            has_action(statement, action),
            _has_principal(statement, asker),
            has_resource(statement, repository_arn) if repository_arn else _whole(statement),
            conditions_hold(statement, asker.facts),
        )
    )


def _whole(statement: Statement) -> bool | None:
    """Without knowing the repository's ARN: only a resource of * surely includes it."""
    if "Resource" not in statement and "NotResource" not in statement:
        return True
    return True if "*" in texts(statement.get("Resource")) else None


def _has_principal(statement: Statement, asker: _Asker) -> bool | None:
    if "NotPrincipal" in statement:
        # An exception for the account alone is none for the roles in it, unless they are named too: undecided.
        listed = _listed(statement["NotPrincipal"], asker)
        exempt = asker.service or _is_named(statement["NotPrincipal"], asker)
        return None if listed and not exempt else negated(listed)
    return _listed(statement["Principal"], asker) if "Principal" in statement else None


def _listed(principal: Any, asker: _Asker) -> bool | None:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    names = texts(principal.get("AWS"))
    if "*" in names:
        return True
    if asker.service:
        return LAMBDA in texts(principal.get("Service"))
    return any_of(_is_asker(name, asker) for name in names)


def _is_asker(name: str, asker: _Asker) -> bool | None:
    """Whether a principal of a policy is the account as a whole, or the caller in it."""
    prefix = f"arn:{asker.partition}:"
    if name in (asker.account, f"{prefix}iam::{asker.account}:root"):
        return True
    if name.startswith(("AROA", "AIDA")):
        return None  # a role or user by its id
    if not name.startswith((f"{prefix}iam::{asker.account}:", f"{prefix}sts::{asker.account}:")):
        return False
    if not asker.caller:
        return None  # somebody of the account: who deploys is not known
    return name == asker.caller or None if ":sts:" in name else name == asker.caller


def _is_named(principal: Any, asker: _Asker) -> bool:
    return isinstance(principal, dict) and bool(asker.caller) and asker.caller in texts(principal.get("AWS"))


def _named(statements: Sequence[Mapping[str, Any]]) -> str:
    """The first of them by their names, fit to be shown."""
    names = list(dict.fromkeys(map(_name, statements)))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _name(statement: Statement) -> str:
    sid = read_text(statement.get("Sid"))
    return f"statement {visible(sid, NAME_LENGTH)!r}" if sid else f"a {statement['Effect']} statement"
