"""How long a stale base may stay: policies by account and tag, and the day from which a base is overdue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from functions_app.domain.bases.freshness import Freshness, Verdict


@dataclass(frozen=True)
class Policy:
    """What may pass before a base is overdue; neither limit: it never is. Account None and no tag: the default."""

    account_id: int | None
    tag_key: str
    tag_value: str  # "" for any value
    max_days: int | None
    max_releases: int | None

    def fits(self, account_id: int, tags: Mapping[str, str]) -> bool:
        """Whether it speaks of a function of this account with these tags."""
        if self.account_id not in (None, account_id):
            return False
        return not self.tag_key or (self.tag_key in tags and self.tag_value in ("", tags[self.tag_key]))

    @property
    def _precision(self) -> tuple[bool, bool, bool]:
        return bool(self.tag_key), self.account_id is not None, bool(self.tag_value)


def choose_policy(policies: Iterable[Policy], account_id: int, tags: Mapping[str, str]) -> Policy | None:
    """The most specific policy that fits: account and tag, tag, account, default; a tag's value before any value.

    Of several as specific (a function with two tags that each have one) the strictest counts, and of those as
    strict the first by its tag. None fits: None.
    """
    fitting = [policy for policy in policies if policy.fits(account_id, tags)]
    fitting.sort(key=lambda policy: (policy.tag_key, policy.tag_value))
    return max(fitting, key=lambda policy: (policy._precision, _strictness(policy)), default=None)


def _strictness(policy: Policy) -> tuple[float, float]:
    far = float("inf")
    days = far if policy.max_days is None else policy.max_days
    releases = far if policy.max_releases is None else policy.max_releases
    return -days, -releases


@dataclass(frozen=True)
class Lateness:
    """What the day is worked out from: a freshness, since when, and when each newer release of a level came."""

    freshness: Freshness
    stale_since: datetime | None = None
    end_of_life_on: date | None = None
    newer: tuple[tuple[date, ...], ...] = ()

    @classmethod
    def of(cls, verdict: Verdict) -> "Lateness":
        """That of a verdict."""
        newer = tuple(tuple(came.date() for came in level.newer) for level in verdict.levels)
        return cls(verdict.freshness, verdict.stale_since, verdict.end_of_life_on, newer)


def overdue_on(lateness: Lateness, policy: Policy | None) -> date | None:
    """The day (UTC) from which a base is overdue, past or to come; None: never, as far as one can tell.

    `max_days` count from the day on which it was left behind, and from an end of life, after which no newer one helps.
    More than `max_releases` newer ones: the day on which the one too many came. The earliest counts.
    """
    if policy is None or lateness.freshness not in (Freshness.STALE, Freshness.END_OF_LIFE):
        return None
    days: list[date] = []
    if policy.max_days is not None:
        if lateness.stale_since:
            days.append(_after(lateness.stale_since.date(), policy.max_days))
        if lateness.end_of_life_on and lateness.freshness is Freshness.END_OF_LIFE:
            days.append(_after(lateness.end_of_life_on, policy.max_days))
    if policy.max_releases is not None:
        allowed = policy.max_releases
        days += [newer[allowed] for newer in lateness.newer if len(newer) > allowed]
    return min(days, default=None)


def _after(day: date, days: int) -> date:
    """Days after a day; the last day there is, where a base or a policy speaks of the end of time."""
    return day + timedelta(days=days) if days <= (date.max - day).days else date.max
