"""Every address of the product."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from functions_app.api import hooks, metrics
from functions_app.api import urls as api_urls
from functions_app.web import doctor, search
from functions_app.web.bases import bases, compare, overdue_policies, stream_form
from functions_app.web.changes import deploy, invoke, patch, patch_list, plans, push_rules, smoke
from functions_app.web.fleet import configuration, function, function_list, look, selection, triggers, views
from functions_app.web.images import compare as image_compare
from functions_app.web.images import forecast, image, repositories
from functions_app.web.overview import overview
from functions_app.web.people import accounts, audit, chat, people, sessions, settings_pages, sign_in, tokens
from functions_app.web.runs import runs

urlpatterns: list[URLPattern | URLResolver] = [
    *overview.urlpatterns,
    *sign_in.urlpatterns,
    *function_list.urlpatterns,
    *look.urlpatterns,
    *selection.urlpatterns,
    *views.urlpatterns,
    *runs.urlpatterns,
    *settings_pages.urlpatterns,
    *accounts.urlpatterns,
    *people.urlpatterns,
    *audit.urlpatterns,
    *sessions.urlpatterns,
    *tokens.urlpatterns,
    *chat.urlpatterns,
    *function.urlpatterns,
    *configuration.urlpatterns,
    *triggers.urlpatterns,
    *repositories.urlpatterns,
    *image.urlpatterns,
    *image_compare.urlpatterns,
    *forecast.urlpatterns,
    *deploy.urlpatterns,
    *invoke.urlpatterns,
    *bases.urlpatterns,
    *compare.urlpatterns,
    *stream_form.urlpatterns,
    *patch.urlpatterns,
    *patch_list.urlpatterns,
    *plans.urlpatterns,
    *push_rules.urlpatterns,
    *smoke.urlpatterns,
    *overdue_policies.urlpatterns,
    *hooks.urlpatterns,
    *metrics.urlpatterns,
    *doctor.urlpatterns,
    *search.urlpatterns,
    path("api/v1/", include(api_urls)),
]
if settings.DEBUG:
    from functions_app.web import styleguide

    urlpatterns += styleguide.urlpatterns
