"""One line on whether all is well with a function and, if not, what to do about it."""

from dataclasses import dataclass, fields

from functions_app.domain import aws_console
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.unknown_reasons import next_step
from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.fleet.repairs import Broken, Place, Repair, most_broken, repair_of
from functions_app.domain.fleet.states import (
    RANK_DRIFTED,
    RANK_END_OF_LIFE,
    RANK_ENDANGERED,
    RANK_FAILED,
    RANK_GONE,
    RANK_IDLE_FAILED,
    RANK_INACTIVE,
    RANK_NOT_READY,
    RANK_OVERDUE,
    RANK_STALE,
    RANK_STRANGE_UPDATE,
    RANK_UNKNOWN,
    RANK_UNREAD,
    RANK_UPDATE_FAILED,
    Condition,
)
from functions_app.models import Function, Version
from functions_app.services.snapshot.live_versions import live_versions


@dataclass(frozen=True)
class Advice:
    """The line, its level (good, info, calm, warn, bad), and the one button: where it leads and what it says."""

    level: str
    text: str
    detail: str = ""
    button: str = ""
    leads_to: str = ""  # a tab's name, or "run"
    run: int = 0
    href: str = ""  # a page of AWS's console, instead of a tab


@dataclass(frozen=True)
class Mending:
    """The repair of the version that is most broken, and the page of AWS's console where it is made, if there."""

    repair: Repair
    href: str


NOT_ALL_READ = "Nothing wrong is known of it, but not all of it could be read."
# from each rank upwards: level, button, and the tab it leads to
BY_RANK = {
    0: ("calm", "", ""),
    RANK_STRANGE_UPDATE: ("warn", "", ""),
    RANK_IDLE_FAILED: ("warn", "Deploy another image", "function-deploy"),
    RANK_INACTIVE: ("warn", "Wake it by a call", "function-invoke"),
    RANK_STALE: ("warn", "Patch", "function-patch"),
    RANK_END_OF_LIFE: ("bad", "Deploy an image on a newer base", "function-deploy"),
    RANK_DRIFTED: ("warn", "Deploy what the tag is now", "function-deploy"),
    RANK_ENDANGERED: ("bad", "See its image", "function-image"),
    RANK_UPDATE_FAILED: ("bad", "Deploy another image", "function-deploy"),
    RANK_NOT_READY: ("bad", "", ""),  # $LATEST may not be given another image in it
    RANK_FAILED: ("bad", "Deploy another image", "function-deploy"),
}


BROKEN = (RANK_IDLE_FAILED, RANK_INACTIVE, RANK_UPDATE_FAILED, RANK_FAILED, RANK_GONE)
IN_AWS = (Place.REPOSITORY, Place.ARCHIVE, Place.FUNCTION)
NEEDED = (
    "digest", "image_uri", "detailed_at", *(field.name for field in fields(Condition)),
    "image__gone_at", "image__status", "image__repository__uri",
)  # fmt: skip


def mending(function: Function) -> Mending | None:
    """What would repair a function that is broken or asleep, by its reason codes. No query for others, else one."""
    if function.gone_at or function.problem_rank not in BROKEN:
        return None
    idle = function.problem_rank == RANK_IDLE_FAILED
    found = Version.objects.filter(number=LATEST) if idle else live_versions()
    rows = found.filter(function=function).select_related("image__repository").order_by("ordinal")
    versions: dict[Broken, Version] = {}
    for row in rows.only(*NEEDED):
        versions.setdefault(broken_version(row), row)
    worst = most_broken(list(versions))
    repair = repair_of(worst) if worst else None
    if worst is None or repair is None:
        return None
    return Mending(repair, _href(repair.place, function, versions[worst]))


def broken_version(version: Version) -> Broken:
    """A version as its repair is judged by: one that was never read has no state."""
    image, known = version.image, version.detailed_at is not None
    condition = Condition(**{field.name: getattr(version, field.name) for field in fields(Condition)})
    return Broken(
        condition if known else Condition(),
        image is not None and image.gone_at is not None,
        image.status if image else "",
    )


def _href(place: Place, function: Function, version: Version) -> str:
    uri = version.image.repository.uri if version.image else version.image_uri
    match place:
        case Place.REPOSITORY:
            return aws_console.repository(uri)
        case Place.ARCHIVE:
            return aws_console.image(uri, version.digest)
        case Place.FUNCTION:
            return aws_console.function(function.region, function.name)
    return ""


def advise(function: Function, run: tuple[int, str] | None, mends: Mending | None = None) -> Advice:
    """Judge from what the snapshot says. `run` is the active run on this function, if there is one."""
    if function.gone_at:
        return Advice("bad", "AWS no longer has this function.", "What is shown is what was seen last.")
    if run:
        return Advice("info", f"{run[1]} is under way.", button="Follow the run", leads_to="run", run=run[0])
    if function.state == "Pending" or function.last_update_status == "InProgress":
        return Advice("info", "AWS is still updating it.", function.state_reason)
    if not function.problem:
        base = f"Everything live runs on the newest release of {function.base_name}." if function.base_name else ""
        return Advice("good", "All is well.", base or function.freshness_reason)
    if function.problem_rank == RANK_UNREAD:  # which part, and why, stands above it on the page
        return Advice("warn", NOT_ALL_READ)
    why = function.freshness_reason
    if function.problem_rank == RANK_UNKNOWN and why and function.problem.endswith(why):  # the base, not the state
        return Advice("calm", function.problem, next_step(why), "See its image", "function-image")
    level, button, leads_to = BY_RANK[max(rank for rank in BY_RANK if rank <= function.problem_rank)]
    if function.problem_rank == RANK_OVERDUE and function.freshness == Freshness.STALE:
        _, button, leads_to = BY_RANK[RANK_STALE]
    if mends is None:
        return Advice(level, function.problem, "", button, leads_to)
    repair, href = mends.repair, mends.href
    tab = "" if repair.place in IN_AWS else repair.place.value
    return Advice(level, function.problem, repair.says, repair.button if tab or href else "", tab, href=href)
