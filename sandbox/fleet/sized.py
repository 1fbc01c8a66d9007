"""Fleets of any size, to measure and to test with: what is seeded depends on the size, its seed number and the day."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sandbox.ecr import backend
from sandbox.fleet.apps import build_app
from sandbox.fleet.deploys import Deploy, Seeded, put_function
from sandbox.fleet.images import EUROPE, PRODUCTION
from sandbox.images.bases import releases
from sandbox.images.making import Image
from sandbox.lambda_.model import Code, Settings
from sandbox.store.content_store import STORE, namespace

BASE = "python:3.12"
_ALIASES = ("live", "canary", "previous", "stable", "staging", "shadow")
_OLDEST_DAYS, _NEWEST_DAYS = 90, 2


@dataclass(frozen=True)
class Size:
    """How large a fleet is. 10,000 functions come as 10 versions each, 2 aliases each, over 200 repositories.

    Raises ValueError where a number is too small, or too large for what makes it up.
    """

    functions: int
    versions: int = 10
    aliases: int = 2
    repositories: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.functions < 0 or self.versions < 1 or self.repositories < 0:
            raise ValueError("a fleet has 0 or more functions, 1 or more versions of each, and 0 or more repositories")
        if not 0 <= self.aliases <= len(_ALIASES):
            raise ValueError(f"a function of a fleet has 0 to {len(_ALIASES)} aliases")

    @property
    def places(self) -> int:
        """How many repositories: as told, or one per 50 functions."""
        return self.repositories or -(-self.functions // 50)


SMALL = Size(functions=12, versions=3, aliases=2, repositories=2)
"""A handful, for tests: `--fleet small`."""


def seed_sized(size: Size, today: date) -> None:
    """Put the repositories and functions in place; all repositories hold the same few images."""
    chance = random.Random(size.seed)
    images = _images(size.versions + 1, today)
    settings = Settings(role=f"arn:aws:iam::{PRODUCTION}:role/lambda/fleet", timeout=30, memory=512)
    histories = [_histories(f"fleet/app-{number:03d}", images, settings) for number in range(size.places)]
    for number in range(size.functions):
        # Half the fleet was not deployed since the newest image.
        deploys = histories[number * size.places // size.functions][chance.randrange(2)]
        put_function(
            Seeded(
                PRODUCTION,
                EUROPE,
                f"fn-{number:05d}",
                deploys,
                _aliases(size, chance),
                tags={"team": "fleet", "owner": f"team-{chance.randrange(20):02d}@harbour.example"},
            )
        )


def _images(count: int, today: date) -> list[Image]:
    """Builds over three months, each on the base release that was the newest on its day."""
    newest = datetime.combine(today - timedelta(days=_NEWEST_DAYS), time(6, 30), UTC)
    step = timedelta(hours=(_OLDEST_DAYS - _NEWEST_DAYS) * 24 // max(count - 1, 1))
    moments = [newest - step * back for back in reversed(range(count))]
    bases = releases(BASE, today)
    return [
        build_app(
            "tools",
            f"{number}.0.0",
            base=BASE,
            behind=sum(release.created > built for release in bases),
            built=built,
            today=today,
        )
        for number, built in enumerate(moments, start=1)
    ]


def _histories(repository: str, images: Sequence[Image], settings: Settings) -> tuple[list[Deploy], list[Deploy]]:
    """Create the repository with its images, and give what was deployed from it: without the newest, and with it."""
    backend.create_repository(PRODUCTION, EUROPE, repository)
    uri = f"{PRODUCTION}.dkr.ecr.{EUROPE}.amazonaws.com/{repository}"
    deploys = []
    for number, image in enumerate(images, start=1):
        tags = [f"v{number}", "live"]
        STORE.push(namespace(PRODUCTION, EUROPE), repository, image, tags, pushed_at=image.created)
        deploys.append(Deploy(Code(f"{uri}:v{number}", uri, image.digest), image.created, settings))
    return deploys[:-1], deploys[1:]


def _aliases(size: Size, chance: random.Random) -> dict[str, int]:
    """The first alias is up to two versions behind, the second the newest, others anywhere."""
    versions = [max(1, size.versions - chance.randrange(3)), size.versions]
    versions += [chance.randint(1, size.versions) for _ in _ALIASES[2:]]
    return dict(zip(_ALIASES[: size.aliases], versions, strict=False))
