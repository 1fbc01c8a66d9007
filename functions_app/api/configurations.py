"""`/functions/NAME/configuration`: how a version is configured, and how it differs from another."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from ninja import Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Body, Told, link
from functions_app.models import Function
from functions_app.services.changes import configurations
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.fleet.configuration import (
    NOT_READ,
    FunctionConfiguration,
    function_configuration,
)
from functions_app.services.inventory.fleet.function import read_at

router = Router(tags=["fleet"])


class SettingLine(Schema):
    """A setting in words."""

    name: str
    value: str


class StartLine(Schema):
    """What the image says is started, and what the function overrides it with ("": nothing); null: not known."""

    name: str
    image: str | None
    function: str | None


class DifferenceLine(Schema):
    """A setting that differs."""

    name: str
    before: str
    after: str


class ConfigurationAnswer(Told):
    """How one version is configured; of its environment the names alone. `known` false: it was not read yet.

    `added` and `removed` are names of variables, against the version `against`; null: not known.
    """

    as_of: datetime | None
    version: str
    aliases: list[str]
    digest: str
    known: bool
    settings: list[SettingLine]
    start: list[StartLine]
    env_keys: list[str] | None
    against: str
    added: list[str] | None
    removed: list[str] | None
    differences: list[DifferenceLine]


class ComparisonBody(Body):
    """Two versions; what is left out is chosen as the configuration of the function chooses it."""

    version: str = ""
    against: str = ""


class ComparisonAnswer(Told):
    """How two versions differ by what AWS told of them at this moment: of variables the names alone.

    `known` false: AWS did not tell all of one (`unread`).
    """

    version: str
    against: str
    known: bool
    unread: list[str]
    differences: list[DifferenceLine]


@router.get("/functions/{function}/configuration", response=ConfigurationAnswer)
def get_configuration(request: ApiRequest, function: str, version: str = "", against: str = "") -> dict[str, Any]:
    """How a version is configured (usually what is live), against another one (usually the one before it)."""
    row = addressing.find(function, request.actor).function
    found = function_configuration(row.pk, version, against)
    shown, difference = found.shown, found.difference
    told = ", ".join(f"{each.name} {each.value}" for each in shown.settings[:3]) or NOT_READ
    return {
        "text": f"{row.name} version {shown.number}: {told}",
        "url": _page(request, row, found),
        "as_of": read_at(row),
        "version": shown.number,
        "aliases": shown.aliases,
        "digest": shown.digest,
        "known": shown.configuration is not None,
        "settings": [{"name": each.name, "value": each.value} for each in shown.settings],
        "start": [{name: getattr(each, name) for name in StartLine.model_fields} for each in shown.start],
        "env_keys": shown.env_keys,
        "against": found.against,
        "added": difference.added if difference else None,
        "removed": difference.removed if difference else None,
        "differences": [
            {"name": name, "before": before, "after": after}
            for name, before, after in (difference.settings if difference else ())
        ],
    }


@router.post("/functions/{function}/configuration/comparison", response=ComparisonAnswer)
def compare_configurations(request: ApiRequest, function: str, body: ComparisonBody) -> dict[str, Any]:
    """Ask AWS now how two versions differ, values of variables included, of which the names alone are told."""
    row = addressing.find(function, request.actor).function
    found = function_configuration(row.pk, body.version, body.against)
    version, against = found.shown.number, found.against or found.shown.number
    compared = configurations.compare(request.actor, row, version, against)
    names = ", ".join(each.name for each in compared.differences)
    return {
        "text": f"{row.name}, from version {against} to {version}: {names or 'nothing is known to differ'}.",
        "url": _page(request, row, found),
        "version": version,
        "against": against,
        "known": compared.known,
        "unread": compared.unread,
        "differences": [
            {name: getattr(each, name) for name in DifferenceLine.model_fields} for each in compared.differences
        ],
    }


def _page(request: ApiRequest, row: Function, found: FunctionConfiguration) -> str:
    asked = {"version": found.shown.number, "against": found.against}
    return link(request, reverse("function-configuration", args=[row.pk], query=asked))
