"""docs/cli.md: every command in it does what it says."""

import re
import shlex

import pytest
from django.contrib.auth.models import User

from functions_app.domain.changes.approvals import Approval
from functions_app.models import Plan, Run
from functions_app.services.people.actor import Actor
from tests.cli.calling import Caller
from tests.cli.site import working
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.papers import blocks
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

COMMAND = re.compile(r"^drydock (?P<words>[^#|\n]+)(?:[|][^#\n]*)?(?:# (?P<about>.*))?$", re.MULTILINE)
EXIT_CODE = re.compile(r"exit code (\d)")
LOGIN = "login"  # has tests of its own


def commands() -> list[tuple[list[str], int]]:
    """The words of each command in the paper, and how it ends."""
    found = [match for block in blocks("cli.md", "sh") for match in COMMAND.finditer(block)]
    codes = [EXIT_CODE.search(match["about"] or "") for match in found]
    return [
        (shlex.split(match["words"]), int(code[1]) if code else 0) for match, code in zip(found, codes, strict=True)
    ]


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """The function of the paper."""
    stage = make_stage(functions, Actor(operator), "billing-api")
    stage.push("two", "1.8.3")
    stage.api.create_alias(FunctionName="billing-api", Name="live", FunctionVersion="1")
    stage.sync()
    stage.account.name, stage.account.approval = "prod", Approval.NEVER
    stage.account.save()
    return stage


@pytest.mark.django_db(transaction=True)
def test_every_command_does_what_the_paper_says(drydock: Caller, stage: Stage) -> None:
    ended = []
    with working():
        for words, code in commands():
            if words[0] in (LOGIN, "patch"):  # nothing of this function is behind
                continue
            given = [numbered(word) for word in words]
            said = drydock(*given)
            ended.append(words[0])
            assert said.code == code, (given, said)
    assert set(ended) >= {"list", "show", "deploy", "invoke", "rollback", "approve", "logs", "cancel"}


def numbered(word: str) -> str:
    """A run's number and a plan's id in the paper, as those of the newest that are there."""
    if word == "17":
        return str(Run.objects.latest("pk").pk)
    return str(Plan.objects.latest("created_at").pk) if re.fullmatch(r"[0-9a-f-]{36}", word) else word
