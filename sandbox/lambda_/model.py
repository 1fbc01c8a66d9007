"""What Lambda keeps about a function: versions, aliases, states. Waits are deadlines, so no timer ever runs.

Facts about a version's code and settings are frozen; a published version's never change again. The state of a moment
is derived from deadlines on the monotonic clock, as in `Version.state_at`.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox import clock
from sandbox.clock import CLOCK

LATEST = "$LATEST"
PUBLISHED_LATEST = "$LATEST.PUBLISHED"
PENDING_REASON = "The function is being created."


IN_CONFIGURATION = ("Environment", "ImageConfigResponse")
IN_ANSWER = ("Code", "TagsError")
"""What may hold an error in its stead: of a FunctionConfiguration, and of GetFunction's answer beside it."""


def timestamp(moment: datetime | None = None) -> str:
    """LastModified as Lambda writes it: "2026-05-04T03:02:01.123+0000"."""
    moment = (moment or clock.now()).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def new_id() -> str:
    """A fresh RevisionId."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Code:
    """The image of a version: its URI as it was given, and what the tag meant at that moment."""

    image_uri: str
    repository_uri: str
    digest: str

    @property
    def resolved_uri(self) -> str:
        """The repository's URI with the digest."""
        return f"{self.repository_uri}@{self.digest}"

    @property
    def sha256(self) -> str:
        """CodeSha256: for images the digest's hex."""
        return self.digest.removeprefix("sha256:")

    def document(self) -> dict[str, str]:
        """`Code` of GetFunction."""
        return {"RepositoryType": "ECR", "ImageUri": self.image_uri, "ResolvedImageUri": self.resolved_uri}


@dataclass(frozen=True, slots=True)
class Settings:
    """What UpdateFunctionConfiguration can change, and the architecture. Timeout in seconds, sizes in MB."""

    role: str
    architecture: str = "x86_64"
    description: str = ""
    timeout: int = 3
    memory: int = 128
    storage: int = 512
    environment: Mapping[str, str] | None = None
    image_config: Mapping[str, Any] = field(default_factory=dict)
    logging: Mapping[str, str] = field(default_factory=dict)
    tracing: str = "PassThrough"
    vpc: Mapping[str, Any] | None = None
    dead_letter: Mapping[str, str] | None = None
    kms_key: str = ""
    file_systems: Sequence[Mapping[str, str]] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)  # of Managed Instances, durable ones ...: as they were sent

    @property
    def is_managed(self) -> bool:
        """Whether it runs on Managed Instances."""
        return "CapacityProviderConfig" in self.extras

    def log_group(self, function: str) -> str:
        """The log group that the function writes to."""
        return self.logging.get("LogGroup") or f"/aws/lambda/{function}"

    def document(self, function: str) -> dict[str, Any]:
        """These settings as they stand in a FunctionConfiguration."""
        log_format = self.logging.get("LogFormat", "Text")
        logging: dict[str, str] = {"LogFormat": log_format, "LogGroup": self.log_group(function)}
        if log_format == "JSON":
            logging |= {
                "ApplicationLogLevel": self.logging.get("ApplicationLogLevel", "INFO"),
                "SystemLogLevel": self.logging.get("SystemLogLevel", "INFO"),
            }
        document: dict[str, Any] = {
            "Role": self.role,
            "Description": self.description,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
            "TracingConfig": {"Mode": self.tracing},
            "PackageType": "Image",
            "Architectures": [self.architecture],
            "EphemeralStorage": {"Size": self.storage},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": logging,
        }
        optional = {
            "Environment": None if self.environment is None else {"Variables": dict(self.environment)},
            "ImageConfigResponse": {"ImageConfig": dict(self.image_config)} if self.image_config else None,
            "VpcConfig": self.vpc,
            "DeadLetterConfig": self.dead_letter,
            "KMSKeyArn": self.kms_key or None,
            "FileSystemConfigs": [dict(each) for each in self.file_systems],
        }
        return document | {name: value for name, value in optional.items() if value} | dict(self.extras)


@dataclass(frozen=True, slots=True)
class Condition:
    """A state or an update status with its reason."""

    name: str
    reason_code: str = ""
    reason: str = ""

    def document(self, prefix: str) -> dict[str, str]:
        """The condition under its field names: `State`, `StateReason`, `StateReasonCode`."""
        fields = {prefix: self.name, f"{prefix}Reason": self.reason, f"{prefix}ReasonCode": self.reason_code}
        return {name: value for name, value in fields.items() if value}


ACTIVE = Condition("Active")
NON_INVOCABLE = Condition("ActiveNonInvocable")
SUCCESSFUL = Condition("Successful")
CREATING = Condition("Pending", "Creating", PENDING_REASON)
RESTORING = Condition("Pending", "Restoring", "The function is being restored after it was idle.")
IN_PROGRESS = Condition("InProgress", "Creating", PENDING_REASON)


