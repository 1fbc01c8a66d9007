"""docker and `aws ecr get-login-password` as a build's commands; the list is in sandbox/builds/commands.py."""

from __future__ import annotations

import json
import posixpath

from sandbox import clock
from sandbox.builds.commands import Command, Shell, path_of
from sandbox.builds.dockerfile import Options, build
from sandbox.builds.files import BuildError, Files
from sandbox.builds.images import Reference


def _login_password(shell: Shell, _arguments: list[str], _stdin: bytes) -> bytes:
    """Aws ecr get-login-password."""
    return shell.docker.login_password().encode() + b"\n"


def _login(shell: Shell, arguments: list[str], stdin: bytes) -> bytes:
    """Docker login --username AWS --password-stdin HOST."""
    shell.docker.login(arguments[-1].removeprefix("https://").rstrip("/"), stdin.decode().strip())
    return b"Login Succeeded\n"


def _build(shell: Shell, arguments: list[str], _stdin: bytes) -> bytes:
    """Docker build."""
    if not shell.privileged:
        raise BuildError(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running? "
            "(The project's environment needs privilegedMode.)"
        )
    given, flags = _flags(arguments)
    if len(given) != 1:
        raise BuildError('"docker build" requires exactly 1 argument: the context')
    path = path_of(flags.get("--file", [posixpath.join(given[0], "Dockerfile")])[-1])
    if path not in shell.files.entries:
        raise BuildError(f"failed to read dockerfile: open {path}: no such file or directory")
    settings = [each.partition("=") for each in flags.get("--build-arg", [])]
    build_arguments = {name: value if equals else shell.variables.get(name, "") for name, equals, value in settings}
    options = Options(
        build_arguments,
        dict(each.split("=", 1) for each in flags.get("--label", [])),
        flags.get("--platform", [shell.platform])[-1],
        flags.get("--target", [""])[-1],
    )
    image = build(shell.read(path).decode(), _context(shell, given[0]), shell.docker.pull, options, clock.now())
    tags = [_tagged(tag) for tag in flags.get("--tag", [])]
    lines = [f"#1 {step['created_by']}" for step in image.document["history"]]
    shell.docker.images |= dict.fromkeys([*tags, image.config.digest], image)
    lines += [f"writing image {image.config.digest}", *(f"naming to {tag}" for tag in tags)]
    if "--push" in flags:
        lines += [_pushed(shell, tag) for tag in tags]
    return "".join(f"{line}\n" for line in lines).encode()


def _context(shell: Shell, path: str) -> Files:
    root = path_of(path)
    under = f"{root}/" if root else ""
    context = Files()
    for name, entry in shell.files.entries.items():
        if name.startswith(under):
            context.put(name.removeprefix(under), entry)
    context.directories |= {name.removeprefix(under) for name in shell.files.directories if name.startswith(under)}
    return context


def _tag(shell: Shell, arguments: list[str], _stdin: bytes) -> bytes:
    """Docker tag SOURCE TARGET."""
    source, target = map(_tagged, arguments)
    if source not in shell.docker.images:
        raise BuildError(f"Error response from daemon: No such image: {source}")
    shell.docker.images[target] = shell.docker.images[source]
    return b""


def _pull(shell: Shell, arguments: list[str], _stdin: bytes) -> bytes:
    """Docker pull REF."""
    name = _tagged(arguments[-1])
    shell.docker.images[name] = shell.docker.pull(name, shell.platform)
    return f"Status: Downloaded newer image for {name}\n".encode()


def _push(shell: Shell, arguments: list[str], _stdin: bytes) -> bytes:
    """Docker push REF."""
    return f"{_pushed(shell, _tagged(arguments[-1]))}\n".encode()


def _pushed(shell: Shell, name: str) -> str:
    digest = shell.docker.push(name)
    tag, size = Reference.parse(name).reference, shell.docker.images[name].manifest.size
    return f"{tag}: digest: {digest} size: {size}"


def _inspect(shell: Shell, arguments: list[str], _stdin: bytes) -> bytes:
    """Docker inspect [--format '{{index .RepoDigests 0}}' | '{{.Id}}'] REF."""
    given, flags = _flags(arguments)
    name = _tagged(given[-1])
    image = shell.docker.images.get(name)
    if image is None:
        raise BuildError(f"Error: No such object: {name}")
    digests = [shell.docker.pushed[name]] if name in shell.docker.pushed else []
    wanted = flags.get("--format", [""])[-1]
    if "RepoDigests" in wanted:
        if not digests:
            raise BuildError("template parsing error: index out of range: 0 (the image was not pushed)")
        return f"{digests[0]}\n".encode()
    if ".Id" in wanted:
        return f"{image.config.digest}\n".encode()
    document = {"Id": image.config.digest, "RepoDigests": digests, "Config": image.document["config"]}
    return json.dumps([document], indent=4).encode() + b"\n"


def _tagged(name: str) -> str:
    return name if "@" in name or ":" in name.rpartition("/")[2] or name.startswith("sha256:") else f"{name}:latest"


_VALUED = {"-t": "--tag", "-f": "--file"}
_WITH_VALUE = frozenset({"--tag", "--file", "--build-arg", "--label", "--platform", "--target", "--format"})
_WITHOUT = frozenset(
    ["--push", "--load", "--no-cache", "--pull", "--quiet", "-q", "--provenance", "--sbom", "--progress", "--type"]
)


def _flags(arguments: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Positional arguments, and values by flag; a flag that the sandbox does not know is an error as docker's is."""
    given: list[str] = []
    flags: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        name = _VALUED.get(name, name)
        if not name.startswith("-") or name == "-":
            given.append(name + equals + value)
        elif name in _WITH_VALUE:
            flags.setdefault(name, []).append(value if equals else rest.pop(0) if rest else "")
        elif name in _WITHOUT:
            flags.setdefault(name, []).append(value)
        else:
            raise BuildError(f"unknown flag: {name}")
    return given, flags


DOCKER: dict[str, Command] = {
    "aws ecr get-login-password": _login_password,
    "docker login": _login,
    "docker build": _build,
    "docker buildx build": _build,
    "docker tag": _tag,
    "docker pull": _pull,
    "docker push": _push,
    "docker inspect": _inspect,
}
"""By the words that name it."""
