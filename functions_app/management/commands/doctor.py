"""`manage.py doctor`: line by line what works and what does not, with what to do; 1 where something is broken."""

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from functions_app.domain.health.findings import Finding, State, counts, exit_code
from functions_app.management import command
from functions_app.services.doctor import examination

PATIENCE = 300.0  # seconds
STYLES = {State.OK: "SUCCESS", State.WARN: "WARNING", State.BAD: "ERROR", State.NOT_TRIED: "HTTP_INFO"}
WIDTH = max(len(state) for state in State)


class Command(command.Command):
    """Only reads, and tries what AWS tries dry."""

    help = "Say what works and what does not: database, workers, clocks, credentials, permissions, registries."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """How to tell it."""
        parser.add_argument("--json", action="store_true", help="one JSON array instead of lines")
        parser.add_argument("--own", action="store_true", help="Drydock's own parts alone: nobody outside is asked")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell each finding as it comes."""
        found: list[Finding] = []
        for finding in examination.own() if options["own"] else examination.everything(PATIENCE):
            found.append(finding)
            if not options["json"]:
                self._tell(finding)
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_json() for finding in found], indent=1))
        else:
            self.stdout.write(f"\n{counts(found)}")
        sys.exit(exit_code(found))

    def _tell(self, finding: Finding) -> None:
        word = getattr(self.style, STYLES[finding.state])(f"{finding.state:<{WIDTH}}")
        self.stdout.write(f"{word}  {finding.part}: {finding.words}")
        if finding.next_step:
            self.stdout.write(f"{'':<{WIDTH}}    {finding.next_step}")
