"""What the chat is told of functions: the list, what is stale, one of them, why, what differs. AWS is not asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from functions_app import clock
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.deployments import short
from functions_app.domain.chat.words import some
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.deployed_images import deployed_as, moved_tag
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.runs import ACTIVE
from functions_app.domain.text import counted
from functions_app.models import Account, Function, Run, Tag, Version
from functions_app.services.chat.replies import Reply
from functions_app.services.chat.speakers import Speaker
from functions_app.services.inventory.fleet import addressing
from functions_app.services.inventory.fleet.advice import advise
from functions_app.services.inventory.fleet.function_list import FunctionRow, functions
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.people.reach import functions_within

Tags = dict[tuple[str, str], str]  # repository and name -> digest


def list_functions(speaker: Speaker, words: str, freshness: tuple[str, ...] = ()) -> Reply:
    """Functions that hold all of the words, those with a problem first. Two queries, three where names are shared."""
    wanted = FleetFilter(search=words[:200], freshness=freshness)
    found = functions(wanted, clock.now().date(), functions_within(speaker.actor.reach))
    places = _places(found.rows)
    stale = found.counts["freshness"].get(Freshness.STALE.value, 0)
    count = counted(found.total, "stale function" if freshness else "function")
    count = count if freshness else f"{count}, {stale} stale"
    query = {"search": words[:200]} if words else {}
    return Reply(
        f"{count}: {', '.join(row.name for row in found.rows[:20]) or 'none'}",
        ("functions",),
        {**query, **({"freshness": freshness[0]} if freshness else {})},
        some([_line(row, places, stale=bool(freshness)) for row in found.rows], found.total),
    )


def _places(rows: tuple[FunctionRow, ...]) -> dict[int, str]:
    """The accounts' names, where a name alone does not tell which function it is."""
    if len({row.name for row in rows}) == len(rows):
        return {}
    return dict(Account.objects.filter(pk__in={row.account for row in rows}).values_list("pk", "name"))


def _line(row: FunctionRow, places: dict[int, str], *, stale: bool) -> str:
    where = f" ({places[row.account]}, {row.region})" if row.account in places else ""
    runs = ", ".join(f"{chip['name']} → {chip['version']} {short(chip['digest'])}" for chip in row.aliases[:3])
    why = row.freshness_reason if stale else row.problem
    about = [why or row.freshness, row.base_name, runs or short(row.digest)]
    return f"{row.name}{where}: {'; '.join(part.rstrip('.') for part in about if part)}"


def show(speaker: Speaker, name: str) -> Reply:
    """A function with what its aliases run. Two queries."""
    row, ways = _looked_up(speaker, name)
    run = Run.objects.filter(function=row, status__in=sorted(ACTIVE)).values_list("pk", "title").first()
    points = ", ".join(f"{way.alias} {short(way.digest)}" for way in ways[:3])
    facts = [
        f"{row.arn} ({row.account.name})",
        f"state {row.state or 'not known'}; base {row.base_name or 'not known'}, {row.freshness}",
        f"owner {row.owner}" if row.owner else "",
        f"managed by {row.managed_by}" if row.managed_by else "",
        *map(str, ways),
        f"{LATEST} {short(row.digest)}",
    ]
    return Reply(f"{row.name}: {advise(row, run).text} {points}", ("function", row.pk), lines=some(_said(facts)))


def _behind(releases: int, days: int) -> str:
    return f"{counted(releases, 'release')} and {counted(days, 'day')} behind" if releases else ""


def why(speaker: Speaker, name: str) -> Reply:
    """Why a function is stale, and what else is wrong with it. One query."""
    row, ways = _looked_up(speaker, name)
    reasons = [
        row.problem,
        f"{row.base_name or 'Its base'} is {row.freshness.replace('_', ' ')}: {row.freshness_reason}",
        f"{counted(row.releases_behind, 'release')} and {counted(row.days_behind, 'day')} behind"
        if row.releases_behind
        else "",
        f"overdue from {row.overdue_on:%Y-%m-%d} on" if row.overdue_on else "",
        f"its base ends on {row.end_of_life_on:%Y-%m-%d}" if row.end_of_life_on else "",
        *(f"{way}: {way.freshness}. {way.reason}" for way in ways),
    ]
    told = row.freshness_reason or row.problem or f"its base is {row.freshness}."
    return Reply(f"{row.name}: {told}", ("function", row.pk), lines=some(_said(reasons)))


