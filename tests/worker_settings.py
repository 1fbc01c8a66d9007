"""Settings of workers and web servers that tests start: the product's own, with kinds of runs made for tests."""

from dashboard.settings import *  # noqa: F403
from dashboard.settings import STORAGES

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
DRYDOCK_KINDS = "tests.run_kinds.KINDS"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # as tests.settings has it
