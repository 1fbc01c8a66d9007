"""One line on whether all is well with a function and, if not, what to do about it."""

from dataclasses import dataclass

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.unknown_reasons import next_step
from functions_app.domain.fleet.states import (
    RANK_DRIFTED,
    RANK_END_OF_LIFE,
    RANK_ENDANGERED,
    RANK_FAILED,
    RANK_IDLE_FAILED,
    RANK_INACTIVE,
    RANK_NOT_READY,
    RANK_OVERDUE,
    RANK_STALE,
    RANK_STRANGE_UPDATE,
    RANK_UNKNOWN,
    RANK_UNREAD,
    RANK_UPDATE_FAILED,
)
from functions_app.models import Function


@dataclass(frozen=True)
class Advice:
    """The line, its level (good, info, calm, warn, bad), and the one button: where it leads and what it says."""

    level: str
    text: str
    detail: str = ""
    button: str = ""
    leads_to: str = ""  # a tab's name, or "run"
    run: int = 0


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


def advise(function: Function, run: tuple[int, str] | None) -> Advice:
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
    return Advice(level, function.problem, "", button, leads_to)
