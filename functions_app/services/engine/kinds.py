"""The table of kinds, found by a setting: the engine stands below the rooms that fill it."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.module_loading import import_string

from functions_app.domain.runs import Kind
from functions_app.services.engine.steps import RunKind


def kinds() -> Mapping[Kind, RunKind]:
    """Every kind of run there is, from the place that the setting DRYDOCK_KINDS names."""
    found: Mapping[Kind, RunKind] = import_string(settings.DRYDOCK_KINDS)
    return found


def kind_of(name: str) -> RunKind | None:
    """A kind by its stored name; None where this version of Drydock has no such kind."""
    known = {kind.value: found for kind, found in kinds().items()}
    return known.get(name)
