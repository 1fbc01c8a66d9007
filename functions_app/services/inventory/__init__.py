"""The read side: what the pages show, from the last snapshot, as frozen rows and in a constant number of queries."""

from functions_app.services.inventory.fleet import (
    FACETS,
    ORDERS,
    FleetFilter,
    FleetPage,
    FunctionRow,
    functions,
)
from functions_app.services.inventory.status import AccountFact, FleetStatus, ScopeStatus, fleet_status

__all__ = [
    "FACETS",
    "ORDERS",
    "AccountFact",
    "FleetFilter",
    "FleetPage",
    "FleetStatus",
    "FunctionRow",
    "ScopeStatus",
    "fleet_status",
    "functions",
]
