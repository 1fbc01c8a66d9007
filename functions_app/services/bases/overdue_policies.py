"""Say how long a stale base may stay, by account and tag; operators may, every attempt is audited, lists follow."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from functions_app.domain.bases.freshness import NEWER_LIMIT
from functions_app.domain.bases.overdue_policies import Policy
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import NOT_KEPT, holds_secret
from functions_app.models import Account, FreshnessPolicy
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.overdue import read_policies

DAYS_LIMIT = 3650
RELEASES_LIMIT = NEWER_LIMIT - 1  # how many newer releases are remembered with an image, less the one too many
KEY_LIMIT, VALUE_LIMIT = 128, 256  # characters: AWS's limits for tags


@dataclass(frozen=True)
class PolicyDraft:
    """What was typed into the form, tidied; the numbers are still text, an empty one means no limit."""

    account: str  # primary key; "" for every account
    tag_key: str
    tag_value: str
    max_days: str
    max_releases: str

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "PolicyDraft":
        """Read the form's fields: account, tag_key, tag_value, max_days, max_releases."""
        names = ("account", "tag_key", "tag_value", "max_days", "max_releases")
        return cls(*(form.get(name, "").strip() for name in names))

    @classmethod
    def of(cls, policy: FreshnessPolicy) -> "PolicyDraft":
        """A policy as it is now."""
        numbers = (policy.account_id, policy.max_days, policy.max_releases)
        account, days, releases = ("" if number is None else str(number) for number in numbers)
        return cls(account, policy.tag_key, policy.tag_value, days, releases)


@dataclass(frozen=True)
class PolicyRow:
    """A policy as people read it: for whom it is, and what it allows."""

    id: int
    account: str  # name; "" for every account
    tag: str  # `team=payments`, `team` for any value, "" for every function
    max_days: int | None
    max_releases: int | None

    @property
    def is_default(self) -> bool:
        """Whether it is for every function that no other policy speaks of."""
        return not self.account and not self.tag


def policies() -> tuple[Policy, ...]:
    """Every policy, to choose from. One query."""
    return read_policies()


def listing() -> tuple[PolicyRow, ...]:
    """Every policy as people read it, the default first, then by account and tag. One query."""
    rows = [
        PolicyRow(
            policy.pk,
            policy.account.name if policy.account else "",
            "=".join(part for part in (policy.tag_key, policy.tag_value) if part),
            policy.max_days,
            policy.max_releases,
        )
        for policy in FreshnessPolicy.objects.select_related("account")
    ]
    return tuple(sorted(rows, key=lambda row: (row.account, row.tag, row.id)))


def faults(draft: PolicyDraft, existing: FreshnessPolicy | None = None) -> dict[str, str]:
    """What is wrong with a draft, by field; empty where nothing is."""
    found: dict[str, str] = {}
    if draft.account and not _account(draft):
        found["account"] = "There is no such account any more. Choose one of the list, or every account."
    if len(draft.tag_key) > KEY_LIMIT or not _is_text(draft.tag_key):
        found["tag_key"] = f"A tag's key has up to {KEY_LIMIT} characters, none of them a control character."
    if len(draft.tag_value) > VALUE_LIMIT or not _is_text(draft.tag_value):
        found["tag_value"] = f"A tag's value has up to {VALUE_LIMIT} characters, none of them a control character."
    elif draft.tag_value and not draft.tag_key:
        found["tag_value"] = "A value needs the key of its tag."
    found |= {name: NOT_KEPT for name in ("tag_key", "tag_value") if holds_secret(getattr(draft, name))}
    for name, limit in (("max_days", DAYS_LIMIT), ("max_releases", RELEASES_LIMIT)):
        text = getattr(draft, name)
        if text and not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= limit):
            found[name] = f"A whole number from 0 to {limit}, or nothing for no limit."
    if not (draft.account or draft.tag_key or draft.max_days or draft.max_releases):
        found.setdefault("max_days", "The default needs a limit: days, releases, or both. Without it, delete it.")
    if not found and _same_target(draft, existing):
        found["account"] = "There is a policy for exactly these functions already: change that one."
    return found


def save(draft: PolicyDraft, actor: Actor, existing: FreshnessPolicy | None = None) -> FreshnessPolicy:
    """Store a draft without faults and bring all summaries up to date. Raises DENIED, and INVALID for faults."""
    access.require_operator(actor, "freshness_policy.save", str(existing or "new policy"))
    if wrong := faults(draft, existing):
        raise DrydockError(Code.INVALID, " ".join(wrong.values()))
    policy = existing or FreshnessPolicy()
    policy.account, policy.tag_key, policy.tag_value = _account(draft), draft.tag_key, draft.tag_value
    policy.max_days = int(draft.max_days) if draft.max_days else None
    policy.max_releases = int(draft.max_releases) if draft.max_releases else None
    action = "freshness_policy.change" if existing else "freshness_policy.add"
    try:
        with transaction.atomic():
            policy.save()
            access.audit(actor, action, str(policy), _limits(policy), "saved")
            transaction.on_commit(refresh_summaries)
    except IntegrityError as error:
        text = "Somebody saved a policy for exactly these functions at the same moment."
        raise DrydockError(Code.CHANGED, text, next_step="Look at the policies again.") from error
    return policy


def delete(policy: FreshnessPolicy, actor: Actor) -> None:
    """Take a policy away and bring all summaries up to date. Raises DENIED."""
    access.require_operator(actor, "freshness_policy.delete", str(policy))
    with transaction.atomic():
        access.audit(actor, "freshness_policy.delete", str(policy), _limits(policy), "deleted")
        policy.delete()
        transaction.on_commit(refresh_summaries)


def _limits(policy: FreshnessPolicy) -> dict[str, int | None]:
    return {"max_days": policy.max_days, "max_releases": policy.max_releases}


def _account(draft: PolicyDraft) -> Account | None:
    is_key = draft.account.isascii() and draft.account.isdigit() and len(draft.account) < 19
    return Account.objects.filter(pk=int(draft.account)).first() if is_key else None


def _same_target(draft: PolicyDraft, existing: FreshnessPolicy | None) -> bool:
    others = FreshnessPolicy.objects.filter(account=_account(draft), tag_key=draft.tag_key, tag_value=draft.tag_value)
    return any(policy != existing for policy in others)


def _is_text(text: str) -> bool:
    return not text or text.isprintable()
