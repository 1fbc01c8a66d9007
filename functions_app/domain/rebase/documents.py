"""Documents as they are pushed: the same bytes for the same contents."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from functions_app.domain.json_fields import malformed


def written(document: Mapping[str, Any], what: str) -> bytes:
    """Compact JSON in ASCII: whatever was read can be written, halves of surrogate pairs too.

    Raises DrydockError(INVALID) for what JSON has no form for: NaN, Infinity, nested too deep.
    """
    try:
        return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise malformed(what, f"it can't be written ({error})") from error


def sha256(data: bytes) -> str:
    """A digest as registries write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
