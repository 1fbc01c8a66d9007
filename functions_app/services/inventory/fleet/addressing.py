"""A function as people and bots name it: id, ARN, name or name:alias. Never a guess: several are told as choices."""

from dataclasses import dataclass

from django.db.models import Q

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.text import storable
from functions_app.models import Function
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import functions_within

CHOICES = 20  # that are told of an ambiguous name


@dataclass(frozen=True)
class Named:
    """A function and the alias or version that the name went on with, or ''."""

    function: Function
    qualifier: str


class Ambiguous(DrydockError):
    """A name that several functions have; `choices` are their ARNs."""

    def __init__(self, name: str, choices: tuple[str, ...]) -> None:
        super().__init__(
            Code.AMBIGUOUS,
            f"{len(choices)} functions are called {name}.",
            next_step=f"Name one by its ARN: {', '.join(choices[:3])}{' ...' if len(choices) > 3 else ''}",
        )
        self.choices = choices


def find(text: str, actor: Actor) -> Named:
    """The function of this name, within what the actor gets to. Two queries at most. Raises NOT_FOUND, Ambiguous."""
    asked = storable(text, 400).strip()
    name, qualifier, wanted = _read(asked)
    there = Function.objects.filter(functions_within(actor.reach)).select_related("account")
    found = list(there.filter(wanted).order_by("gone_at", "arn")[: CHOICES + 1])
    living = [row for row in found if row.gone_at is None]
    if len(living or found) > 1:
        raise Ambiguous(name, tuple(row.arn for row in (living or found)[:CHOICES]))
    if not found:
        raise DrydockError(
            Code.NOT_FOUND, f"There is no function {asked[:140]}.", next_step="Look for it in the list of functions."
        )
    return Named((living or found)[0], qualifier)


def digest_of(named: Named) -> str:
    """The digest that the alias behind a function's name runs, or ''. Raises NOT_FOUND where it has no such alias."""
    if not named.qualifier:
        return ""
    alias = named.function.aliases.filter(name=named.qualifier).first()
    version = named.function.versions.filter(number=alias.version).first() if alias else None
    if version is None:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{named.function.name} has no alias {named.qualifier[:130]} whose version is known.",
            next_step="Name one of its aliases, or the function alone.",
        )
    return str(version.digest)


def _read(asked: str) -> tuple[str, str, Q]:
    """Name, qualifier behind it, and what finds it (Lambda's ARNs: `arn:aws:lambda:REGION:ACCOUNT:function:N:Q`)."""
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        return asked, "", Q(pk=int(asked)) | Q(name=asked)
    if asked.startswith("arn:"):
        parts = asked.split(":")
        return asked, ":".join(parts[7:]), Q(arn=":".join(parts[:7]))
    name, _, qualifier = asked.partition(":")
    return name, qualifier, Q(name=name)
