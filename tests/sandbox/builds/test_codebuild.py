"""CodeBuild: projects and builds by plain boto3; what a build makes is looked at in ECR and run by Lambda."""

import json
import textwrap
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sandbox.builds import codebuild
from sandbox.builds.build_run import Build, run
from sandbox.images.making import Image, make_image, make_layer
from sandbox.registry.access import PUBLIC_PASSWORD, PUBLIC_USER
from tests.fixtures import REGION, ClientFactory, Push, Sandbox, push_image, registry_client
from tests.sandbox.fixtures import CREATED
from tests.sandbox.functions import Functions, python_image

BASE = "public.ecr.aws/lambda/build-base:1"
LOGIN = "aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY"
BUILD = "docker build -t $REGISTRY/team/app:v1 ."
PUSH = "docker push $REGISTRY/team/app:v1"
HANDLER = "def handler(event, context):\n    return {'built': True}\n"
APP = 'COPY app.py ${LAMBDA_TASK_ROOT}/\nCMD ["app.handler"]'


@pytest.fixture(scope="session")
def base(sandbox: Sandbox) -> Image:
    """A small base in the public name space."""
    config = {
        "Env": ["LAMBDA_TASK_ROOT=/var/task", "PATH=/usr/bin"],
        "WorkingDir": "/var/task",
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Cmd": ["base.handler"],
        "Labels": {"vendor": "base"},
    }
    image = make_image([make_layer({"etc/os-release": b"ID=base\n", "var/task/": b""})], created=CREATED, config=config)
    with registry_client(sandbox.url, (PUBLIC_USER, PUBLIC_PASSWORD)) as registry:
        push_image(registry, "lambda/build-base", image, ["1"])
    return image


class Builds:
    """Projects and builds of the test's own account."""

    def __init__(self, client: ClientFactory, account: str) -> None:
        self.api, self.ecr, self.logs = client("codebuild"), client("ecr"), client("logs")
        self.registry = f"{account}.dkr.ecr.{REGION}.amazonaws.com"
        self.account = account

    def create(self, buildspec: str, name: str = "app", *, privileged: bool = True) -> dict[str, Any]:
        """CreateProject."""
        created: dict[str, Any] = self.api.create_project(
            name=name,
            source={"type": "NO_SOURCE", "buildspec": buildspec},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "privilegedMode": privileged,
                "environmentVariables": [{"name": "REGISTRY", "value": self.registry}],
            },
            serviceRole=f"arn:aws:iam::{self.account}:role/Build",
        )["project"]
        return created

    def get(self, identifier: str) -> dict[str, Any]:
        """BatchGetBuilds of one."""
        (found,) = self.api.batch_get_builds(ids=[identifier])["builds"]
        build: dict[str, Any] = found
        return build

    def wait(self, identifier: str) -> dict[str, Any]:
        """The build once it is complete."""
        deadline = time.monotonic() + 20
        while not (build := self.get(identifier))["buildComplete"]:
            assert time.monotonic() < deadline, build
            time.sleep(0.02)
        return build

    def run(self, buildspec: str, **overrides: Any) -> dict[str, Any]:
        """Create a project and the repository, build, wait."""
        self.create(buildspec)
        with suppress(self.ecr.exceptions.RepositoryAlreadyExistsException):
            self.ecr.create_repository(repositoryName="team/app")
        return self.wait(self.api.start_build(projectName="app", **overrides)["build"]["id"])

    def log(self, build: dict[str, Any]) -> str:
        """The build's log."""
        where = {"logGroupName": build["logs"]["groupName"], "logStreamNames": [build["logs"]["streamName"]]}
        return "\n".join(event["message"] for event in self.logs.filter_log_events(**where)["events"])

    def config(self, tag: str = "v1") -> dict[str, Any]:
        """The config document of what was pushed, by ECR's own API."""
        (image,) = self.ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": tag}])["images"]
        digest = json.loads(image["imageManifest"])["config"]["digest"]
        url = self.ecr.get_download_url_for_layer(repositoryName="team/app", layerDigest=digest)["downloadUrl"]
        document: dict[str, Any] = httpx.get(url).json()
        return document

    def manifest(self, tag: str = "v1") -> dict[str, Any]:
        """The manifest of what was pushed."""
        (image,) = self.ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": tag}])["images"]
        document: dict[str, Any] = json.loads(image["imageManifest"])
        return document


