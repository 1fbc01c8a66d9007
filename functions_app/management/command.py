"""What our commands share: a person at a shell is told in a line what is wrong, as everybody at a door is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from functions_app.domain.errors import DrydockError
from functions_app.services.engine.database_state import trouble_of


class Command(BaseCommand):
    """A command that asks the database."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Django's door. Raises CommandError, which is a line and exit code 1, where something expected goes wrong."""
        try:
            return super().execute(*args, **options)
        except DrydockError as error:
            raise CommandError(f"{error} {error.problem.next_step}".strip()) from error
        except Error as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            raise CommandError(f"{trouble.message} {trouble.next_step}") from error
