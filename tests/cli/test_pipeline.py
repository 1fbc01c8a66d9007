"""The pipeline of examples/: build, push, deploy, wait, roll back where the check fails; as a shell runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from functions_app.services.people.actor import Actor
from tests import packages
from tests.cli.calling import Caller
from tests.cli.site import working
from tests.conftest import Valkey
from tests.fixtures import Sandbox, login
from tests.processes import ROOT
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

SCRIPT = ROOT / "examples" / "pipeline.sh"


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """The function `app`, its image, and one that a build has made and not pushed there yet."""
    stage = make_stage(functions, Actor(operator))
    functions.push('def handler(event, context):\n    return "two"\n', "built:2")
    return stage


def ran(
    stage: Stage, drydock: Caller, sandbox: Sandbox, folder: Path, **more: str
) -> "subprocess.CompletedProcess[str]":
    """The pipeline, ended: its build is done, and skopeo is its push."""
    program = folder / "drydock"
    unanswered = '[ "$1" != "$UNANSWERED" ] || exit 4'
    program.write_text(f'#!/bin/sh\n{unanswered}\nPYTHONPATH={ROOT} exec {sys.executable} -m drydock_cli "$@"\n')
    program.chmod(0o755)
    skopeo, creds = packages.require("skopeo"), ":".join(login(stage.functions.ecr))
    options = " ".join(f"--{end}-tls-verify=false --{end}-creds {creds}" for end in ("src", "dest"))
    built, pushed = (f"docker://127.0.0.1:{sandbox.port}/{name}:2" for name in ("built", "app"))
    push = f"{skopeo} copy -q {options} {built} {pushed}"
    own = {"FUNCTION": "app", "ALIAS": "staging", "IMAGE": stage.functions.uri("app:2"), "BUILD": "true", "PUSH": push}
    environment = {**drydock.environment, "UNANSWERED": "", "PATH": f"{folder}:{os.environ['PATH']}", **own, **more}
    with working():
        return subprocess.run(
            ["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False, timeout=100
        )


def test_it_is_what_any_shell_takes() -> None:
    subprocess.run([packages.require("shellcheck"), "--shell", "sh", SCRIPT], check=True)


@pytest.mark.django_db(transaction=True)
class Test_the_pipeline:
    def test_deploys_what_it_built_and_checks_it(
        self, stage: Stage, drydock: Caller, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        done = ran(stage, drydock, sandbox, tmp_path)
        assert done.returncode == 0, done
        assert done.stdout.endswith(f"app:staging runs {stage.functions.uri('app:2')}.\n")
        assert stage.read_alias()[0] == "2"

    def test_goes_back_where_the_check_fails(
        self, stage: Stage, drydock: Caller, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        done = ran(stage, drydock, sandbox, tmp_path, CHECK="false")
        assert done.returncode == 1, done
        assert "The check failed: back to version 1." in done.stderr
        assert (stage.read_alias()[0], stage.versions()) == ("1", ["1", "2"])

    def test_ends_where_its_push_does_not_succeed(
        self, stage: Stage, drydock: Caller, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        done = ran(stage, drydock, sandbox, tmp_path, PUSH="exit 7")
        assert (done.returncode, stage.versions()) == (7, ["1"])

    def test_builds_nothing_where_it_can_not_know_what_to_go_back_to(
        self, stage: Stage, drydock: Caller, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        built = tmp_path / "built"
        done = ran(stage, drydock, sandbox, tmp_path, UNANSWERED="show", BUILD=f"touch {built}")
        assert (done.returncode, built.exists(), stage.versions()) == (4, False, ["1"])

    def test_builds_nothing_for_an_alias_that_points_to_no_version(
        self, stage: Stage, drydock: Caller, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        stage.api.update_alias(FunctionName="app", Name="staging", FunctionVersion="$LATEST")
        stage.sync()
        built = tmp_path / "built"
        done = ran(stage, drydock, sandbox, tmp_path, BUILD=f"touch {built}")
        assert (done.returncode, built.exists()) == (3, False), done
        assert "app:staging points to $LATEST" in done.stderr

    def test_promises_no_way_back_for_a_new_alias(
        self, stage: Stage, drydock: Caller, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        done = ran(stage, drydock, sandbox, tmp_path, ALIAS="fresh", CHECK="false")
        assert done.returncode == 1, done
        assert "app has no alias fresh yet" in done.stderr
        assert done.stderr.endswith(f"app:fresh still runs {stage.functions.uri('app:2')}.\n")
        assert stage.read_alias("fresh")[0] == "2"
