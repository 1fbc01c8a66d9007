"""`manage.py token make|rotate|revoke|list`: API tokens from the shell; audited."""

from getpass import getuser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from functions_app.domain.tokens import TokenScope
from functions_app.management import command
from functions_app.models import ApiToken
from functions_app.services.people import tokens
from functions_app.services.people.actor import SHELL, Actor
from functions_app.services.people.tokens import Wanted


class Command(command.Command):
    """What the page under Settings does, for scripts that set an installation up."""

    help = "Make an API token that acts for a person, rotate or revoke one, or list them. A token is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The action, and what it is done to."""
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("make", help="for a person, with a name and scopes")
        make.add_argument("person")
        make.add_argument("name")
        make.add_argument("scopes", nargs="+", choices=[scope.value for scope in TokenScope])
        make.add_argument("--days", type=int, default=tokens.USUAL.days)
        make.add_argument("--account", action="append", help="AWS's number of an account it gets to; none: all")
        make.add_argument("--function", action="append", help="name, with * and ?, of functions it gets to; none: all")
        make.add_argument("--network", action="append", default=[], help="10.0.0.0/8; none: from anywhere")
        for action in ("rotate", "revoke"):
            actions.add_parser(action).add_argument("id", type=int)
        actions.add_parser("list")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, as whoever has the shell."""
        actor, action = Actor(None, SHELL, named=getuser()), options["action"]
        if action == "list":
            for row in ApiToken.objects.select_related("person").order_by("pk"):
                over = "revoked" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
                self.stdout.write(f"{row.pk} {row.name} for {row.person}: {', '.join(row.scopes)}; {over}")
        elif action == "make":
            person = User.objects.filter(username=options["person"]).first()
            if person is None:
                raise CommandError(f"There is nobody named {options['person']}.")
            wanted = Wanted(
                options["name"],
                options["scopes"],
                options["days"],
                options["account"],
                options["function"],
                " ".join(options["network"]),
            )
            self.stdout.write(tokens.make(wanted, actor, person).text)
        elif action == "rotate":
            self.stdout.write(tokens.rotate(options["id"], actor).text)
        else:
            self.stdout.write(f"{tokens.revoke(options['id'], actor)} is revoked.")
