"""What a repository's page shows of the last preview of its lifecycle policy."""

import json
from dataclasses import dataclass
from datetime import datetime

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.lifecycle_policies import Expiring
from functions_app.domain.tokens import EVERYWHERE, Reach
from functions_app.models import LifecycleForecast
from functions_app.services.inventory.images.at_risk import reached
from functions_app.services.snapshot.endangered_images import RiskRow, dangers_by

SHOWN = 200  # images and uses that a page lists


@dataclass(frozen=True)
class Forecast:
    """What a repository's page shows of its forecast."""

    policy: str
    expiring: tuple[Expiring, ...]
    read_at: datetime | None
    attempted_at: datetime
    problem: Problem | None
    dangers: tuple[RiskRow, ...]

    @property
    def policy_text(self) -> str:
        """The policy as people read it, a line for each setting."""
        try:
            return json.dumps(json.loads(self.policy), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.policy

    @property
    def worst(self) -> tuple[RiskRow, ...]:
        """Uses that are live."""
        return tuple(row for row in self.dangers if row.live)

    @property
    def others(self) -> tuple[RiskRow, ...]:
        """The other uses, as far as a page names them."""
        return tuple(row for row in self.dangers if not row.live)[:SHOWN]

    @property
    def shown(self) -> tuple[Expiring, ...]:
        """The images, as far as a page lists them."""
        return self.expiring[:SHOWN]

    @property
    def hidden(self) -> int:
        """How many images are not listed."""
        return len(self.expiring) - len(self.shown)


def forecast(repository_id: int, reach: Reach = EVERYWHERE) -> Forecast | None:
    """The repository's forecast with what it would break of what somebody gets to; None where none was ever read.

    Four queries; five where somebody does not get everywhere.
    """
    row = LifecycleForecast.objects.filter(repository=repository_id).first()
    if row is None:
        return None
    expiring = tuple(Expiring.from_json(entry) for entry in row.expiring)
    return Forecast(
        policy=row.policy,
        expiring=expiring,
        read_at=row.read_at,
        attempted_at=row.attempted_at,
        problem=Problem.from_json(row.problem) if row.problem else None,
        dangers=reached(dangers_by(repository_id, expiring), reach),
    )
