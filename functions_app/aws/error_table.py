"""What each of AWS's errors means, and what to do about it: one table, and a default that claims nothing.

Sources: AWS's "Troubleshoot access denied error messages" (IAM guide), the common errors of each API's reference, the
error shapes of botocore's models, and what botocore itself takes for throttling (retries/standard.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from functions_app.domain.errors import Code

CODES: Mapping[Code, str] = {
    Code.DENIED: (
        "AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedAccess NotAuthorized AuthFailure "
        "ExpiredToken ExpiredTokenException RequestExpired RequestTimeTooSkewed InvalidClientTokenId "
        "InvalidAccessKeyId UnrecognizedClientException InvalidSignatureException SignatureDoesNotMatch "
        "IncompleteSignature IncompleteSignatureException MissingAuthenticationToken "
        "MissingAuthenticationTokenException OptInRequired SubscriptionRequiredException RegionDisabledException "
        "AccountProblem 401 403"
    ),
    Code.THROTTLED: (
        "Throttling ThrottlingException ThrottledException TooManyRequestsException RequestLimitExceeded "
        "RequestThrottled RequestThrottledException PriorRequestNotComplete BandwidthLimitExceeded SlowDown "
        "EC2ThrottledException 429"
    ),
    Code.NOT_FOUND: (
        "ResourceNotFoundException RepositoryNotFoundException ImageNotFoundException LayersNotFoundException "
        "RepositoryPolicyNotFoundException ProvisionedConcurrencyConfigNotFoundException "
        "LifecyclePolicyNotFoundException LifecyclePolicyPreviewNotFoundException "
        "AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist"
    ),
    Code.CHANGED: "PreconditionFailedException PreconditionFailed",
    Code.BUSY: (
        "ResourceConflictException ResourceInUseException ResourceNotReadyException "
        "LifecyclePolicyPreviewInProgressException CodeArtifactUserPendingException"
    ),
    Code.INVALID: (
        "InvalidParameterValueException InvalidParameterException ValidationException ValidationError "
        "InvalidRequestContentException RequestTooLargeException UnsupportedMediaTypeException"
    ),
}
CODE_OF: Mapping[str, Code] = {name: code for code, names in CODES.items() for name in names.split()}
SERVER_ERRORS = frozenset(
    {"500", "502", "503", "504", "InternalFailure", "InternalError", "InternalServiceError", "ServerException"}
    | {"ServiceException", "ServiceUnavailable", "ServiceUnavailableException"}
)
"""5xx that may pass. Others of Lambda have names of their own (InvalidRuntimeException, KMS...) and fail for good."""

EXPIRED = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
]
"""What credentials that were renewed meanwhile mend."""


@dataclass(frozen=True)
class Advice:
    """What to do about an error: one of these names (none: any), whose message matches. `{action}` is its permission.

    `code`: what it means, where that is not what its name says.
    """

    next_step: str
    names: frozenset[str] = frozenset()
    says: re.Pattern[str] | None = None
    code: Code | None = None

    def fits(self, name: str, text: str) -> bool:
        """Whether it is about this error."""
        return (not self.names or name in self.names) and (self.says is None or self.says.search(text) is not None)


def _advice(next_step: str, names: str = "", says: str = "", code: Code | None = None) -> Advice:
    return Advice(next_step, frozenset(names.split()), re.compile(says, re.IGNORECASE) if says else None, code)


def _policy(kind: str, next_step: str) -> Advice:
    """A denial that names the kind of policy: an explicit deny in one, or none of them that allows it."""
    return _advice(next_step, says=rf"(?:explicit deny in|because no) (?:an? |the )?{kind}")


NEXT_STEPS: tuple[Advice, ...] = (
    # Clocks and signatures
    _advice(
        "The clock of the machine that Drydock's worker runs on differs from AWS's: set it (NTP), then try again.",
        says=r"signature (?:expired|not yet current)|is now (?:earlier|later) than",
    ),
    _advice(
        "The clock of the machine that Drydock's worker runs on differs from AWS's: set it (NTP), then try again.",
        "RequestExpired RequestTimeTooSkewed",
    ),
    _advice(
        "The secret key does not belong to the access key, or a proxy changes requests on their way: check both.",
        "InvalidSignatureException SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException",
    ),
    # Credentials
    _advice("Renew the AWS credentials that Drydock's worker runs with.", "ExpiredToken ExpiredTokenException"),
    _advice(
        "AWS does not know these credentials there. If other regions answer, see whether this one is enabled for the "
        "account (Account settings, Regions); else renew the credentials that Drydock's worker runs with.",
        "InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId AuthFailure",
    ),
    _advice(
        "Activate STS for this region (IAM, Account settings), or use another region for the role.",
        "RegionDisabledException",
    ),
    _advice(
        "The account is not ready for this service in this region: see whether the region is enabled and the sign-up "
        "of the account is complete.",
        "OptInRequired SubscriptionRequiredException AccountProblem",
    ),
    _advice(
        "The request arrived without its signature: check AWS_ENDPOINT_URL, and proxies that take headers away.",
        "MissingAuthenticationToken MissingAuthenticationTokenException",
    ),
    # Denials by the kind of policy that denies
    _policy(
        "service control polic",
        "A service control policy of the organization forbids {action}: who looks after AWS Organizations can allow "
        "it; policies of the account can't.",
    ),
    _policy(
        "resource control polic",
        "A resource control policy of the organization forbids {action}: who looks after AWS Organizations can allow "
        "it; policies of the account can't.",
    ),
    _policy(
        "permissions boundary",
        "The permissions boundary of the identity that AWS refused does not let {action} pass: allow it there, and in "
        "the identity's policy.",
    ),
    _policy(
        "session polic",
        "The session policy given when the role was assumed does not let {action} pass: allow it where the session is "
        "made.",
    ),
    _policy(
        "VPC endpoint polic",
        "The policy of the VPC endpoint that Drydock's worker calls through does not let {action} pass.",
    ),
    _policy(
        "(?:role )?trust polic",
        "Let the role's trust policy name Drydock's own identity, with the external id where one is asked for.",
    ),
    _policy(
        "resource-based polic",
        "The policy of the resource named above has to allow {action}: a repository's, a function's, a key's, or a "
        "role's trust policy.",
    ),
    _advice(
        "A policy of the identity that AWS refused denies {action} explicitly, which no other policy can allow again: "
        "take that statement away, then sync.",
        says=r"explicit deny in an identity-based polic",
    ),
    _advice(
        "Find the policy that denies {action} explicitly: the identity's own, its boundary, or the organization's. "
        "Allowing it elsewhere does not help.",
        says=r"explicit deny",
    ),
    _advice(
        "Let Drydock's own identity assume the role: its policy and the role's trust policy must both allow it.",
        says=r"not authorized to perform:? sts:AssumeRole",
    ),
    _advice(
        "Allow {action} in the policy of the identity that AWS refused, then sync.",
        says=r"not authorized to perform:? [\w-]+:\w+",
    ),
    _advice(
        "Let the repository's policy allow lambda.amazonaws.com to pull (ecr:BatchGetImage, "
        "ecr:GetDownloadUrlForLayer), and where it is another account's, that account too.",
        says=r"Lambda does not have permission to access the ECR image",
    ),
    _advice(
        "See in ECR whether repository and image are still there; push the image again, or choose another, then "
        "plan again.",
        "InvalidParameterValueException",
        r"source image .{0,500} does not exist",
    ),
    # What Lambda meets on a function's behalf
    _advice(
        "Let the function's role use the KMS key (kms:Decrypt), by the role's policy or the key's.",
        "KMSAccessDeniedException",
    ),
    _advice("Enable the function's KMS key again, or give the function another.", "KMSDisabledException"),
    _advice(
        "The function's KMS key can't be used in its present state, as one that is to be deleted: see the key in KMS.",
        "KMSInvalidStateException",
    ),
    _advice("The function's KMS key is not there: give the function another.", "KMSNotFoundException"),
    _advice(
        "Look at the KMS key of the repository: whether it is enabled, and who may use it.", "KmsException KmsError"
    ),
    _advice(
        "The function's subnets have no free address: give it larger ones, or more.",
        "SubnetIPAddressLimitReachedException",
    ),
    _advice(
        "Look at the function's VPC settings: its subnets, its security groups, and the rights of its role in EC2.",
        "ENILimitReachedException ENINotReadyException EC2AccessDeniedException EC2UnexpectedException "
        "InvalidSubnetIDException InvalidSecurityGroupIDException",
    ),
    _advice(
        "Look at the file system that the function mounts: its mount targets, its access point, the network to it.",
        "EFSIOException EFSMountConnectivityException EFSMountFailureException EFSMountTimeoutException "
        "S3FilesMountConnectivityException S3FilesMountFailureException S3FilesMountTimeoutException",
    ),
    # Limits
    _advice(
        "The function's reserved concurrency is used up, or 0, which stops it. Raise it.", says=r"^ReservedFunction"
    ),
    _advice(
        "AWS limits how often this is called. Try again in a minute; other tools share the quota.",
        "LimitExceededException",
        r"\brate\b|too many requests",
        Code.THROTTLED,
    ),
    _advice(
        "A quota of the account is reached: delete what is not needed, or raise it in Service Quotas.",
        "LimitExceededException ServiceQuotaExceededException AliasLimitExceededException CodeStorageExceededException "
        "FunctionVersionsPerCapacityProviderLimitExceededException CapacityProviderLimitExceededException "
        "ImagesPerRepositoryLimitExceededException",
    ),
    # An HTTP status alone: no error of AWS's names itself so
    _advice(
        "The answer is not one of AWS's errors: a proxy, or what AWS_ENDPOINT_URL names, may have answered instead.",
        "301 302 307 400 401 403 404 405 407 421",
    ),
)
"""The first that fits is told; DEFAULTS where none does."""

DEFAULTS: Mapping[Code, str] = {
    Code.DENIED: "AWS does not say what is missing: look the request up in CloudTrail by its id.",
    Code.THROTTLED: "AWS limits how often this is called. Try again in a minute; other tools share the quota.",
    Code.CHANGED: "Reload, look at what changed, and plan again.",
    Code.BUSY: "Wait until the change that is in progress has ended, then try again.",
    Code.NOT_FOUND: "Sync: it may have been deleted since the last one.",
    Code.UNKNOWN_OUTCOME: "It may or may not have happened. Look before you repeat it.",
    Code.UNREACHABLE: "AWS did not answer properly. Try again; if it stays, look at AWS's health dashboard.",
}

_ACTION = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")


def missing_permission(text: str) -> str:
    """The action that a denial names ("lambda:ListFunctions"), or ""."""
    match = _ACTION.search(text)
    return match[1] if match else ""


def advise(name: str, text: str, reason: str = "") -> Advice | None:
    """What the table says of an error by its name, its message and Lambda's Reason; None where it knows nothing."""
    said = f"{reason} {text}".strip()
    return next((advice for advice in NEXT_STEPS if advice.fits(name, said)), None)