@dataclass(slots=True)
class Version:
    """$LATEST or a published version. `generation` names what its execution environments were made from."""

    number: str
    code: Code
    settings: Settings
    modified: str = field(default_factory=timestamp)
    condition: Condition = ACTIVE
    update: Condition = SUCCESSFUL
    waiting: Condition = CREATING
    pending_until: float = 0.0
    updating_until: float = 0.0
    revision: str = field(default_factory=new_id)
    settled_revision: str = field(default_factory=new_id)
    generation: str = field(default_factory=new_id)

    @property
    def order(self) -> int:
        """Its place in lists: $LATEST, then $LATEST.PUBLISHED, then the numbers."""
        named = {LATEST: 0, PUBLISHED_LATEST: 1}
        return named[self.number] if self.number in named else int(self.number) + 1

    def state_at(self, now: float) -> Condition:
        """The State, on the monotonic clock. $LATEST on Managed Instances never takes calls: what is published does."""
        found = self.waiting if now < self.pending_until else self.condition
        unpublished = self.number == LATEST and self.settings.is_managed
        return NON_INVOCABLE if found is ACTIVE and unpublished else found

    def update_at(self, now: float) -> Condition:
        """The LastUpdateStatus, on the monotonic clock."""
        return IN_PROGRESS if now < self.updating_until else self.update

    @property
    def is_busy(self) -> bool:
        """Whether it is Pending or an update of it is InProgress."""
        return self.is_busy_at(time.monotonic())

    def is_busy_at(self, now: float) -> bool:
        """The same, on the monotonic clock."""
        return now < max(self.pending_until, self.updating_until)

    @property
    def revision_id(self) -> str:
        """The RevisionId: it changes with the change and once more when the change has settled, as AWS's does.

        Source: aws/aws-sdk issue 377. So a guard must be read after the wait, not before.
        """
        return self.revision_at(time.monotonic())

    def revision_at(self, now: float) -> str:
        """The same, on the monotonic clock."""
        return self.revision if self.is_busy_at(now) else self.settled_revision

    def touch(self) -> None:
        """New revision ids and a new LastModified."""
        self.revision, self.settled_revision, self.modified = new_id(), new_id(), timestamp()

    def states(self, now: float | None = None) -> dict[str, str]:
        """State and LastUpdateStatus with reasons: GetFunction has them, the lists have not."""
        now = time.monotonic() if now is None else now
        state = self.state_at(now)
        update = {} if state is CREATING else self.update_at(now).document("LastUpdateStatus")
        return state.document("State") | update


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for one version, or for two with a weight (share of calls, 0..1) for the second."""

    name: str
    version: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    revision: str = field(default_factory=new_id)

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions it can lead to."""
        return (self.version, *self.weights)


@dataclass(slots=True)
class Provisioned:
    """Provisioned concurrency of an alias or version: allocated when the deadline is past."""

    requested: int
    ready_at: float
    modified: str = field(default_factory=timestamp)

    @property
    def is_ready(self) -> bool:
        """Whether all of it is allocated."""
        return time.monotonic() >= self.ready_at

    def restart(self) -> None:
        """Allocate anew, as when the alias was pointed elsewhere."""
        self.ready_at = time.monotonic() + CLOCK.provisioned


@dataclass(slots=True)
class Function:
    """A function with everything that hangs on its name. Hold `lock` while changing it."""

    account: str
    region: str
    name: str
    latest: Version
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    provisioned: dict[str, Provisioned] = field(default_factory=dict)
    errors: dict[str, dict[str, str]] = field(default_factory=dict)  # by part, as POST /_sandbox/function-errors set
    executions: list[dict[str, Any]] = field(default_factory=list)  # durable ones: sandbox.lambda_.durable_executions
    # by qualifier, "" for none: sandbox.lambda_.triggers
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    urls: dict[str, dict[str, Any]] = field(default_factory=dict)
    invoke_configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    reserved: int | None = None
    running: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arn(self) -> str:
        """The unqualified ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def all_versions(self) -> list[Version]:
        """$LATEST, then the published versions in order."""
        return sorted([self.latest, *self.versions.values()], key=lambda version: version.order)

    def configuration(self, version: Version, qualifier: str | None = None, *, states: bool = True) -> dict[str, Any]:
        """FunctionConfiguration of a version, its ARN qualified as it was asked for. Lists leave states out."""
        now = time.monotonic()  # of all of it: one that has settled has the revision of one that has settled
        document = {
            "FunctionName": self.name,
            "FunctionArn": f"{self.arn}:{qualifier}" if qualifier else self.arn,
            "CodeSize": 0,
            "CodeSha256": version.code.sha256,
            "LastModified": version.modified,
            "Version": version.number,
            "RevisionId": version.revision_at(now),
        }
        settings = version.settings.document(self.name)
        # What ConfigSha256 covers AWS does not say: here all of the settings, the description too.
        document["ConfigSha256"] = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        document |= settings | (version.states(now) if states else {})
        return document | {name: {"Error": dict(self.errors[name])} for name in IN_CONFIGURATION if name in self.errors}
