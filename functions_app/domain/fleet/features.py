"""What only some functions have, in words: Managed Instances, durable executions, tenants apart, a GPU."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from functions_app.domain.fleet.functions import Features


@dataclass(frozen=True)
class Told:
    """One of them: its name, what it means for who deploys or calls the function, and its settings."""

    name: str
    meaning: str
    settings: str


def stored(values: Mapping[str, Any]) -> Features:
    """Read what the snapshot keeps; what an older or newer Drydock kept beside it is left out."""
    known = {field.name for field in fields(Features)}
    return Features(**{name: value for name, value in values.items() if name in known})


def in_words(features: Features) -> tuple[Told, ...]:
    """All that a function has."""
    return tuple(_told(features))


def _told(features: Features) -> Iterator[Told]:
    if features.capacity_provider:
        name = features.capacity_provider.rpartition(":")[2] or features.capacity_provider
        more = [
            f"capacity provider {name}",
            f"up to {features.environment_concurrency} calls at once per environment"
            if features.environment_concurrency
            else "",
            f"{features.memory_gib_per_vcpu:g} GiB per vCPU" if features.memory_gib_per_vcpu else "",
        ]
        meaning = "It runs on instances of its own: only what is published takes calls, $LATEST never does."
        yield Told("Managed Instances", meaning, _joined(more))
    if features.durable:
        more = [
            f"executions up to {_duration(features.durable_timeout_s)}" if features.durable_timeout_s else "",
            f"history kept {features.durable_retention_days} days" if features.durable_retention_days else "",
        ]
        yield Told("Durable", "An execution stays on the version it began on for as long as it lasts.", _joined(more))
    if features.tenant_isolation:
        mode = features.tenant_isolation.lower().replace("_", " ")
        yield Told("Tenant isolation", "Each call has to name its tenant.", mode)
    if features.gpu:
        size = f"{features.gpu_memory_gb} GB or more each" if features.gpu_memory_gb else ""
        yield Told("GPU", "Its images have to be for x86_64.", size)


def _joined(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _duration(seconds: int) -> str:
    """ "90 s", "15 min", "24 h", "30 days": in the largest unit that divides it."""
    units = ((86_400, 2, "days"), (3_600, 1, "h"), (60, 1, "min"))
    found = ((size, unit) for size, least, unit in units if seconds >= least * size and seconds % size == 0)
    size, unit = next(found, (1, "s"))
    return f"{seconds // size} {unit}"
