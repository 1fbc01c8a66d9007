"""The way into an AWS account: clients by target, credentials that renew themselves."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import ConnectionClosedError
from botocore.loaders import Loader
from botocore.session import Session, get_session

from functions_app.aws.errors import translate
from functions_app.aws.members import Entry, OddAnswer, named, needed, part, time_of

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

CONNECT_TIMEOUT = 5.0
CONNECTIONS = 32


@dataclass(frozen=True)
class Target:
    """An account in one region, and the role that leads into it (none: the environment's own credentials)."""

    account_id: str
    region: str
    role_arn: str = ""
    external_id: str = ""

    def __str__(self) -> str:
        return f"account {self.account_id} in {self.region}"


_CLIENTS: dict[tuple[Any, ...], Any] = {}
_SESSIONS: dict[tuple[Any, ...], boto3.Session] = {}
_HEARD: dict[Target, tuple[datetime, float]] = {}  # the Date of the last answer, and when it came (monotonic)
_LOCK = threading.Lock()


@overload
def client(
    target: Target, service: Literal["lambda"], *, read_timeout: float = ..., attempts: int = ...
) -> LambdaClient: ...
@overload
def client(target: Target, service: Literal["ecr"], *, read_timeout: float = ..., attempts: int = ...) -> ECRClient: ...
@overload
def client(
    target: Target, service: Literal["logs"], *, read_timeout: float = ..., attempts: int = ...
) -> CloudWatchLogsClient: ...
@overload
def client(target: Target, service: Literal["sqs"], *, read_timeout: float = ..., attempts: int = ...) -> SQSClient: ...
@overload
def client(target: Target, service: Literal["sts"], *, read_timeout: float = ..., attempts: int = ...) -> STSClient: ...
def client(target: Target, service: str, *, read_timeout: float = 30.0, attempts: int = 2) -> Any:
    """A boto3 client, kept per target: safe to share between threads; `read_timeout` in seconds.

    `attempts` counts the first one: 1 for whatever must not be repeated. Honours AWS_ENDPOINT_URL.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    key = (target, service, read_timeout, attempts, endpoint)
    with _LOCK:
        if key not in _CLIENTS:
            config = Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                connect_timeout=CONNECT_TIMEOUT,
                read_timeout=read_timeout,
                max_pool_connections=CONNECTIONS,
                # A prefixed host name can't be resolved where all of AWS is one address.
                inject_host_prefix=not endpoint,
            )
            session = _session(target, endpoint)
            made = session.client(service, config=config)  # type: ignore[call-overload]
            made.meta.events.register("after-call", partial(_hear, target))
            made.meta.events.register("after-call", _refuse_cut)
            _CLIENTS[key] = made
        return _CLIENTS[key]


def now(target: Target) -> datetime | None:
    """The time by AWS's clock, up to a second early: what the last answer said, and how long that is ago.

    None where this process heard no answer yet.
    """
    heard = _HEARD.get(target)
    return heard and heard[0] + timedelta(seconds=time.monotonic() - heard[1])


def _hear(target: Target, parsed: Mapping[str, Any], **_: object) -> None:
    """Keep the Date of an answer, of a refusal too."""
    with suppress(KeyError, ValueError):  # an answer without a date tells nothing
        date = parsedate_to_datetime(parsed["ResponseMetadata"]["HTTPHeaders"]["date"])
        _HEARD[target] = date.astimezone(UTC), time.monotonic()


def _refuse_cut(http_response: Any, model: Any, **_: object) -> None:
    """Raise for an answer that broke off: boto3 would give what came, or nothing at all, as all that AWS said."""
    if model.has_streaming_output or model.has_event_stream_output:
        return  # still to be read, and boto3 counts the bytes of those
    if http_response.headers.get("Content-Encoding", "identity") != "identity":
        return  # boto3 asks for none: of a packed body the length says nothing about what came out of it
    length = http_response.headers.get("Content-Length", "")
    if length.isdecimal() and len(http_response.content) < int(length):
        raise ConnectionClosedError(endpoint_url=http_response.url)


def caller_account(region: str) -> str:
    """The account id behind the environment's own credentials. Raises DrydockError."""
    with translate():
        answer = client(Target("", region), "sts").get_caller_identity()
    return read_caller(answer)


def read_caller(answer: Entry) -> str:
    """The account of GetCallerIdentity. Raises OddAnswer."""
    return named(lambda told: needed(told, "Account", 20), answer, "GetCallerIdentity")


def read_credentials(answer: Entry) -> dict[str, str]:
    """The temporary credentials of AssumeRole, as botocore keeps them. Raises OddAnswer."""
    keys, expiry = part(answer, "Credentials"), time_of(part(answer, "Credentials"), "Expiration")
    if expiry is None:
        raise OddAnswer("AssumeRole: AWS does not tell when the credentials expire.")
    return {
        "access_key": needed(keys, "AccessKeyId", 200),
        "secret_key": needed(keys, "SecretAccessKey", 200),
        "token": needed(keys, "SessionToken", 20_000),
        "expiry_time": expiry.isoformat(),
    }


def forget() -> None:
    """Drop clients and credentials: the next call reads them anew, which may have been renewed meanwhile."""
    with _LOCK:
        _CLIENTS.clear()
        _SESSIONS.clear()


def _session(target: Target, endpoint: str) -> boto3.Session:
    key = (target.region, target.role_arn, target.external_id, endpoint)
    if key not in _SESSIONS:
        inner = _with_models()
        if target.role_arn:
            own = _boto3(_with_models(), target.region)
            inner.register_component("credential_provider", CredentialResolver(providers=[_AssumedRole(own, target)]))
        _SESSIONS[key] = _boto3(inner, target.region)
    return _SESSIONS[key]


def _boto3(inner: Session, region: str) -> boto3.Session:
    session = boto3.Session(botocore_session=inner, region_name=region)
    paths = _models().search_paths
    # Every boto3.Session adds its own folder to the loader that all share. The order of the others stays as it is, so
    # whoever reads the paths at this moment in another thread finds each of them.
    paths[:] = dict.fromkeys(paths)
    return session


def _with_models() -> Session:
    session = get_session()
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Loader:
    """What botocore knows of AWS's services: megabytes of JSON, parsed once in a process and not for each account."""
    loader: Loader = get_session().get_component("data_loader")
    return loader


class _AssumedRole(CredentialProvider):
    """Temporary credentials of the target's role, assumed again before they run out."""

    METHOD = "drydock-assume-role"

    def __init__(self, own: boto3.Session, target: Target) -> None:
        super().__init__()
        self._own, self._target = own, target

    def load(self) -> DeferredRefreshableCredentials:
        """Credentials that are fetched at first use."""
        return DeferredRefreshableCredentials(self._assume, self.METHOD)

    def _assume(self) -> dict[str, str]:
        config = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=15, retries={"total_max_attempts": 2})
        more: dict[str, Any] = {"ExternalId": self._target.external_id} if self._target.external_id else {}
        sts = self._own.client("sts", config=config)
        answer = sts.assume_role(RoleArn=self._target.role_arn, RoleSessionName="drydock", **more)
        return named(read_credentials, answer, f"AssumeRole of {self._target.role_arn}")
