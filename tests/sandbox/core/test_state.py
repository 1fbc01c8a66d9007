"""`--state DIR`: a sandbox that is started again finds the same account."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures import ENVIRONMENT, REGION, ROOT, Sandbox, login, push_image, registry_client
from tests.sandbox.fixtures import small_image
from tests.sandbox.functions import ECHO, python_image, until
from tests.sandbox.serving import refused, serving

ACCOUNT = "222222222222"
RULE = {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9}}
POLICY = json.dumps({"rules": [{**RULE, "action": {"type": "expire"}}]})


def fill(sandbox: Sandbox) -> None:
    """A repository with two images, a function with two versions and an alias that splits."""
    ecr, functions = sandbox.client("ecr", REGION, ACCOUNT), sandbox.client("lambda", REGION, ACCOUNT)
    ecr.create_repository(
        repositoryName="team/app", imageTagMutability="IMMUTABLE", tags=[{"Key": "team", "Value": "one"}]
    )
    ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=POLICY)
    with registry_client(sandbox.url, login(ecr)) as registry:
        push_image(registry, "team/app", python_image(ECHO), ["v1"])
        push_image(registry, "team/app", python_image(ECHO + "\n"), ["v2"])
    uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/app"
    role = f"arn:aws:iam::{ACCOUNT}:role/app"
    functions.create_function(
        FunctionName="app", Role=role, PackageType="Image", Code={"ImageUri": f"{uri}:v1"}, Tags={"team": "one"}
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
    functions.publish_version(FunctionName="app")
    functions.update_function_code(FunctionName="app", ImageUri=f"{uri}:v2")
    functions.get_waiter("function_updated_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
    functions.publish_version(FunctionName="app")
    functions.create_alias(
        FunctionName="app",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )


def account(sandbox: Sandbox) -> dict[str, Any]:
    """All that a caller can read of it."""
    ecr, functions = sandbox.client("ecr", REGION, ACCOUNT), sandbox.client("lambda", REGION, ACCOUNT)
    (repository,) = ecr.describe_repositories()["repositories"]
    images = [{"imageTag": tag} for tag in ("v1", "v2")]
    calls = {
        "tags": ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"]),
        "policy": ecr.get_lifecycle_policy(repositoryName="team/app")["lifecyclePolicyText"],
        "images": ecr.describe_images(repositoryName="team/app")["imageDetails"],
        "manifests": ecr.batch_get_image(repositoryName="team/app", imageIds=images)["images"],
        "function": functions.get_function(FunctionName="app"),
        "versions": functions.list_versions_by_function(FunctionName="app")["Versions"],
        "aliases": functions.list_aliases(FunctionName="app")["Aliases"],
    }
    for answer in calls.values():
        if isinstance(answer, dict):
            answer.pop("ResponseMetadata", None)
    for image in calls["images"]:
        image.pop("lastRecordedPullTime", None)  # to ask for manifests is to pull
    return {"repository": repository, **calls}


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What was there before a restart, and after it."""
    folder = str(tmp_path_factory.mktemp("state"))
    seen: dict[str, Any] = {}
    with serving("--state", folder) as sandbox:
        fill(sandbox)
        seen["before"] = account(sandbox)
    with serving("--state", folder) as sandbox:
        seen["after"] = account(sandbox)
        functions = sandbox.client("lambda", REGION, ACCOUNT)
        answer = functions.invoke(FunctionName="app", Qualifier="live", Payload=b'{"anchor": 1}')
        seen["invoked"] = json.load(answer["Payload"])
        seen["moved"] = pushed_again(sandbox)
        functions.delete_alias(FunctionName="app", Name="live")
        functions.delete_function(FunctionName="app", Qualifier="2")
        functions.update_function_configuration(FunctionName="app", MemorySize=256)
        functions.get_waiter("function_updated_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
        seen["next"] = functions.publish_version(FunctionName="app")["Version"]
    return seen.__getitem__


def pushed_again(sandbox: Sandbox) -> int:
    """The status of a push to a tag that is taken in an immutable repository."""
    with registry_client(sandbox.url, login(sandbox.client("ecr", REGION, ACCOUNT))) as registry:
        with suppress(httpx.HTTPStatusError):
            push_image(registry, "team/app", small_image("other"), ["v1"])
            return 201
        return 400


@pytest.mark.parametrize(
    "what", ["repository", "tags", "policy", "images", "manifests", "function", "versions", "aliases"]
)
def test_a_restart_finds_the_same(restarted: Callable[[str], Any], what: str) -> None:
    before, after = restarted("before")[what], restarted("after")[what]
    assert before
    assert after == before


def test_a_function_runs_after_a_restart(restarted: Callable[[str], Any]) -> None:
    assert restarted("invoked") == {"anchor": 1}


def test_an_immutable_tag_cannot_be_moved_after_a_restart(restarted: Callable[[str], Any]) -> None:
    assert restarted("moved") == 400


def test_version_numbers_are_not_reused_after_a_restart(restarted: Callable[[str], Any]) -> None:
    assert restarted("next") == "3"


def test_credentials_of_a_role_are_known_after_a_restart(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)) as sandbox:
        sandbox.client("sts", REGION, ACCOUNT)
        keys = sandbox._keys[ACCOUNT]
    with serving("--state", str(tmp_path)) as sandbox:
        sandbox._keys[ACCOUNT] = keys
        assert sandbox.client("sts", REGION, ACCOUNT).get_caller_identity()["Account"] == ACCOUNT