@pytest.fixture
def builds(client: ClientFactory, account: str, base: Image, sandbox: Sandbox) -> Builds:
    sandbox.admin("POST", "clock", {"build": 0})
    return Builds(client, account)


def spec(dockerfile: str, *more: str, build: str = BUILD, push: str = PUSH, exported: str = "IMAGE_DIGEST") -> str:
    """A build spec as a project would have it: the Dockerfile and the handler inline."""
    commands = [LOGIN, f"cat > Dockerfile <<'EOF'\n{dockerfile}\nEOF", f"cat > app.py <<'EOF'\n{HANDLER}EOF", *more]
    inspect = "export IMAGE_DIGEST=$(docker inspect --format '{{index .RepoDigests 0}}' $REGISTRY/team/app:v1)"
    document = {
        "version": 0.2,
        "env": {"exported-variables": [exported]},
        "phases": {
            "pre_build": {"commands": commands},
            "build": {"commands": [build]},
            "post_build": {"commands": [push, inspect]},
        },
    }
    return json.dumps(document)  # JSON is YAML


def phases(build: dict[str, Any]) -> dict[str, str | None]:
    return {phase["phaseType"]: phase.get("phaseStatus") for phase in build["phases"]}


def test_a_build_pushes_an_image_that_ecr_shows(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}"))
    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    (image,) = builds.ecr.describe_images(repositoryName="team/app")["imageDetails"]
    assert image["imageTags"] == ["v1"]


def test_the_layers_of_the_base_are_kept_and_the_apps_put_on_top(builds: Builds, base: Image) -> None:
    builds.run(spec(f"FROM {BASE}\n{APP}"))
    layers = [layer["digest"] for layer in builds.manifest()["layers"]]
    assert layers[0] == base.layers[0].digest
    assert len(layers) == 2
    assert builds.config()["rootfs"]["diff_ids"][0] == base.layers[0].diff_id


def test_what_was_built_runs_in_lambda(builds: Builds, functions: Functions) -> None:
    builds.run(spec(f"FROM {BASE}\n{APP}"))
    functions.create(reference="team/app:v1")
    functions.settled("app")
    answer = functions.api.invoke(FunctionName="app")
    assert json.load(answer["Payload"]) == {"built": True}


def test_the_digest_is_exported(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}"))
    (image,) = builds.ecr.describe_images(repositoryName="team/app")["imageDetails"]
    assert build["exportedEnvironmentVariables"] == [
        {"name": "IMAGE_DIGEST", "value": f"{builds.registry}/team/app@{image['imageDigest']}"}
    ]


def test_a_push_by_a_build_is_an_event(builds: Builds, sandbox: Sandbox) -> None:
    builds.run(spec(f"FROM {BASE}\n{APP}"))
    (event,) = sandbox.admin("GET", f"events?account={builds.account}")
    assert (event["detail-type"], event["detail"]["image-tag"]) == ("ECR Image Action", "v1")


def test_phases_run_in_order_with_their_times(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}"))
    names = "SUBMITTED QUEUED PROVISIONING DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD POST_BUILD UPLOAD_ARTIFACTS"
    assert [phase["phaseType"] for phase in build["phases"]] == [*names.split(), "FINALIZING", "COMPLETED"]
    assert {phase["phaseStatus"] for phase in build["phases"][:-1]} == {"SUCCEEDED"}
    times = [time for phase in build["phases"][:-1] for time in (phase["startTime"], phase["endTime"])]
    assert times == sorted(times)
    assert build["startTime"] <= times[0]
    assert build["endTime"] >= times[-1]


def test_a_build_starts_at_once_and_goes_on_in_the_background(
    builds: Builds, clock: Callable[..., AbstractContextManager[None]]
) -> None:
    builds.create(spec(f"FROM {BASE}\n{APP}"))
    with clock(build=60):
        build = builds.api.start_build(projectName="app")["build"]
        assert (build["buildStatus"], build["buildComplete"]) == ("IN_PROGRESS", False)
        builds.api.stop_build(id=build["id"])


def test_the_log_is_in_cloudwatch(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}", "echo hello from the build"))
    assert build["logs"]["groupName"] == "/aws/codebuild/app"
    assert build["id"] == f"app:{build['logs']['streamName']}"
    log = builds.log(build)
    assert "\nhello from the build\n" in log
    assert f"Running command {PUSH.replace('$', '$')}" in log
    assert "Phase complete: BUILD State: SUCCEEDED" in log


def test_config_is_inherited_and_changed(builds: Builds) -> None:
    dockerfile = """\
        # syntax=docker/dockerfile:1
        FROM public.ecr.aws/lambda/build-base:1
        ENV STAGE=prod GREETING="hello there" \\
            # a comment in between
            TASKS=${LAMBDA_TASK_ROOT}/tasks
        ENV OLD form of it
        LABEL team=checkout "org.example.note"='a b'
        WORKDIR jobs
        COPY app.py .
        RUN pip install requests && \\
            rm -rf /tmp/x
        USER 1051
        """
    builds.run(spec(textwrap.dedent(dockerfile)))
    config = builds.config()["config"]
    assert config == {
        "Env": [
            "LAMBDA_TASK_ROOT=/var/task",
            "PATH=/usr/bin",
            "STAGE=prod",
            "GREETING=hello there",
            "TASKS=/var/task/tasks",
            "OLD=form of it",
        ],
        "WorkingDir": "/var/task/jobs",
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Cmd": ["base.handler"],
        "Labels": {"vendor": "base", "team": "checkout", "org.example.note": "a b"},
        "User": "1051",
    }


def test_run_is_recorded_and_not_executed(builds: Builds) -> None:
    builds.run(spec(f"FROM {BASE}\nRUN pip install requests\n{APP}"))
    (step,) = [step for step in builds.config()["history"] if step["created_by"].startswith("RUN")]
    assert step["created_by"] == "RUN /bin/sh -c pip install requests # buildkit"
    assert step["empty_layer"] is True


def test_history_and_layers_agree(builds: Builds) -> None:
    builds.run(spec(f"FROM {BASE}\nRUN true\n{APP}"))
    config = builds.config()
    assert len([step for step in config["history"] if not step.get("empty_layer")]) == len(config["rootfs"]["diff_ids"])


@pytest.mark.parametrize(
    ("lines", "entrypoint", "command"),
    [
        ('CMD ["app.main"]', ["/lambda-entrypoint.sh"], ["app.main"]),
        ("CMD app.main", ["/lambda-entrypoint.sh"], ["/bin/sh", "-c", "app.main"]),
        ('ENTRYPOINT ["/run"]', ["/run"], None),
        ('CMD ["x"]\nENTRYPOINT ["/run"]', ["/run"], ["x"]),
        ("ENTRYPOINT exec /run", ["/bin/sh", "-c", "exec /run"], None),
    ],
)
def test_cmd_and_entrypoint_in_json_and_shell_form(
    builds: Builds, lines: str, entrypoint: list[str], command: list[str] | None
) -> None:
    builds.run(spec(f"FROM {BASE}\n{lines}"))
    config = builds.config()["config"]
    assert (config["Entrypoint"], config.get("Cmd")) == (entrypoint, command)


def test_an_app_image_in_ecr_is_put_on_another_base(builds: Builds, push: Push, functions: Functions) -> None:
    push("team/app", python_image(HANDLER.replace("True", "'from v0'")), ["v0"])
    dockerfile = f'ARG APP\nFROM $APP AS app\nFROM {BASE}\nCOPY --from=app /var/task /var/task\nCMD ["app.handler"]'
    command = f"{BUILD[:-2]} --build-arg APP=$REGISTRY/team/app:v0 ."
    build = builds.run(spec(dockerfile, build=command))
    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    functions.create(reference="team/app:v1")
    functions.settled("app")
    assert json.load(functions.api.invoke(FunctionName="app")["Payload"]) == {"built": "from v0"}


def test_variables_of_start_build_choose_the_base(builds: Builds, base: Image) -> None:
    build = builds.run(
        spec(f"ARG BASE\nFROM $BASE\n{APP}", build="docker build --build-arg BASE=$BASE -t $REGISTRY/team/app:v1 ."),
        environmentVariablesOverride=[{"name": "BASE", "value": BASE}],
    )
    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    assert builds.manifest()["layers"][0]["digest"] == base.layers[0].digest


