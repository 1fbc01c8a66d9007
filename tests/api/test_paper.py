"""docs/api.md: every command in it does what it says."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from functions_app.domain.tokens import TokenScope
from functions_app.models import FreshnessPolicy, Run
from functions_app.services.people import tokens
from functions_app.services.people.actor import Actor
from functions_app.services.people.tokens import Wanted
from tests.cli import site
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.papers import blocks
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
SHELL = "python manage.py "


@pytest.fixture
def stage(functions: Functions, superuser: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """The function and the policy of the paper, and its person."""
    stage = make_stage(functions, Actor(superuser), "billing-api")
    stage.push("two", "1.8.3")
    stage.sync()
    FreshnessPolicy.objects.create(max_days=30, tag_key="team")
    return stage


@pytest.fixture
def surroundings(
    stage: Stage, superuser: User, valkey: Valkey, sandbox: Sandbox, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The shell of a script that has a token of an administrator, and in which curl fails where a request does."""
    (tmp_path / ".curlrc").write_text("fail-with-body\n")
    text = tokens.make(Wanted("paper", list(TokenScope)), Actor(superuser)).text
    with site.serving(valkey, sandbox, tmp_path) as address:
        yield {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DRYDOCK_URL": address, "DRYDOCK_TOKEN": text}


def test_every_command_does_what_the_paper_says(surroundings: dict[str, str]) -> None:
    said = []
    with site.working():
        for block in blocks("api.md", "sh"):
            if not block.startswith(SHELL):
                done = subprocess.run(
                    ["bash", "-eo", "pipefail", "-c", numbered(block)],
                    env=surroundings, capture_output=True, text=True, timeout=120,
                )  # fmt: skip
                assert done.returncode == 0, (block, done)
                said.append(done.stdout)
    listed, deployed, followed, changed = said
    assert listed == "0 functions, 0 stale, as of never: none\n"
    assert "Deploy billing-api:1.8.3 to billing-api:staging" in json.loads(deployed)["text"]
    assert followed.rstrip().splitlines()[-3] == "event: eof"
    assert json.loads(changed)["max_days"] == 14


def test_its_token_is_made_in_the_shell(valkey: Valkey) -> None:
    User.objects.create_user("olga")
    for block in blocks("api.md", "sh"):
        if block.startswith(SHELL):
            out = StringIO()
            call_command(*shlex.split(block.removeprefix(SHELL)), stdout=out)
            assert re.fullmatch(r"ddk_\w{38}\n", out.getvalue())


def numbered(block: str) -> str:
    """The numbers in the paper, as those of the run and the policy that are there."""
    for thing, model in (("runs", Run), ("policies", FreshnessPolicy)):
        if newest := model._default_manager.order_by("-pk").first():
            block = re.sub(rf"/{thing}/\d+", f"/{thing}/{newest.pk}", block)
    return block
