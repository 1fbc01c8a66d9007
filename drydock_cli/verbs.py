"""What a verb is: its words in order, its options, what carries it out. Parser, help and completion come of it."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from drydock_cli import configuration
from drydock_cli.failures import ExitCode
from drydock_cli.screen import Screen
from drydock_cli.server import Server


@dataclass(frozen=True)
class Word:
    """A word that stands behind the verb; `several`: all that follow, too."""

    name: str
    about: str
    needed: bool = True
    several: bool = False

    @property
    def shown(self) -> str:
        """As help has it: NAME, CODE|RUN."""
        return self.name.upper().replace("_OR_", "|")


@dataclass(frozen=True)
class Option:
    """--name, with a value where `value` names one."""

    name: str
    about: str
    value: str = ""
    several: bool = False


class Context:
    """What a verb works with. `goes_on` is what to say where it is left off: what it began does not end with it."""

    def __init__(
        self, screen: Screen, given: Namespace, environment: Mapping[str, str], verbs: "Sequence[Verb]"
    ) -> None:
        self.screen, self.given, self.environment, self.verbs = screen, given, environment, verbs
        self.goes_on = ""

    @cached_property
    def server(self) -> Server:
        """The Drydock that is set up. Raises Failure."""
        return Server(configuration.read(self.environment), self.screen.note)

    @property
    def waits(self) -> bool:
        """Whether the end of a run is awaited."""
        return bool(self.given.wait)

    def close(self) -> None:
        """Close what was opened, and leave no line of progress behind."""
        self.screen.clear()
        if "server" in self.__dict__:
            self.server.close()


@dataclass(frozen=True)
class Verb:
    """One verb of the command line."""

    name: str
    about: str
    action: Callable[[Context], ExitCode]
    words: tuple[Word, ...] = ()
    options: tuple[Option, ...] = ()


NAME = Word("name", "a function: its name, name:alias, ARN or id")
RUN = Word("run", "the number of a run")
JSON = Option("json", "print the answer's JSON document, alone")
WAIT = Option("wait", "show the run's log until it has ended; the exit code says how")
