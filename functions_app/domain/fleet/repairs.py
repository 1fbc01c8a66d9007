"""What to do about a function that is broken or asleep, by Lambda's reason code: one table, for the page's one button.

Codes: the enums StateReasonCode and LastUpdateStatusReasonCode of botocore's model. They are open: of one that is not
here nothing is claimed but that Lambda gives it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from functions_app.domain.fleet.lambda_states import STATES
from functions_app.domain.fleet.states import TOLERABLE, Condition
from functions_app.domain.images.statuses import ARCHIVED, read_status


class Place(StrEnum):
    """Where a repair is made: a tab of the function, or a page of AWS's console for what Drydock does not do."""

    DEPLOY = "function-deploy"
    INVOKE = "function-invoke"
    IMAGE = "function-image"
    REPOSITORY = "console-repository"
    ARCHIVE = "console-image"
    FUNCTION = "console-function"
    NOWHERE = ""


class Link(StrEnum):
    """The link of the chain from alias to base that is broken: what leads to the version, or to its image."""

    VERSION = "version"
    IMAGE = "image"


@dataclass(frozen=True)
class Repair:
    """What the button says and where it leads, what to do in a sentence, and which link is broken (None: none is).

    `says` is "" where the function's problem (domain.fleet.states) says it already.
    """

    button: str
    place: Place
    says: str
    breaks: Link | None = Link.VERSION


@dataclass(frozen=True)
class Broken:
    """A version as its repair is judged by: its condition, and whether ECR still has its image."""

    condition: Condition
    image_gone: bool = False
    image_status: str = ""


DELETED = Repair("Deploy another image", Place.DEPLOY, "", Link.IMAGE)
RESTORE = Repair("Restore its image in ECR", Place.ARCHIVE, "", Link.IMAGE)
WAIT = Repair("", Place.NOWHERE, "", Link.IMAGE)
WAKE = Repair("Wake it by a call", Place.INVOKE, "", None)
_CONFIGURE = "Open its configuration in AWS"
_KMS = "Lambda can't use the function's KMS key: {}, or give the function another."
_EFS = "Lambda can't use the function's file system: look at its mount targets and security groups, then update it."
_INIT = "The code did not start: deploy an image that does. The function's log says why."
_CAPACITY = "AWS has no capacity for it: look at its capacity provider, and try again later."


def _elsewhere(says: str) -> Repair:
    return Repair(_CONFIGURE, Place.FUNCTION, says)


def _redeploy(says: str, breaks: Link = Link.IMAGE) -> Repair:
    return Repair("Deploy another image", Place.DEPLOY, says, breaks)


