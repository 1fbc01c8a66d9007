"""What was sent to a function, as its run keeps it: redacted and cut, so that it is shown and not always sent again."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from functions_app.domain.changes.invocations import payload_bytes, shown
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import redact, redact_value


@dataclass(frozen=True)
class SentPayload:
    """The text that is shown of a payload; `exact`: it means the very same as what was sent."""

    payload: str
    payload_bytes: int
    payload_cut: bool
    redacted: bool
    exact: bool

    @classmethod
    def of(cls, payload: str) -> "SentPayload":
        """Of a payload as it was typed."""
        told = shown(payload_bytes(payload))
        text = told.text
        with suppress(ValueError, RecursionError):
            value = json.loads(text)
            hidden = redact_value(value)  # by the names of members, too
            text = text if hidden == value else json.dumps(hidden, indent=2, ensure_ascii=False)
        text = redact(text)
        return cls(text, told.size_bytes, told.cut, text != told.text, not told.cut and _same(text, payload))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SentPayload":
        """Read what `as_json` wrote."""
        return cls(**value)

    def as_json(self) -> dict[str, Any]:
        """Plain values for the result of a run."""
        return asdict(self)

    @property
    def why_anew(self) -> str:
        """Why it has to be entered anew to be sent once more; '' where the text is what was sent."""
        if self.exact:
            return ""
        if self.redacted:
            return "Secrets in the payload were not kept"
        return "The payload was kept only in part" if self.payload_cut else "The payload was not kept as it was sent"

    def refuse_as_sent(self, typed: str) -> None:
        """Raise INVALID where nothing was entered, or what is shown in place of what was sent."""
        if self.exact:
            return
        stored = self.payload.strip()
        if not typed.strip() or (stored and (typed.strip() == stored or _same(typed, stored))):
            raise DrydockError(
                Code.INVALID,
                f"{self.why_anew}, so it can't be sent again as it is shown. Nothing was sent.",
                next_step="Enter the payload anew.",
            )


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same JSON, with the same numbers."""
    try:
        return bool(_read(one) == _read(other))
    except (ValueError, ArithmeticError, RecursionError):
        return False


def _read(text: str) -> Any:
    return json.loads(
        text if text.strip() else "{}", parse_int=_Number, parse_float=Decimal, object_pairs_hook=_members
    )


class _Number(str):
    """A whole number as it is written, which is no text of the same digits."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Number) and str(self) == str(other)


def _members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of one with two members of a name nothing is the same."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("two members of one name")
    return found
