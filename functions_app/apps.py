"""The Django app of Drydock."""

from django.apps import AppConfig


class FunctionsAppConfig(AppConfig):
    """Image functions, their images and the runs that change them."""

    name = "functions_app"
    verbose_name = "Drydock"
