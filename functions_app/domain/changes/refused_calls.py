"""Whether a function ran that was invoked and answered with an error: what Lambda refuses, and before what."""

from functions_app.domain.errors import Code, DrydockError, Problem

WAKING = "CodeArtifactUserPendingException"
UNLOADABLE = "CodeArtifactUserFailedException"
_REFUSALS = (Code.DENIED, Code.NOT_FOUND, Code.INVALID, Code.THROTTLED, Code.BUSY, Code.UNREACHABLE)
"""Of Invoke these mean that the call was refused, or never sent: an answer that got lost is UNKNOWN_OUTCOME."""
NOT_STARTED = frozenset(
    [
        "CodeArtifactUserDeletedException",
        "EC2AccessDeniedException",
        "EC2UnexpectedException",
        "EFSMountConnectivityException",
        "EFSMountFailureException",
        "EFSMountTimeoutException",
        "ENILimitReachedException",
        "ENINotReadyException",
        "InvalidRuntimeException",
        "InvalidSecurityGroupIDException",
        "InvalidSubnetIDException",
        "InvalidZipFileException",
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
        "ModeNotSupportedException",
        "NoPublishedVersionException",
        "RuntimeAliasDeletedException",
        "RuntimeVersionDeletedException",
        "S3FilesMountConnectivityException",
        "S3FilesMountFailureException",
        "S3FilesMountTimeoutException",
        "SerializedRequestEntityTooLargeException",
        "ServiceQuotaExceededException",
        "SnapStartNotReadyException",
        "SnapStartRegenerationFailureException",
        "SnapStartTimeoutException",
        "SubnetIPAddressLimitReachedException",
    ]
)
"""Errors that Lambda meets before it starts the function, as the reference of Invoke describes them."""
MAY_HAVE_RUN = frozenset(
    [
        "DurableExecutionAlreadyStartedException",
        "EFSIOException",
        "RecursiveInvocationException",
        "ServiceException",
        "SnapStartException",
    ]
)
"""Errors of Invoke of which AWS does not say that nothing ran: of these, and of what nobody knows, nothing is said."""
NOT_A_SECOND_TIME = "Nothing ran, so that invoking it again makes it no second time. Drydock does not do so by itself."


def was_not_executed(problem: Problem) -> bool:
    """Whether it is certain that the function did not run, so that it may be invoked again."""
    return problem.aws_code not in MAY_HAVE_RUN and (problem.code in _REFUSALS or problem.aws_code in NOT_STARTED)


def explain_refusal(error: DrydockError, function: str) -> DrydockError:
    """Of a call that was refused say that nothing ran. An Inactive function wakes up at its first call, one that failed
    never does.

    Lambda answers a call of a Failed function with the code it has for an update in progress; only the text differs.
    """
    problem = error.problem
    if problem.aws_code == UNLOADABLE or (problem.code is Code.BUSY and "state: Failed" in problem.message):
        return DrydockError(
            Code.FAILED,
            f"{function} did not run: Lambda can't start it. {problem.message}",
            next_step="Waiting does not mend it. Deploy an image that Lambda can pull, or roll the alias back.",
            aws_code=problem.aws_code,
            request_id=problem.request_id,
        )
    if not was_not_executed(problem):
        return error
    if problem.aws_code != WAKING:
        return DrydockError(
            problem.code,
            f"{function} was not executed. {problem.message}",
            next_step=f"{problem.next_step} {NOT_A_SECOND_TIME}".strip(),
            aws_code=problem.aws_code,
            request_id=problem.request_id,
            retryable=problem.retryable,
        )
    return DrydockError(
        Code.FAILED,
        f"{function} was Inactive and is waking up: Lambda refused this call and loads the image again. "
        "The function did not run.",
        next_step="Invoke it again in a minute. Drydock does not repeat an invocation by itself.",
        aws_code=problem.aws_code,
        request_id=problem.request_id,
        retryable=True,
    )
