"""Every address of the product."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from functions_app.web import accounts, audit, deployments, function, functions, invocations, login, repositories, runs

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="functions", query_string=False), name="home"),
    *login.urlpatterns,
    *functions.urlpatterns,
    *runs.urlpatterns,
    *accounts.urlpatterns,
    *audit.urlpatterns,
    *function.urlpatterns,
    *repositories.urlpatterns,
    *deployments.urlpatterns,
    *invocations.urlpatterns,
]
if settings.DEBUG:
    from functions_app.web import styleguide

    urlpatterns += styleguide.urlpatterns
