"""The product's own settings, with static files that need not be collected."""

from dashboard.settings import *  # noqa: F403
from dashboard.settings import STORAGES

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
