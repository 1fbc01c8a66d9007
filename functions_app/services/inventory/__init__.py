"""The read side: what the pages show, from the last snapshot, as frozen rows and in a constant number of queries."""

from functions_app.services.inventory.status import FleetStatus, ScopeStatus, fleet_status

__all__ = ["FleetStatus", "ScopeStatus", "fleet_status"]
