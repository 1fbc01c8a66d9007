"""What is said of the age of the data."""

from dataclasses import replace

from functions_app.domain.errors import Code, Problem
from functions_app.services.inventory.fleet_status import FleetStatus, ScopeStatus
from tests.factories import NOW

FINE = ScopeStatus("production", "blue", "eu-west-1", NOW, NOW, None)
DENIED = replace(FINE, region="us-east-1", problem=Problem(Code.DENIED, "May not list functions."))


def status(*scopes: ScopeStatus, late: bool = False) -> FleetStatus:
    """A fleet of these scopes."""
    synced = next((scope.synced_at for scope in scopes), None)
    return FleetStatus((), scopes, running=0, revision=0, synced_at=synced, late=late)


def test_an_age_is_that_of_the_oldest_part() -> None:
    assert status(FINE).age_means == "The oldest part of what is shown"


def test_syncs_that_were_missed_lead_to_the_worker() -> None:
    assert status(FINE, late=True).age_means == "The schedule has missed several syncs: is the worker running?"


def test_a_scope_that_failed_is_said_before_syncs_that_were_missed() -> None:
    assert status(FINE, DENIED, late=True).age_means == "1 of 2 accounts and regions could not be read"
