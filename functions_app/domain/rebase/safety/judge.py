"""The verdict on a rebase: every rule, over what the app's layers touch and what differs between the bases. Pure."""

from collections.abc import Iterator

from functions_app.domain.rebase.safety.building import (
    history_findings,
    limit_findings,
    proof_findings,
    target_findings,
)
from functions_app.domain.rebase.safety.findings import Finding, Verdict, found
from functions_app.domain.rebase.safety.kinds import kind_findings
from functions_app.domain.rebase.safety.linking import Linking
from functions_app.domain.rebase.safety.overrides import hiding_findings, override_findings, privilege_findings
from functions_app.domain.rebase.safety.sides import AppSide, Case, SideFiles, Target
from functions_app.domain.rebase.safety.systems import interpreter_findings, system_findings
from functions_app.domain.rebase.safety.uses import entry_findings, import_findings

NO_TARGET = Target()
REASONS = 3  # that a finding on what was not read names


def judge(old: SideFiles, new: SideFiles, app: AppSide, target: Target = NO_TARGET) -> Verdict:
    """Judge the app's layers on the new base in the place of the old one.

    Raises DrydockError(FAILED) for layers that were made to take for ever.
    """
    return Verdict.of(_findings(Case(old, new, app), target))


def _findings(case: Case, target: Target) -> Iterator[Finding]:
    yield from target_findings(target)
    yield from system_findings(case)
    yield from interpreter_findings(case)
    yield from limit_findings(case)
    yield from override_findings(case)
    yield from hiding_findings(case)
    yield from privilege_findings(case)
    yield from kind_findings(case)
    yield from entry_findings(case)
    yield from import_findings(case)
    linking = Linking(case)
    yield from linking.findings()
    yield from _unread(case, linking)
    yield from history_findings(case)
    yield from proof_findings(case)


def _unread(case: Case, linking: Linking) -> list[Finding]:
    """What is known not to be known."""
    layers = (*case.old.layers, *case.new.layers, *case.app.layers)
    unread = linking.unread()
    told = {note for layer in layers for note in (*layer.notes, *layer.gaps)} | unread.keys()
    if not all(layer.facts_read for layer in layers):
        told.add("Layers were read before Drydock kept what their programs need and their code imports.")
    return found("not-read", told, "; ".join(sorted(set(unread.values()))[:REASONS]))
