"""`manage.py person NAME administrator|approver|operator|viewer|none|password`: who may sign in, do what; audited."""

from getpass import getpass, getuser
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from functions_app.management import command
from functions_app.services.people import passwords, person_groups
from functions_app.services.people.actor import SHELL, Actor
from functions_app.services.people.people_list import NONE

PASSWORD = "password"  # noqa: S105 - the word for a new one


class Command(command.Command):
    """People are few and change seldom: a command does, until single sign-on comes."""

    help = (
        "Add a person as administrator, approver (an operator who may also confirm), operator or viewer, change that, "
        "shut them out (none) or give them a new password (password)."
    )

    stealth_options = ("password",)  # of `call_command` alone: a command line is for everybody to read

    def add_arguments(self, parser: CommandParser) -> None:
        """The person, and what they may do."""
        parser.add_argument("name")
        parser.add_argument("group", choices=[*person_groups.GROUPS, PASSWORD])

    def handle(self, *args: Any, **options: Any) -> None:
        """A new person's password is asked for; whoever is shut out loses their sessions at once."""
        name, group = options["name"], options["group"]
        person, actor = User.objects.filter(username=name).first(), Actor(None, SHELL, named=getuser())
        if person is None and group in (NONE, PASSWORD):
            raise CommandError(f"There is nobody named {name}.")
        password = "" if person and group != PASSWORD else _fit(name, options.get("password") or self._ask(name))
        if person and group == PASSWORD:
            ended = passwords.reset(person, password, actor)
            self.stdout.write(f"{name} has a new password; sessions that ended: {ended}.")
            return
        with transaction.atomic():
            if person is None:
                person = User.objects.create_user(name, password=password)
            result = person_groups.settle(person, group, actor)
        self.stdout.write(f"{name} {result}.")

    def _ask(self, name: str) -> str:
        password = getpass(f"Password for {name}: ")
        if password != getpass("Again: "):
            raise CommandError("They differ. Nothing was changed.")
        return password


def _fit(name: str, password: str) -> str:
    try:
        User.username_validator(name)  # with a space it could pass for what no person is: "the schedule"
        validate_password(password, User(username=name))
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return password
