"""Settings of the web server that schemathesis asks: the product's own kinds, no limit of rates, short waits."""

from functions_app.domain import limits

limits.TOKEN_RATE = limits.TOKEN_BURST = 10**6
limits.LONGEST_ANSWER = 1  # second: most of what is asked for has no worker, and never ends

from tests.worker_settings import *  # noqa: E402, F403

DRYDOCK_KINDS = "functions_app.services.kinds.KINDS"
