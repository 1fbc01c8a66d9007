"""Who agrees to a change of production: when an approver is asked, and where a plan stands meanwhile. Pure."""

from enum import StrEnum


class Approval(StrEnum):
    """Whose changes of production an approver has to agree to: a setting of the account."""

    NEVER = "never"
    BOTS = "bots"
    ALWAYS = "always"

    @property
    def label(self) -> str:
        """As the settings say it."""
        return _LABELS[self]


_LABELS = {
    Approval.NEVER: "never",
    Approval.BOTS: "for bots",
    Approval.ALWAYS: "always",
}


def approval_due(setting: str, *, production: bool, bot: bool) -> bool:
    """Whether an approver has to agree. A setting that nobody knows, as an upgrade may leave it, is the strictest."""
    if not production or setting == Approval.NEVER:
        return False
    return bot if setting == Approval.BOTS else True


def asks_less(setting: str, before: str) -> bool:
    """Whether approvers are asked for fewer changes than before."""
    order = list(Approval)
    ranks = [order.index(Approval(each)) if each in set(Approval) else len(order) for each in (setting, before)]
    return ranks[0] < ranks[1]


class PlanState(StrEnum):
    """Where a plan stands.

    open -> applied | expired, and where an approver is asked
    open -> waiting -> applied | rejected | expired
    """

    OPEN = "open"
    WAITING = "waiting"  # its maker has confirmed it; an approver hasn't
    APPLIED = "applied"
    REJECTED = "rejected"
    EXPIRED = "expired"
