"""Find what a text names, or holds a part of: a bounded number of short queries, the likeliest first.

What is certain (an ARN, a reference) is looked for alone; a word is looked for among everything that has names.
"""

from dataclasses import replace
from typing import Any

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from functions_app.domain.pasted.reading import read
from functions_app.domain.pasted.things import (
    AccountNumber,
    FunctionNamed,
    ImageNamed,
    LogGroup,
    LogStream,
    OwnPage,
    RunNumber,
    Thing,
    Words,
)
from functions_app.domain.tokens import Reach
from functions_app.models import Account, BaseStream, Function, FunctionSearch, Image, Repository, Run
from functions_app.services.inventory.anything.found import (
    Found,
    FoundAccount,
    FoundBase,
    FoundFunction,
    FoundOwner,
    FoundRepository,
    FoundRun,
    Place,
)
from functions_app.services.inventory.fleet.search import TRIGRAM, searched
from functions_app.services.inventory.images.search import find_images, of_repository
from functions_app.services.people.reach import accounts_within, functions_within

SHOWN = 8  # functions
FEW = 4  # of every other kind
FUNCTION = (
    "name", "arn", "account__name", "account__colour", "region", "log_group", "owner", "problem", "freshness", "pk",
    "alias_chips", "gone_at",
)  # fmt: skip


def find(text: str, reach: Reach) -> Found:
    """Everything that the text leads to within a reach; bases are everybody's, and told to who gets to everything.

    Twelve queries at most, and none for nothing.
    """
    things = read(text)
    if not things:
        return Found(())
    if isinstance(things[0], OwnPage):
        return _page(things[0], reach)
    word = next((thing.text for thing in things if isinstance(thing, Words)), "")
    rows, more, missing, owners = _functions(text, things, word, reach)
    return Found(
        things,
        rows,
        more,
        missing,
        _repositories(things, word, reach),
        find_images(text, accounts_within(reach, "repository__"))[:FEW],
        _runs(things, reach),
        _bases(word) if reach.everything else (),
        _accounts(things, word, reach),
        owners,
    )


def ways_back_of(pk: int) -> tuple[str, ...]:
    """The aliases of a function that could go back to another version now. One query."""
    wanted = Function(pk=pk).aliases.filter(rollback_targets__gt=0)
    return tuple(wanted.order_by("name").values_list("name", flat=True))


def _page(thing: OwnPage, reach: Reach) -> Found:
    """What a page of Drydock's own shows. One query, or two."""
    found = Found((thing,))
    within = accounts_within(reach)
    if thing.kind == "functions":
        rows = Function.objects.filter(functions_within(reach), pk=thing.key).values_list(*FUNCTION)
        return replace(found, functions=tuple(_function(row, "") for row in rows))
    if thing.kind == "repositories":
        return replace(found, repositories=_repository_rows(Repository.objects.filter(within, pk=thing.key)))
    if thing.kind == "bases":
        return replace(found, bases=_base_rows(Q(pk=thing.key)) if reach.everything else ())
    row = Image.objects.filter(accounts_within(reach, "repository__"), pk=thing.key).values_list("digest", flat=True)
    images = [image for digest in row for image in find_images(digest) if image.pk == thing.key]
    return replace(found, images=tuple(images))


def _functions(
    text: str, things: tuple[Thing, ...], word: str, reach: Reach
) -> tuple[tuple[FoundFunction, ...], bool, str, tuple[FoundOwner, ...]]:
    """The functions, whether there are more, the alias that they were asked for and do not have, and the owners."""
    first = things[0]
    if isinstance(first, LogStream) or (isinstance(first, RunNumber) and len(things) == 1):
        return (), False, "", ()
    qualifier = first.qualifier if isinstance(first, FunctionNamed) else getattr(first, "version", "")
    found = searched(text).filter(functions_within(reach))
    rows, missing = _read(found, things), ""
    if not rows and isinstance(first, FunctionNamed) and first.alias:
        rows = _read(searched(str(replace(first, qualifier=""))).filter(functions_within(reach)), (first,))
        qualifier, missing = "", first.alias if rows else ""
    if not rows:
        rows = _gone(first, reach)
    told = tuple(_function(row, qualifier) for row in rows[:SHOWN])
    owners = _owners(found, word) if rows and len(word) >= TRIGRAM else ()
    return told, len(rows) > SHOWN, missing, owners


