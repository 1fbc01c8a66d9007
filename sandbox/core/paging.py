"""AWS's pages: maxResults and an opaque nextToken."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page and the token of the next, None on the last."""

    items: list[Item]
    next_token: str | None


def page(items: Sequence[Item], token: str | None, size: int) -> Page[Item]:
    """Cut one page of `size` out. Raises ValueError for a token that no page gave."""
    start = _offset(token) if token else 0
    end = start + size
    following = base64.urlsafe_b64encode(f"offset:{end}".encode()).decode() if end < len(items) else None
    return Page(list(items[start:end]), following)


def _offset(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("offset:"))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"not a token: {token!r}") from error
