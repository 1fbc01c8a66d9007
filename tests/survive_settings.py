"""Settings of workers whose death is tested with the product's own kinds of runs.

The lease is short, so that a test need not wait for fifteen seconds each time; it is set before anything reads it.
"""

from datetime import timedelta

from functions_app.domain import runs

runs.LEASE, runs.RENEW_EVERY = timedelta(seconds=5), timedelta(seconds=1)

from dashboard.settings import *  # noqa: E402, F403
from dashboard.settings import STORAGES  # noqa: E402

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
