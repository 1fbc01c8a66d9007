"""Lambda's answers, read into facts. Values of the environment end here: names alone go on.

Any member may be missing, null or of a word that nobody knows, and some parts may hold an error in their stead.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from functions_app.aws.error_table import CODE_OF, advise, missing_permission
from functions_app.aws.members import (
    Entry,
    OddAnswer,
    decimal,
    digest,
    listed,
    moment,
    named,
    needed,
    number,
    pairs,
    part,
    text,
    texts,
    whole,
)
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.configurations import Configuration
from functions_app.domain.fleet.functions import (
    LATEST,
    PUBLISHED_LATEST,
    AliasFact,
    Features,
    FunctionDetail,
    FunctionFact,
    OddEntry,
    VersionFact,
)
from functions_app.domain.fleet.parts import Part
from functions_app.domain.redaction import redact, redact_value
from functions_app.domain.text import storable

T = TypeVar("T")
PACKAGES = ("Image", "Zip")
WORD = 60  # characters of a word of AWS's that are kept
DIGITS = 18  # of a version's number that are believed
_KMS = "Let Drydock's identity use the function's KMS key (kms:Decrypt), by its policy or the key's."
_ALLOW: Mapping[Part, str] = {
    Part.ENVIRONMENT: _KMS,
    Part.IMAGE_SETTINGS: _KMS,
    Part.IMAGE_URI: "Look at the function in Lambda: AWS can't tell what it was deployed from.",
    Part.TAGS: "Allow lambda:ListTags in the policy of Drydock's identity.",
}


@dataclass(frozen=True)
class FunctionPage:
    """One page of the listing: functions (their $LATEST), other versions with the function's name, odd entries.

    `others`: how many entries are of another package type than Image, which is all that is asked of them.
    """

    functions: tuple[FunctionFact, ...]
    versions: tuple[tuple[str, VersionFact], ...]
    odd: tuple[OddEntry, ...] = ()
    others: int = 0


@dataclass(frozen=True)
class VersionList:
    """All versions of one function, $LATEST first, and the odd entries among them."""

    facts: tuple[VersionFact, ...]
    odd: tuple[OddEntry, ...] = ()


def function_page(answer: Entry) -> FunctionPage:
    """A page of ListFunctions. Raises OddAnswer where it is none."""
    entries = listed(answer, "Functions")
    images, strange = whole(_packaged, entries)
    found, odd = whole(_listed, [entry for entry in images if entry])
    return FunctionPage(
        tuple(fact for fact in found if isinstance(fact, FunctionFact)),
        tuple(pair for pair in found if isinstance(pair, tuple)),
        tuple(_odd(entry, why) for entry, why in (*strange, *odd)),
        sum(text(entry, "PackageType", WORD) not in ("", "Image") for entry in entries),
    )


def version_page(answer: Entry) -> VersionList:
    """A page of ListVersionsByFunction. Raises OddAnswer where it is none."""
    found, odd = whole(version_fact, listed(answer, "Versions"))
    return VersionList(tuple(found), tuple(_odd(entry, why) for entry, why in odd))


def _packaged(entry: Entry) -> Entry:
    """The entry of a function that is packaged as an image, {} for one of a zip file."""
    kind = text(entry, "PackageType", WORD)
    if kind not in PACKAGES:
        raise OddAnswer(f"its package type is not one that Drydock knows ({kind or 'none'})")
    return entry if kind == "Image" else {}


def _listed(entry: Entry) -> FunctionFact | tuple[str, VersionFact]:
    if entry.get("Version") == LATEST:
        return function_fact(entry)
    return needed(entry, "FunctionName", 140), version_fact(entry)


def _odd(entry: Entry, why: str) -> OddEntry:
    return OddEntry(text(entry, "FunctionName", 140), text(entry, "Version", WORD), why)


def version_fact(entry: Entry) -> VersionFact:
    """A version, of any call that tells of one."""
    name = needed(entry, "Version", 20)
    if name not in (LATEST, PUBLISHED_LATEST) and not (name.isascii() and name.isdecimal() and len(name) <= DIGITS):
        raise OddAnswer(f"its version is none that Drydock knows ({name})")
    return VersionFact(
        number=name,
        digest=digest(entry, "CodeSha256"),
        last_modified=moment(entry, "LastModified"),
        revision_id=text(entry, "RevisionId", 60),
        description=redact(text(entry, "Description")),
        configuration=_configuration(entry),
    )


WITHIN: Mapping[Part, str] = {Part.ENVIRONMENT: "Environment", Part.IMAGE_SETTINGS: "ImageConfigResponse"}


def _configuration(entry: Entry) -> Configuration:
    """What a version is configured to; of its environment the names alone."""
    image, vpc = part(entry, "ImageConfigResponse", "ImageConfig"), part(entry, "VpcConfig")
    log_group = text(part(entry, "LoggingConfig"), "LogGroup", 512)
    return Configuration(
        architecture=storable((texts(entry, "Architectures") or ("x86_64",))[0], 20),
        memory_mb=number(entry, "MemorySize", 128),
        timeout_s=number(entry, "Timeout", 3),
        ephemeral_mb=number(part(entry, "EphemeralStorage"), "Size", 512),
        role_arn=text(entry, "Role", 700),
        log_group=log_group or f"/aws/lambda/{text(entry, 'FunctionName', 140)}",
        vpc=text(vpc, "VpcId", 60),
        subnets=tuple(sorted(texts(vpc, "SubnetIds"))),
        security_groups=tuple(sorted(texts(vpc, "SecurityGroupIds"))),
        env_keys=tuple(
            sorted(storable(key) for key in part(entry, "Environment", "Variables") if isinstance(key, str))
        ),
        entrypoint=tuple(redact_value(texts(image, "EntryPoint"))),
        command=tuple(redact_value(texts(image, "Command"))),
        working_directory=redact(text(image, "WorkingDirectory")) if image else "",
        unread=tuple(of.value for of, member in WITHIN.items() if part(entry, member).get("Error") is not None),
    )


def function_fact(entry: Entry) -> FunctionFact:
    """A function as its $LATEST is configured; of its environment the names alone."""
    name = needed(entry, "FunctionName", 140)
    arn, latest = _unqualified(needed(entry, "FunctionArn", 300)), version_fact(entry)
    configured = latest.configuration
    return FunctionFact(
        name=name,
        arn=arn,
        latest=latest,
        architecture=configured.architecture,
        memory_mb=configured.memory_mb,
        timeout_s=configured.timeout_s,
        ephemeral_mb=configured.ephemeral_mb,
        role_arn=configured.role_arn,
        log_group=configured.log_group,
        description=latest.description,
        env_keys=configured.env_keys,
        entrypoint=configured.entrypoint,
        command=configured.command,
        working_directory=configured.working_directory,
        features=_features(entry),
        unread=dict(_unread(entry, WITHIN)),
    )


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _features(entry: Entry) -> Features:
    """What a function of Managed Instances, a durable or tenant-isolated one or one with a GPU has more."""
    capacity = part(entry, "CapacityProviderConfig", "LambdaManagedInstancesCapacityProviderConfig")
    durable, gpu = entry.get("DurableConfig"), entry.get("AcceleratorConfig")
    tenancy = entry.get("TenancyConfig")
    provider = text(capacity, "CapacityProviderArn", 300)
    return Features(
        capacity_provider=provider or ("not told" if entry.get("CapacityProviderConfig") is not None else ""),
        environment_concurrency=number(capacity, "PerExecutionEnvironmentMaxConcurrency"),
        memory_gib_per_vcpu=decimal(capacity, "ExecutionEnvironmentMemoryGiBPerVCpu"),
        durable=durable is not None,
        durable_timeout_s=number(part(entry, "DurableConfig"), "ExecutionTimeout"),
        durable_retention_days=number(part(entry, "DurableConfig"), "RetentionPeriodInDays"),
        tenant_isolation=text(part(entry, "TenancyConfig"), "TenantIsolationMode", WORD)
        or ("not told" if tenancy is not None else ""),
        gpu=gpu is not None,
        gpu_memory_gb=number(part(entry, "AcceleratorConfig"), "AcceleratorMemorySize"),
    )


def _unread(entry: Entry, members: Mapping[Part, str]) -> Iterator[tuple[Part, Problem]]:
    """The parts that hold an error in their stead."""
    for of, member in members.items():
        error = entry.get(member) if of is Part.TAGS else part(entry, member).get("Error")
        if error is not None:
            yield of, _why(of, error if isinstance(error, Mapping) else {})


def _why(of: Part, error: Entry) -> Problem:
    name, said = text(error, "ErrorCode", WORD), text(error, "Message", 600)
    advice = advise(name, said)
    step = advice.next_step.format(action=missing_permission(said) or "the action") if advice else _ALLOW[of]
    told = storable(redact(said), 500) or "AWS gives no reason."
    return Problem(CODE_OF.get(name, Code.FAILED), told, next_step=step, aws_code=name)


def read_function(answer: Entry) -> FunctionDetail:
    """GetFunction's answer. Raises OddAnswer."""
    code = part(answer, "Code")
    more = _unread(answer, {Part.IMAGE_URI: "Code", Part.TAGS: "TagsError"})
    return function_detail(
        part(answer, "Configuration"),
        text(code, "ImageUri", 600),
        text(code, "ResolvedImageUri", 600),
        redact_value(pairs(answer, "Tags")),  # people keep the oddest things in tags and descriptions
        dict(more),
    )


