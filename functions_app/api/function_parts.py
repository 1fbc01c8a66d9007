"""`/functions/NAME/aliases`, `/ways-back` and `/patch-targets`: where calls go, back to, and what could be patched."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from ninja import Router, Schema

from functions_app.api.requests import ApiRequest
from functions_app.api.shapes import Told, link
from functions_app.domain.text import counted
from functions_app.services.changes.patching.targets import targets as patch_targets
from functions_app.services.inventory.fleet import addressing
from functions_app.services.people import accounts
from functions_app.services.snapshot.rollback_targets import targets as ways_back

router = Router(tags=["fleet"])


class AliasFacts(Schema):
    """An alias: its version, or two with the second's weight; how many versions it could go back to, null: unknown."""

    name: str
    description: str
    version: str
    second_version: str
    second_weight: float
    production: bool
    rollback_targets: int | None
    rollback_lost: int
    synced_at: datetime


class AliasList(Told):
    """The aliases of a function, by name."""

    aliases: list[AliasFacts]


class TargetLine(Schema):
    """A version that an alias could go back to; `obstacle` says why it can't, where that is known."""

    version: str
    digest: str
    tags: list[str]
    live_until: datetime | None
    obstacle: str
    remarks: list[str]


class WayBackLine(Schema):
    """An alias with what it could go back to; `lost` are those whose image is not there any more."""

    alias: str
    version: str
    available: int
    lost: int
    targets: list[TargetLine]


class WaysBack(Told):
    """For every alias what a rollback could point it to."""

    aliases: list[WayBackLine]


class PatchTargetLine(Schema):
    """An image that is live and behind: who runs it, onto what it would go, or why it can't."""

    digest: str
    image: int
    aliases: list[str]
    stream: str
    from_release: str
    to_release: str
    golden_first: list[str]
    why_not: str
    next_step: str


class PatchTargets(Told):
    """What is live and not on the current release of its base, production first."""

    targets: list[PatchTargetLine]


@router.get("/functions/{function}/aliases", response=AliasList)
def list_aliases(request: ApiRequest, function: str) -> dict[str, Any]:
    """Where each alias of a function points."""
    row = addressing.find(function, request.actor).function
    production, rows = accounts.production(row.account), list(row.aliases.order_by("name"))
    return {
        "text": f"{row.name}: {', '.join(f'{alias.name} {alias.version}' for alias in rows) or 'no alias'}.",
        "url": link(request, reverse("function", args=[row.pk])),
        "aliases": [
            {
                "production": production.include(alias.name),
                **{name: getattr(alias, name) for name in AliasFacts.model_fields if name != "production"},
            }
            for alias in rows
        ],
    }


@router.get("/functions/{function}/ways-back", response=WaysBack)
def list_ways_back(request: ApiRequest, function: str) -> dict[str, Any]:
    """What each alias of a function could be rolled back to, the versions seen live first."""
    row = addressing.find(function, request.actor).function
    found = ways_back(row)
    counts = ", ".join(f"{each.alias.name} {each.available}" for each in found)
    return {
        "text": f"{row.name} could go back to so many versions: {counts or 'it has no alias'}.",
        "url": link(request, reverse("function-deploy", args=[row.pk])),
        "aliases": [
            {
                "alias": each.alias.name,
                "version": each.alias.version,
                "available": each.available,
                "lost": each.lost,
                "targets": [
                    {name: getattr(target, name) for name in TargetLine.model_fields} for target in each.targets
                ],
            }
            for each in found
        ],
    }


@router.get("/functions/{function}/patch-targets", response=PatchTargets)
def get_patch_targets(request: ApiRequest, function: str) -> dict[str, Any]:
    """What of a function is behind, and what it would be patched onto."""
    row = addressing.find(function, request.actor).function
    found = patch_targets(row)
    return {
        "text": f"{row.name}: {counted(len(found), 'live image is', 'live images are')} behind.",
        "url": link(request, reverse("function-patch", args=[row.pk])),
        "targets": [
            {
                "digest": target.digest,
                "image": target.image.pk,
                "aliases": target.aliases,
                "stream": target.image.base_stream.name if target.image.base_stream else "",
                "from_release": target.base.from_label if target.base else "",
                "to_release": target.base.to_label if target.base else "",
                "golden_first": [one.release.stream.name for one in target.golden],
                "why_not": target.why_not,
                "next_step": target.next_step,
            }
            for target in found
        ],
    }
