"""What changes from one release of a base to another. Nothing is fetched here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import redact_value
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.inventory.images.differences import Differences, Stack, differences, start_of


@dataclass(frozen=True)
class Comparison:
    """Two releases of a stream, what differs between them, and the releases to choose from."""

    stream: BaseStream
    old: BaseRelease
    new: BaseRelease
    choices: tuple[BaseRelease, ...]
    differences: Differences


def compare(stream_id: int, old_id: int | None, new_id: int | None, search: str = "") -> Comparison:
    """Compare two releases of a stream; without ids the current one with the one before. Five queries at most.

    An old one alone is compared with the current one for its platform.

    Raises NOT_FOUND for a stream or a release that is not there.
    """
    stream = BaseStream.objects.filter(pk=stream_id).first()
    if stream is None:
        raise DrydockError(Code.NOT_FOUND, "Drydock knows no such base image.", next_step="Look in Base images.")
    choices = tuple(stream.releases.defer("config", "layers", "diff_ids").order_by("-created_at", "pk"))
    old, new = _pair(stream, choices, old_id, new_id)
    return Comparison(stream, old, new, choices, differences(_stack(old), _stack(new), search))


def _pair(
    stream: BaseStream, choices: Sequence[BaseRelease], old_id: int | None, new_id: int | None
) -> tuple[BaseRelease, BaseRelease]:
    if not choices:
        raise DrydockError(Code.NOT_FOUND, f"No release of {stream.name} is known yet.", next_step="Poll it first.")
    before = next((row for row in choices if row.pk == old_id), None)
    if new_id is None:
        alike = [row for row in choices if before is None or row.platform == before.platform]
        new_id = next((row for row in alike if row.current), (*alike, choices[0])[0]).pk
    if old_id is None:
        after = next((row for row in choices if row.pk == new_id), choices[0])
        earlier = [row for row in choices if row.platform == after.platform and row.created_at < after.created_at]
        old_id = (earlier[0] if earlier else after).pk
    rows = stream.releases.in_bulk([old_id, new_id])
    if old_id not in rows or new_id not in rows:
        raise DrydockError(
            Code.NOT_FOUND,
            f"{stream.name} has no such release.",
            next_step="Choose two releases on the base image's page.",
        )
    return rows[old_id], rows[new_id]


def _stack(release: BaseRelease) -> Stack:
    whole = len(release.layers) == len(release.diff_ids)
    return Stack(
        diff_ids=tuple(release.diff_ids),
        sizes=tuple(int(layer["size"]) for layer in release.layers) if whole else (),
        facts=_facts(release.config),
        steps=tuple(str(step[0]) for step in release.config.get("history") or ()),
    )


def _facts(config: Mapping[str, Any]) -> tuple[Mapping[str, str | None], ...]:
    """What a config says. A company's base may carry a secret in ENV: values whose name or look says so are masked."""
    env, labels = _pairs(config.get("env")), _pairs(config.get("labels"))
    return (
        start_of(config),
        {f"ENV {name}": value for name, value in env.items()},
        {f"Label {name}": value for name, value in labels.items()},
    )


def _pairs(value: Any) -> dict[str, str]:
    found = dict(value or {})
    return {str(name): str(text) for name, text in redact_value(found).items()}