def function_detail(
    entry: Entry,
    image_uri: str,
    resolved_uri: str,
    tags: Mapping[str, str],
    unread: Mapping[Part, Problem] = MappingProxyType({}),
) -> FunctionDetail:
    """A function with what only some calls tell; those give the URIs and tags beside it. Raises OddAnswer."""
    logging, fact = part(entry, "LoggingConfig"), function_fact(entry)
    return FunctionDetail(
        fact=fact,
        image_uri=image_uri,
        resolved_uri=resolved_uri,
        state=text(entry, "State", WORD),
        state_reason=text(entry, "StateReason"),
        state_reason_code=text(entry, "StateReasonCode", WORD),
        last_update_status=text(entry, "LastUpdateStatus", WORD),
        last_update_reason=text(entry, "LastUpdateStatusReason"),
        last_update_reason_code=text(entry, "LastUpdateStatusReasonCode", WORD),
        tags=tags,
        log_framed=(logging.get("LogFormat"), logging.get("SystemLogLevel")) != ("JSON", "WARN"),
        unread={**fact.unread, **unread},
    )


def alias_page(answer: Entry) -> list[AliasFact]:
    """A page of ListAliases. Raises OddAnswer where an entry is odd, too: aliases are judged together or not at all."""
    return [alias_fact(entry) for entry in listed(answer, "Aliases")]


def alias_fact(entry: Entry) -> AliasFact:
    """An alias with its second version, if its traffic is split. Raises OddAnswer."""
    name = needed(entry, "Name", 130)
    weights = part(entry, "RoutingConfig", "AdditionalVersionWeights")
    second, weight = next(iter(weights.items()), ("", 0.0))
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1 or len(weights) > 1:
        raise OddAnswer(f"The alias {name} has weights that Drydock does not understand.")
    return AliasFact(
        name=name,
        version=needed(entry, "FunctionVersion", 20),
        revision_id=text(entry, "RevisionId", 60),
        second_version=storable(second, 20),
        second_weight=float(weight),
        description=redact(text(entry, "Description")),
    )


def changed(read: Callable[[Any], T], answer: Any, what: str) -> T:
    """Read the answer to a change. One that can't be understood leaves open what was done: UNKNOWN_OUTCOME."""
    try:
        return named(read, answer, what)
    except OddAnswer as error:
        step = "It may or may not have happened. Look before you repeat it."
        raise DrydockError(Code.UNKNOWN_OUTCOME, error.problem.message, next_step=step) from error
