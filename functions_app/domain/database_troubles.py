"""What is the matter when a database takes nothing or gives nothing: in words, from what it says itself."""

import re
from dataclasses import dataclass

from functions_app.domain.errors import Code, Problem


@dataclass(frozen=True)
class Trouble:
    """One state that a database may be in. `word` names no address, since anybody may ask /healthz."""

    word: str
    message: str
    next_step: str
    readable: bool  # what is stored can be shown all the same

    @property
    def problem(self) -> Problem:
        """How every door tells it."""
        return Problem(Code.UNAVAILABLE, self.message, self.next_step, retryable=True)


LOCKED = Trouble(
    "locked",
    "The database is locked by another program that writes to it, so nothing can be stored. Nothing was changed.",
    "Try again in a moment. If it stays: end what else has the database open, such as a backup or a shell.",
    readable=True,
)
FULL = Trouble(
    "full",
    "The disk that the database is on is full, so nothing can be stored. Nothing was changed.",
    "Make room on the disk of DRYDOCK_DATA_DIR, or of the database's server, then try again.",
    readable=True,
)
READ_ONLY = Trouble(
    "read-only",
    "The database can't be written to, so nothing can be stored. Nothing was changed.",
    "See whether its file system was mounted anew as read-only, who owns the file, or whether its server is a standby.",
    readable=True,
)
UNREADABLE = Trouble(
    "unreadable",
    "The file of the database can't be opened, read or written.",
    "Look at the disk and the folder of DRYDOCK_DATA_DIR, and at the limit of file sizes (ulimit -f).",
    readable=False,
)
NOT_MIGRATED = Trouble(
    "not migrated",
    "The database lacks tables of this version of Drydock.",
    "Run `manage.py migrate`, then try again.",
    readable=False,
)
CROWDED = Trouble(
    "crowded",
    "The database takes no more connections.",
    "Try again in a moment. If it stays, raise max_connections of PostgreSQL.",
    readable=False,
)
STARTING = Trouble(
    "starting or stopping", "The database is starting or stopping.", "Try again in a moment.", readable=False
)
AWAY = Trouble(
    "away",
    "The database does not answer.",
    "Try again in a moment. If it stays: see whether the server that DATABASE_URL names runs, and the way to it.",
    readable=False,
)

_TABLE: tuple[tuple[re.Pattern[str], Trouble | None], ...] = tuple(
    (re.compile(says, re.IGNORECASE), trouble)
    for says, trouble in (
        (r"\bis locked|lock timeout|could not obtain lock|deadlock detected", LOCKED),
        (r"disk is full|no space left|disk full|quota exceeded|could not extend file|could not write to file", FULL),
        (r"readonly database|read-only", READ_ONLY),
        (r"disk i/o error|file too large|unable to open database|out of memory", UNREADABLE),
        (r"no such (?:table|column)|has no column|(?:relation|column) \S+ does not exist", NOT_MIGRATED),
        (r"too many (?:clients|connections)|connection slots", CROWDED),
        (r"is starting up|is shutting down|recovery mode|not yet accepting", STARTING),
        # What was asked of it is wrong, and asking again changes nothing: a defect.
        (r"syntax error|no such function|ambiguous column|too many (?:sql variables|terms|columns)|misuse", None),
    )
)


# SQLite's own name, and PostgreSQL's class (54, program limit exceeded), of a question that no database would answer.
_WRONG_QUESTION = re.compile(r"SQLITE_ERROR|54\w{3}")


def trouble_in(text: str, code: str = "") -> Trouble | None:
    """What an error's words mean, then its code (SQLite's name, SQLSTATE); AWAY where neither is known.

    None where the question itself was wrong: one person's must not be told to everybody as the database's state.
    """
    unknown = None if _WRONG_QUESTION.fullmatch(code) else AWAY
    return next((trouble for says, trouble in _TABLE if says.search(text)), unknown)