def test_a_role_that_denies_still_denies_after_a_restart(tmp_path: Path) -> None:
    deny = {"Statement": [{"Effect": "Deny", "Action": "lambda:ListFunctions", "Resource": "*"}]}
    with serving("--state", str(tmp_path)) as sandbox:
        sandbox.admin("POST", "roles", {"account": ACCOUNT, "name": "Tests", "policy": deny})
    with serving("--state", str(tmp_path)) as sandbox:
        functions = sandbox.client("lambda", REGION, ACCOUNT)
        with pytest.raises(functions.exceptions.ClientError, match="explicit deny"):
            functions.list_functions()


def test_build_projects_are_known_after_a_restart(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)) as sandbox:
        sandbox.client("codebuild", REGION, ACCOUNT).create_project(
            name="rebuild",
            source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={"type": "LINUX_CONTAINER", "image": "any", "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=f"arn:aws:iam::{ACCOUNT}:role/build",
        )
    with serving("--state", str(tmp_path)) as sandbox:
        (found,) = sandbox.client("codebuild", REGION, ACCOUNT).batch_get_projects(names=["rebuild"])["projects"]
        assert found["source"]["buildspec"] == "version: 0.2"


def test_a_process_that_is_killed_leaves_what_it_wrote_seconds_before(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)) as sandbox:
        written = (tmp_path / "account").stat().st_mtime_ns
        sandbox.client("ecr", REGION, ACCOUNT).create_repository(repositoryName="kept")
        until(lambda: (tmp_path / "account").stat().st_mtime_ns > written and _names(tmp_path))
        os.kill(sandbox.pid, signal.SIGKILL)
    with serving("--state", str(tmp_path)) as sandbox:
        (found,) = sandbox.client("ecr", REGION, ACCOUNT).describe_repositories()["repositories"]
        assert found["repositoryName"] == "kept"


def _names(folder: Path) -> bool:
    return b"kept" in (folder / "account").read_bytes()


def test_a_half_written_state_is_never_read(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)) as sandbox:
        sandbox.client("ecr", REGION, ACCOUNT).create_repository(repositoryName="kept")
    (tmp_path / ".account.unfinished").write_bytes((tmp_path / "account").read_bytes()[:100])
    with serving("--state", str(tmp_path)) as sandbox:
        assert sandbox.client("ecr", REGION, ACCOUNT).describe_repositories()["repositories"]


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)):
        pass
    path = tmp_path / "account"
    path.write_bytes(path.read_bytes()[:-20])
    assert "is damaged" in refused("--state", str(tmp_path))


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path), "--fleet", "small"):
        pass
    lost = next((tmp_path / "blobs").iterdir())
    lost.unlink()
    assert f"the blob {lost} is missing" in refused("--state", str(tmp_path))


def test_a_state_of_another_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)):
        pass
    path = tmp_path / "account"
    head, _, body = path.read_bytes().partition(b"\n")
    path.write_bytes(json.dumps({**json.loads(head), "format": 0}).encode() + b"\n" + body)
    said = refused("--state", str(tmp_path))
    assert "written by another version of the sandbox" in said
    assert "start with an empty directory" in said


def test_two_processes_cannot_keep_one_state(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path)):
        assert "another sandbox keeps its account in" in refused("--state", str(tmp_path))


def test_a_fleet_is_seeded_only_into_a_new_state(tmp_path: Path) -> None:
    with serving("--state", str(tmp_path), "--fleet", "small") as sandbox:
        sandbox.client("lambda", REGION, "111111111111").delete_function(FunctionName="fn-00003")
    with serving("--state", str(tmp_path), "--fleet", "small") as sandbox:
        names = sandbox.client("lambda", REGION, "111111111111").list_functions()["Functions"]
        assert len(names) == 11


def test_no_class_but_the_sandboxs_own_is_read_from_a_state(tmp_path: Path) -> None:
    program = (
        "import pickle, pathlib, hashlib, json, sys\n"
        "from sandbox import state\n"
        "body = pickle.dumps(pathlib.PurePosixPath('x'))\n"
        "head = json.dumps({**state._versions(), 'sha256': hashlib.sha256(body).hexdigest()})\n"
        "pathlib.Path(sys.argv[1], 'account').write_bytes(head.encode() + b'\\n' + body)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, env=ENVIRONMENT, check=True)
    assert "is no part of an account" in refused("--state", str(tmp_path))
