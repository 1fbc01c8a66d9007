"""Settings of the benchmark of the engine: the product's own, with a deployment that asks no AWS.

Of beat's schedule the tick alone is left: there is no account here that a sync could read.
"""

from dashboard.settings import *  # noqa: F403
from dashboard.settings import CELERY_BEAT_SCHEDULE

CELERY_BEAT_SCHEDULE = {"tick": CELERY_BEAT_SCHEDULE["tick"]}
DRYDOCK_KINDS = "tests.benchmarks.engine_kinds.KINDS"
