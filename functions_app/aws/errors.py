"""AWS's errors in Drydock's words, translated once: the code, the cause, AWS's request id, what to do next."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from functions_app.aws.error_table import CODE_OF, DEFAULTS, SERVER_ERRORS, advise, missing_permission
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.network_errors import cause_of

_RETRYABLE = {Code.THROTTLED, Code.BUSY, Code.UNREACHABLE}
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.UnknownCredentialError,
    boto.MetadataRetrievalError,
    boto.TokenRetrievalError,
    boto.NoAuthTokenError,
    boto.SSOError,
    boto.ProfileNotFound,
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.InfiniteLoopConfigError,
)
_BROKE_OFF = (boto.HTTPClientError, boto.IncompleteReadError, boto.SSLError, ResponseParserError)
_NO_WAY: Mapping[type[Exception], str] = {
    boto.ProxyConnectionError: "Check HTTPS_PROXY and NO_PROXY where Drydock's worker runs, then try again.",
    boto.InvalidProxiesConfigError: "Check HTTPS_PROXY and NO_PROXY where Drydock's worker runs, then try again.",
    boto.SSLError: "Where a proxy opens TLS, name its certificate in AWS_CA_BUNDLE; or check AWS_ENDPOINT_URL.",
    boto.ConnectTimeoutError: (
        "Something swallows the connection: check firewall, VPC endpoint and security groups between Drydock's worker "
        "and AWS."
    ),
}
"""The next step where the network is at fault; what names no host is told apart by its words."""

_NO_NAME = ("name or service not known", "nodename nor servname", "getaddrinfo", "name resolution", "nameresolution")
_CHECK_NETWORK = "Check the network, the region's name and AWS_ENDPOINT_URL, then try again."
_CHECK_DNS = (
    "The name is in no DNS that Drydock's worker asks: check the region's name, AWS_ENDPOINT_URL and the resolver."
)


@contextmanager
def translate(*, change: bool = False) -> Iterator[None]:
    """Turn what boto raises into DrydockError, with AWS's code, its request id and the next step.

    `change`: the call changes something, so an answer that never came is UNKNOWN_OUTCOME, not UNREACHABLE.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error, change) from error
    except _NO_CREDENTIALS as error:
        raise DrydockError(
            Code.DENIED,
            f"There are no usable AWS credentials ({error})",
            next_step="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, where Drydock's worker runs.",
        ) from error
    except _BROKE_OFF as error:  # before the next one: it may have been sent
        raise (_unknown_outcome(str(error)) if change else _unreachable(error)) from error
    except (boto.ConnectionError, boto.InvalidProxiesConfigError) as error:
        raise _unreachable(error) from error
    except (boto.NoRegionError, boto.InvalidRegionError, boto.UnknownRegionError, boto.EndpointProviderError) as error:
        raise DrydockError(
            Code.INVALID,
            f"The AWS call could not be made: {error}",
            next_step="Check the names of the account's regions in Settings.",
        ) from error
    except BotoCoreError as error:
        raise DrydockError(Code.INVALID, f"The AWS call could not be made: {error}") from error
    except (AttributeError, TypeError, ValueError, KeyError) as error:  # botocore met what is not of the model's shape
        if not _was_parsing(error):
            raise
        raise _not_understood(change) from error


def _translated(error: ClientError, change: bool) -> DrydockError:
    details, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    name = details.get("Code", "") or "Unknown"
    status = int(metadata.get("HTTPStatusCode", 0))
    text = details.get("Message") or str(error)
    request_id = metadata.get("RequestId", "") or metadata.get("HTTPHeaders", {}).get("x-amzn-requestid", "")
    lost = Code.UNKNOWN_OUTCOME if change else Code.UNREACHABLE
    advice = advise(name, text, str(error.response.get("Reason", "")))
    code = advice.code if advice and advice.code else CODE_OF.get(name)
    code = code or (lost if status >= 500 and name in SERVER_ERRORS else Code.FAILED)
    next_step = advice.next_step if advice else DEFAULTS.get(code, "")
    return DrydockError(
        code,
        _plain(code, name, text, error.operation_name),
        next_step=next_step.format(action=missing_permission(text) or "the action"),
        aws_code=name,
        request_id=request_id,
        retryable=code in _RETRYABLE,
    )


def _plain(code: Code, name: str, text: str, operation: str) -> str:
    action = missing_permission(text)
    if code is Code.DENIED and action and "explicit deny" in text:
        return f"A policy denies {action}. {text}"
    if code is Code.DENIED and action:
        return f"The permission {action} is missing. {text}"
    if code is Code.CHANGED:
        return f"Somebody else changed it meanwhile. {text}"
    if name == "CodeArtifactUserPendingException":
        return "The function was inactive and is waking up: Lambda is fetching its image again."
    return f"{operation}: {text}"


def _unreachable(error: Exception) -> DrydockError:
    text = str(error)
    no_name = any(words in text.lower() or words in repr(getattr(error, "kwargs", "")).lower() for words in _NO_NAME)
    step = next((step for kind, step in _NO_WAY.items() if isinstance(error, kind)), "")
    return DrydockError(
        Code.UNREACHABLE,
        f"AWS could not be reached: {_why(error)}",
        next_step=step or (_CHECK_DNS if no_name else _CHECK_NETWORK),
        retryable=True,
    )


def _why(error: Exception) -> str:
    """In words, where one host is asked; a proxy's trouble is told as boto tells it."""
    host = urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url") or "")).hostname
    cause = cause_of(host, error) if host else None
    return f"{cause.words[0].lower()}{cause.words[1:]}." if cause else str(error)


def _was_parsing(error: Exception) -> bool:
    """Whether botocore raised it while it read an answer."""
    frame = error.__traceback__
    while frame:
        if frame.tb_frame.f_globals.get("__name__") == "botocore.parsers":
            return True
        frame = frame.tb_next
    return False


def _not_understood(change: bool) -> DrydockError:
    what = "AWS's answer is not of the shape that botocore knows."
    if change:
        return _unknown_outcome(what)
    return DrydockError(
        Code.FAILED, what, next_step="See whether a newer Drydock understands it, or who answers there."
    )


def _unknown_outcome(text: str) -> DrydockError:
    return DrydockError(
        Code.UNKNOWN_OUTCOME,
        f"The answer of AWS did not arrive: {text}",
        next_step="It may or may not have happened. Look before you repeat it.",
    )