def test_files_may_be_given_in_base64(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\nCOPY *.bin data/", "echo AAEC/w== | base64 -d > a.bin"))
    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    assert len(builds.manifest()["layers"]) == 2


def test_the_build_spec_of_the_documentation_works(builds: Builds, push: Push) -> None:
    push("app", python_image(), ["1"])
    document = textwrap.dedent(
        (codebuild.__doc__ or "").partition("commands.py:\n\n")[2].partition("\n\nThe build's")[0]
    )
    build = builds.run(
        document.replace("111111111111", builds.account),
        environmentVariablesOverride=[{"name": "BASE", "value": BASE}],
    )
    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    assert build["exportedEnvironmentVariables"][0]["value"].startswith(f"{builds.registry}/app@sha256:")


def test_a_build_that_takes_too_long_is_timed_out() -> None:
    build = Build(
        account="1",
        region=REGION,
        id="app:1",
        arn="",
        project="app",
        number=1,
        buildspec="version: 0.2",
        environment={"type": "LINUX_CONTAINER", "environmentVariables": []},
        role="arn:aws:iam::1:role/Build",
        logs_config={},
        timeout=-1,
    )
    run(build)
    assert (build.status, phases(build.document())["PROVISIONING"]) == ("TIMED_OUT", "TIMED_OUT")


def test_a_buildspec_can_be_overridden(builds: Builds) -> None:
    build = builds.run(spec("FROM nowhere"), buildspecOverride=spec(f"FROM {BASE}\n{APP}"))
    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)


FAILING = [
    ("FROM public.ecr.aws/lambda/build-base:9", "BUILD", "public.ecr.aws/lambda/build-base:9: not found"),
    ("FROM docker.io/library/python:3.12", "BUILD", "docker.io cannot be reached from the sandbox"),
    (f"FROM {BASE}\nCOPY missing.py .", "BUILD", '"/missing.py": not found'),
    (f"FROM {BASE}\nCOPPY app.py .", "BUILD", "parse error on line 2: unknown instruction: COPPY"),
    (f"FROM {BASE}\nCOPY app.py", "BUILD", "parse error on line 2: COPY requires at least two arguments"),
    (f'FROM {BASE}\nENV A="b', "BUILD", "line 2: unexpected end of statement"),
    ("COPY app.py .", "BUILD", "line 1: no build stage in current context"),
    (f"FROM {BASE}\nEXPOSE 80", "BUILD", "the sandbox does not do EXPOSE"),
]


@pytest.mark.parametrize(("dockerfile", "phase", "text"), FAILING)
def test_a_dockerfile_that_fails_fails_the_build(builds: Builds, dockerfile: str, phase: str, text: str) -> None:
    build = builds.run(spec(dockerfile))
    assert (build["buildStatus"], phases(build)[phase]) == ("FAILED", "FAILED")
    (context,) = next(each for each in build["phases"] if each["phaseType"] == phase)["contexts"]
    assert context["statusCode"] == "COMMAND_EXECUTION_ERROR"
    assert context["message"] == f"Error while executing command: {BUILD}. Reason: exit status 1"
    assert text in builds.log(build)
    assert builds.ecr.describe_images(repositoryName="team/app")["imageDetails"] == []


def test_after_a_failed_pre_build_nothing_is_built(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}", "false"))
    assert "BUILD" not in phases(build)
    assert build["buildStatus"] == "FAILED"


def test_an_unknown_command_is_not_passed_over(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}", "npm ci"))
    assert build["buildStatus"] == "FAILED"
    assert "npm: not found" in builds.log(build)
    assert "exit status 127" in builds.log(build)


@pytest.mark.parametrize("buildspec", ["version: 0.2\nphases: [", "version: 7", "version: 0.2\nphases: {test: {}}"])
def test_a_broken_build_spec_fails_download_source(builds: Builds, buildspec: str) -> None:
    build = builds.run(buildspec)
    assert (build["buildStatus"], phases(build)["DOWNLOAD_SOURCE"]) == ("FAILED", "FAILED")
    (context,) = next(each for each in build["phases"] if each["phaseType"] == "DOWNLOAD_SOURCE")["contexts"]
    assert context["statusCode"] == "YAML_FILE_ERROR"


def test_a_role_that_may_not_push_fails_post_build(builds: Builds, sandbox: Sandbox) -> None:
    sandbox.admin("POST", "denials", {"account": builds.account, "actions": ["ecr:InitiateLayerUpload"]})
    build = builds.run(spec(f"FROM {BASE}\n{APP}"))
    sandbox.admin("DELETE", f"denials?account={builds.account}")
    assert (build["buildStatus"], phases(build)["POST_BUILD"]) == ("FAILED", "FAILED")
    log = builds.log(build)
    assert f"assumed-role/Build/AWSCodeBuild-{build['logs']['streamName']} is not authorized to perform" in log
    assert "ecr:InitiateLayerUpload" in log


