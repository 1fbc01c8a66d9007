"""What Drydock keeps on disk is for its owner alone: the database holds sessions, Valkey's files what waits.

Called where the environment is read, by every process at its start.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

OTHERS = 0o077  # the bits by which anybody but the owner may read, write or enter
OURS = (  # what Drydock itself, Valkey and beat write into a data directory
    "drydock*", ".drydock*", "secret_key", ".secret_key.*", "staticfiles", "valkey.*", "appendonlydir", "dump.rdb",
    "temp-*", "beat-schedule*", "demo*", "fuzz", "backups", "lost+found",
)  # fmt: skip


def keep_private(data_dir: Path, database: Path | None) -> None:
    """Have this process write for its owner alone, and mend what others could read. Raises PermissionError.

    A directory that others may look into is closed only where nothing but Drydock's own is in it.
    """
    os.umask(OTHERS)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = f"{data_dir} can't be a data directory: {error.strerror}. Set DRYDOCK_DATA_DIR to one that can be made."
        raise PermissionError(words) from error
    told = data_dir.stat()
    mode = told.st_mode
    if told.st_uid != os.getuid() and not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(
            f"{data_dir} belongs to somebody else (user {told.st_uid}); this one ({os.getuid()}) may not write there. "
            "Start as that user, or set DRYDOCK_DATA_DIR to a directory of your own (a new one is made)."
        )
    if mode & OTHERS:
        _refuse_shared(data_dir)
        data_dir.chmod(stat.S_IMODE(mode) & ~OTHERS)
        _close([*data_dir.iterdir(), *data_dir.glob("appendonlydir/*")])
    if database and database.parent != data_dir:
        _close(database.parent.glob(f"{database.name}*"))  # with its -wal, -shm and -journal


def _refuse_shared(data_dir: Path) -> None:
    told = data_dir.stat()
    foreign = sorted(path.name for path in data_dir.iterdir() if not any(fnmatch(path.name, each) for each in OURS))
    if told.st_uid != os.getuid():
        reason = "belongs to somebody else and is open to others"
    elif told.st_mode & stat.S_ISVTX:
        reason = "is a place where everybody may write"
    elif foreign:
        reason = f"can be read by others and holds other things as well ({foreign[0]})"
    else:
        return
    raise PermissionError(
        f"{data_dir} {reason}: Drydock's database and keys would not be safe there. "
        "Set DRYDOCK_DATA_DIR to a directory of its own (a new one is made), or chmod 700 this one."
    )


def _close(paths: Iterable[Path]) -> None:
    """Take away what others may do; what is somebody else's, or leads elsewhere, is left alone."""
    for path in paths:
        with suppress(FileNotFoundError):  # other processes may run: a file of a moment
            told = path.lstat()
            if told.st_uid == os.getuid() and not stat.S_ISLNK(told.st_mode) and told.st_mode & OTHERS:
                path.chmod(stat.S_IMODE(told.st_mode) & ~OTHERS)
