"""`manage.py sessions [NAME] [--end]`: who is signed in where, and the end of it; audited."""

from getpass import getuser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from functions_app.management import command
from functions_app.services.people import sessions
from functions_app.services.people.actor import SHELL, Actor


class Command(command.Command):
    """For whoever has a shell there and no browser, or no password any more."""

    help = "List who is signed in, or sign a person out everywhere (--end)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and whether they end."""
        parser.add_argument("name", nargs="?")
        parser.add_argument("--end", action="store_true", help="end all sessions of this person")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each."""
        name = options["name"]
        person = User.objects.filter(username=name).first() if name else None
        if name and person is None:
            raise CommandError(f"There is nobody named {name}.")
        if options["end"]:
            if person is None:
                raise CommandError("Whose? manage.py sessions NAME --end")
            ended = sessions.end_all(person, Actor(None, SHELL, named=getuser()))
            self.stdout.write(f"{name} is signed out everywhere ({ended}).")
            return
        for each in sessions.listing([person.pk] if person else None):
            times = f"since {each.since:%Y-%m-%d %H:%M}, last seen {each.seen:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{each.person}: {each.browser or 'not told'} at {each.address or '?'}, {times}")
