"""What was found, as rows."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from functions_app.domain.pasted.things import Thing
from functions_app.services.inventory.images.search import FoundImage


@dataclass(frozen=True)
class Place:
    """Where something is: an account with its colour, and a region."""

    account: str
    colour: str
    region: str


@dataclass(frozen=True)
class FoundFunction:
    """A function; `qualifier` is the alias or version that was asked for, '' where it has no such alias."""

    pk: int
    name: str
    arn: str
    place: Place
    log_group: str
    owner: str
    problem: str
    freshness: str
    qualifier: str
    gone: bool = False


@dataclass(frozen=True)
class FoundRepository:
    """A repository that ECR still has."""

    pk: int
    name: str
    uri: str
    place: Place


@dataclass(frozen=True)
class FoundRun:
    """A run."""

    pk: int
    title: str
    status: str
    created_at: datetime
    function: int | None


@dataclass(frozen=True)
class FoundBase:
    """A base stream."""

    pk: int
    name: str
    reference: str


@dataclass(frozen=True)
class FoundAccount:
    """An account that Drydock looks after."""

    name: str
    number: str
    colour: str


@dataclass(frozen=True)
class FoundOwner:
    """An owner, with how many of the functions that were found are theirs."""

    name: str
    functions: int


@dataclass(frozen=True)
class Found:
    """Everything that a text leads to. `things` says what it was read as, the likeliest first."""

    things: tuple[Thing, ...]
    functions: tuple[FoundFunction, ...] = ()
    more_functions: bool = False
    missing_alias: str = ""  # that was asked for, and that the functions do not have
    repositories: tuple[FoundRepository, ...] = ()
    images: tuple[FoundImage, ...] = ()
    runs: tuple[FoundRun, ...] = ()
    bases: tuple[FoundBase, ...] = ()
    accounts: tuple[FoundAccount, ...] = ()
    owners: tuple[FoundOwner, ...] = ()

    @cached_property
    def nothing(self) -> bool:
        """Whether nothing was found."""
        every = (self.functions, self.repositories, self.images, self.runs, self.bases, self.accounts, self.owners)
        return not any(every)

    @property
    def the_function(self) -> FoundFunction | None:
        """The one function that is meant: the only one, or the only one of exactly this name; None for several."""
        if len(self.functions) == 1:
            return self.functions[0]
        named = {str(getattr(thing, "name", "") or thing).casefold() for thing in self.things}
        exact = [row for row in self.functions if row.name.casefold() in named]
        return exact[0] if len(exact) == 1 else None
