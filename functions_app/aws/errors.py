"""AWS's errors in Drydock's words, translated once: the code, the cause, AWS's request id, what to do next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from functions_app.domain.errors import Code, DrydockError

_CODES = {
    Code.DENIED: (
        "AccessDenied AccessDeniedException UnauthorizedOperation ExpiredToken ExpiredTokenException "
        "InvalidClientTokenId UnrecognizedClientException InvalidSignatureException SignatureDoesNotMatch "
        "MissingAuthenticationToken NotAuthorized OptInRequired"
    ),
    Code.THROTTLED: (
        "Throttling ThrottlingException ThrottledException TooManyRequestsException RequestLimitExceeded "
        "RequestThrottled RequestThrottledException LimitExceededException"
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
        "LifecyclePolicyPreviewInProgressException"
    ),
    Code.INVALID: (
        "InvalidParameterValueException InvalidParameterException ValidationException ValidationError "
        "InvalidRequestContentException RequestTooLargeException UnsupportedMediaTypeException"
    ),
}
_CODE_OF = {name: code for code, names in _CODES.items() for name in names.split()} | {
    "CodeArtifactUserPendingException": Code.BUSY,
}
# Other 5xx of Lambda have names of their own (InvalidRuntimeException, KMSAccessDenied ...) and are failures for good.
_SERVER_ERRORS = frozenset(
    {"500", "502", "503", "504", "InternalFailure", "InternalError", "InternalServiceError", "ServerException"}
    | {"ServiceException", "ServiceUnavailable", "ServiceUnavailableException"}
)
_RETRYABLE = {Code.THROTTLED, Code.BUSY, Code.UNREACHABLE}
EXPIRED = ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"]
_ACTION = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")


@contextmanager
def translate(*, change: bool = False) -> Iterator[None]:
    """Turn what boto raises into DrydockError, with AWS's code, its request id and the next step.

    `change`: the call changes something, so an answer that never came is UNKNOWN_OUTCOME, not UNREACHABLE.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error, change) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise DrydockError(
            Code.DENIED,
            f"There are no usable AWS credentials ({error})",
            next_step="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, where Drydock's worker runs.",
        ) from error
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        raise _unreachable(str(error)) from error
    except (HTTPClientError, IncompleteReadError, ResponseParserError) as error:  # it broke off, too
        raise (_unknown_outcome(str(error)) if change else _unreachable(str(error))) from error
    except BotoCoreError as error:
        raise DrydockError(Code.INVALID, f"The AWS call could not be made: {error}") from error


def _translated(error: ClientError, change: bool) -> DrydockError:
    details, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    name = details.get("Code", "") or "Unknown"
    status = int(metadata.get("HTTPStatusCode", 0))
    text = details.get("Message") or str(error)
    request_id = metadata.get("RequestId", "") or metadata.get("HTTPHeaders", {}).get("x-amzn-requestid", "")
    lost = Code.UNKNOWN_OUTCOME if change else Code.UNREACHABLE
    code = _CODE_OF.get(name) or (lost if status >= 500 and name in _SERVER_ERRORS else Code.FAILED)
    reason = error.response.get("Reason", "")
    message = _plain(code, name, text, error.operation_name)
    return DrydockError(
        code,
        message,
        next_step=_next_step(code, name, text, str(reason)),
        aws_code=name,
        request_id=request_id,
        retryable=code in _RETRYABLE,
    )


def missing_permission(text: str) -> str:
    """The action that a denial names ("lambda:ListFunctions"), or ""."""
    match = _ACTION.search(text)
    return match[1] if match else ""


def _plain(code: Code, name: str, text: str, operation: str) -> str:
    action = missing_permission(text)
    if code is Code.DENIED and action:
        return f"The permission {action} is missing. {text}"
    if code is Code.CHANGED:
        return f"Somebody else changed it meanwhile. {text}"
    if name == "CodeArtifactUserPendingException":
        return "The function was inactive and is waking up: Lambda is fetching its image again."
    return f"{operation}: {text}"


def _next_step(code: Code, name: str, text: str, reason: str) -> str:
    if code is Code.DENIED:
        if name in EXPIRED:
            return "Renew the AWS credentials that Drydock's worker runs with."
        if missing_permission(text) == "sts:AssumeRole":
            return (
                "Let Drydock's own identity assume the role: its policy and the role's trust policy must both allow it."
            )
        return f"Allow {missing_permission(text) or 'the action'} in the policy of the identity named above, then sync."
    if reason.startswith("ReservedFunctionConcurrent"):
        return "The function's reserved concurrency is used up, or 0, which stops it. Raise it."
    return {
        Code.THROTTLED: "AWS limits how often this is called. Try again in a minute; other tools share the quota.",
        Code.CHANGED: "Reload, look at what changed, and plan again.",
        Code.BUSY: "Wait until the change that is in progress has ended, then try again.",
        Code.NOT_FOUND: "Sync: it may have been deleted since the last one.",
        Code.UNKNOWN_OUTCOME: "It may or may not have happened. Look before you repeat it.",
        Code.UNREACHABLE: "AWS did not answer properly. Try again; if it stays, look at AWS's health dashboard.",
    }.get(code, "")


def _unreachable(text: str) -> DrydockError:
    return DrydockError(
        Code.UNREACHABLE,
        f"AWS could not be reached: {text}",
        next_step="Check the network, the region's name and AWS_ENDPOINT_URL, then try again.",
        retryable=True,
    )


def _unknown_outcome(text: str) -> DrydockError:
    return DrydockError(
        Code.UNKNOWN_OUTCOME,
        f"The answer of AWS did not arrive: {text}",
        next_step="It may or may not have happened. Look before you repeat it.",
    )
