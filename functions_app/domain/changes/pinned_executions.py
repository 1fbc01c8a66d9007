"""What Managed Instances and durable functions mean for moving an alias: what stays where it is, whatever happens."""

from collections.abc import Mapping
from dataclasses import dataclass

from functions_app.domain.changes.aliases import version_name
from functions_app.domain.changes.judgements import Level, Remark
from functions_app.domain.fleet.functions import PUBLISHED_LATEST, Features

COUNTED = 100  # executions of a version that are counted; beyond that there are more


@dataclass(frozen=True)
class Executions:
    """Executions under way on a version; `unread`: why nobody can tell."""

    count: int = 0
    more: bool = False
    unread: str = ""


def remarks(features: Features, executions: Mapping[str, Executions]) -> tuple[Remark, ...]:
    """What to mind where a function has these features; `executions` by the versions that the alias runs."""
    found = []
    if features.capacity_provider:
        text = (
            f"It runs on Managed Instances ({features.capacity_provider}): a version takes calls once it has capacity. "
            f"Calls without alias or version reach {PUBLISHED_LATEST}, which this does not change."
        )
        found.append(Remark(Level.MIND, "Capacity provider", text))
    for version, here in executions.items():
        if here.unread:
            text = f"Whether executions are under way on {version_name(version)} is not known. {here.unread}"
            found.append(Remark(Level.MIND, "Durable executions", text))
        elif here.count:
            found.append(Remark(Level.MIND, "Durable executions", _stay(version, here)))
    return tuple(found)


def _stay(version: str, here: Executions) -> str:
    number = f"{here.count} or more" if here.more else str(here.count)
    one = here.count == 1 and not here.more
    what = f"{number} {'execution is' if one else 'executions are'} under way on {version_name(version)}"
    stay = "It stays there until it ends" if one else "They stay there until they end"
    return f"{what}. {stay}, whatever the alias does: keep that version and its image."
