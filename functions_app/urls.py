"""Every address of the product."""

from django.conf import settings
from django.urls import URLPattern, URLResolver

from functions_app.api import hooks
from functions_app.web import (
    accounts,
    audit,
    base_changes,
    base_compare,
    bases,
    deployments,
    forecasts,
    freshness_policies,
    function,
    functions,
    images,
    invocations,
    login,
    overview,
    repositories,
    runs,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *overview.urlpatterns,
    *login.urlpatterns,
    *functions.urlpatterns,
    *runs.urlpatterns,
    *accounts.urlpatterns,
    *audit.urlpatterns,
    *function.urlpatterns,
    *repositories.urlpatterns,
    *images.urlpatterns,
    *forecasts.urlpatterns,
    *deployments.urlpatterns,
    *invocations.urlpatterns,
    *bases.urlpatterns,
    *base_compare.urlpatterns,
    *base_changes.urlpatterns,
    *freshness_policies.urlpatterns,
    *hooks.urlpatterns,
]
if settings.DEBUG:
    from functions_app.web import styleguide

    urlpatterns += styleguide.urlpatterns
