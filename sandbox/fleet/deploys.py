"""Functions put into this process as if they had been deployed over time: Active, settled, with their history."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sandbox.lambda_.model import ACTIVE, LATEST, Alias, Code, Condition, Function, Settings, Version, timestamp
from sandbox.lambda_.spaces import space


@dataclass(frozen=True)
class Deploy:
    """Code and settings that were deployed and published at a moment."""

    code: Code
    at: datetime
    settings: Settings


@dataclass(frozen=True)
class Seeded:
    """A function to put in place: its n-th deploy is version n, $LATEST runs the last one."""

    account: str
    region: str
    name: str
    deploys: Sequence[Deploy]
    aliases: Mapping[str, int]
    split: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    condition: Condition = ACTIVE


def put_function(seeded: Seeded) -> Function:
    """Put a function with its published versions and aliases in place, Active (or as told) and settled."""
    functions = space(seeded.account, seeded.region)
    arn = f"arn:aws:lambda:{seeded.region}:{seeded.account}:function:{seeded.name}"
    versions = {}
    for deploy in seeded.deploys:
        number = functions.next_number(seeded.name)
        versions[number] = _version(arn, number, deploy, seeded)
    function = Function(
        seeded.account,
        seeded.region,
        seeded.name,
        _version(arn, LATEST, seeded.deploys[-1], seeded),
        versions,
        dict(_aliases(arn, seeded)),
        dict(seeded.tags),
    )
    functions.add(function)
    return function


def _version(arn: str, number: str, deploy: Deploy, seeded: Seeded) -> Version:
    revision = _revision(f"{arn}:{number}", deploy.code.digest)
    return Version(
        number,
        deploy.code,
        deploy.settings,
        modified=_modified(deploy.at),
        condition=seeded.condition,
        revision=revision,
        settled_revision=revision,
    )


def _aliases(arn: str, seeded: Seeded) -> Iterable[tuple[str, Alias]]:
    for name, version in seeded.aliases.items():
        second = seeded.split.get(name)
        weights = {str(second[0]): second[1]} if second else {}
        yield name, Alias(name, str(version), weights=weights, revision=_revision(f"{arn}:{name}", str(version)))


def _revision(arn: str, content: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}#{content}"))


@lru_cache(maxsize=1024)
def _modified(at: datetime) -> str:
    """One text for all versions of a moment: a large fleet holds a hundred thousand."""
    return timestamp(at)
