"""One line on whether all is well with a function and, if not, what to do about it."""

from dataclasses import dataclass

from functions_app.domain.freshness import Freshness
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


DEPLOY = ("Deploy a newer image", "function-deploy")


def advise(function: Function, run: tuple[int, str] | None) -> Advice:
    """Judge from what the snapshot says. `run` is the active run on this function, if there is one."""
    if function.gone_at:
        return Advice("bad", "AWS no longer has this function.", "What is shown is what was seen last.")
    if run:
        return Advice("info", f"{run[1]} is under way.", button="Follow the run", leads_to="run", run=run[0])
    if function.state == "Failed" or function.last_update_status == "Failed":
        reason = function.state_reason if function.state == "Failed" else function.last_update_reason
        text = function.problem or ("It cannot run." if function.state == "Failed" else "Its last update failed.")
        return Advice("bad", text, reason, "Deploy another image", "function-deploy")
    if "Pending" in (function.state,) or function.last_update_status == "InProgress":
        return Advice("info", "AWS is still updating it.", function.state_reason)
    if not function.problem:
        return Advice("good", "All is well.", _why_well(function))
    return _on_problem(function)


def _why_well(function: Function) -> str:
    base = f" on the newest release of {function.base_name}" if function.base_name else ""
    return f"Everything that is live runs{base}." if base else function.freshness_reason


def _on_problem(function: Function) -> Advice:
    if function.state == "Inactive":
        return Advice("warn", function.problem, function.state_reason, "Wake it by a call", "function-invoke")
    if function.freshness == Freshness.END_OF_LIFE:
        return Advice("bad", function.problem, function.freshness_reason, *DEPLOY)
    if function.freshness == Freshness.STALE:
        return Advice("warn", function.problem, function.freshness_reason, *DEPLOY)
    if function.drifted:
        return Advice("warn", function.problem, "", "Deploy what the tag is now", "function-deploy")
    if function.freshness == Freshness.UNKNOWN:
        return Advice("calm", function.problem, function.freshness_reason)
    return Advice("warn", function.problem, "", "Deploy another image", "function-deploy")