def diff(speaker: Speaker, name: str) -> Reply:
    """What each alias runs, against the tag it was deployed by, $LATEST and the newest base. Three queries."""
    row, ways = _looked_up(speaker, name)
    numbers = {way.version for way in ways}
    found = row.versions.filter(number__in=numbers).select_related("image")
    versions = {version.number: version for version in found}
    tags = _tags_now(versions.values())
    differ = {way: _differences(way, versions.get(way.version), row, tags) for way in ways}
    lines = [f"{way}: {'; '.join(said) or 'nothing differs'}" for way, said in differ.items()]
    if not ways:
        lines = [f"no alias: its callers get {LATEST} {short(row.digest)}"]
    told = next((line for line, said in zip(lines, differ.values(), strict=False) if said), lines[0])
    return Reply(f"{row.name}: {told}", ("function", row.pk), lines=some(lines))


def _differences(way: "Way", version: Version | None, row: Function, tags: Tags) -> list[str]:
    if version is None:
        return ["that version is not known any more"]
    deployed, image = deployed_as(version.image_uri, version.deployed_tag), version.image
    now = tags.get((deployed.repository, deployed.tag), "")
    moved = moved_tag(deployed, way.digest, now)
    stale = image is not None and image.freshness != Freshness.CURRENT
    return _said(
        [
            f"its tag {deployed.tag} is {short(now)} now" if moved else "",
            f"{LATEST} is {short(row.digest)}" if row.digest != way.digest else "",
            "its image is not known: nobody reads its repository" if image is None else "",
            "its image was deleted from ECR" if image and image.gone_at else "",
            f"its base is {image.freshness}: {image.freshness_reason}".rstrip(".") if image and stale else "",
        ]
    )


def _tags_now(versions: Iterable[Version]) -> Tags:
    """Where the tags point now that these versions were deployed by."""
    by = [deployed_as(version.image_uri, version.deployed_tag) for version in versions]
    wanted = Q(repository__uri__in={one.repository for one in by}, name__in={one.tag for one in by if one.tag})
    rows = Tag.objects.filter(wanted).values_list("repository__uri", "name", "digest")
    return {(uri, name): digest for uri, name, digest in rows}


@dataclass(frozen=True)
class Way:
    """One of the ways that calls take: an alias, and the version that gets this share of them."""

    alias: str
    version: str
    digest: str
    share: float
    freshness: str
    reason: str

    def __str__(self) -> str:
        split = f" ({self.share * 100:g} %)" if self.share < 1 else ""
        return f"{self.alias} → {self.version} {short(self.digest)}{split}"


def _looked_up(speaker: Speaker, name: str) -> tuple[Function, list[Way]]:
    """A function, and the ways to it by its aliases, or by the one that was named. Raises NOT_FOUND, Ambiguous."""
    named = addressing.find(name, speaker.actor)
    row, wanted = named.function, named.qualifier
    ways = [way for chip in row.alias_chips for way in _ways(chip) if wanted in ("", way.alias, way.version)]
    if wanted not in ("", LATEST) and not ways:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{row.name} has no alias {wanted[:130]}.",
            next_step=f"Say “show {row.name}” for those that it has.",
        )
    return row, ways


def _ways(chip: Mapping[str, Any]) -> list[Way]:
    """An alias as it stands ready on its function's row: one way, or two where it is split."""
    second = float(chip.get("second_weight") or 0.0) if chip.get("second_version") else 0.0
    verdict = (chip.get("freshness", ""), chip.get("reason", ""))
    found = [Way(chip["name"], chip["version"], chip["digest"], 1.0 - second, *verdict)]
    if second:
        two = (chip["second_version"], chip["second_digest"])
        found.append(Way(chip["name"], *two, second, chip["second_freshness"], ""))
    return found


def _said(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines if line]
