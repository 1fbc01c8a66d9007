"""CodeBuild: projects and builds that really build an image inside the sandbox. moto keeps builds and runs none.

The source is NO_SOURCE, with the build spec in the project or in StartBuild's buildspecOverride, as a real project
would have it. AWS's CodeBuild understands the same text (docs.aws.amazon.com/codebuild/latest/userguide/
build-spec-ref.html); which commands are carried out here is in sandbox/builds/commands.py:

    version: 0.2
    env:
      variables:
        BASE: public.ecr.aws/lambda/python:3.12
        REGISTRY: 111111111111.dkr.ecr.eu-west-1.amazonaws.com
      exported-variables: [IMAGE_DIGEST]
    phases:
      pre_build:
        commands:
          - aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY
          - |
            cat > Dockerfile <<'EOF'
            ARG BASE
            FROM $BASE
            COPY --from=111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:1 /var/task /var/task
            CMD ["app.handler"]
            EOF
      build:
        commands:
          - docker build --build-arg BASE=$BASE -t $REGISTRY/app:2 .
      post_build:
        commands:
          - docker push $REGISTRY/app:2
          - export IMAGE_DIGEST=$(docker inspect --format '{{index .RepoDigests 0}}' $REGISTRY/app:2)

The build's environment must be privileged, as docker in CodeBuild must.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox import clock
from sandbox.builds.build_run import Build, run
from sandbox.core.dispatch import route
from sandbox.core.protocol import Call, JsonService, ServiceError
from sandbox.iam import roles

CODEBUILD = JsonService("codebuild")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]{1,149}")
_PAGE = 100
_KEPT = ("name", "description", "source", "artifacts", "environment", "serviceRole", "tags", "logsConfig")
_LOCK = threading.RLock()
_PROJECTS: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
_BUILDS: dict[tuple[str, str], dict[str, Build]] = {}


def install() -> None:
    """Answer CodeBuild here."""
    route("codebuild", CODEBUILD)


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", 400, message)


def _arn(call: Call, what: str) -> str:
    return f"arn:aws:codebuild:{call.region}:{call.account}:{what}"


def _projects(call: Call) -> dict[str, dict[str, Any]]:
    return _PROJECTS.setdefault((call.account, call.region), {})


def _builds(call: Call) -> dict[str, Build]:
    return _BUILDS.setdefault((call.account, call.region), {})


@CODEBUILD.operation("CreateProject")
def create_project(call: Call) -> Mapping[str, Any]:
    """A new project. Raises InvalidInputException, ResourceAlreadyExistsException."""
    name = call["name"]
    if not _NAME.fullmatch(name):
        raise _invalid(f"Project name {name} is invalid: it must match {_NAME.pattern}")
    if call["source"]["type"] != "NO_SOURCE":
        raise _invalid("The sandbox builds from NO_SOURCE only, with the files in the build spec.")
    if not call["source"].get("buildspec"):
        raise _invalid("Invalid buildspec provided: required for NO_SOURCE")
    if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/.+", call["serviceRole"]):
        raise _invalid("Invalid service role: it must be the ARN of a role")
    _variables(call["environment"].get("environmentVariables", []))
    project = {key: call.parameters[key] for key in _KEPT if key in call.parameters}
    now = clock.seconds()
    with _LOCK:
        if name in _projects(call):
            raise ServiceError(
                "ResourceAlreadyExistsException", 400, f"Project already exists: {_arn(call, f'project/{name}')}"
            )
        project |= {"arn": _arn(call, f"project/{name}"), "created": now, "lastModified": now}
        _projects(call)[name] = project | {"timeoutInMinutes": call.get("timeoutInMinutes", 60)}
    return {"project": _projects(call)[name]}


@CODEBUILD.operation("BatchGetProjects")
def batch_get_projects(call: Call) -> Mapping[str, Any]:
    """Projects by name or ARN, and the names that are missing."""
    names = {name: name.rpartition("/")[2] for name in call["names"]}
    projects = _projects(call)
    return {
        "projects": [projects[short] for short in names.values() if short in projects],
        "projectsNotFound": [name for name, short in names.items() if short not in projects],
    }


def _variables(given: list[dict[str, str]]) -> dict[str, str]:
    for each in given:
        if each.get("type", "PLAINTEXT") != "PLAINTEXT":
            raise _invalid(
                f"The sandbox has PLAINTEXT environment variables only, not {each['type']} ({each['name']})."
            )
    return {each["name"]: each["value"] for each in given}


def _project(call: Call) -> dict[str, Any]:
    name = call["projectName"].rpartition("/")[2]
    found = _projects(call).get(name)
    if found is None:
        arn = _arn(call, f"project/{name}")
        raise ServiceError("ResourceNotFoundException", 400, f"Project cannot be found: {arn}")
    return found


@CODEBUILD.operation("StartBuild")
def start_build(call: Call) -> Mapping[str, Any]:
    """Start a build in the background. Overrides: build spec, environment variables, privileged mode, role."""
    project = _project(call)
    role = call.get("serviceRoleOverride", project["serviceRole"])
    if not roles.is_open(call.account) and roles.find(call.account, role.rpartition("/")[2]) is None:
        raise _invalid(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")
    environment = dict(project["environment"])
    variables = _variables(environment.get("environmentVariables", []))
    variables |= _variables(call.get("environmentVariablesOverride", []))
    environment["environmentVariables"] = [
        {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
    ]
    environment["privilegedMode"] = call.get("privilegedModeOverride", environment.get("privilegedMode", False))
    environment["type"] = call.get("environmentTypeOverride", environment["type"])
    with _LOCK:
        own = [build for build in _builds(call).values() if build.project == project["name"]]
        identifier = f"{project['name']}:{uuid.uuid4()}"
        build = Build(
            account=call.account,
            region=call.region,
            id=identifier,
            arn=_arn(call, f"build/{identifier}"),
            project=project["name"],
            number=len(own) + 1,
            buildspec=call.get("buildspecOverride") or project["source"]["buildspec"],
            environment=environment,
            role=role,
            logs_config=call.get("logsConfigOverride", project.get("logsConfig", {})),
            timeout=60.0 * call.get("timeoutInMinutesOverride", project["timeoutInMinutes"]),
        )
        _builds(call)[identifier] = build
    started = build.document()
    threading.Thread(target=run, args=(build,), daemon=True).start()
    return {"build": started}


@CODEBUILD.operation("BatchGetBuilds")
def batch_get_builds(call: Call) -> Mapping[str, Any]:
    """Builds by id or ARN, and the ids that are missing."""
    ids = {given: given.rpartition("/")[2] for given in call["ids"]}
    builds = _builds(call)
    return {
        "builds": [builds[short].document() for short in ids.values() if short in builds],
        "buildsNotFound": [given for given, short in ids.items() if short not in builds],
    }


@CODEBUILD.operation("ListBuildsForProject")
def list_builds_for_project(call: Call) -> Mapping[str, Any]:
    """Ids of a project's builds, newest first unless sortOrder is ASCENDING; 100 a page."""
    name = _project(call)["name"]
    ids = [build.id for build in list(_builds(call).values()) if build.project == name]
    if call.get("sortOrder", "DESCENDING") == "DESCENDING":
        ids.reverse()
    token = call.get("nextToken", "0")
    if not token.isdecimal() or int(token) > len(ids):
        raise _invalid("Invalid pagination token")
    end = int(token) + _PAGE
    return {"ids": ids[int(token) : end]} | ({"nextToken": str(end)} if end < len(ids) else {})


@CODEBUILD.operation("StopBuild")
def stop_build(call: Call) -> Mapping[str, Any]:
    """Stop a build between two commands; one that has ended stays as it is."""
    build = _builds(call).get(call["id"].rpartition("/")[2])
    if build is None:
        raise ServiceError("ResourceNotFoundException", 400, f"Build cannot be found: {call['id']}")
    build.stop.set()
    build.ended.wait(1.0)
    return {"build": build.document()}
