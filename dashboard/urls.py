"""The root of all URLs."""

from django.urls import include, path

urlpatterns = [path("", include("functions_app.urls"))]
