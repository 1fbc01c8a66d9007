"""How safe a patch is, in the sentences of its plan: the verdict on top, what is ticked, the check that forbids it."""

from collections.abc import Sequence
from typing import Any

from functions_app.domain.changes.base_changes import counted
from functions_app.domain.changes.patching.golden import GoldenPatch
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.rebase.safety.findings import Level as Safety
from functions_app.domain.rebase.safety.findings import Verdict


def verdict_sentence(safety: Safety, stream: str, releases: int, kept_layers: int) -> str:
    """The first line of a plan: how safe it is, how far the base moves, what stays."""
    far = f"moves {counted(releases, 'release')} forward" if releases else "moves to its current release"
    stays = "your one layer stays" if kept_layers == 1 else f"your {counted(kept_layers, 'layer')} stay"
    ends = {
        Safety.SAFE: f"{stays} byte for byte.",
        Safety.REVIEW: f"{stays} byte for byte, and somebody should look at what was found before it is applied.",
        Safety.UNSAFE: "your layers would not work on it as they are: build the image anew.",
    }
    return f"{safety.upper()}: {stream} {far}; {ends[safety]}"


def golden_sentence(safety: Safety, golden: Sequence[GoldenPatch], kept_layers: int) -> str:
    """The same where golden images go first, the deepest of which moves to a release that there is."""
    move = golden[0].base
    onto, names = f"{move.stream} {move.to_label}", ", then ".join(one.name for one in golden)
    if broken := next((one.name for one in golden if one.verdict.level is Safety.UNSAFE), ""):
        return f"{safety.upper()}: golden image {broken} would not work on {onto} as it is: build it anew first."
    far = f" ({counted(move.releases, 'release')} forward)" if move.releases else ""
    first = f"{safety.upper()}: {names} {'goes' if len(golden) == 1 else 'go'} onto {onto} first{far}"
    follows = "your one layer follows" if kept_layers == 1 else f"your {counted(kept_layers, 'layer')} follow"
    ends = {
        Safety.SAFE: f"and {follows} byte for byte.",
        Safety.REVIEW: f"and {follows} byte for byte; somebody should look at what was found before it is applied.",
        Safety.UNSAFE: "but your layers would not work on that as they are: build both images anew.",
    }
    return f"{first}, {ends[safety]}"


def review_sentence(own: Verdict, golden: Sequence[GoldenPatch] = ()) -> str:
    """What an operator ticks who has looked at the findings of a REVIEW."""
    kinds = [finding.rule.of_golden.rstrip(".") for one in golden for finding in one.verdict.findings]
    kinds += [finding.rule.sentence.rstrip(".") for finding in own.findings]
    return f"I looked at what was found ({'; '.join(dict.fromkeys(kinds))}), and it may go on."


def safety_check(verdict: Verdict, golden: str = "") -> Check:
    """The verdict among the checks of a plan, on a `golden` image or on the function's own: UNSAFE forbids it."""
    if verdict.level is Safety.SAFE:
        whose = f"the layers of {golden}" if golden else "your layers"
        return Check("Safety", True, f"Nothing was found in {whose} that the new base would break.")
    told = " ".join(
        f"{finding.rule.of_golden if golden else finding.rule.sentence} {_paths(finding.paths, finding.count)}".strip()
        for finding in _worst(verdict)
    )
    whose = f"Golden image {golden}: " if golden else ""
    return Check("Safety", False if verdict.level is Safety.UNSAFE else None, f"{whose}{told}")


def _worst(verdict: Verdict) -> Sequence[Any]:
    return [finding for finding in verdict.findings if finding.level is verdict.level]


def _paths(paths: Sequence[str], count: int) -> str:
    shown = ", ".join(f"/{path}" for path in paths[:3])
    more = f" and {count - 3} more" if count > 3 else ""
    return f"({shown}{more})" if shown else ""