def _read(found: QuerySet[Any], things: tuple[Thing, ...]) -> list[tuple[Any, ...]]:
    """The first of them: those called so, those whose names begin so, then the others by name."""
    name = next((str(getattr(thing, "name", "") or getattr(thing, "function", "") or thing) for thing in things), "")
    nearness = Case(
        When(name__iexact=name, then=Value(0)),
        When(name__istartswith=name, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    order = (nearness, "name", "-problem_rank", "pk")
    # Which these are is told by narrow rows; a join of all that is found would read the wide ones of every function.
    first = FunctionSearch.objects.filter(pk__in=found.order_by(*order).values("pk")[: SHOWN + 1])
    columns = [each if each == "name" else f"function__{each}" for each in FUNCTION]
    return list(first.order_by(*order).values_list(*columns))


def _gone(thing: Thing, reach: Reach) -> list[tuple[Any, ...]]:
    """Functions of this name that AWS has no more."""
    name = thing.name if isinstance(thing, FunctionNamed) else thing.function if isinstance(thing, LogGroup) else ""
    if not name:
        return []
    wanted = Function.objects.filter(functions_within(reach), name=name).exclude(gone_at=None)
    return list(wanted.order_by("-gone_at", "pk").values_list(*FUNCTION)[:FEW])


def _function(row: tuple[Any, ...], qualifier: str) -> FoundFunction:
    name, arn, account, colour, region, log_group, owner, problem, freshness, pk, _, gone_at = row
    place = Place(account, colour, region)
    return FoundFunction(
        pk, name, arn, place, log_group, owner, problem, freshness, qualifier, gone=gone_at is not None
    )


def _owners(found: QuerySet[Any], word: str) -> tuple[FoundOwner, ...]:
    rows = (
        found.filter(owner__icontains=word)
        .order_by()
        .values_list("owner")
        .annotate(number=Count("*"))
        .order_by("-number", "owner")[:FEW]
    )
    return tuple(FoundOwner(name, number) for name, number in rows)


def _repositories(things: tuple[Thing, ...], word: str, reach: Reach) -> tuple[FoundRepository, ...]:
    named = [thing for thing in things if isinstance(thing, ImageNamed)]
    wanted = Q(name__icontains=word) if word else Q(pk__in=[])
    for thing in named:
        wanted |= of_repository(thing)
    if not (word or named):
        return ()
    nearness = Case(When(name__iexact=named[0].repository if named else word, then=Value(0)), default=Value(1))
    there = Repository.objects.filter(wanted, accounts_within(reach), gone_at=None)
    return _repository_rows(there.order_by(nearness, "name", "pk"))


def _repository_rows(found: QuerySet[Repository]) -> tuple[FoundRepository, ...]:
    rows = found.values_list("pk", "name", "uri", "account__name", "account__colour", "region")[:FEW]
    return tuple(FoundRepository(pk, name, uri, Place(*place)) for pk, name, uri, *place in rows)


def _runs(things: tuple[Thing, ...], reach: Reach) -> tuple[FoundRun, ...]:
    number = next((thing.number for thing in things if isinstance(thing, RunNumber)), 0)
    if not number:
        return ()
    wanted = Q() if reach.everything else functions_within(reach, "function__")
    rows = Run.objects.filter(wanted, pk=number).values_list("pk", "title", "status", "created_at", "function_id")
    return tuple(FoundRun(*row) for row in rows)


def _bases(word: str) -> tuple[FoundBase, ...]:
    return _base_rows(Q(name__icontains=word) | Q(reference__icontains=word)) if len(word) >= TRIGRAM else ()


def _base_rows(wanted: Q) -> tuple[FoundBase, ...]:
    rows = BaseStream.objects.filter(wanted).order_by("name").values_list("pk", "name", "reference")
    return tuple(FoundBase(*row) for row in rows[:FEW])


def _accounts(things: tuple[Thing, ...], word: str, reach: Reach) -> tuple[FoundAccount, ...]:
    number = next((thing.number for thing in things if isinstance(thing, AccountNumber)), "")
    if not (number or word):
        return ()
    wanted = Q(account_id=number) if number else Q(name__icontains=word)
    if reach.accounts is not None:
        wanted &= Q(account_id__in=sorted(reach.accounts))
    rows = Account.objects.filter(wanted).order_by("name").values_list("name", "account_id", "colour")
    return tuple(FoundAccount(*row) for row in rows[:FEW])
