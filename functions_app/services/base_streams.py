"""The base streams Drydock watches from the start, with their ends of life: functions_app/data/base-streams.json."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseStream

DATA = Path(__file__).resolve().parent.parent / "data" / "base-streams.json"
HOST = "public.ecr.aws"
FAMILY = "lambda/"

Dates = tuple[date | None, date | None]  # deprecated on, updates blocked on


@cache
def runtime_dates() -> Mapping[tuple[str, str], Dates]:
    """Each runtime and version that AWS has a Lambda base for, with its dates, newest version first."""
    runtimes = json.loads(DATA.read_text(encoding="utf-8"))["runtimes"]
    return {
        (runtime, version): (_date(dates[0]), _date(dates[1]))
        for runtime, versions in runtimes.items()
        for version, dates in versions.items()
    }


def lambda_references() -> tuple[str, ...]:
    """`public.ecr.aws/lambda/python:3.14` and so on: every stream in the data file."""
    return tuple(f"{HOST}/{FAMILY}{runtime}:{version}" for runtime, version in runtime_dates())


def seed_streams(references: Iterable[str] | None = None) -> int:
    """Make a row for each stream (None: all of Lambda's) and bring its dates up to date; how many are new.

    A stream that is there keeps its switch and its releases. Raises INVALID for what is no HOST/REPOSITORY:TAG.
    """
    created = 0
    for reference in lambda_references() if references is None else references:
        ref = ImageRef.parse(reference)
        if not ref.tag or ref.digest:
            raise DrydockError(Code.INVALID, f"{reference!r} is no base stream: a stream is a moving tag.")
        name, runtime = _names(ref)
        deprecated_on, updates_blocked_on = runtime_dates().get((runtime, ref.tag), (None, None))
        values = {
            "reference": str(ref),
            "runtime": runtime,
            "runtime_version": ref.tag if runtime else "",
            "deprecated_on": deprecated_on,
            "updates_blocked_on": updates_blocked_on,
        }
        created += BaseStream.objects.update_or_create(name=name, defaults=values)[1]
    return created


def _names(ref: ImageRef) -> tuple[str, str]:
    """The stream's name and its runtime; a team's own base keeps its whole repository as name and has no runtime."""
    runtime = ref.repository.removeprefix(FAMILY)
    is_lambda = ref.registry == HOST and ref.repository.startswith(FAMILY)
    return (f"{runtime}:{ref.tag}", runtime) if is_lambda else (f"{ref.repository}:{ref.tag}"[:120], "")


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
