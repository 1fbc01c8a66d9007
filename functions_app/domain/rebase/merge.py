"""The config of a rebased image: what the base gave comes from the new base, what the app set stays.

Three sides for each setting: the old base's, the new base's, the app's. Entrypoint and Cmd are one unit, Env and Labels
go name by name, ports and volumes are sets; members that nobody knows go by the same rule. Absent, null and empty are
one (Go's omitempty). Values may be secrets: notes name what they are about, never its value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain.json_fields import malformed, read_strings, read_texts
from functions_app.domain.rebase.own_settings import OwnSettings
from functions_app.domain.text import visible

# What the classic builder tells of the container that it built in: true of that one alone.
LEFT_BY_BUILDERS = frozenset({"Image", "Hostname", "Domainname"})
_LIST_NAME = re.compile(r"PATHS?$|_DIRS$")  # PATH, LD_LIBRARY_PATH, XDG_DATA_DIRS: lists with colons
_NAME = 200  # characters of a name that are told


class Noted(StrEnum):
    """What somebody should know of the merge."""

    BOTH_CHANGED = "both-changed"
    OTHER_ENTRYPOINT = "other-entrypoint"
    TRIGGERS = "triggers"


@dataclass(frozen=True)
class Note:
    """A setting that new base and app changed both: which member, and the name of its variable, label, port, volume."""

    code: Noted
    member: str
    name: str = ""

    @property
    def text(self) -> str:
        """A sentence."""
        if self.code is Noted.OTHER_ENTRYPOINT:
            return "The new base has another entry point: the app's own command is given to that."
        if self.code is Noted.TRIGGERS:
            return "The new base has other ONBUILD steps: only a build runs them."
        what = " ".join(visible(part, _NAME) for part in (self.member, self.name) if part)
        return f"{what} was changed by the new base and by the app: the app's stays."


@dataclass(frozen=True)
class Merged:
    """The merged `config` of an image's config, and what somebody should know of it."""

    settings: dict[str, Any]
    notes: tuple[Note, ...]


def merge(old: Mapping[str, Any], new: Mapping[str, Any], app: Mapping[str, Any], own: OwnSettings) -> Merged:
    """Merge the `config` of old base, new base and app. Raises DrydockError(INVALID) for malformed ones.

    Members and variables come in the new base's order, then the app's own.
    """
    merging = _Merging(old, new, app, own)
    members = {member: merging.member(member) for member in dict.fromkeys([*new, *app, *old])}
    return Merged({name: value for name, value in members.items() if value is not None}, tuple(merging.notes))


class _Merging:
    def __init__(
        self, old: Mapping[str, Any], new: Mapping[str, Any], app: Mapping[str, Any], own: OwnSettings
    ) -> None:
        self.old, self.new, self.app, self.own = old, new, app, own
        self.notes: list[Note] = []

    def member(self, member: str) -> Any:
        """One member of the merged settings; None: it is not there."""
        old, new, app = (side.get(member) for side in (self.old, self.new, self.app))
        if _bare(old) == _bare(new):
            return app
        if member == "Env":
            return list(self._by_name(member, _variables(old), _variables(new), _variables(app)).values()) or None
        if member == "Labels":
            return self._by_name(member, *(read_texts(side, member) for side in (old, new, app))) or None
        if member in ("ExposedPorts", "Volumes"):
            return self._by_name(member, *(_set(member, side) for side in (old, new, app))) or None
        if member == "OnBuild":  # run by a build, and not handed down
            self.notes.append(Note(Noted.TRIGGERS, member))
            return app
        if member == "Cmd" and not self._inherits_entrypoint():
            return app  # an ENTRYPOINT of one's own drops a CMD that came from below
        if member == "Entrypoint" and self._inherits_entrypoint() and self._has_own_command():
            self.notes.append(Note(Noted.OTHER_ENTRYPOINT, member))
        takes_new = self._takes_new(member, "", _bare(old), _bare(new), _bare(app), own=member in self.own.members)
        return new if takes_new else app

    def _by_name(
        self, member: str, old: Mapping[str, Any], new: Mapping[str, Any], app: Mapping[str, Any]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in dict.fromkeys([*new, *app]):
            before, after, mine = old.get(name), new.get(name), app.get(name)
            extended = _extended(name, before, after, mine) if member == "Env" else None
            if extended is None:
                own = (member, name) in self.own.names
                extended = after if self._takes_new(member, name, before, after, mine, own=own) else mine
            if extended is not None:
                found[name] = extended
        return found

    def _takes_new(self, member: str, name: str, old: Any, new: Any, app: Any, *, own: bool) -> bool:
        if own or new in (old, app):
            return False
        if app != old and member not in LEFT_BY_BUILDERS:
            self.notes.append(Note(Noted.BOTH_CHANGED, member, name))
        return bool(app == old)

    def _inherits_entrypoint(self) -> bool:
        same = _bare(self.app.get("Entrypoint")) == _bare(self.old.get("Entrypoint"))
        return same and "Entrypoint" not in self.own.members

    def _has_own_command(self) -> bool:
        command = _bare(self.app.get("Cmd"))
        return command is not None and ("Cmd" in self.own.members or command != _bare(self.old.get("Cmd")))


def _bare(value: Any) -> Any:
    """The value; None for one that Go leaves out."""
    return value or None


def _variables(value: Any) -> dict[str, str]:
    """Each variable as NAME=VALUE by its name; of one that is there twice the last."""
    return {entry.partition("=")[0]: entry for entry in read_strings(value, "Env")}


def _set(member: str, value: Any) -> dict[str, Any]:
    """The names of a set, which JSON has as an object of empty objects."""
    if value is not None and not isinstance(value, dict):
        raise malformed("config", f"{member} is not an object")
    return {name: inner or {} for name, inner in (value or {}).items()}


def _extended(name: str, old: str | None, new: str | None, app: str | None) -> str | None:
    """A list that the app made longer, `/opt/bin:$PATH`, with the new base's in the old one's place; None: no such.

    Of several places the last: paths are mostly put before what was there.
    """
    before, after, mine = (entry.partition("=")[2] if entry else "" for entry in (old, new, app))
    if not before or before == mine or not _LIST_NAME.search(name):
        return None
    around, sought = f":{mine}:", f":{before}:"
    # Reversed, as only the search from the left takes linear time.
    at = around[::-1].find(sought[::-1])
    if at < 0:
        return None
    end = len(around) - at
    parts = (around[1 : end - len(sought)], after, around[end:-1])
    return f"{name}={':'.join(part for part in parts if part)}"
