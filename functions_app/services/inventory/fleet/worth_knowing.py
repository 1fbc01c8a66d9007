"""What is worth knowing of a version beside its settings: hints, how to run it by oneself, pages of AWS's console."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.domain import aws_console
from functions_app.domain.fleet import local_runs
from functions_app.domain.fleet.configuration_advice import Configured, advise
from functions_app.domain.fleet.features import stored
from functions_app.domain.images.lambda_rules import Check
from functions_app.models import Function, Image
from functions_app.services.inventory.fleet.configuration import VersionConfiguration
from functions_app.services.inventory.images.checks import BELIEVED
from functions_app.services.inventory.images.levels import levels_of


@dataclass(frozen=True)
class ConsolePage:
    """A page of AWS's console, in words and by its address."""

    name: str
    address: str


@dataclass(frozen=True)
class WorthKnowing:
    """Hints; the commands that start the version's image and call it ("": its image is not known); pages of AWS's.

    `emulated`: whether the image stands on one of AWS's bases, which hold the emulator that is called. None: unknown.
    """

    hints: tuple[Check, ...]
    start: str
    call: str
    emulated: bool | None
    pages: tuple[ConsolePage, ...]


def worth_knowing(function: Function, shown: VersionConfiguration, callers: Sequence[str] = ()) -> WorthKnowing:
    """All of it; of a version of which no listing told, only the pages. Two queries at most."""
    of, image = shown.configuration, shown.image
    group = of.log_group if of else function.log_group
    pages = (
        ConsolePage("Function", aws_console.function(function.region, function.name)),
        ConsolePage("Log group", aws_console.log_group(function.region, group) if group else ""),
        ConsolePage("Cold starts of the last week", aws_console.cold_starts(function.region, group) if group else ""),
    )
    there = tuple(page for page in pages if page.address)
    if of is None:
        return WorthKnowing((), "", "", None, there)
    aws_base = _aws_base(image) if image else None
    own_command = image.settings.get("command") or () if image else ()
    uri = f"{image.repository.uri}@{image.digest}" if image else ""
    return WorthKnowing(
        hints=advise(Configured(of, stored(function.features), aws_base, callers)),
        start=local_runs.docker_run(uri, of, own_command) if uri else "",
        call=local_runs.call() if uri else "",
        emulated=aws_base,
        pages=there,
    )


def _aws_base(image: Image) -> bool | None:
    """Whether one of AWS's bases is beneath it; None where its base is not known for sure."""
    if image.base_tier not in BELIEVED:
        return None
    return any(level.runtime and not level.own for level in levels_of(image))
