"""An account of the sandbox's ECR to push to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.registry.client import Registry
from functions_app.registry.pushing import push
from functions_app.registry.uploads import Source
from tests.fixtures import REGION, Sandbox, login
from tests.registry.pushes import TAG, app, base, rebased

BASE, NEW_BASE = base(word="old"), base(word="new")
APP, RESULT = app(BASE), app(NEW_BASE)


@dataclass
class Ecr:
    """The test's account: an app in team/app, the base that it is to stand on in platform/base."""

    sandbox: Sandbox
    account: str
    api: Any
    registry: Registry
    pauses: list[float] = field(default_factory=list)

    @property
    def base(self) -> Source:
        """Where the new base's layers are."""
        return Source(self.registry, "platform/base")

    def calls(self) -> dict[str, int]:
        """Calls of /v2 by operation."""
        found: dict[str, int] = self.sandbox.admin("GET", f"calls?account={self.account}")
        return {name.partition(".")[2]: count for name, count in found.items() if name.startswith("registry.")}

    def fault(self, operation: str, **more: Any) -> None:
        """Let an operation of /v2 fail."""
        self.sandbox.admin("POST", "faults", {"match": f"registry.{operation}", "account": self.account, **more})

    def tags(self) -> dict[str, str]:
        """What the tags of team/app name."""
        images = self.api.describe_images(repositoryName="team/app")["imageDetails"]
        return {tag: each["imageDigest"] for each in images for tag in each.get("imageTags", ())}

    def mount(self, value: str) -> None:
        """Switch mounting on or off."""
        self.api.put_account_setting(name="BLOB_MOUNTING", value=value)


@contextmanager
def opened(sandbox: Sandbox, account: str, api: Any) -> Iterator[Ecr]:
    pauses: list[float] = []
    host = f"{account}.dkr.ecr.{REGION}.amazonaws.com"
    with Registry(host, sandbox.url, Login(*login(api)), pause=pauses.append) as registry:
        yield Ecr(sandbox, account, api, registry, pauses)


def refused(ecr: Ecr, tag: str = TAG) -> DrydockError:
    """Why the account does not take the rebased app."""
    with pytest.raises(DrydockError) as caught:
        push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), tag)
    return caught.value
