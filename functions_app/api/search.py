"""`/search`: whatever a pasted text leads to, as the one box finds it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, QueryEx, Router, Schema

from functions_app import clock
from functions_app.api.image_users import FoundLine, found_image
from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Told, link
from functions_app.domain.pasted.reading import LONGEST
from functions_app.domain.text import counted, storable
from functions_app.services.inventory.anything.find import find
from functions_app.services.inventory.anything.found import Found, Place
from functions_app.services.inventory.fleet_status import fleet_status

router = Router(tags=["fleet"])
KINDS = {
    "functions": "function",
    "images": "image",
    "runs": "run",
    "repositories": "repository",
    "accounts": "account",
    "bases": "base",
    "owners": "owner",
}
Wanted = Annotated[str, QueryEx(min_length=1, max_length=LONGEST, description="an ARN, log group, image, word, ...")]


class FunctionHit(Schema):
    """A function; `qualifier` is the alias or version that was asked for, where it has it."""

    id: int
    name: str
    arn: str
    account: str
    region: str
    qualifier: str
    owner: str
    freshness: str
    problem: str
    log_group: str
    gone: bool = Field(description="AWS has it no more")


class RepositoryHit(Schema):
    """A repository that ECR still has."""

    id: int
    name: str
    uri: str
    account: str
    region: str


class RunHit(Schema):
    """A run."""

    id: int
    title: str
    status: str
    created_at: datetime
    function: int | None


class BaseHit(Schema):
    """A base image."""

    id: int
    name: str
    reference: str


class AccountHit(Schema):
    """An account that is looked after, with AWS's number."""

    name: str
    number: str


class OwnerHit(Schema):
    """An owner, and how many of the functions that were found are theirs."""

    name: str
    functions: int


class SearchAnswer(Told):
    """Everything that a text leads to, the likeliest of each kind first: 8 functions, and 4 of every other kind.

    `missing_alias`: that was asked for, and that the functions do not have.
    """

    as_of: datetime | None
    read_as: str
    functions: list[FunctionHit]
    more_functions: bool
    missing_alias: str
    images: list[FoundLine]
    repositories: list[RepositoryHit]
    runs: list[RunHit]
    bases: list[BaseHit]
    accounts: list[AccountHit]
    owners: list[OwnerHit]


@router.get("/search", response=SearchAnswer)
def search(request: ApiRequest, q: Wanted) -> dict[str, Any]:
    """What a pasted text names: an ARN, a log group, an image, a digest, an address of the AWS console, a word.

    One function by its name, with all that is known of it: /functions/NAME.
    """
    text = storable(q).strip()
    found = find(text, request.actor.reach)
    return {
        "text": _told(found),
        "url": link(request, f"{reverse('search')}?{urlencode({'q': text})}"),
        "as_of": fleet_status(clock.now()).synced_at,
        "read_as": found.things[0].said if found.things else "",
        "functions": _lines(FunctionHit, found.functions),
        "more_functions": found.more_functions,
        "missing_alias": found.missing_alias,
        "images": [found_image(row) for row in found.images],
        "repositories": _lines(RepositoryHit, found.repositories),
        "runs": _lines(RunHit, found.runs),
        "bases": _lines(BaseHit, found.bases),
        "accounts": _lines(AccountHit, found.accounts),
        "owners": _lines(OwnerHit, found.owners),
    }


def _lines(shape: type[Schema], rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The members of a shape, by the names that the rows have for them."""
    return [{name: _member(vars(row), name) for name in shape.model_fields} for row in rows]


def _member(row: Mapping[str, Any], name: str) -> Any:
    place = row.get("place")
    if isinstance(place, Place) and name in ("account", "region"):
        return getattr(place, name)
    return row["pk" if name == "id" else name]


def _told(found: Found) -> str:
    read_as = found.things[0].said if found.things else "nothing that can be looked for"
    if found.nothing:
        return f"Nothing found. Read as {read_as}."
    said = [counted(len(rows), one, kind) for kind, one in KINDS.items() if (rows := getattr(found, kind))]
    return f"{', '.join(said)}. Read as {read_as}."