REPAIRS: Mapping[str, Repair] = {
    "ImageDeleted": DELETED,
    "ImageAccessDenied": Repair(
        "Open the repository's permissions", Place.REPOSITORY,
        "Lambda may not pull its image: have the repository's policy allow lambda.amazonaws.com (and the function's"
        " account, if it is another) BatchGetImage and GetDownloadUrlForLayer; then deploy it again.",
        Link.IMAGE,
    ),
    "InvalidImage": _redeploy("Lambda can't use its image: the image's checks may say why. Deploy another one."),
    "Idle": WAKE,
    "Creating": Repair("", Place.NOWHERE, "Lambda is still creating it: wait.", None),
    "Restoring": Repair("", Place.NOWHERE, "It is waking up: wait, which takes up to minutes.", None),
    "InternalError": _redeploy("Lambda failed by itself: deploy the image once more.", Link.VERSION),
    "InvalidConfiguration": _elsewhere("Lambda can't use its configuration: correct it, then deploy again."),
    "InsufficientRolePermissions": _elsewhere(
        "Its role lacks a permission that Lambda needs for it: give the role that, then update the function."
    ),
    "EniLimitExceeded": _elsewhere(
        "Its VPC has no network interface left: have the quota raised or free some, then update the function."
    ),
    "SubnetOutOfIPAddresses": _elsewhere(
        "A subnet of it has no address left: give it larger subnets or free some, then update the function."
    ),
    "InvalidSubnet": _elsewhere("A subnet it names is not there: give it others."),
    "InvalidSecurityGroup": _elsewhere("A security group it names is not there: give it others."),
    "DisallowedByVpcEncryptionControl": _elsewhere("Its VPC demands encryption that it does not have: change either."),
    "KMSKeyAccessDenied": _elsewhere(_KMS.format("allow its role kms:Decrypt")),
    "KMSKeyNotFound": _elsewhere(_KMS.format("the key is not there; restore it")),
    "InvalidStateKMSKey": _elsewhere(_KMS.format("the key is in no state to be used; look at it")),
    "DisabledKMSKey": _elsewhere(_KMS.format("the key is disabled; enable it")),
    **dict.fromkeys(
        ("EFSIOError", "EFSMountConnectivityError", "EFSMountFailure", "EFSMountTimeout"), _elsewhere(_EFS)
    ),
    **dict.fromkeys(
        ("FunctionError", "FunctionError.InitTimeout", "FunctionError.RuntimeInitError",
         "FunctionError.ExtensionInitError", "FunctionError.TooManyExtensions", "FunctionError.PermissionDenied",
         "FunctionError.InitResourceExhausted"),
        _redeploy(_INIT),
    ),
    "FunctionError.InvalidEntryPoint": _redeploy(
        "Its entry point can't be run: the image lacks it, or the function overrides it. Deploy another image, or"
        " correct the override."
    ),
    "FunctionError.InvalidWorkingDirectory": _redeploy(
        "Its working directory is not in the image: deploy another one, or correct the function's override."
    ),
    **dict.fromkeys(
        ("VcpuLimitExceeded", "CapacityProviderScalingLimitExceeded", "InsufficientCapacity",
         "EC2RequestLimitExceeded", "IncompatibleAcceleratorInstanceTypes"),
        _elsewhere(_CAPACITY),
    ),
    "ServiceQuotaExceededException": _elsewhere("A quota of the account is used up: have it raised, then try again."),
    "DrainingDurableExecutions": Repair(
        "", Place.NOWHERE, "Durable executions still run on it: it ends once they have.", None
    ),
    "DependencyError": _redeploy(
        "A service that Lambda needs for it failed: deploy the image once more.", Link.VERSION
    ),
}  # fmt: skip
ONLY_ZIP = frozenset({"InvalidRuntime", "InvalidZipFileException"})
"""Codes that a function packaged as an image can't have."""


OF_THE_IMAGE = ("ImageDeleted", "ImageAccessDenied", "InvalidImage")


def repair_of(broken: Broken) -> Repair | None:
    """What repairs a version, the worst first; None where nothing is broken and it does not sleep."""
    condition, status = broken.condition, read_status(broken.image_status)
    if broken.image_gone:
        return DELETED
    if status.pullable is False:
        return RESTORE if broken.image_status == ARCHIVED else WAIT
    if condition.state_reason_code in OF_THE_IMAGE:
        return REPAIRS[condition.state_reason_code]  # Inactive and ImageDeleted is no sleep: no call wakes it
    if condition.state == "Failed":
        return by_code(condition.state_reason_code)
    if condition.last_update_status == "Failed":  # what it ran before the update goes on taking calls
        return replace(by_code(condition.last_update_reason_code), breaks=None)
    return WAKE if condition.state == "Inactive" else None


def broken_link(broken: Broken) -> Link | None:
    """The link of the chain that is broken: Inactive is asleep, Pending on its way, a word nobody knows neither."""
    word, repair = broken.condition.state, repair_of(broken)
    if repair and repair.breaks:
        return repair.breaks
    stopped = word in STATES and word not in TOLERABLE and not STATES[word].ready
    return Link.VERSION if stopped else None


def most_broken(versions: Sequence[Broken]) -> Broken | None:
    """The one whose repair counts first, of several the first named; None where none needs one."""
    return min((each for each in versions if repair_of(each)), key=_order, default=None)


def _order(broken: Broken) -> int:
    """As domain.fleet.states ranks what is wrong."""
    condition = broken.condition
    signs = (
        broken.image_gone,
        read_status(broken.image_status).pullable is False,
        condition.state_reason_code == "ImageDeleted",
        condition.state == "Failed",
        condition.last_update_status == "Failed",
    )
    return signs.index(True) if True in signs else len(signs)


def by_code(code: str) -> Repair:
    """The repair for a reason code; of one that nobody here knows only what is certain."""
    if code in REPAIRS:
        return REPAIRS[code]
    says = (
        f"Drydock knows no repair for Lambda's reason {code}: what Lambda says of it is all that is known."
        if code
        else "Lambda gives no reason code: its log, or another image, may help."
    )
    return Repair("Look at it in AWS", Place.FUNCTION, says)
