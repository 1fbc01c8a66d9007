"""What an execution environment is started from: the image's config, the function's settings and its log stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox import clock
from sandbox.lambda_.image_rules import manifest_of
from sandbox.lambda_.model import Function, Settings, Version
from sandbox.lambda_.runtime.environment import Launch, Outcome
from sandbox.lambda_.runtime.platform_lines import Report, end_lines, start_line
from sandbox.lambda_.runtime.root_files import ROOTS
from sandbox.logs import log_store
from sandbox.store.content_store import STORE

RESPONSE_LABEL = "drydock.sandbox.response"
"""Image label of a recorded response (JSON), for handlers whose runtime is not in the sandbox."""
_LAMBDA_ENTRYPOINT = "/lambda-entrypoint.sh"
Write = Callable[[Sequence[str]], None]


class InvalidEntrypointError(Exception):
    """The image's entrypoint cannot be executed."""


def recorded_response(config: Mapping[str, Any]) -> str | None:
    """The image's recorded response, where it has one."""
    label: str | None = (config.get("config", {}).get("Labels") or {}).get(RESPONSE_LABEL)
    return label


def launch(function: Function, version: Version, config: Mapping[str, Any]) -> Launch:
    """Unpack the image and give all that its environment needs. Raises InvalidEntrypointError."""
    settings, image = version.settings, config.get("config", {})
    root = ROOTS.root(version.code.digest, lambda: _layers(function, version))
    working_dir = settings.image_config.get("WorkingDirectory") or image.get("WorkingDir") or "/"
    stream = log_stream(function, version)
    return Launch(
        version=version.number,
        memory=settings.memory,
        timeout=settings.timeout,
        handler=_handler(settings, image, root),
        root=root,
        working_dir=working_dir,
        variables=_variables(function, version, image, stream),
        write=log_writer(function, version, stream),
        json_logs=_json_logs(settings),
        warnings_only=_json_logs(settings) and settings.logging.get("SystemLogLevel") == "WARN",
    )


def log_stream(function: Function, version: Version) -> str:
    """A new log stream's name: "2026/05/04/[3]0f1e…"; in a group that others may share "2026/05/04/orders[3]0f1e…"."""
    shared = version.settings.log_group(function.name) != f"/aws/lambda/{function.name}"
    return f"{clock.now():%Y/%m/%d}/{function.name if shared else ''}[{version.number}]{uuid4().hex}"


def log_writer(function: Function, version: Version, stream: str) -> Write:
    """Writes lines to the function's log group."""
    group = version.settings.log_group(function.name)

    def write(lines: Sequence[str]) -> None:
        log_store.write(function.account, function.region, group, stream, lines)

    return write


def recorded(function: Function, version: Version, request_id: str, response: str) -> Outcome:
    """Answer with the image's recorded response, and say so in the log."""
    line = "[sandbox] this image's runtime does not run here: the answer below was recorded in its label"
    return _without_process(function, version, request_id, f"{line} {RESPONSE_LABEL}", response.encode())


def not_started(function: Function, version: Version, request_id: str, error: InvalidEntrypointError) -> Outcome:
    """Answer as Lambda does when a container does not start."""
    document = {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": f"RequestId: {request_id} Error: {error}"}
    payload = json.dumps(document).encode()
    return _without_process(function, version, request_id, str(error), payload, "Runtime.InvalidEntrypoint")


def _without_process(
    function: Function, version: Version, request_id: str, line: str, payload: bytes, error_type: str = ""
) -> Outcome:
    as_json = _json_logs(version.settings)
    status = "error" if error_type else "success"
    report = Report(request_id, version.number, 0.0, version.settings.memory, 0, None, status, error_type)
    lines = [
        start_line(request_id, version.number, as_json=as_json),
        line,
        *end_lines(report, as_json=as_json),
    ]
    log_writer(function, version, log_stream(function, version))(lines)
    return Outcome(payload, bool(error_type), lines)


def _json_logs(settings: Settings) -> bool:
    return settings.logging.get("LogFormat") == "JSON"


def _layers(function: Function, version: Version) -> list[bytes]:
    manifest, _ = manifest_of(version.code, function.account, function.name)
    layers = manifest.document["layers"] if manifest else ()
    return [STORE.blob(layer["digest"]) for layer in layers]


def _handler(settings: Settings, image: Mapping[str, Any], root: Path) -> str:
    """The handler's name: the last word of the command, where the entrypoint is a Python runtime client."""
    overrides = settings.image_config
    entrypoint = list(overrides.get("EntryPoint") or image.get("Entrypoint") or [])
    # A function's EntryPoint leaves the image's CMD in force, as Lambda has it.
    words = [*entrypoint, *(overrides.get("Command") or image.get("Cmd") or [])]
    if not words:
        raise InvalidEntrypointError("Runtime.InvalidEntrypoint: the image names neither entrypoint nor command")
    program = words[0]
    if program == _LAMBDA_ENTRYPOINT or "awslambdaric" in words[:-1]:
        if len(words) < 2:
            raise InvalidEntrypointError("entrypoint requires the handler name to be the first argument")
        return str(words[-1])
    exists = (root / program.lstrip("/")).exists()
    reason = "exec format error" if exists else "no such file or directory"
    raise InvalidEntrypointError(f"fork/exec {program}: {reason}")


def _variables(function: Function, version: Version, image: Mapping[str, Any], stream: str) -> dict[str, str]:
    settings = version.settings
    own = dict(entry.split("=", 1) for entry in image.get("Env") or [])
    # Paths of the image's own libraries would only confuse this machine's interpreter.
    own = {name: value for name, value in own.items() if not name.startswith(("LD_", "PYTHON"))}
    level = settings.logging.get("ApplicationLogLevel", "INFO")
    log_format = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level} if _json_logs(settings) else {}
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        **own,
        **(settings.environment or {}),
        **log_format,
        "AWS_EXECUTION_ENV": own.get("AWS_EXECUTION_ENV", "AWS_Lambda_Image"),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": version.number,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": settings.log_group(function.name),
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }
