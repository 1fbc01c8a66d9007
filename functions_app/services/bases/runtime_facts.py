"""What AWS tells of Lambda's own bases, from functions_app/data/base-streams.json: dates, and the OS beneath."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from functions_app.domain.bases.ends_of_life import Ends
from functions_app.models import BaseStream

DATA = Path(__file__).resolve().parents[2] / "data" / "base-streams.json"
HOST = "public.ecr.aws"
FAMILY = "lambda/"


@dataclass(frozen=True)
class RuntimeFacts:
    """What AWS tells of a runtime: its dates, the OS its base stands on, the day that OS gets its last patch."""

    deprecated_on: date | None = None
    updates_blocked_on: date | None = None
    os: str = ""
    os_end_of_life_on: date | None = None


@cache
def runtime_facts() -> Mapping[tuple[str, str], RuntimeFacts]:
    """Each runtime and version that AWS has a Lambda base for, newest version first."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    ends = {name: _date(facts["end_of_security_support"]) for name, facts in data["os"].items() if name != "note"}
    found = {}
    for runtime, versions in data["runtimes"].items():
        for version, dates in versions.items():
            os = data["runtime_os"].get(runtime, {}).get(version, "")
            found[runtime, version] = RuntimeFacts(_date(dates[0]), _date(dates[1]), os, ends.get(os))
    return found


def lambda_references() -> tuple[str, ...]:
    """`public.ecr.aws/lambda/python:3.14` and so on: every stream in the data file."""
    return tuple(f"{HOST}/{FAMILY}{runtime}:{version}" for runtime, version in runtime_facts())


def is_listed(stream: BaseStream) -> bool:
    """Whether a stream is one that the data file names, rather than people."""
    return (stream.runtime, stream.runtime_version) in runtime_facts()


def ends_by(stream: BaseStream) -> Ends:
    """The dates by which a stream is judged."""
    return Ends(
        stream.deprecated_on,
        stream.updates_blocked_on,
        stream.os_end_of_life_on,
        stream.os,
        lambdas_own=bool(stream.runtime),
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
