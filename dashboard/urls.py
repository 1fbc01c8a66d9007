"""The root of all URLs."""

from django.urls import include, path

urlpatterns = [path("", include("functions_app.urls"))]
handler400 = "functions_app.web.database_guard.bad_request"
handler403 = "functions_app.web.http.denied"
handler404 = "functions_app.web.http.not_found"
handler500 = "functions_app.web.database_guard.server_error"
