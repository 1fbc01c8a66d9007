"""An image's config as `docker build` makes it of the base's and its own, and the history that tells of both."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def rfc3339(moment: datetime) -> str:
    """UTC with a Z, as Docker writes `created`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def merged_config(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The base's settings with these over them; Env and Labels name by name."""
    merged = dict(inherited)
    if "Entrypoint" in own:
        # A child's ENTRYPOINT drops an inherited CMD: the two are one unit.
        merged.pop("Cmd", None)
    merged |= {name: value for name, value in own.items() if name not in ("Env", "Labels")}
    env = dict(setting.split("=", 1) for setting in [*inherited.get("Env", []), *own.get("Env", [])])
    if env:
        merged["Env"] = [f"{name}={value}" for name, value in env.items()]
    labels = {**inherited.get("Labels", {}), **own.get("Labels", {})}
    if labels:
        merged["Labels"] = labels
    return merged


def history(steps: Sequence[str], config: Mapping[str, Any], created: datetime | None) -> list[dict[str, Any]]:
    """One entry per layer's step, then empty ones for the settings; without a time where none is told."""
    when = {"created": rfc3339(created)} if created else {}
    layers: list[dict[str, Any]] = [{**when, "created_by": step} for step in steps]
    settings = [{**when, "created_by": step, "empty_layer": True} for step in config_steps(config)]
    return [*layers, *settings]


def config_steps(config: Mapping[str, Any]) -> list[str]:
    """The Dockerfile lines that set these, as BuildKit writes them into the history."""
    steps = [f"ENV {setting}" for setting in config.get("Env", [])]
    steps += [f"LABEL {name}={value}" for name, value in config.get("Labels", {}).items()]
    if "WorkingDir" in config:
        steps.append(f"WORKDIR {config['WorkingDir']}")
    steps += [f"{name.upper()} {json.dumps(config[name])}" for name in ("Entrypoint", "Cmd") if name in config]
    return steps
