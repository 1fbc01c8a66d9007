"""The words of the chat: one table, of which reading, help and suggestions are made."""

from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """The first word of a command: what is to be done."""

    LIST = "list"
    SHOW = "show"
    STALE = "stale"
    WHY = "why"
    DIFF = "diff"
    DEPLOY = "deploy"
    PATCH = "patch"
    ROLLBACK = "rollback"
    UNDO = "undo"
    INVOKE = "invoke"
    STATUS = "status"
    LOGS = "logs"
    RUNS = "runs"
    CANCEL = "cancel"
    APPROVE = "approve"
    HELP = "help"
    LINK = "link"


@dataclass(frozen=True)
class Place:
    """What follows the first word, as help calls it. `digits`: a number; `rest`: all that follows, as it stands."""

    name: str
    optional: bool = False
    digits: bool = False
    rest: bool = False

    def __str__(self) -> str:
        return f"[{self.name}]" if self.optional else self.name


@dataclass(frozen=True)
class Verb:
    """A command: what it takes, what it does, and an example. `changes` is for people who are linked alone; what
    `plans` asks AWS before it is answered.
    """

    word: Word
    places: tuple[Place, ...]
    does: str
    example: str
    changes: bool = False
    plans: bool = False

    @property
    def usage(self) -> str:
        """How it is written: "deploy NAME IMAGE [ALIAS]"."""
        return " ".join([self.word, *map(str, self.places)])


NAME, ALIAS = Place("NAME"), Place("ALIAS", optional=True)
WORDS = Place("WORDS", optional=True, rest=True)
RUN = Place("RUN", digits=True)

GRAMMAR = (
    Verb(Word.LIST, (WORDS,), "functions, or those that hold all of the words", "list billing"),
    Verb(Word.SHOW, (NAME,), "a function, and what its aliases run", "show billing-api"),
    Verb(Word.STALE, (WORDS,), "functions whose base image is stale", "stale billing"),
    Verb(Word.WHY, (NAME,), "why a function is stale, and what else is wrong with it", "why billing-api"),
    Verb(Word.DIFF, (NAME,), "what aliases run, against tag, $LATEST and newest base", "diff billing-api:live"),
    Verb(
        Word.DEPLOY,
        (NAME, Place("IMAGE"), ALIAS),
        "deploy an image by tag or digest and point the alias to it",
        "deploy billing-api 1.8.3 live",
        changes=True,
        plans=True,
    ),
    Verb(
        Word.PATCH,
        (NAME, ALIAS),
        "put a function onto the newest release of its base",
        "patch billing-api live",
        changes=True,
        plans=True,
    ),
    Verb(
        Word.ROLLBACK,
        (NAME, ALIAS, Place("VERSION", optional=True, digits=True)),
        "point an alias to another version; without one: which there are",
        "rollback billing-api live 7",
        changes=True,
        plans=True,
    ),
    Verb(
        Word.UNDO,
        (Place("RUN|NAME"),),
        "take a patch back: by its run, or the last one of a function",
        "undo 123",
        changes=True,
        plans=True,
    ),
    Verb(
        Word.INVOKE,
        (NAME, Place("PAYLOAD", optional=True, rest=True)),
        "call a function once, with JSON",
        'invoke billing-api:live {"dry": true}',
        changes=True,
    ),
    Verb(
        Word.STATUS,
        (Place("RUN", optional=True, digits=True),),
        "how a run, or the fleet, stands",
        "status 123",
    ),
    Verb(Word.LOGS, (RUN,), "the last lines of a run's log", "logs 123"),
    Verb(Word.RUNS, (Place("STATUS", optional=True),), "the newest runs; active, failed, …: only those", "runs active"),
    Verb(Word.CANCEL, (RUN, Place("REASON", optional=True, rest=True)), "ask a run to end", "cancel 123", changes=True),
    Verb(
        Word.APPROVE,
        (Place("CODE|RUN"), Place("TICKS", optional=True, rest=True)),
        "apply the plan with this code, or let a run that waits for it go on",
        "approve 7F3K",
        changes=True,
    ),
    Verb(Word.HELP, (Place("COMMAND", optional=True),), "what can be said here", "help patch"),
    Verb(
        Word.LINK,
        (Place("CODE", rest=True),),
        "say who you are, by the code of Settings, Chat",
        "link 7F3K-9QXM",
    ),
)
VERBS = {verb.word: verb for verb in GRAMMAR}
