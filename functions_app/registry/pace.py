"""The pace at which all readers of one registry ask it, in every process: none until it throttles one of them.

Registries count by who asks (an address, or a login) and by what is asked for; what comes after a redirect is others'.
"""

from dataclasses import dataclass

from functions_app import rates

LONGEST_HOLD = 3600.0  # seconds that a registry is left alone, whatever it asks for


@dataclass(frozen=True)
class Pace:
    """The pace of one registry for one who asks; each `kind` of request (manifests, blobs, tags) has its own."""

    registry: str
    who: str = "nameless"

    def turn(self, kind: str, longest: float) -> tuple[bool, float]:
        """Whether a request has its turn within `longest` seconds, and the wait for it."""
        return rates.turn(self._key(kind), longest)

    def slow_down(self, kind: str, pause: float) -> None:
        """After a 429: nobody asks for `pause` seconds, then all more slowly."""
        rates.slow_down(self._key(kind), min(pause, LONGEST_HOLD))

    def _key(self, kind: str) -> str:
        return f"drydock:pace:{self.registry}:{self.who}:{kind}"
