"""The read side: what the pages show, from the last snapshot, as frozen rows and in a constant number of queries."""

from functions_app.services.inventory.activity import Activity, function_activity
from functions_app.services.inventory.advice import Advice
from functions_app.services.inventory.fleet import (
    NEEDS,
    ORDERS,
    FleetFilter,
    FleetPage,
    FunctionRow,
    functions,
)
from functions_app.services.inventory.function import (
    FunctionHead,
    FunctionVersions,
    Lane,
    Share,
    VersionRow,
    function_head,
    function_versions,
)
from functions_app.services.inventory.image import ImageFacts, function_images, image_facts, image_row
from functions_app.services.inventory.image_page import ImagePage, image_page
from functions_app.services.inventory.repositories import (
    ImageRow,
    RepositoryHead,
    RepositoryRow,
    Use,
    repositories,
    repository,
)
from functions_app.services.inventory.status import AccountFact, FleetStatus, ScopeStatus, fleet_status

__all__ = [
    "NEEDS",
    "ORDERS",
    "AccountFact",
    "Activity",
    "Advice",
    "FleetFilter",
    "FleetPage",
    "FleetStatus",
    "FunctionHead",
    "FunctionRow",
    "FunctionVersions",
    "ImageFacts",
    "ImagePage",
    "ImageRow",
    "Lane",
    "RepositoryHead",
    "RepositoryRow",
    "ScopeStatus",
    "Share",
    "Use",
    "VersionRow",
    "fleet_status",
    "function_activity",
    "function_head",
    "function_images",
    "function_versions",
    "functions",
    "image_facts",
    "image_page",
    "image_row",
    "repositories",
    "repository",
]
