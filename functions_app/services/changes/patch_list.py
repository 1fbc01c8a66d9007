"""Plan to bring functions forward to the current release of their base. Planned only: nothing is written to AWS yet."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from functions_app import clock
from functions_app.domain.changes.patching.patch_lists import (
    CurrentRelease,
    Entry,
    LivePlace,
    PatchList,
    decide,
    make_list,
)
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.manifests import Platform
from functions_app.domain.runs import Kind
from functions_app.models import BaseStream, Function, Plan
from functions_app.services.engine import plans
from functions_app.services.engine.plans import Draft
from functions_app.services.people import accounts
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.live_on_bases import FEW, family, label, live_rows, overdue_ways, release_facts

TTL = timedelta(hours=1)
IMAGE = ("digest", "image__base_tier", "image__os", "image__architecture", "image__variant")
FUNCTION = ("name", "arn", "region", "owner", "managed_by", "account__name", "account__production_aliases")


def plan(
    stream: BaseStream,
    actor: Actor,
    *,
    release_id: int | None = None,
    account_id: int | None = None,
    functions: Collection[int] | None = None,
) -> Plan:
    """Freeze what is live on older (or unknown) releases of a stream now, and store it as a plan.

    `release_id`, `account_id` and keys of `functions` narrow it. Raises DENIED for others than operators, PREFLIGHT
    where nothing is behind.
    """
    asked = {
        "release_id": release_id,
        "account_id": account_id,
        "functions": None if functions is None else len(functions),
    }

    chosen = None if functions is None else frozenset(functions)
    narrowed = any(value is not None for value in asked.values())

    def wanted(place: LivePlace) -> bool:
        return (
            (release_id is None or (place.from_release_id or 0) == release_id)
            and account_id in (None, place.account_id)
            and (chosen is None or place.function_id in chosen)
        )

    made = plans.make(Kind.PATCH_LIST, stream.name, asked, actor, lambda: _draft(stream, wanted, narrowed=narrowed))
    return made.confirmable()


def load(plan_id: UUID) -> tuple[Plan, PatchList]:
    """A stored plan, for anybody who may look. Raises NOT_FOUND."""
    stored = Plan.objects.select_related("maker").filter(pk=plan_id, kind=Kind.PATCH_LIST).first()
    if stored is None:
        raise DrydockError(
            Code.NOT_FOUND,
            "There is no such plan; plans are kept for a day after they expire.",
            next_step="Plan it again from the base image's page.",
        )
    return stored, PatchList.from_json(stored.body)


def _draft(stream: BaseStream, wanted: Callable[[LivePlace], bool], *, narrowed: bool) -> Draft[PatchList]:
    now = clock.now()
    made = make_list(stream.pk, stream.name, _entries(stream, wanted, now), now)
    if not made.entries:
        which = "of what was selected" if narrowed else "that is live"
        raise DrydockError(
            Code.PREFLIGHT,
            f"Nothing {which} stands on an older release of {stream.name}.",
            next_step="Reload the page: it may have been brought forward meanwhile.",
        )
    return Draft(made, ttl=TTL, summary={"functions": made.functions, "aliases": len(made.entries)})


def _entries(stream: BaseStream, wanted: Callable[[LivePlace], bool], now: datetime) -> list[Entry]:
    read = _Reading(stream, now)
    entries = []
    for row in read.rows:
        place = read.place(row)
        if place is not None and wanted(place):
            entries.append(decide(place, read.targets.get(place.platform)))
    return entries


class _Reading:
    """What is live on older releases of a stream, with what a plan needs to know of it. Nine queries."""

    def __init__(self, stream: BaseStream, now: datetime) -> None:
        self.known = family(release_facts())
        self.above = self.known.above(stream.pk)
        older = {fact.pk for fact in self.known.releases.values() if fact.stream_id == stream.pk and not fact.current}
        through = {pk for pk, on in self.above.items() if on in older}
        self.rows = live_rows(older | through, stream.pk, IMAGE)
        ids = {row[0] for row in self.rows}
        found = Function.objects.filter(gone_at=None).select_related("account").only(*FUNCTION)
        few = found.filter(pk__in=ids) if len(ids) <= FEW else found
        self.functions = {function.pk: function for function in few.iterator() if function.pk in ids}
        self.late = overdue_ways(now.date(), ids)
        self.names = dict(BaseStream.objects.values_list("pk", "name"))
        current = stream.releases.filter(current=True).defer("config", "layers", "diff_ids")
        self.targets = {
            release.platform: CurrentRelease(release.pk, label(release), release.manifest_digest)
            for release in current.order_by("created_at", "-pk")  # of several the newest counts, as for verdicts
        }

    def place(self, row: tuple[Any, ...]) -> LivePlace | None:
        """A row in words; None where the function was deleted meanwhile."""
        function_id, alias, version, nearest, _, digest, tier, *platform = row
        function = self.functions.get(function_id)
        if function is None:
            return None
        here = self.above.get(nearest, nearest) if nearest else None
        release = self.known.releases.get(here) if here else None
        golden = self.known.releases[nearest] if nearest and nearest != here else None
        return LivePlace(
            function_id=function_id,
            function=function.name,
            arn=function.arn,
            account_id=function.account_id,
            account=function.account.name,
            region=function.region,
            owner=function.owner,
            managed_by=function.managed_by,
            alias=alias,
            version=version,
            digest=digest,
            platform=release.platform if release else str(Platform(*platform)),
            tier=tier,
            from_release_id=release.pk if release else None,
            from_release=label(release) if release else "unknown release",
            through=f"{self.names.get(golden.stream_id, '')} {label(golden)}" if golden else "",
            overdue=(function_id, alias) in self.late,
            production=bool(alias) and accounts.production(function.account).include(alias),
        )
