"""The Django app of Drydock."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class FunctionsAppConfig(AppConfig):
    """Image functions, their images and the runs that change them."""

    name = "functions_app"
    verbose_name = "Drydock"

    def ready(self) -> None:
        """Have migrations find a database without our triggers, and leave it with them."""
        pre_migrate.connect(_before_migrations, sender=self)
        post_migrate.connect(_after_migrations, sender=self)


def _before_migrations(*, using: str, plan: list[Any], **kwargs: Any) -> None:
    from functions_app.services.snapshot import search_index  # models are not there before `ready`

    if plan:
        search_index.drop(using)


def _after_migrations(*, using: str, apps: Any = None, **kwargs: Any) -> None:
    from functions_app.services.snapshot import search_index

    if apps and search_index.fits(apps.all_models["functions_app"]):
        search_index.ensure(using)
