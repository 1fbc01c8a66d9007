"""What schemathesis loads (SCHEMATHESIS_HOOKS): it neither ends the token that it shows nor waits each time it may."""

import itertools
import os
from typing import Any

import schemathesis

OWN = "DRYDOCK_CONTRACT_TOKEN_ID"
NOBODYS = 10**9
WAITS_EACH = 15  # request that may be held: most runs have no worker here, and never end
_COUNT = itertools.count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Most waits are left out; another token is revoked where it would be its own, or the rest would be 401."""
    if case.query and str(case.query.get("wait", "")) == "1" and next(_COUNT) % WAITS_EACH:
        del case.query["wait"]
    if "/tokens/" in case.path and str(case.path_parameters.get("pk")) == os.environ[OWN]:
        case.path_parameters["pk"] = NOBODYS
