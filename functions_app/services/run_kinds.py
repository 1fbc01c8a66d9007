"""Every kind of run there is, with its steps and its queue. The setting DRYDOCK_KINDS names this table."""

from collections.abc import Mapping

from functions_app.domain.runs import Kind
from functions_app.services.steps import RunKind

KINDS: Mapping[Kind, RunKind] = {}
