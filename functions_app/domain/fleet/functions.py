"""Functions, versions and aliases as AWS tells them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.configurations import Configuration
from functions_app.domain.fleet.parts import Part

LATEST = "$LATEST"
PUBLISHED_LATEST = "$LATEST.PUBLISHED"  # of Managed Instances: unqualified calls go there (Lambda developer guide)
Published = Mapping[str, tuple[datetime, str]]  # by number when a version was last modified, and its digest


@dataclass(frozen=True, slots=True)
class OddEntry:
    """An entry of a listing that can't be understood, and why: what it was known as stays. "" where it names none."""

    function: str
    version: str
    why: str


@dataclass(frozen=True)
class FunctionPlace:
    """Where a function is."""

    arn: str
    name: str
    account_id: str
    region: str


@dataclass(frozen=True, slots=True)
class VersionFact:
    """A version ("$LATEST" or digits) and the digest it runs (for image functions CodeSha256 is its hex)."""

    number: str
    digest: str
    last_modified: datetime
    revision_id: str
    description: str = ""
    configuration: Configuration = field(default_factory=Configuration)


@dataclass(frozen=True, slots=True)
class Features:
    """What only some functions have; "" and 0 where this one has not. Durations in seconds and days, memory in GB.

    `capacity_provider` is an ARN: its functions run on Managed Instances. `gpu` where it has one, of any size.
    """

    capacity_provider: str = ""
    environment_concurrency: int = 0
    memory_gib_per_vcpu: float = 0.0
    durable: bool = False
    durable_timeout_s: int = 0
    durable_retention_days: int = 0
    tenant_isolation: str = ""
    gpu: bool = False
    gpu_memory_gb: int = 0


@dataclass(frozen=True, slots=True)
class FunctionFact:
    """What ListFunctions tells of an image function: no state, no image URI (aws-facts.md)."""

    name: str
    arn: str
    latest: VersionFact
    architecture: str
    memory_mb: int
    timeout_s: int
    ephemeral_mb: int
    role_arn: str
    log_group: str
    description: str = ""
    env_keys: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    features: Features = field(default_factory=Features)
    unread: Mapping[Part, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionDetail:
    """What only GetFunction tells: the image URI as deployed, the resolved one, states and tags.

    What `unread` names is empty here and unknown. `log_framed`: Lambda writes START and REPORT into the log.
    """

    fact: FunctionFact
    image_uri: str
    resolved_uri: str
    state: str
    state_reason: str
    state_reason_code: str
    last_update_status: str
    last_update_reason: str
    last_update_reason_code: str
    tags: Mapping[str, str] = field(default_factory=dict)
    log_framed: bool = True
    unread: Mapping[Part, Problem] = field(default_factory=dict)  # those of the fact, too

    @property
    def is_managed_latest(self) -> bool:
        """Whether it is $LATEST of a function on Managed Instances, which never takes calls."""
        return self.fact.latest.number == LATEST and bool(self.fact.features.capacity_provider)


@dataclass(frozen=True, slots=True)
class AliasFact:
    """An alias: one version, or two with the second's weight (0 to 1)."""

    name: str
    version: str
    revision_id: str
    second_version: str = ""
    second_weight: float = 0.0
    description: str = ""


def unqualified(published: bool) -> str:
    """What a call that names neither alias nor version reaches; `published`: there is a $LATEST.PUBLISHED."""
    return PUBLISHED_LATEST if published else LATEST


def is_another(before: Published, now: Published, *, was_gone: bool) -> bool:
    """Whether a function is another one than the one of its name that was known before, which was deleted meanwhile.

    Lambda tells no day of birth and keeps ARN and name, but neither code nor date of a published version ever changes:
    one that differs is another function's, and where none of those known is left nothing says that it is the same.
    """
    common = before.keys() & now.keys()
    if common:
        return any(before[number] != now[number] for number in common)
    return was_gone or bool(before)
