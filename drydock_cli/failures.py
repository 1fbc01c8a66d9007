"""How a command ends: the exit codes that pipelines read, and the one line that says why."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

Document = dict[str, Any]


class ExitCode(IntEnum):
    """What a pipeline reads."""

    DONE = 0
    FAILED = 1  # the run, or what was asked for
    USAGE = 2  # the command, or how it is set up
    REFUSED = 3  # who asks may not, a check forbids it, or somebody else was first
    UNREACHABLE = 4  # nobody answers, or only that it can't now: try again later
    WAITS = 5  # for somebody to confirm or approve it


BROKEN_PIPE, INTERRUPTED, TERMINATED = 141, 130, 143  # 128 + the number of the signal, as shells have it
OF_CODES: Mapping[str, ExitCode] = {
    "invalid": ExitCode.USAGE,
    "not_allowed": ExitCode.USAGE,
    "failed": ExitCode.FAILED,
    "unknown_outcome": ExitCode.FAILED,
    "throttled": ExitCode.UNREACHABLE,
    "overloaded": ExitCode.UNREACHABLE,
    "unavailable": ExitCode.UNREACHABLE,
    "unreachable": ExitCode.UNREACHABLE,
}


class Failure(Exception):
    """Why a command ends. `code` is the API's, `document` the whole answer where there was one."""

    def __init__(
        self,
        exit_code: ExitCode,
        code: str,
        detail: str,
        next_step: str = "",
        *,
        request: str = "",
        document: Document | None = None,
    ) -> None:
        super().__init__(detail)
        self.exit_code, self.document = exit_code, document
        told = [f"{code}: {detail}", next_step, f"(request {request})" if request else ""]
        self.line = " ".join(part for part in told if part)


def of_problem(status: int, problem: Document, request: str) -> Failure:
    """What an answer of application/problem+json says."""
    code, detail = str(problem.get("code", status)), str(problem.get("detail", "")).rstrip()
    aws = " ".join(str(problem[name]) for name in ("aws_code", "request_id") if problem.get(name))
    return Failure(
        OF_CODES.get(code, ExitCode.REFUSED if status < 500 else ExitCode.FAILED),
        code,
        f"{detail} (AWS: {aws})" if aws else detail,
        str(problem.get("next_step", "")),
        request=request,
        document=problem,
    )


def of_status(status: int, reason: str, request: str) -> Failure:
    """What an answer says that is no problem+json: a proxy's, mostly."""
    known = {502: ExitCode.UNREACHABLE, 503: ExitCode.UNREACHABLE, 504: ExitCode.UNREACHABLE, 429: ExitCode.UNREACHABLE}
    exit_code = known.get(status, ExitCode.REFUSED if status in (401, 403, 404) else ExitCode.FAILED)
    told = f"{status} {reason}, and not in Drydock's words."
    return Failure(exit_code, "no_answer_of_drydock", told, "Look at what stands before it (proxy).", request=request)
