"""`/bases/ID/comparison`: what changes from one release of a base to another."""

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, Query, Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Told, link
from functions_app.domain.text import counted
from functions_app.models import BaseRelease
from functions_app.services.inventory.bases.compare import Comparison, compare
from functions_app.services.inventory.images.differences import Differences, Files, PackageGroup
from functions_app.services.people import access
from functions_app.services.snapshot.live_on_bases import label

router = Router(tags=["bases"])


class ComparisonFilters(Schema):
    """Which two, as the page has them in its address; and which files, by a part of their paths."""

    older: int | None = Field(
        None, alias="from", ge=1, lt=10**18, description="id of a release; the one before, where none is named"
    )
    newer: int | None = Field(
        None, alias="to", ge=1, lt=10**18, description="id of a release; the current one, where none is named"
    )
    path: str = Field("", max_length=200)


class ReleaseName(Schema):
    """One of the two releases."""

    id: int
    label: str
    platform: str
    digest: str


class LayerChange(Schema):
    """A layer from the bottom up: kept, added or removed."""

    change: str
    diff_id: str
    size_bytes: int | None


class ConfigChange(Schema):
    """A field of the config that differs; null where one of the two does not have it."""

    name: str
    old: str | None
    new: str | None


class StepChange(Schema):
    """A build step: kept, added or removed."""

    change: str
    text: str


class PackageMove(Schema):
    """A package in other versions; in none, where it was added or removed."""

    kind: str
    name: str
    old: list[str]
    new: list[str]


class FileChanges(Schema):
    """Paths that differ, at most 500 of each kind, and how many there are."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    totals: dict[str, int]


class Differing(Told):
    """What differs; `packages` and `files` are null until every layer of both was read: `unread` are those to read."""

    layers: list[LayerChange]
    config: list[ConfigChange]
    steps: list[StepChange]
    packages: list[PackageMove] | None
    files: FileChanges | None
    notes: list[str]
    unread: int
    problem: str
    reading: int | None = Field(description="the run that reads layers at this moment")


class BaseComparison(Differing):
    """What differs between two releases."""

    before: ReleaseName
    after: ReleaseName


@router.get("/bases/{int:pk}/comparison", response=BaseComparison)
def get_comparison(request: ApiRequest, pk: int, filters: Query[ComparisonFilters]) -> dict[str, Any]:
    """Layers, config, packages and files of one release of a base against another's."""
    access.require_reach(request.actor, None)
    found = compare(pk, filters.older, filters.newer, filters.path.strip())
    query = urlencode({"from": found.old.pk, "to": found.new.pk})
    return {
        "text": _told(found),
        "url": link(request, f"{reverse('base-compare', args=[pk])}?{query}"),
        "before": _release(found.old),
        "after": _release(found.new),
        **differing(found.differences),
    }


def differing(found: Differences) -> dict[str, Any]:
    """What differs between any two, flat."""
    packages = None if found.packages is None else [row for group in found.packages for row in _packages(group)]
    return {
        "layers": [{name: getattr(row, name) for name in LayerChange.model_fields} for row in found.layers],
        "config": [{name: getattr(row, name) for name in ConfigChange.model_fields} for row in found.config],
        "steps": [{name: getattr(row, name) for name in StepChange.model_fields} for row in found.steps],
        "packages": packages,
        "files": _files(found.files) if found.files else None,
        "notes": [*found.notes, *filter(None, [found.too_much]), *_left_out(found)],
        "unread": len(found.unread),
        "problem": found.problem.message if found.problem else "",
        "reading": found.reading,
    }


def _left_out(found: Differences) -> list[str]:
    """What differs, too, and is not among the rows."""
    left = (found.more_config, "more config field"), (found.more_steps, "more build step")
    return [f"Not told here: {counted(number, what)}." for number, what in left if number]


def _told(compared: Comparison) -> str:
    return f"{compared.stream.name}, {label(compared.old)} to {label(compared.new)}: {counts_of(compared.differences)}"


def counts_of(found: Differences) -> str:
    """How much differs in what they hold, or why that is not known."""
    if found.too_much:
        return found.too_much
    if found.packages is None or found.files is None:
        return f"{counted(len(found.unread), 'layer')} not read yet, so packages and files are not known."
    packages = sum(len(rows) for group in found.packages for rows in (group.changed, group.added, group.removed))
    files = counted(sum(found.files.totals.values()), "file differs", "files differ")
    return f"{counted(packages, 'package')} and {files}."


def _release(row: BaseRelease) -> dict[str, Any]:
    return {"id": row.pk, "label": label(row), "platform": row.platform, "digest": row.manifest_digest}


def _packages(group: PackageGroup) -> list[dict[str, Any]]:
    return [
        *({"kind": group.kind, "name": row.name, "old": list(row.old), "new": list(row.new)} for row in group.changed),
        *({"kind": group.kind, "name": row.name, "old": [], "new": [row.version]} for row in group.added),
        *({"kind": group.kind, "name": row.name, "old": [row.version], "new": []} for row in group.removed),
    ]


def _files(found: Files) -> dict[str, Any]:
    paths = {name: [row.path for row in getattr(found, name)] for name in ("added", "removed", "changed")}
    return {**paths, "totals": found.totals}
