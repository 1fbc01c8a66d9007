"""The commands of a build spec that the sandbox carries out, in one shell that lasts for the build.

    cat > PATH <<'EOF' ... EOF              echo TEXT > PATH          echo BASE64 | base64 -d > PATH
    mkdir -p PATH    chmod +x PATH          export NAME=VALUE         NAME=$(command)      echo, printf, cat, set, true
    aws ecr get-login-password | docker login --username AWS --password-stdin HOST
    docker build|buildx build [-t REF] [-f PATH] [--build-arg A=B] [--platform P] [--target S] [--label A=B] [--push] .
    docker tag REF REF    docker push REF    docker inspect --format '{{index .RepoDigests 0}}' REF    docker pull REF

joined by &&, ||, ;, |, > and >>. Any other command fails with 127 and says so: nothing is passed over in silence. A
command of several lines stops at the first that fails, as under `set -e`, and a pipe fails with any of its parts.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.builds.files import BuildError, Files
from sandbox.builds.images import Docker
from sandbox.builds.shell_words import Operator, expand, statements, words
from sandbox.images.making import Executable, SymlinkTo

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_SUBSTITUTION = re.compile(r"('[^']*')|\$\(((?:[^()']|'[^']*')*)\)")
_STDERR = re.compile(r"\s2>(?:&1|\s*/dev/null)")
_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)


class CommandFailed(Exception):
    """A command ended with a status that is not 0; the text is what it wrote to stderr."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Shell:
    """Variables, files and docker's state, from the first command of a build to its last."""

    docker: Docker
    platform: str
    privileged: bool
    log: Callable[[str], None]
    more: dict[str, Command]
    """Commands besides those of this module."""
    variables: dict[str, str] = field(default_factory=dict)
    files: Files = field(default_factory=Files)

    def run(self, command: str) -> None:
        """Carry out one entry of `commands`. Raises CommandFailed."""
        lines = command.splitlines()
        while lines:
            line = lines.pop(0)
            while line.endswith("\\") and lines:
                line = line[:-1] + lines.pop(0)
            stdin = b""
            if match := _HEREDOC.search(line):
                stdin = self._heredoc(lines, match)
                line = line.replace(match[0], "")
            self._line(line, stdin)

    def _heredoc(self, lines: list[str], match: re.Match[str]) -> bytes:
        body: list[str] = []
        while lines and (line := lines.pop(0)).strip() != match[2]:
            body.append(line)
        text = "".join(f"{line}\n" for line in body)
        return (text if match[1] else expand(text, self.variables)).encode()

    def _line(self, line: str, stdin: bytes) -> None:
        failed: CommandFailed | None = None
        for operator, statement in statements(line):
            if (operator == "||" and failed is None) or (operator == "&&" and failed is not None):
                continue
            if failed is not None and failed.args[0]:
                self.log(failed.args[0])
            try:
                output, failed = self._statement(statement, stdin), None
                for text in output.decode(errors="replace").splitlines():
                    self.log(text)
            except CommandFailed as error:
                failed = error
        if failed is not None:
            raise failed

    def _statement(self, statement: str, stdin: bytes = b"") -> bytes:
        """One pipeline; gives what it writes to stdout."""
        kept: dict[str, str] = {}

        def substitute(match: re.Match[str]) -> str:
            if match[1]:
                return match[1]
            # By name, so that what a command wrote is not read as shell again.
            name = f"_{len(kept)}"
            kept[name] = self._statement(match[2]).decode().rstrip("\n")
            return f"${{{name}}}"

        text = _SUBSTITUTION.sub(substitute, _STDERR.sub("", statement))
        try:
            parts = words(text, self.variables | kept, operators=("|", ">>", ">"))
        except ValueError as error:
            raise CommandFailed(2, f"sh: syntax error: {error}") from error
        output, command, target = stdin, list[str](), ""
        for part in [*parts, Operator("|")]:
            if target:
                output, command, target = self._redirect(self._run(command, output), target, part), [], ""
            elif isinstance(part, Operator) and part != "|":
                target = part
            elif isinstance(part, Operator):
                output, command = (self._run(command, output) if command else output), []
            else:
                command.append(part)
        return output

    def _redirect(self, output: bytes, operator: str, path: str) -> bytes:
        if isinstance(path, Operator):
            raise CommandFailed(2, "sh: syntax error: a redirection without a file")
        if path != "/dev/null":
            before = self.read(path) if operator == ">>" and path_of(path) in self.files.entries else b""
            self.files.put(path_of(path), before + output)
        return b""

    def _run(self, command: list[str], stdin: bytes) -> bytes:
        while command and (match := _ASSIGNMENT.fullmatch(command[0])):
            self.variables[match[1]] = match[2]
            command = command[1:]
        if not command:
            return b""
        name, arguments = command[0], command[1:]
        if name in ("docker", "aws"):
            length = 2 if arguments[:1] == ["buildx"] or name == "aws" else 1
            name, arguments = " ".join([name, *arguments[:length]]), arguments[length:]
        known = COMMANDS | self.more
        found = known.get(name)
        if found is None:
            raise CommandFailed(127, f"sh: {name}: not found (the sandbox's builds know: {', '.join(sorted(known))})")
        try:
            return found(self, arguments, stdin)
        except BuildError as error:
            label = "ERROR: failed to build: failed to solve: " if name.endswith("build") else ""
            raise CommandFailed(1, f"{label}{error}") from error
        except (IndexError, ValueError) as error:
            raise CommandFailed(1, f"{name}: cannot be used like this: {' '.join(command)} ({error})") from error

    def read(self, path: str) -> bytes:
        entry = self.files.entries.get(path_of(path))
        if entry is None or isinstance(entry, SymlinkTo):
            raise CommandFailed(1, f"cat: {path}: No such file or directory")
        return entry.data if isinstance(entry, Executable) else entry

    def echo(self, arguments: list[str], _stdin: bytes) -> bytes:
        """Echo [-n] [-e] TEXT..."""
        plain = [each for each in arguments if each not in ("-n", "-e", "-ne")]
        return (" ".join(plain) + ("" if set(arguments) & {"-n", "-ne"} else "\n")).encode()

    def printf(self, arguments: list[str], _stdin: bytes) -> bytes:
        r"""Printf FORMAT with %s and \n."""
        text = arguments[0].replace("\\n", "\n") if arguments else ""
        for value in arguments[1:]:
            text = text.replace("%s", value, 1)
        return text.encode()

    def cat(self, arguments: list[str], stdin: bytes) -> bytes:
        """Cat [PATH...]."""
        return b"".join(self.read(path) for path in arguments) if arguments else stdin

    def base64(self, arguments: list[str], stdin: bytes) -> bytes:
        """base64 [-d]: of stdin."""
        if not set(arguments) & {"-d", "--decode", "-D"}:
            return base64.b64encode(stdin) + b"\n"
        try:
            return base64.b64decode(b"".join(stdin.split()), validate=True)
        except binascii.Error as error:
            raise CommandFailed(1, "base64: invalid input") from error

    def mkdir(self, arguments: list[str], _stdin: bytes) -> bytes:
        """Mkdir [-p] PATH..."""
        self.files.directories |= {path_of(path) for path in arguments if not path.startswith("-")}
        return b""

    def chmod(self, arguments: list[str], _stdin: bytes) -> bytes:
        """Chmod MODE PATH...: only whether a file can be executed is kept."""
        for path in arguments[1:]:
            data = self.read(path)
            runs = "x" in arguments[0] or any(digit in "1357" for digit in arguments[0][-3:])
            self.files.put(path_of(path), Executable(data) if runs and "-x" not in arguments[0] else data)
        return b""

    def export(self, arguments: list[str], _stdin: bytes) -> bytes:
        """Export NAME=VALUE..."""
        self.variables |= dict(each.split("=", 1) for each in arguments if "=" in each)
        return b""

    def nothing(self, _arguments: list[str], _stdin: bytes) -> bytes:
        """true, :, set."""
        return b""

    def exit(self, arguments: list[str], _stdin: bytes) -> bytes:
        """Exit N, false."""
        status = int(arguments[0]) if arguments else 1
        if status:
            raise CommandFailed(status)
        return b""


def path_of(path: str) -> str:
    return posixpath.normpath(posixpath.join("/", path)).strip("/")


Command = Callable[[Shell, list[str], bytes], bytes]
COMMANDS: dict[str, Command] = {
    "echo": Shell.echo,
    "printf": Shell.printf,
    "cat": Shell.cat,
    "base64": Shell.base64,
    "mkdir": Shell.mkdir,
    "chmod": Shell.chmod,
    "export": Shell.export,
    "true": Shell.nothing,
    ":": Shell.nothing,
    "set": Shell.nothing,
    "exit": Shell.exit,
    "false": Shell.exit,
}
