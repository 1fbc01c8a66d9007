"""A registry's refusals, translated once into Drydock's errors."""

import json

import httpx

from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.json_fields import read_text
from functions_app.domain.network_errors import cause_of
from functions_app.domain.text import storable

LENGTH = 500  # characters of an error's text
FULL = "maximum allowed number of images"
MAKE_ROOM = "Delete images that nothing uses, or ask AWS for a higher quota of images per repository."
ALLOW_PUSHES = "Allow what docs/policies/patch.json names, and see whether the repository's policy denies it."
LOG_IN_TO_PUSH = "It wants a login that may push: see DRYDOCK_REGISTRY_AUTH_FILE."
_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "docker-request-id", "x-request-id")


def refusal(
    host: str, what: str, status: int, headers: httpx.Headers, body: bytes, *, writes: bool = False
) -> DrydockError:
    """The error for an answer that is none of the expected ones; `what` names the thing asked for, or written."""
    code, said = _first_error(body)
    request_id = next((headers[name] for name in _REQUEST_IDS if name in headers), "")
    text = f" It says: {said}" if said else ""
    kind, message, next_step, retryable = _meaning(status)
    if kind is Code.DENIED and FULL in said:
        # ECR says 403 where a repository is full: https://github.com/aws/containers-roadmap/issues/2159
        kind, message, next_step = Code.FAILED, "has no room for", MAKE_ROOM
    elif kind is Code.DENIED and writes:
        next_step = ALLOW_PUSHES if ecr_host(host) else LOG_IN_TO_PUSH
    elif kind is Code.DENIED and not ecr_host(host):
        next_step = "It may not exist, or it wants a login that may read it: see DRYDOCK_REGISTRY_AUTH_FILE."
    return DrydockError(
        kind,
        storable(f"{host} {message} {what} (HTTP {status}).{text}", LENGTH),
        next_step=next_step,
        aws_code=code,
        request_id=storable(request_id, 80),
        retryable=retryable,
    )


def unreachable(host: str, what: str, error: Exception) -> DrydockError:
    """The error for no answer at all. Its first sentence is the same whatever was asked for."""
    cause = cause_of(_asked(error) or host, error)
    words = cause.words if cause else _no_answer(host, error)
    next_step = cause.next_step if cause else "Check the network, the proxy and DRYDOCK_REGISTRY_MIRRORS."
    return DrydockError(
        Code.UNREACHABLE,
        storable(f"{words}. Asked for: {what}.", LENGTH),
        next_step=next_step,
        retryable=True,
    )


def _asked(error: Exception) -> str:
    """The host that was really asked, which a mirror or a redirect may have named."""
    try:
        return error.request.url.host if isinstance(error, httpx.RequestError) else ""
    except RuntimeError:  # the error knows no request
        return ""


def _no_answer(host: str, error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer in time"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return f"{host} broke off its answer ({error or type(error).__name__})"
    return f"{host} cannot be reached ({error or type(error).__name__})"


def broken(host: str, what: str, why: str) -> DrydockError:
    """The error for an answer that must not be trusted: a digest that differs, a size beyond all sense."""
    text = f"{host} answered for {what} with what cannot be used: {why}."
    return DrydockError(Code.FAILED, storable(text, LENGTH))


def _meaning(status: int) -> tuple[Code, str, str, bool]:
    if status == 401:
        return Code.DENIED, "does not let us see", "It may not exist, or its policy does not let this login in.", False
    if status == 403:
        return Code.DENIED, "forbids", "Allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on it.", False
    if status == 404:
        return Code.NOT_FOUND, "has no", "Check the name; it may have been deleted.", False
    if status == 412:
        return Code.CHANGED, "has changed meanwhile, and refuses", "Read it again.", False
    if status == 429:
        return Code.THROTTLED, "throttles us at", "Try again later, or log in: the limits are higher then.", True
    if status >= 500:
        return Code.UNREACHABLE, "fails at", "Try again later.", True
    return Code.FAILED, "refuses", "", False


def _first_error(body: bytes) -> tuple[str, str]:
    """Code and text of the first error, as the Distribution specification writes them."""
    try:
        first = json.loads(body)["errors"][0]
        return storable(read_text(first.get("code")), 80), storable(read_text(first.get("message")), 300)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", ""
