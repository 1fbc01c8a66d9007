"""The one place that tells what is the matter with the database, for every door: pages, hooks, streams, /healthz.

Whoever waits for a database in vain keeps a thread for seconds. So for a moment after one has, all others of this
process are told the same at once, or everybody in line would wait for everybody before them.
"""

import logging
import tempfile
import time
from pathlib import Path

from django.db import Error, InterfaceError, InternalError, OperationalError, ProgrammingError, connection, transaction

from functions_app.domain.database_troubles import AWAY, FULL, NOT_MIGRATED, READ_ONLY, Trouble, trouble_in

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What a database raises that is away, locked, full or starting anew: nothing is wrong with what was asked of it."""

TOLD_FOR = 2.0  # seconds in which others are told what one found
COMPLAIN_EVERY = 60.0
PROBE_BYTES = 64 * 1024
AGAIN_IN = 5  # seconds after which it is worth trying again

log = logging.getLogger(__name__)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """What an error, or what it came from, says of the database; None where the database is not at fault."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, DATABASE_AWAY):
            return trouble_in(str(error), _code(error))
        if isinstance(error, (InternalError, ProgrammingError)):  # PostgreSQL's, of a standby and of a missing table
            found = trouble_in(str(error))
            return found if found in (READ_ONLY, NOT_MIGRATED) else None
        error = error.__cause__ or error.__context__
    return None


def _code(error: BaseException) -> str:
    """SQLite's name or the SQLSTATE of what Django's error came from; '' where there is none."""
    cause = error.__cause__
    return str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")


def check() -> Trouble | None:
    """What is the matter now, from asking it; as long as the connection waits for a lock."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only" if connection.vendor == "postgresql" else "SELECT 1")
            if cursor.fetchone() == ("on",):  # a standby's, or an administrator's
                return READ_ONLY
        if connection.vendor == "sqlite":
            with transaction.atomic():
                pass  # it takes the lock of writers, and writes nothing
            _store_beside(Path(connection.settings_dict["NAME"]).parent)
    except Error as error:
        return trouble_of(error) or AWAY
    except OSError as error:
        return trouble_in(error.strerror or str(error)) if connection.vendor == "sqlite" else AWAY
    return None


def _store_beside(folder: Path) -> None:
    """A file without a name that is gone at once: it never reaches the disk, but there must be room for it."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
        if probe.write(bytes(PROBE_BYTES)) < PROBE_BYTES:
            raise OSError(FULL.word, "no space left")


class _Recent:
    """What somebody of this process has found a moment ago."""

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._until = 0.0
        self._complained: dict[Trouble, float] = {}

    def found(self, trouble: Trouble, where: str, error: BaseException | None) -> None:
        """Remember it, and tell the log, once a minute."""
        now = time.monotonic()
        self._trouble, self._until = trouble, now + TOLD_FOR
        if now - self._complained.get(trouble, -COMPLAIN_EVERY) >= COMPLAIN_EVERY:
            self._complained[trouble] = now
            log.error("%s: database %s (%s) %s", where, trouble.word, error, trouble.next_step)

    def hinders(self, *, writes: bool) -> Trouble | None:
        """What keeps a request from being tried; None where it may."""
        trouble = self._trouble
        if trouble is None or time.monotonic() >= self._until:
            return None
        return trouble if writes or not trouble.readable else None

    def forget(self) -> None:
        """Somebody has stored something."""
        self._trouble = None


recent = _Recent()
