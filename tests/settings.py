"""Django's settings under test: a data directory of this process alone, its own Valkey socket, nothing of the caller's.

Processes that a test starts use dashboard.settings with the fixture `process_environment`.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="drydock-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
VALKEY_SOCKET = FOLDER / "valkey.sock"
GIVEN_DATABASE = os.environ.get("DATABASE_URL", "")
if GIVEN_DATABASE.startswith("sqlite"):
    GIVEN_DATABASE = ""  # a parent test process left its own

CLOCK_AHEAD = os.environ.get("DRYDOCK_CLOCK_AHEAD", "0")  # tests.days hands in other days
TIME_ZONE_OUTSIDE = os.environ.get("TZ", "UTC")  # Django sets its own; processes that tests start may have this one

for name in [name for name in os.environ if name.startswith(("DRYDOCK_", "AWS_"))]:
    del os.environ[name]
os.environ |= {
    "DRYDOCK_DATA_DIR": str(FOLDER),
    "DRYDOCK_DEMO": "1",
    "DRYDOCK_CLOCK_AHEAD": CLOCK_AHEAD,
    "DRYDOCK_SECRET_KEY": "tests-only-" + "x" * 50,
    "DRYDOCK_QUOTA_SHARE": "100",  # the sandbox enforces none unless a test says so
    "DATABASE_URL": GIVEN_DATABASE or f"sqlite:///{FOLDER / 'drydock.sqlite3'}",
    "REDIS_URL": f"unix://{VALKEY_SOCKET}",
    "AWS_ACCESS_KEY_ID": "AKIATESTS00000000000",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": str(FOLDER / "no-aws-config"),
    "AWS_SHARED_CREDENTIALS_FILE": str(FOLDER / "no-aws-credentials"),
}

from dashboard.settings import *  # noqa: E402, F403 - the environment had to be set first
from dashboard.settings import DATABASES, ENV, LOGGING, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads and other processes look at it too.
    DATABASES["default"]["TEST"] = {"NAME": str(FOLDER / "tests.sqlite3")}
else:
    # Connections that wait in a pool would keep the test database from being dropped.
    DATABASES["default"]["OPTIONS"].pop("pool", None)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
(ENV.data_dir / "staticfiles").mkdir()
# What watches for the end of an absence would go on in the tests that follow, and ask a database that they may not.
LOGGING["handlers"]["console"]["filters"] = []
