"""The AWS CLI, as anyone would use it, with --endpoint-url: list, deploy, publish, alias, invoke, read the logs."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from functions_app import clock
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions

CODE = "def handler(event, context):\n    print('hauled', event['boxes'])\n    return {'release': %d, **event}\n"


@dataclass(frozen=True)
class Aws:
    """The `aws` of this environment, with the test's account's credentials and nobody's settings."""

    url: str
    environment: Mapping[str, str]
    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, str(Path(sys.executable).with_name("aws")), "--endpoint-url", self.url, *arguments]

    def __call__(self, *arguments: str) -> str:
        """Run it to its end and give what it printed."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def aws(sandbox: Sandbox, account: str, tmp_path: Path) -> Aws:
    """The AWS CLI for the test's account."""
    sandbox.client("sts", REGION, account)
    keys = sandbox._keys[account]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        # Live tail's host gets a prefix, which the sandbox's address could not carry.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    return Aws(sandbox.url, environment, tmp_path)


def parsed(text: str) -> Any:
    return json.loads(text)


@pytest.fixture
def app(functions: Functions) -> Functions:
    """A function "app" on release 1, and release 2 in ECR."""
    functions.deploy(CODE % 1)
    functions.push(CODE % 2, "app:2")
    return functions


def test_it_lists_functions_and_images(aws: Aws, app: Functions) -> None:
    listed = parsed(aws("lambda", "list-functions"))["Functions"]
    assert [function["FunctionName"] for function in listed] == ["app"]
    images = parsed(aws("ecr", "describe-images", "--repository-name", "app"))["imageDetails"]
    assert sorted(image["imageTags"] for image in images) == [["1"], ["2"]]


def test_it_deploys_and_waits(aws: Aws, app: Functions) -> None:
    aws("lambda", "update-function-code", "--function-name", "app", "--image-uri", app.uri("app:2"))
    aws("lambda", "wait", "function-updated-v2", "--function-name", "app")
    code = parsed(aws("lambda", "get-function", "--function-name", "app"))["Code"]
    assert code["ImageUri"] == app.uri("app:2")


def test_it_publishes_and_points_an_alias(aws: Aws, app: Functions) -> None:
    version = parsed(aws("lambda", "publish-version", "--function-name", "app"))["Version"]
    name = ["--function-name", "app", "--name", "live"]
    aws("lambda", "create-alias", *name, "--function-version", version)
    app.redeploy(CODE % 2, tag="2")
    following = parsed(aws("lambda", "publish-version", "--function-name", "app"))["Version"]
    weights = f"AdditionalVersionWeights={{{following}=0.25}}"
    aws("lambda", "update-alias", *name, "--function-version", version, "--routing-config", weights)
    alias = parsed(aws("lambda", "get-alias", *name))
    assert (alias["FunctionVersion"], alias["RoutingConfig"]["AdditionalVersionWeights"]) == ("1", {"2": 0.25})


def invoked(aws: Aws) -> Any:
    """What the function answers to 12 boxes."""
    (aws.folder / "event.json").write_text('{"boxes": 12}')
    target = ["--function-name", "app", "--payload", "fileb://event.json", "answer.json"]
    assert parsed(aws("lambda", "invoke", *target))["StatusCode"] == 200
    return json.loads((aws.folder / "answer.json").read_text())


def test_it_invokes(aws: Aws, app: Functions) -> None:
    assert invoked(aws) == {"release": 1, "boxes": 12}


def test_it_reads_the_logs(aws: Aws, app: Functions) -> None:
    """With the call that version 2's `aws logs tail` makes; version 1 is the one on PyPI."""
    invoked(aws)
    query = ["logs", "filter-log-events", "--log-group-name", "/aws/lambda/app"]
    events = parsed(aws(*query, "--start-time", str(int(clock.now().timestamp() - 600) * 1000)))["events"]
    messages = [event["message"].rstrip() for event in events]
    assert messages[1] == "hauled 12"
    assert messages[0].startswith("START RequestId")
    filtered = parsed(aws(*query, "--filter-pattern", "hauled"))["events"]
    assert [event["message"].rstrip() for event in filtered] == ["hauled 12"]


def test_it_tails_the_logs_live(aws: Aws, app: Functions, account: str) -> None:
    app.invoke(event={"boxes": 1})
    group = f"arn:aws:logs:{REGION}:{account}:log-group:/aws/lambda/app"
    command = aws.command("logs", "start-live-tail", "--log-group-identifiers", group)
    with subprocess.Popen(
        command, env=aws.environment, cwd=aws.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as tail:
        assert tail.stdout is not None
        # It says nothing while it connects, so the function is called until a line has come.
        stop, said = threading.Event(), []

        def keep_calling() -> None:
            while not stop.wait(0.2):
                app.invoke(event={"boxes": 2})

        calling = threading.Thread(target=keep_calling)
        calling.start()
        for line in tail.stdout:
            said.append(line)
            if "hauled" in line:
                break
        stop.set()
        calling.join()
        tail.terminate()
    assert said
    assert "hauled 2" in said[-1], said


def test_it_gives_a_password_for_the_registry(aws: Aws, sandbox: Sandbox, account: str) -> None:
    password = aws("ecr", "get-login-password").strip()
    assert password
    identity = parsed(aws("sts", "get-caller-identity"))
    assert identity["Account"] == account
