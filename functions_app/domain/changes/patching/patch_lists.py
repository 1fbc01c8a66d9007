"""Bringing functions forward to the current release of their base: the frozen list, and what is possible for each."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from functions_app.domain.bases.detection import Tier
from functions_app.domain.changes.production import ProductionAliases
from functions_app.domain.text import counted


class Way(StrEnum):
    """How an image can get to the newer release."""

    REBASE = "rebase"  # its base layers are proven: they can be swapped in the registry, its own stay
    REBUILD = "rebuild"  # what it was built on is not proven to the last layer
    GOLDEN = "golden"  # it stands on a golden image, which goes first
    NONE = "none"  # there is no current release for its platform


@dataclass(frozen=True)
class LivePlace:
    """What runs now: one alias (or $LATEST where there is none), with its version, digest and base."""

    function_id: int
    function: str
    arn: str
    account_id: int
    account: str
    region: str
    owner: str
    managed_by: str
    alias: str  # "" for $LATEST
    version: str
    digest: str
    platform: str
    tier: str
    from_release_id: int | None
    from_release: str
    through: str  # the golden image between it and the base, "" for none
    overdue: bool
    production: bool = False  # the alias carries production traffic, by the setting when it was planned


@dataclass(frozen=True)
class CurrentRelease:
    """The current release of the stream for one platform."""

    release_id: int
    label: str
    digest: str


@dataclass(frozen=True)
class Entry:
    """One line of the plan: from where to where, by which way, and what to mind."""

    place: LivePlace
    to_release_id: int | None
    to_release: str
    to_digest: str
    way: Way
    why: str

    @property
    def production(self) -> bool:
        """Whether the alias carries production traffic."""
        return self.place.production

    @property
    def has_patch(self) -> bool:
        """Whether the function's own patch brings it forward: a golden image that is behind goes first in that."""
        return self.way in (Way.REBASE, Way.GOLDEN)

    @property
    def warning(self) -> str:
        """Who else deploys this function, "" for nobody that is known."""
        tool = self.place.managed_by
        return f"{tool} manages it: a change made elsewhere shows up there as drift." if tool else ""

    def as_json(self) -> dict[str, Any]:
        """Plain values, flat; `entry_from_json` reads them back."""
        own = {"to_release_id": self.to_release_id, "to_release": self.to_release, "to_digest": self.to_digest}
        return {**asdict(self.place), **own, "way": self.way.value, "why": self.why}


def entry_from_json(value: dict[str, Any]) -> Entry:
    """Read what `Entry.as_json` wrote."""
    rest = dict(value)
    own = {name: rest.pop(name) for name in ("to_release_id", "to_release", "to_digest", "why")}
    way = Way(rest.pop("way"))
    # What was planned before the setting was kept: by the default.
    rest.setdefault("production", bool(rest["alias"]) and ProductionAliases().include(rest["alias"]))
    return Entry(LivePlace(**rest), way=way, **own)


def decide(place: LivePlace, target: CurrentRelease | None) -> Entry:
    """What is possible for one place; `target` None: its platform has no current release."""
    way, why = _way(place, target)
    if target is None:
        return Entry(place, None, "", "", way, why)
    return Entry(place, target.release_id, target.label, target.digest, way, why)


def _way(place: LivePlace, target: CurrentRelease | None) -> tuple[Way, str]:
    if target is None:
        return Way.NONE, f"The stream has no current release for {place.platform or 'its platform'}."
    if place.through:
        how = "its patch puts that on the new release before, where Drydock may push it; else its owner builds it anew."
        return Way.GOLDEN, f"It stands on {place.through}: {how}"
    if place.tier == Tier.EXACT and place.from_release_id is not None:
        return Way.REBASE, "Its base layers are proven, so that they can be swapped and its own layers kept."
    return (
        Way.REBUILD,
        f"Its base is known by {_SIGNS.get(place.tier, 'other signs')}, not proven layer by layer: build it anew.",
    )


_SIGNS = {
    Tier.ANNOTATION.value: "what its annotations say",
    Tier.PARTIAL.value: "a part of its layers",
    Tier.HEURISTIC.value: "the look of its config",
}


@dataclass(frozen=True)
class PatchList:
    """Exactly what would be brought forward, as of the moment it was made."""

    stream_id: int
    stream: str
    made_at: datetime
    entries: tuple[Entry, ...]

    @property
    def functions(self) -> int:
        """How many functions are in it."""
        return len({entry.place.function_id for entry in self.entries})

    @property
    def title(self) -> str:
        """What it does, in one line."""
        return f"Bring {counted(self.functions, 'function')} forward to the current release of {self.stream}"

    @property
    def counted(self) -> str:
        """How much is in it."""
        return f"{counted(len(self.entries), 'alias', 'aliases')} of {counted(self.functions, 'function', 'functions')}"

    @property
    def cautions(self) -> tuple[tuple[str, str], ...]:
        """What somebody should mind before applying it: a word and a sentence each."""
        production = sum(entry.production for entry in self.entries)
        managed = len({entry.place.function_id for entry in self.entries if entry.warning})
        found = []
        if production:
            aliases = f"{counted(production, 'alias', 'aliases')} {'carries' if production == 1 else 'carry'}"
            found.append(("Production", f"{aliases} production traffic, by name and setting."))
        if managed:
            functions = f"{counted(managed, 'function', 'functions')} {'is' if managed == 1 else 'are'}"
            drift = "what is changed elsewhere shows up there as drift."
            found.append(("Ownership", f"{functions} managed by another tool: {drift}"))
        return tuple(found)

    def count(self, way: Way) -> int:
        """How many entries go this way."""
        return sum(entry.way is way for entry in self.entries)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return {
            "title": self.title,
            "function_id": 0,
            "stream_id": self.stream_id,
            "stream": self.stream,
            "made_at": self.made_at.isoformat(),
            "entries": [entry.as_json() for entry in self.entries],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "PatchList":
        """Read what `as_json` wrote."""
        entries = tuple(entry_from_json(entry) for entry in value["entries"])
        return cls(value["stream_id"], value["stream"], datetime.fromisoformat(value["made_at"]), entries)


def make_list(stream_id: int, stream: str, entries: Iterable[Entry], now: datetime) -> PatchList:
    """Put the entries in order: by account, function and alias, production last within a function."""

    def order(entry: Entry) -> tuple[object, ...]:
        place = entry.place
        return (place.account, place.function, place.region, entry.production, place.alias, place.version)

    return PatchList(stream_id, stream, now, tuple(sorted(entries, key=order)))
