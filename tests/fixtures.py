"""One sandbox process for the whole session; every test gets an AWS account of its own in it."""

import itertools
import json
import os
import random
import ssl
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
import httpx
import pytest
import redis
from botocore.config import Config
from django.conf import settings as django_settings

from functions_app import rates
from sandbox.images.making import Image, Index, sha256_digest
from tests import settings
from tests.sandbox.functions import Functions

ROOT = Path(__file__).parents[1]
FAST_CLOCK = f"create=0.15,update=0.15,wake=0.3,provisioned=0.15,restore=0.3,ahead={settings.CLOCK_AHEAD}"
REGION = "eu-west-1"
_KEPT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
ENVIRONMENT = {**_KEPT, "TZ": settings.TIME_ZONE_OUTSIDE}
_NUMBERS = itertools.count(random.SystemRandom().randrange(300_000_000_000, 900_000_000_000))


@dataclass(frozen=True)
class Sandbox:
    """A running `python -m sandbox`."""

    url: str
    port: int
    pid: int

    @cached_property
    def session(self) -> boto3.Session:
        """One for all clients: it keeps botocore's models, which take long to read."""
        return boto3.Session(aws_access_key_id="AKIASANDBOX", aws_secret_access_key="sandbox", region_name=REGION)

    @cached_property
    def sts(self) -> Any:
        """STS with keys that it did not hand out: the default account."""
        return self.session.client("sts", endpoint_url=self.url, config=client_config())

    @cached_property
    def _keys(self) -> dict[str, dict[str, str]]:
        return {}

    def client(self, service: str, region: str, account: str) -> Any:
        """A client with credentials of the account, by sts assume_role."""
        if account not in self._keys:
            role = f"arn:aws:iam::{account}:role/Tests"
            self._keys[account] = self.sts.assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
        keys = self._keys[account]
        make: Any = self.session.client
        return make(
            service,
            region_name=region,
            endpoint_url=self.url,
            config=client_config(),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def admin(self, method: str, name: str, body: object = None) -> Any:
        """Call /_sandbox/<name>. Raises urllib's HTTPError for 4xx."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


class ClientFactory(Protocol):
    """Makes boto3 clients of the test's own account, or of another."""

    def __call__(self, service: str, region: str = REGION, account: str | None = None) -> Any: ...


class Push(Protocol):
    """Makes the repository where it is missing, pushes through /v2 and gives the digest."""

    def __call__(
        self,
        repository: str,
        image: Image | Index,
        tags: Sequence[str] = (),
        *,
        region: str = REGION,
        account: str | None = None,
    ) -> str: ...


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The sandbox process, with fast waits and nothing in it."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--clock", FAST_CLOCK]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox ready on "), f"the sandbox did not start: {line!r}"
        url = line.split()[-1]
        yield Sandbox(url, int(url.rsplit(":", 1)[1]), process.pid)
        process.terminate()
        process.wait(10)


@pytest.fixture
def account() -> str:
    """An account id that no other test uses."""
    return str(next(_NUMBERS))


@pytest.fixture
def aws_client(sandbox: Sandbox, account: str) -> ClientFactory:
    """Plain boto3 clients against the sandbox: one attempt, so that retries hide nothing."""

    def make(service: str, region: str = REGION, account: str | None = None) -> Any:
        return sandbox.client(service, region, account or own)

    own = account
    return make


def client_config() -> Config:
    """One attempt; no host prefix, which the sandbox's address could not carry."""
    return Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, connect_timeout=5, read_timeout=60)


def login(ecr: Any) -> tuple[str, str]:
    """User and password for /v2, as `aws ecr get-login-password` gives them."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = b64decode(token).decode().partition(":")
    return user, password


@pytest.fixture
def push(sandbox: Sandbox, aws_client: ClientFactory) -> Push:
    """Push an image the way a build does: over HTTP."""

    def run(
        repository: str,
        image: Image | Index,
        tags: Sequence[str] = (),
        *,
        region: str = REGION,
        account: str | None = None,
    ) -> str:
        ecr = aws_client("ecr", region, account)
        with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=repository)
        with registry_client(sandbox.url, login(ecr)) as registry:
            push_image(registry, repository, image, tags)
        return image.digest

    return run


def registry_client(url: str, auth: tuple[str, str]) -> httpx.Client:
    """A client of /v2 with a login."""
    return httpx.Client(base_url=url, auth=auth, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # httpx reads the file of all of them for every client: longer than a push takes


def push_image(registry: httpx.Client, repository: str, image: Image | Index, tags: Sequence[str] = ()) -> None:
    """Push blobs, then manifests, children before their index."""
    for child in image.images if isinstance(image, Index) else (image,):
        for blob in child.blobs:
            put_blob(registry, repository, blob.data)
        if child is not image:
            put_manifest(registry, repository, child.digest, child).raise_for_status()
    for reference in tags or (image.digest,):
        put_manifest(registry, repository, reference, image).raise_for_status()


def put_blob(registry: httpx.Client, repository: str, data: bytes) -> str:
    """Upload a blob in one POST and one PUT and give its digest."""
    location = registry.post(f"/v2/{repository}/blobs/uploads/").raise_for_status().headers["Location"]
    digest = sha256_digest(data)
    # Added to the query: `params` would replace the state that docker-registry keeps there.
    registry.put(httpx.URL(location).copy_add_param("digest", digest), content=data).raise_for_status()
    return digest


def put_manifest(registry: httpx.Client, repository: str, reference: str, image: Image | Index) -> httpx.Response:
    """Put a manifest by tag or digest; the answer may be an error."""
    headers = {"Content-Type": image.manifest.media_type}
    return registry.put(f"/v2/{repository}/manifests/{reference}", content=image.manifest.data, headers=headers)


class Throttle(Protocol):
    """Has the public registry refuse nameless readers of more manifests; `retry_after` is what it asks them to wait."""

    def __call__(self, rate: float, burst: int, retry_after: float | None = None) -> None: ...


@pytest.fixture
def throttle(sandbox: Sandbox) -> Iterator[Throttle]:
    """Until the end of the test; nobody is paced before it or after it."""

    def set_rate(rate: float, burst: int, retry_after: float | None = None) -> None:
        forget_paces()
        sandbox.admin("POST", "registry", {"public_rate": rate, "public_burst": burst, "retry_after": retry_after})

    yield set_rate
    sandbox.admin("POST", "registry", {})
    forget_paces()


def forget_paces() -> None:
    """Ask every registry as if it had never refused anybody."""
    rates._OWN._paced.clear()
    with suppress(redis.RedisError), redis.Redis.from_url(django_settings.ENV.redis_url) as client:
        for key in client.scan_iter("drydock:pace:*"):
            client.delete(key)


@pytest.fixture
def functions(aws_client: ClientFactory, push: Push, account: str) -> Functions:
    """Lambda functions in the test's own account."""
    return Functions(aws_client, push, account)


@pytest.fixture
def clock(sandbox: Sandbox) -> Callable[..., AbstractContextManager[None]]:
    """Other waits for a block: `with clock(update=30): ...`. Deadlines that began in the block keep them."""

    @contextmanager
    def during(**waits: float) -> Iterator[None]:
        before = sandbox.admin("GET", "clock")
        sandbox.admin("POST", "clock", waits)
        try:
            yield
        finally:
            sandbox.admin("POST", "clock", before)

    return during


@pytest.fixture
def slow_clock(clock: Callable[..., AbstractContextManager[None]]) -> Iterator[None]:
    """Waits that outlast the test."""
    with clock(create=60, update=60, wake=60, provisioned=60):
        yield
