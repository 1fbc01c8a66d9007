"""What schemathesis loads (SCHEMATHESIS_HOOKS): it neither ends the token that it shows nor waits each time it may.

It notes which operations were answered: that a run found nothing says little of those that it never asked.
"""

import itertools
import os
from pathlib import Path
from typing import Any

import schemathesis

OWN = "DRYDOCK_CONTRACT_TOKEN_ID"
ANSWERED = "DRYDOCK_CONTRACT_ANSWERED"  # the file that has a line for each operation that was answered
NOBODYS = 10**9
WAITS_EACH = 15  # request that may be held: most runs have no worker here, and never end
_COUNT = itertools.count()
_SEEN: set[str] = set()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Most waits are left out; another token is revoked where it would be its own, or the rest would be 401."""
    if case.query and str(case.query.get("wait", "")) == "1" and next(_COUNT) % WAITS_EACH:
        del case.query["wait"]
    if "/tokens/" in case.path and str(case.path_parameters.get("pk")) == os.environ[OWN]:
        case.path_parameters["pk"] = NOBODYS


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """The first answer of each operation is noted."""
    if case.operation.label not in _SEEN:
        _SEEN.add(case.operation.label)
        with Path(os.environ[ANSWERED]).open("a", encoding="utf-8") as noted:
            noted.write(f"{case.operation.label}\n")
