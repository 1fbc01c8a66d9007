"""Add and change the accounts Drydock looks after; only administrators may, and every attempt is audited."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from functions_app.domain.changes.approvals import Approval, asks_less
from functions_app.domain.changes.production import LENGTH, parse_patterns
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.account_colours import COLOURS, EARLIER, account_colour
from functions_app.domain.redaction import NOT_KEPT, holds_secret
from functions_app.domain.text import storable
from functions_app.models import Account, Scope
from functions_app.services.people import access, accounts
from functions_app.services.people.actor import Actor

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,200}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9_+=,.@/-]{1,512}")


@dataclass(frozen=True)
class AccountDraft:
    """What was typed into the form, tidied."""

    name: str
    account_id: str
    colour: str
    regions: tuple[str, ...]
    role_arn: str
    external_id: str
    enabled: bool
    production: str = ""
    approval: str = Approval.BOTS

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "AccountDraft":
        """Read the form's fields; regions are separated by commas or spaces."""
        return cls(
            name=storable(form.get("name", "")).strip(),
            account_id=form.get("account_id", "").strip().replace("-", ""),
            colour=form.get("colour", ""),
            regions=tuple(dict.fromkeys(re.split(r"[\s,]+", form.get("regions", "").strip().lower()))),
            role_arn=form.get("role_arn", "").strip(),
            external_id=form.get("external_id", "").strip(),
            enabled=form.get("enabled") == "on",
            production=storable(form.get("production", "")).strip()[:LENGTH],
            approval=form.get("approval", Approval.BOTS),
        )

    @classmethod
    def of(cls, account: Account) -> "AccountDraft":
        """An account as it is now."""
        return cls(
            account.name,
            account.account_id,
            account_colour(account.colour),
            tuple(account.regions),
            account.role_arn,
            account.external_id,
            account.enabled,
            ", ".join(account.production_aliases),
            account.approval,
        )


@dataclass(frozen=True)
class ScopeFact:
    """One region of an account, with its age and what went wrong last."""

    region: str
    synced: object
    problem: Problem | None


def require_administrator(actor: Actor, action: str = "") -> None:
    """Raise DENIED for everybody else; with an action, the refused attempt is in the audit table."""
    words = "Only administrators may add or change accounts; you may look at them."
    access.require_administrator(actor, words, action, "accounts")


def faults(draft: AccountDraft, existing: Account | None = None) -> dict[str, str]:
    """What is wrong with a draft, by field; empty where nothing is."""
    others = Account.objects.exclude(pk=existing.pk) if existing else Account.objects.all()
    found: dict[str, str] = {}
    if not 0 < len(draft.name) <= 80:
        found["name"] = "A name of 1 to 80 characters."
    elif not draft.name.isprintable():
        found["name"] = "Some characters of this name can't be seen."
    elif others.filter(name=draft.name).exists():
        found["name"] = "Another account has this name."
    if not _ACCOUNT_ID.fullmatch(draft.account_id):
        found["account_id"] = "An AWS account id has 12 digits."
    elif others.filter(account_id=draft.account_id).exists():
        found["account_id"] = "This account is already here."
    elif existing and existing.account_id != draft.account_id:
        found["account_id"] = "The id of an account can't change, since all its rows hang on it. Add another account."
    if draft.approval not in set(Approval):
        found["approval"] = "Choose never, for bots, or always."
    if draft.colour not in {*COLOURS, *EARLIER}:
        found["colour"] = "Choose one of the colours."
    if not draft.regions:
        found["regions"] = "One region or more, such as eu-west-1, us-east-1."
    elif wrong := [region for region in draft.regions if not _REGION.fullmatch(region)]:
        named = ", ".join(repr(region) for region in wrong)
        found["regions"] = f"Not a region: {named}. One or more, such as eu-west-1, us-east-1."
    if draft.role_arn:
        match = _ROLE.fullmatch(draft.role_arn)
        if not match or len(draft.role_arn) > 200:
            found["role_arn"] = "A role's ARN looks like arn:aws:iam::123456789012:role/drydock."
        elif match["account"] != draft.account_id:
            found["role_arn"] = "This role leads into another account than the one above."
    if draft.external_id and not _EXTERNAL_ID.fullmatch(draft.external_id):
        found["external_id"] = "From 2 to 200 letters, digits and +=,.@:/- as AWS takes them."
    found |= {name: NOT_KEPT for name in ("name", "production") if holds_secret(getattr(draft, name))}
    try:
        parse_patterns(draft.production)
    except DrydockError as error:
        found["production"] = str(error)
    return found


def require_as_watched(draft: AccountDraft, actor: Actor, existing: Account | None = None) -> None:
    """Raise DENIED where a bot would have less asked of its own changes: fewer production aliases, fewer approvals.

    A new account is compared with how one comes. The refused attempt is in the audit table.
    """
    before = existing or Account()
    now = accounts.production(before)
    after = accounts.production(Account(production_aliases=list(parse_patterns(draft.production))))
    if not actor.is_bot or (after.cover(now) and not asks_less(draft.approval, before.approval)):
        return
    refusal = DrydockError(
        Code.DENIED,
        "Which aliases carry production traffic, and whose changes of those wait for an approver, keeps bots in check: "
        "none takes away from it.",
        next_step="Have an administrator do it who is signed in.",
    )
    access.audit(actor, "account.change", draft.account_id, None, f"refused: {refusal}")
    raise refusal


def save(draft: AccountDraft, actor: Actor, existing: Account | None = None) -> Account:
    """Store a draft without faults, with its scopes and an audit entry. Raises DENIED, INVALID where it has faults."""
    require_administrator(actor, "account.change")
    if wrong := faults(draft, existing):
        raise DrydockError(Code.INVALID, " ".join(wrong.values()))
    require_as_watched(draft, actor, existing)
    with transaction.atomic():
        return _stored(draft, actor, existing)


def _stored(draft: AccountDraft, actor: Actor, existing: Account | None) -> Account:
    account = existing or Account()
    account.name, account.account_id, account.colour = draft.name, draft.account_id, account_colour(draft.colour)
    account.regions, account.role_arn, account.external_id = list(draft.regions), draft.role_arn, draft.external_id
    account.enabled, account.production_aliases = draft.enabled, list(parse_patterns(draft.production))
    account.approval = draft.approval
    account.save()
    accounts.ensure_scopes(account)
    plan = {
        "account": draft.account_id,
        "regions": list(draft.regions),
        "role": draft.role_arn,
        "enabled": draft.enabled,
        "production": draft.production,
        "approval": draft.approval,
    }
    action = "account.change" if existing else "account.add"
    access.audit(actor, action, str(account), plan, "saved")
    return account


def listing() -> list[tuple[Account, list[ScopeFact]]]:
    """All accounts with their regions. Two queries."""
    found = Account.objects.prefetch_related("scopes").order_by("name")
    return [(account, [_fact(scope) for scope in _scopes(account)]) for account in found]


def _scopes(account: Account) -> list[Scope]:
    return sorted(account.scopes.all(), key=lambda scope: scope.region)


def _fact(scope: Scope) -> ScopeFact:
    problem = Problem.from_json(scope.problem) if scope.problem else None
    return ScopeFact(scope.region, scope.synced_at, problem)
