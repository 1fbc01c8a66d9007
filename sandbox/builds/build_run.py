"""One build from SUBMITTED to COMPLETED: its phases with their times, its commands, its log in CloudWatch."""

from __future__ import annotations

import sys
import threading
import traceback
from dataclasses import dataclass, field
from typing import Any

import yaml

from sandbox import clock
from sandbox.builds.commands import CommandFailed, Shell
from sandbox.builds.docker import DOCKER
from sandbox.builds.images import Docker
from sandbox.clock import CLOCK
from sandbox.logs import log_store

_SPEC_PHASES = ("install", "pre_build", "build", "post_build")


class _Ended(Exception):
    """The phase failed or was stopped: status, the code and the message of its context."""

    def __init__(self, status: str, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Build:
    """A build; its phases are changed by its own thread only, and read by any."""

    account: str
    region: str
    id: str
    arn: str
    project: str
    number: int
    buildspec: str
    environment: dict[str, Any]
    role: str
    logs_config: dict[str, Any]
    timeout: float
    started: float = field(default_factory=clock.seconds)
    finished: float | None = None
    status: str = "IN_PROGRESS"
    phases: list[dict[str, Any]] = field(default_factory=list)
    exported: list[dict[str, str]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """SUBMITTED is past when the call answers."""
        self.phases += [_phase("SUBMITTED", self.started, "SUCCEEDED"), _phase("QUEUED", self.started)]

    @property
    def uuid(self) -> str:
        """The part of the id after the project: AWS's name of the log stream."""
        return self.id.partition(":")[2]

    @property
    def log_group(self) -> str:
        """Where the log goes: what logsConfig says, or /aws/codebuild/PROJECT."""
        return str(self.logs_config.get("cloudWatchLogs", {}).get("groupName") or f"/aws/codebuild/{self.project}")

    @property
    def log_stream(self) -> str:
        """The build's uuid, under logsConfig's stream name if there is one."""
        prefix = self.logs_config.get("cloudWatchLogs", {}).get("streamName")
        return f"{prefix}/{self.uuid}" if prefix else self.uuid

    def document(self) -> dict[str, Any]:
        """As BatchGetBuilds shows it."""
        arn = f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.log_group}:log-stream:{self.log_stream}"
        found = {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": self.started,
            "currentPhase": self.phases[-1]["phaseType"],
            "buildStatus": self.status,
            "buildComplete": self.finished is not None,
            "projectName": self.project,
            "phases": [dict(phase) for phase in list(self.phases)],
            "source": {"type": "NO_SOURCE", "buildspec": self.buildspec},
            "artifacts": {"location": ""},
            "environment": self.environment,
            "serviceRole": self.role,
            "timeoutInMinutes": int(self.timeout // 60),
            "initiator": "sandbox",
            "exportedEnvironmentVariables": self.exported,
            "logs": {
                "groupName": self.log_group,
                "streamName": self.log_stream,
                "cloudWatchLogsArn": arn,
                "deepLink": f"https://console.aws.amazon.com/cloudwatch/home?region={self.region}#logEvent:"
                f"group={self.log_group};stream={self.log_stream}",
            },
        }
        return found | ({"endTime": self.finished} if self.finished else {})

    def log(self, text: str) -> None:
        """Write a line into the build's log."""
        log_store.write(self.account, self.region, self.log_group, self.log_stream, [text])

    def say(self, text: str) -> None:
        """Write a line of CodeBuild's own."""
        self.log(f"[Container] {clock.now():%Y/%m/%d %H:%M:%S.%f} {text}")


def _phase(name: str, start: float, status: str | None = None) -> dict[str, Any]:
    phase: dict[str, Any] = {"phaseType": name, "startTime": start}
    return phase | ({"phaseStatus": status, "endTime": start, "durationInSeconds": 0} if status else {})


def run(build: Build) -> None:
    """Carry a build out. Never raises: what goes wrong is the build's status."""
    try:
        _Run(build).all()
    except Exception as error:  # noqa: BLE001  the thread's boundary: shown on stderr and in the build
        traceback.print_exc(file=sys.stderr)
        build.say(f"The sandbox failed: {type(error).__name__}: {error}")
        build.phases[-1].setdefault("phaseStatus", "FAULT")
        _finish(build, "FAULT")
    finally:
        build.ended.set()


def _finish(build: Build, status: str) -> None:
    now = clock.seconds()
    build.phases.append({"phaseType": "COMPLETED", "startTime": now})
    build.status, build.finished = status, now


class _Run:
    def __init__(self, build: Build) -> None:
        self.build = build
        self.spec: dict[str, Any] = {}
        self.status = "SUCCEEDED"
        role, session = build.role.rpartition("/")[2], f"AWSCodeBuild-{build.uuid}"
        caller = f"arn:aws:sts::{build.account}:assumed-role/{role}/{session}"
        environment = build.environment
        platform = "linux/arm64" if environment["type"].startswith("ARM") else "linux/amd64"
        privileged = bool(environment.get("privilegedMode"))
        self.shell = Shell(Docker(build.account, build.region, caller), platform, privileged, build.log, DOCKER)

    def all(self) -> None:
        """The phases in CodeBuild's order: a failed BUILD still goes through POST_BUILD, earlier ones end it."""
        self._through("QUEUED", self._pass, first=True)
        going_on = self._through("PROVISIONING", self._wait) and self._through("DOWNLOAD_SOURCE", self._read_spec)
        for name in _SPEC_PHASES:
            if going_on:
                done = self._through(name.upper(), lambda name=name: self._commands(name))
                going_on = done or (name == "build" and not self.build.stop.is_set())
        if going_on:
            self._through("UPLOAD_ARTIFACTS", self._export)
        self._through("FINALIZING", self._pass)
        _finish(self.build, self.status)

    def _through(self, name: str, work: Any, *, first: bool = False) -> bool:
        """Run one phase and note how it ended; whether it succeeded."""
        if not first:
            self.build.phases.append(_phase(name, clock.seconds()))
        phase, status = self.build.phases[-1], "SUCCEEDED"
        contexts = {"statusCode": "", "message": ""}
        try:
            work()
        except _Ended as ended:
            status = ended.status
            contexts = {"statusCode": ended.code, "message": ended.message}
            self.status = status if self.status == "SUCCEEDED" else self.status
            self.shell.variables["CODEBUILD_BUILD_SUCCEEDING"] = "0"
        end = clock.seconds()
        phase |= {
            "phaseStatus": status,
            "endTime": end,
            "durationInSeconds": int(end - phase["startTime"]),
            "contexts": [contexts],
        }
        if self.spec:
            self.build.say(f"Phase complete: {name} State: {status}")
            self.build.say(f"Phase context status code: {contexts['statusCode']} Message: {contexts['message']}")
        return status == "SUCCEEDED"

    def _pass(self) -> None:
        pass

    def _check(self) -> None:
        if self.build.stop.is_set():
            raise _Ended("STOPPED")
        if clock.seconds() - self.build.started > self.build.timeout:
            raise _Ended("TIMED_OUT", "BUILD_TIMED_OUT", "Build has timed out.")

    def _wait(self) -> None:
        self.build.stop.wait(CLOCK.build)
        self._check()

    def _read_spec(self) -> None:
        build = self.build
        build.say("Waiting for agent ping")
        try:
            spec = yaml.safe_load(build.buildspec)
            problem = _problem(spec)
        except yaml.YAMLError as error:
            problem = f"YAML_FILE_ERROR: {error}"
        if problem:
            build.say(problem)
            raise _Ended("FAILED", "YAML_FILE_ERROR", problem)
        self.spec = spec
        variables = {name: str(value) for name, value in (spec.get("env") or {}).get("variables", {}).items()}
        variables |= {each["name"]: each["value"] for each in build.environment["environmentVariables"]}
        self.shell.variables = {
            **variables,
            "AWS_REGION": build.region,
            "AWS_DEFAULT_REGION": build.region,
            "CODEBUILD_BUILD_ID": build.id,
            "CODEBUILD_BUILD_ARN": build.arn,
            "CODEBUILD_BUILD_NUMBER": str(build.number),
            "CODEBUILD_BUILD_SUCCEEDING": "1",
            "CODEBUILD_SRC_DIR": "/",
        }
        build.say("Phase is DOWNLOAD_SOURCE")

    def _commands(self, name: str) -> None:
        for command in (self.spec["phases"].get(name) or {}).get("commands", []):
            self._check()
            self.build.say(f"Running command {command}")
            try:
                self.shell.run(str(command))
            except CommandFailed as failed:
                for line in str(failed).splitlines():
                    self.build.log(line)
                message = f"Error while executing command: {command}. Reason: exit status {failed.status}"
                self.build.say(f"Command did not exit successfully {command} exit status {failed.status}")
                raise _Ended("FAILED", "COMMAND_EXECUTION_ERROR", message) from failed
        self._check()

    def _export(self) -> None:
        names = (self.spec.get("env") or {}).get("exported-variables", [])
        self.build.exported = [
            {"name": name, "value": self.shell.variables[name]} for name in names if name in self.shell.variables
        ]


def _problem(spec: object) -> str:
    """What is wrong with a build spec, or nothing."""
    if not isinstance(spec, dict):
        return "YAML_FILE_ERROR: the build spec is not a mapping"
    if str(spec.get("version")) not in ("0.2", "0.1"):
        return f"YAML_FILE_ERROR: unknown buildspec version: {spec.get('version')}"
    if not isinstance(spec.get("env") or {}, dict):
        return "YAML_FILE_ERROR: env is not a mapping"
    phases = spec.get("phases")
    if not isinstance(phases, dict) or not phases:
        return "YAML_FILE_ERROR: a build spec needs phases"
    if unknown := phases.keys() - set(_SPEC_PHASES):
        return f"YAML_FILE_ERROR: unknown phases: {', '.join(sorted(map(str, unknown)))}"
    for name, phase in phases.items():
        if not isinstance((phase or {}).get("commands", []), list):
            return f"YAML_FILE_ERROR: expected commands of {name} to be a list of strings"
        for number, command in enumerate((phase or {}).get("commands", [])):
            if not isinstance(command, str):
                return f"YAML_FILE_ERROR: Expected Commands[{number}] to be of string type: found {command!r} instead"
    return ""
