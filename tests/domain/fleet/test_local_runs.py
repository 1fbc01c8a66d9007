"""A version's image on somebody's own machine: started as its function starts it."""

import shlex

from functions_app.domain.fleet.configurations import Configuration
from functions_app.domain.fleet.local_runs import call, docker_run

IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:aa"
START = ["docker", "run", "--rm", "-p", "9000:8080", "--platform"]


def test_an_image_is_started_by_its_digest_for_the_functions_platform() -> None:
    assert docker_run(IMAGE, Configuration()) == f"docker run --rm -p 9000:8080 --platform linux/amd64 {IMAGE}"
    assert "linux/arm64" in docker_run(IMAGE, Configuration(architecture="arm64"))


def test_what_the_function_overrides_is_passed_and_of_variables_the_names() -> None:
    of = Configuration(env_keys=("A", "B"), command=("worker.handler",), working_directory="/my app")
    words = shlex.split(docker_run(IMAGE, of))
    assert words == [*START, "linux/amd64", "-e", "A", "-e", "B", "-w", "/my app", IMAGE, "worker.handler"]


def test_the_images_own_command_stays_beside_another_entry_point_as_in_lambda() -> None:
    of = Configuration(entrypoint=("/run", "--fast"))
    words = shlex.split(docker_run(IMAGE, of, ("app.handler",)))
    assert words[6:] == ["linux/amd64", "--entrypoint", "/run", IMAGE, "--fast", "app.handler"]
    assert docker_run(IMAGE, Configuration(), ("app.handler",)).endswith(IMAGE)


def test_what_a_shell_would_take_for_more_is_quoted() -> None:
    of = Configuration(command=("a; rm -rf $HOME",))
    assert docker_run(IMAGE, of).endswith("'a; rm -rf $HOME'")


def test_the_emulator_is_called_where_lambda_would_call_the_function() -> None:
    assert call('{"a": 1}') == (
        "curl -s http://localhost:9000/2015-03-31/functions/function/invocations -d '{\"a\": 1}'"
    )