def test_a_caller_that_may_not_start_builds_is_denied(builds: Builds, sandbox: Sandbox) -> None:
    builds.create(spec(f"FROM {BASE}"))
    sandbox.admin("POST", "denials", {"account": builds.account, "actions": ["codebuild:StartBuild"]})
    with pytest.raises(ClientError, match="project/app") as refused:
        builds.api.start_build(projectName="app")
    sandbox.admin("DELETE", f"denials?account={builds.account}")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_push_without_a_login_has_no_credentials(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}").replace(LOGIN, "true"))
    assert phases(build)["POST_BUILD"] == "FAILED"
    assert "no basic auth credentials" in builds.log(build)


def test_a_taken_tag_of_an_immutable_repository_is_refused(builds: Builds, push: Push) -> None:
    builds.ecr.create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    push("team/app", python_image(), ["v1"])
    build = builds.run(spec(f"FROM {BASE}\n{APP}"))
    assert build["buildStatus"] == "FAILED"
    assert "tag is immutable" in builds.log(build)


def test_a_missing_repository_fails_the_push(builds: Builds) -> None:
    build = builds.run(
        spec(f"FROM {BASE}\n{APP}", push="docker tag $REGISTRY/team/app:v1 $REGISTRY/x:1 && docker push $REGISTRY/x:1")
    )
    assert "The repository with name 'x' does not exist" in builds.log(build)


def test_without_privileged_mode_there_is_no_docker(builds: Builds) -> None:
    build = builds.run(spec(f"FROM {BASE}\n{APP}"), privilegedModeOverride=False)
    assert phases(build)["BUILD"] == "FAILED"
    assert "Cannot connect to the Docker daemon" in builds.log(build)


def test_a_stopped_build_is_stopped(builds: Builds, clock: Callable[..., AbstractContextManager[None]]) -> None:
    builds.create(spec(f"FROM {BASE}\n{APP}"))
    with clock(build=60):
        identifier = builds.api.start_build(projectName="app")["build"]["id"]
        builds.api.stop_build(id=identifier)
        build = builds.wait(identifier)
    assert build["buildStatus"] == "STOPPED"
    assert "BUILD" not in phases(build)


def test_a_fault_of_the_registry_reaches_the_build(builds: Builds, sandbox: Sandbox) -> None:
    fault = {"match": "registry.PutManifest", "account": builds.account, "drop": "before"}
    sandbox.admin("POST", "faults", fault)
    build = builds.run(spec(f"FROM {BASE}\n{APP}"))
    sandbox.admin("DELETE", f"faults?account={builds.account}")
    assert phases(build)["POST_BUILD"] == "FAILED"
    assert "connection reset by peer" in builds.log(build)


def test_projects_are_found_by_name(builds: Builds) -> None:
    created = builds.create(spec(f"FROM {BASE}"))
    found = builds.api.batch_get_projects(names=["app", "other"])
    assert found["projectsNotFound"] == ["other"]
    assert [project["arn"] for project in found["projects"]] == [created["arn"]]
    assert created["arn"] == f"arn:aws:codebuild:{REGION}:{builds.account}:project/app"


def test_a_project_exists_once(builds: Builds) -> None:
    builds.create(spec(f"FROM {BASE}"))
    with pytest.raises(builds.api.exceptions.ResourceAlreadyExistsException):
        builds.create(spec(f"FROM {BASE}"))


def test_a_missing_project_cannot_be_built(builds: Builds) -> None:
    with pytest.raises(builds.api.exceptions.ResourceNotFoundException, match="Project cannot be found"):
        builds.api.start_build(projectName="missing")


def test_builds_of_a_project_are_listed_newest_first(builds: Builds) -> None:
    first = builds.run(spec(f"FROM {BASE}\n{APP}"))
    second = builds.wait(builds.api.start_build(projectName="app")["build"]["id"])
    assert builds.api.list_builds_for_project(projectName="app")["ids"] == [second["id"], first["id"]]
    assert [first["buildNumber"], second["buildNumber"]] == [1, 2]
    assert builds.api.list_builds_for_project(projectName="app", sortOrder="ASCENDING")["ids"][0] == first["id"]


def test_an_unknown_build_is_named(builds: Builds) -> None:
    assert builds.api.batch_get_builds(ids=["app:none"])["buildsNotFound"] == ["app:none"]


def test_other_accounts_see_no_projects(builds: Builds, client: ClientFactory) -> None:
    builds.create(spec(f"FROM {BASE}"))
    found = client("codebuild", account="299999999998").batch_get_projects(names=["app"])
    assert found["projects"] == []
