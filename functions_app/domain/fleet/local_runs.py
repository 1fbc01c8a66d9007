"""How a version's image is started and called on somebody's own machine: what its function overrides included."""

import shlex
from collections.abc import Sequence

from functions_app.domain.fleet.configurations import Configuration

PORT = 9000
PATH = "/2015-03-31/functions/function/invocations"  # of the runtime interface emulator, which AWS's bases hold


def docker_run(image: str, of: Configuration, own_command: Sequence[str] = ()) -> str:
    """The command that starts REPOSITORY@DIGEST as the function would; variables are passed on by name.

    `own_command` is the image's CMD: Lambda keeps it beside another ENTRYPOINT, where docker drops it.
    """
    words = ["docker", "run", "--rm", "-p", f"{PORT}:8080", "--platform", platform_of(of)]
    words += [part for name in of.env_keys for part in ("-e", name)]
    if of.working_directory:
        words += ["-w", of.working_directory]
    if of.entrypoint:
        words += ["--entrypoint", of.entrypoint[0]]
    return shlex.join([*words, image, *of.entrypoint[1:], *(of.command or (own_command if of.entrypoint else ()))])


def platform_of(of: Configuration) -> str:
    """linux/amd64 or linux/arm64, for Lambda's word."""
    return "linux/arm64" if of.architecture == "arm64" else "linux/amd64"


def call(event: str = "{}") -> str:
    """The command that calls what was started."""
    return shlex.join(["curl", "-s", f"http://localhost:{PORT}{PATH}", "-d", event])
