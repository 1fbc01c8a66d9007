"""Functions of image handlers written in a test, deployed to the test's own account the way a person would."""

import json
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

from sandbox.images.making import Image, make_image, make_layer

REGION = "eu-west-1"
CREATED = datetime(2026, 6, 1, tzinfo=UTC)
DEADLINE_SECONDS = 15.0
ECHO = "def handler(event, context):\n    return event\n"
Value = TypeVar("Value")


def python_image(code: str = ECHO, *, name: str = "app", architecture: str = "amd64", **config: Any) -> Image:
    """An image shaped like one on AWS's Python base, whose handler is `name`.handler."""
    layer = make_layer({f"var/task/{name}.py": code.encode()})
    settings = {"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": [f"{name}.handler"], "WorkingDir": "/var/task"}
    return make_image([layer], created=CREATED, architecture=architecture, config=settings | config)


def until(look: Callable[[], Value], seconds: float = DEADLINE_SECONDS, every: float = 0.01) -> Value:
    """Look until there is something to see; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not seen within {seconds} s: {seen!r}"
        time.sleep(every)
    return seen


@dataclass(frozen=True)
class Answer:
    """An invocation's answer, read."""

    status: int
    version: str
    error: str | None
    payload: Any
    log: str


class Functions:
    """Deploys, waits and invokes with plain boto3 clients."""

    def __init__(self, client: Callable[..., Any], push: Callable[..., str], account: str) -> None:
        self.account = account
        self.api = client("lambda")
        self._client, self._push = client, push

    @cached_property
    def logs(self) -> Any:
        """CloudWatch Logs: made when it is asked for, since few tests do."""
        return self._client("logs")

    @cached_property
    def ecr(self) -> Any:
        """ECR, in the same way."""
        return self._client("ecr")

    def uri(self, reference: str = "app:1", *, account: str | None = None, region: str = REGION) -> str:
        """The URI of an image, by "repository:tag" or "repository@digest"."""
        return f"{account or self.account}.dkr.ecr.{region}.amazonaws.com/{reference}"

    def push(self, code: str | Image = ECHO, reference: str = "app:1", **more: Any) -> str:
        """Push an image under "repository:tag" and give its digest."""
        repository, _, tag = reference.partition(":")
        return self._push(repository, python_image(code) if isinstance(code, str) else code, [tag], **more)

    def create(self, name: str = "app", *, reference: str = "app:1", **settings: Any) -> dict[str, Any]:
        """CreateFunction, as it answers."""
        required = {"Role": f"arn:aws:iam::{self.account}:role/function", "PackageType": "Image"}
        code = {"Code": {"ImageUri": self.uri(reference)}}
        created: dict[str, Any] = self.api.create_function(FunctionName=name, **(required | code | settings))
        return created

    def deploy(self, code: str | Image = ECHO, name: str = "app", **settings: Any) -> str:
        """Push, create and wait until it is Active; gives the digest."""
        digest = self.push(code, f"{name}:1")
        self.create(name, **({"reference": f"{name}:1"} | settings))
        self.settled(name)
        return digest

    def redeploy(self, code: str | Image, name: str = "app", tag: str = "1") -> str:
        """Push under the tag, update the function's code to it and wait; gives the digest."""
        digest = self.push(code, f"{name}:{tag}")
        self.api.update_function_code(FunctionName=name, ImageUri=self.uri(f"{name}:{tag}"))
        self.settled(name)
        return digest

    def configure(self, name: str = "app", **settings: Any) -> None:
        """UpdateFunctionConfiguration, and wait."""
        self.api.update_function_configuration(FunctionName=name, **settings)
        self.settled(name)

    def publish(self, name: str = "app", **guards: Any) -> str:
        """Publish and give the version's number."""
        return str(self.api.publish_version(FunctionName=name, **guards)["Version"])

    def next_version(self, name: str = "app", description: str | None = None) -> str:
        """Change something that counts, then publish."""
        self.configure(name, Environment={"Variables": {"CHANGE": description or str(time.monotonic_ns())}})
        return self.publish(name)

    def read(self, name: str = "app", qualifier: str | None = None) -> dict[str, Any]:
        """GetFunctionConfiguration."""
        more = {"Qualifier": qualifier} if qualifier else {}
        found: dict[str, Any] = self.api.get_function_configuration(FunctionName=name, **more)
        return found

    def settled(self, name: str = "app", qualifier: str | None = None) -> dict[str, Any]:
        """The configuration once it is Active and no update is in progress."""

        def look() -> dict[str, Any] | None:
            found = self.read(name, qualifier)
            return found if (found["State"], found.get("LastUpdateStatus")) == ("Active", "Successful") else None

        found = until(look, every=0.04)  # asking costs both sides more than most waits are worth
        assert found is not None
        return found

    def invoke(self, name: str = "app", event: object = None, **more: Any) -> Answer:
        """Invoke with LogType=Tail and read the answer."""
        payload = json.dumps({} if event is None else event).encode()
        answer = self.api.invoke(FunctionName=name, **({"Payload": payload, "LogType": "Tail"} | more))
        return read_answer(answer)

    def lines(self, name: str = "app", group: str | None = None) -> list[str]:
        """All messages in the function's log group; none while there is no group."""
        with suppress(self.logs.exceptions.ResourceNotFoundException):
            found = self.logs.filter_log_events(logGroupName=group or f"/aws/lambda/{name}")
            return [event["message"] for event in found["events"]]
        return []


def read_answer(answer: Mapping[str, Any]) -> Answer:
    """Take an Invoke answer apart."""
    body = answer["Payload"].read()
    return Answer(
        answer["StatusCode"],
        answer.get("ExecutedVersion", ""),
        answer.get("FunctionError"),
        json.loads(body) if body else None,
        b64decode(answer.get("LogResult", "")).decode(),
    )
