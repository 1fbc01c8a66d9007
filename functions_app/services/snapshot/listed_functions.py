"""Rows of Function: what a listing tells of one, and which of them a reading may still write.

A sync and the refresh after a deploy read the same function at the same time. Whichever began to read later knows
more, so every row keeps when its reading began, and a reading that began earlier leaves it alone; unless that row was
read at a time that is still to come, by a clock that was wrong.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from functions_app import clock
from functions_app.domain.fleet.functions import Features, FunctionFact
from functions_app.domain.text import storable
from functions_app.models import Function

FACT = (
    "arn", "description", "architecture", "memory_mb", "timeout_s", "ephemeral_mb", "role_arn", "log_group",
    "env_keys", "image_settings", "features", "last_modified", "revision_id", "digest", "synced_at", "gone_at",
)  # fmt: skip


def lock_outdated(
    read_at: Mapping[int, datetime], column: Literal["synced_at", "detailed_at", "aliases_synced_at"]
) -> set[int]:
    """Lock functions (by key) until the transaction ends; those that nothing newer was read of than at `read_at`.

    Always in the order of their keys, so that two transactions never wait for each other.
    """
    rows = Function.objects.select_for_update().filter(pk__in=read_at).order_by("pk")
    return {pk for pk, known in rows.values_list("pk", column) if is_outdated(known, read_at[pk])}


def is_outdated(known: datetime | None, read_at: datetime) -> bool:
    """Whether what was known then is to give way to a reading that began at `read_at`."""
    return known is None or known <= read_at or known > clock.latest()


def stored_features(features: Features) -> dict[str, Any]:
    """What a function has that most have not, without what it has not either."""
    return {name: value for name, value in asdict(features).items() if value}


def function_values(fact: FunctionFact, read_at: datetime) -> dict[str, Any]:
    """The columns FACT of a function as it was when the reading began."""
    settings = {
        "entrypoint": list(fact.entrypoint),
        "command": list(fact.command),
        "working_directory": fact.working_directory,
    }
    return {
        "arn": fact.arn,
        "description": storable(fact.description, 300),
        "architecture": fact.architecture,
        "memory_mb": fact.memory_mb,
        "timeout_s": fact.timeout_s,
        "ephemeral_mb": fact.ephemeral_mb,
        "role_arn": fact.role_arn,
        "log_group": fact.log_group,
        "env_keys": list(fact.env_keys),
        "image_settings": {name: value for name, value in settings.items() if value},
        "features": stored_features(fact.features),
        "last_modified": fact.latest.last_modified,
        "revision_id": fact.latest.revision_id,
        "digest": fact.latest.digest,
        "synced_at": read_at,
        "gone_at": None,
    }
