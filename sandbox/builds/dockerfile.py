"""A plain Python `docker build`: FROM, ARG, COPY, ADD of local files, ENV, CMD, ENTRYPOINT, WORKDIR, LABEL, USER.

RUN is recorded in the image's history and not executed, so it adds no layer. Comments, continued lines, JSON and
shell forms, several stages, COPY --from (a stage or an image) and variables work as in Docker
(https://docs.docker.com/reference/dockerfile/).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.builds.files import BuildError, Files, flatten, pick
from sandbox.builds.shell_words import words
from sandbox.images.config import rfc3339
from sandbox.images.making import Blob, Executable, Image, Layer, canonical_json, make_image, make_layer

_KNOWN = frozenset(["FROM", "ARG", "COPY", "ADD", "ENV", "CMD", "ENTRYPOINT", "WORKDIR", "LABEL", "USER", "RUN"])
_OTHERS = frozenset(["EXPOSE", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL", "VOLUME"])
_COMMENT = re.compile(r"\s*#")
_CONTINUED = re.compile(r"\\\s*$")

Pull = Callable[[str, str], Image]
"""Gives the image of a reference for a platform ("linux/amd64"); raises BuildError."""


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile; `text` is what follows the name and its flags."""

    name: str
    flags: Mapping[str, str]
    text: str
    line: int

    def json_list(self) -> list[str] | None:
        """The arguments in JSON form, None when they are in shell form."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return None
        return found if isinstance(found, list) and all(isinstance(each, str) for each in found) else None

    def fail(self, why: str) -> BuildError:
        """An error at this instruction."""
        return BuildError(f"dockerfile parse error on line {self.line}: {why}")


@dataclass(frozen=True)
class Options:
    """What the command line of `docker build` sets."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    target: str = ""


def parse(text: str) -> list[Instruction]:
    """A Dockerfile's instructions. Raises BuildError with the line of what is wrong."""
    found: list[Instruction] = []
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        # Comments and empty lines are dropped inside a continued instruction too.
        if _COMMENT.match(line) or not line.strip():
            continue
        start = start if pending else number
        if _CONTINUED.search(line):
            pending += _CONTINUED.sub("", line)
            continue
        found.append(_instruction(pending + line, start))
        pending = ""
    if pending.strip():
        found.append(_instruction(pending, start))
    if not found:
        raise BuildError("the Dockerfile cannot be empty")
    return found


def _instruction(text: str, line: int) -> Instruction:
    name, _, rest = text.strip().partition(" ")
    flags: dict[str, str] = {}
    rest = rest.strip()
    while match := re.match(r"--([a-z]+)(?:=(\S+))?\s+", rest):
        flags[match[1]] = match[2] or "true"
        rest = rest[match.end() :]
    found = Instruction(name.upper(), flags, rest, line)
    if found.name in _OTHERS:
        raise found.fail(f"the sandbox does not do {found.name}")
    if found.name not in _KNOWN:
        raise found.fail(f"unknown instruction: {name}")
    if not rest:
        raise found.fail(f"{found.name} requires at least one argument")
    if "<<" in rest and found.name in ("COPY", "RUN", "ADD") and re.search(r"<<-?['\"]?\w", rest):
        raise found.fail("the sandbox does not do here-documents in a Dockerfile")
    return found


@dataclass
class _Stage:
    base: Image | None
    platform: str
    config: dict[str, Any]
    arguments: dict[str, str]
    layers: list[Layer] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    own_cmd: bool = False
    files: Files | None = None

    @property
    def environment(self) -> dict[str, str]:
        return dict(setting.split("=", 1) for setting in self.config.get("Env", []))

    @property
    def variables(self) -> dict[str, str]:
        """ENV wins over ARG."""
        return self.arguments | self.environment

    def all_files(self) -> Files:
        if self.files is None:
            self.files = flatten((*(self.base.layers if self.base else ()), *self.layers))
        return self.files


def build(dockerfile: str, context: Files, pull: Pull, options: Options, now: datetime) -> Image:
    """The image of the last stage (or the target). Raises BuildError for what `docker build` refuses."""
    return _Build(context, pull, options, now).run(parse(dockerfile))


class _Build:
    def __init__(self, context: Files, pull: Pull, options: Options, now: datetime) -> None:
        self.context, self.pull, self.options, self.now = context, pull, options, now
        self.stages: dict[str, _Stage] = {}
        self.global_arguments: dict[str, str] = {}
        self.stage: _Stage | None = None

    def run(self, instructions: list[Instruction]) -> Image:
        for instruction in instructions:
            if instruction.name == "FROM":
                if self.options.target and self.options.target in self.stages:
                    break
                self._from(instruction)
            elif self.stage is None:
                if instruction.name != "ARG":
                    raise instruction.fail("no build stage in current context")
                self._argument(instruction, self.global_arguments, self.global_arguments)
            else:
                getattr(self, f"_{instruction.name.lower()}")(instruction, self.stage)
        if self.options.target and self.options.target not in self.stages:
            raise BuildError(f"target stage {self.options.target!r} could not be found")
        if self.stage is None:
            raise BuildError("dockerfile contains no stages to build")
        if self.options.labels:
            self.stage.config["Labels"] = {**self.stage.config.get("Labels", {}), **self.options.labels}
        return self._image(self.stage)

    def _image(self, stage: _Stage) -> Image:
        """Base layers under their own digests, then the stage's; Docker's media types, as `docker push` sends them."""
        architecture = stage.platform.split("/")[1]
        image = make_image(stage.layers, base=stage.base, created=self.now, architecture=architecture, flavour="docker")
        inherited = stage.base.document.get("history", []) if stage.base else []
        document = {**image.document, "config": stage.config, "history": [*inherited, *stage.history]}
        config = Blob(image.config.media_type, canonical_json(document))
        manifest = {**json.loads(image.manifest.data), "config": config.descriptor}
        return Image(Blob(image.manifest.media_type, canonical_json(manifest)), config, image.layers)

    def _from(self, instruction: Instruction) -> None:
        parts = self._words(instruction, self.global_arguments)
        if len(parts) not in (1, 3) or (len(parts) == 3 and parts[1].upper() != "AS"):
            raise instruction.fail("FROM requires either one or three arguments")
        platform = instruction.flags.get("platform", self.options.platform)
        platform = " ".join(words(platform, self.global_arguments | {"TARGETPLATFORM": self.options.platform}))
        parent = self.stages.get(parts[0])
        if parent:
            base: Image | None = self._image(parent)
        else:
            base = None if parts[0] == "scratch" else self.pull(parts[0], platform)
        config = dict(base.document.get("config", {})) if base else {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}
        platform = f"linux/{base.architecture}" if base else platform
        self.stage = _Stage(base, platform, config, {"TARGETPLATFORM": platform, "TARGETARCH": platform.split("/")[1]})
        self.stages[str(len({id(stage) for stage in self.stages.values()}))] = self.stage
        if len(parts) == 3:
            self.stages[parts[2]] = self.stage

    def _arg(self, instruction: Instruction, stage: _Stage) -> None:
        self._argument(instruction, stage.arguments, self.global_arguments)

    def _argument(self, instruction: Instruction, into: dict[str, str], defaults: Mapping[str, str]) -> None:
        for word in self._words(instruction, into):
            name, given, value = word.partition("=")
            if name in self.options.arguments:
                into[name] = self.options.arguments[name]
            elif given:
                into[name] = value
            elif name in defaults:
                into[name] = defaults[name]

    def _env(self, instruction: Instruction, stage: _Stage) -> None:
        settings = self._pairs(instruction, stage)
        environment = stage.environment | settings
        stage.config["Env"] = [f"{name}={value}" for name, value in environment.items()]
        self._record(stage, "ENV " + " ".join(f"{name}={value}" for name, value in settings.items()))

    def _label(self, instruction: Instruction, stage: _Stage) -> None:
        labels = self._pairs(instruction, stage)
        stage.config["Labels"] = {**stage.config.get("Labels", {}), **labels}
        self._record(stage, "LABEL " + " ".join(f"{name}={value}" for name, value in labels.items()))

    def _pairs(self, instruction: Instruction, stage: _Stage) -> dict[str, str]:
        found = self._words(instruction, stage.variables)
        if "=" not in found[0]:
            # The old form: ENV NAME the rest of the line.
            if instruction.name != "ENV" or len(found) < 2:
                raise instruction.fail(f"{instruction.name} must have two arguments")
            return {found[0]: " ".join(found[1:])}
        pairs = dict(word.partition("=")[::2] for word in found)
        for word in found:
            if "=" not in word:
                raise instruction.fail(
                    f"Syntax error - can't find = in {json.dumps(word)}. Must be of the form: name=value"
                )
        return pairs

    def _workdir(self, instruction: Instruction, stage: _Stage) -> None:
        path = " ".join(self._words(instruction, stage.variables))
        stage.config["WorkingDir"] = posixpath.join(stage.config.get("WorkingDir") or "/", path).rstrip("/") or "/"
        self._record(stage, f"WORKDIR {stage.config['WorkingDir']}")

    def _user(self, instruction: Instruction, stage: _Stage) -> None:
        stage.config["User"] = self._words(instruction, stage.variables)[0]
        self._record(stage, f"USER {stage.config['User']}")

    def _cmd(self, instruction: Instruction, stage: _Stage) -> None:
        stage.config["Cmd"] = _command(instruction)
        stage.own_cmd = True
        self._record(stage, f"CMD {json.dumps(stage.config['Cmd'])}")

    def _entrypoint(self, instruction: Instruction, stage: _Stage) -> None:
        stage.config["Entrypoint"] = _command(instruction)
        if not stage.own_cmd:
            # A new ENTRYPOINT drops a CMD that came from the base.
            stage.config.pop("Cmd", None)
        self._record(stage, f"ENTRYPOINT {json.dumps(stage.config['Entrypoint'])}")

    def _run(self, instruction: Instruction, stage: _Stage) -> None:
        listed = instruction.json_list()
        self._record(stage, f"RUN {' '.join(listed) if listed else '/bin/sh -c ' + instruction.text} # buildkit")

    def _add(self, instruction: Instruction, stage: _Stage) -> None:
        self._copy(instruction, stage)

    def _copy(self, instruction: Instruction, stage: _Stage) -> None:
        listed = instruction.json_list()
        paths = [" ".join(words(path, stage.variables)) for path in listed] if listed else None
        paths = paths or self._words(instruction, stage.variables)
        if len(paths) < 2:
            raise instruction.fail(f"{instruction.name} requires at least two arguments, but only one was provided")
        if any(re.match(r"https?://|git@", path) for path in paths[:-1]):
            raise instruction.fail("the sandbox adds local files only")
        target = posixpath.join(stage.config.get("WorkingDir") or "/", paths[-1])
        there = {*stage.all_files().directories, (stage.config.get("WorkingDir") or "/").strip("/")}
        picked = pick(self._source(instruction, stage), paths[:-1], target, there)
        if instruction.flags.get("chmod", "")[-3:] in ("755", "775", "555", "777"):
            picked = {path: Executable(entry) if isinstance(entry, bytes) else entry for path, entry in picked.items()}
        layer = make_layer(picked)
        stage.layers.append(layer)
        stage.files = None
        self._record(stage, f"{instruction.name} {' '.join(paths)} # buildkit", empty=False)

    def _source(self, instruction: Instruction, stage: _Stage) -> Files:
        name = instruction.flags.get("from")
        if name is None:
            return self.context
        name = " ".join(words(name, stage.variables))
        if name in self.stages:
            return self.stages[name].all_files()
        return flatten(self.pull(name, self.options.platform).layers)

    def _words(self, instruction: Instruction, variables: Mapping[str, str]) -> list[str]:
        try:
            return [str(word) for word in words(instruction.text, variables)]
        except ValueError as error:
            raise instruction.fail(str(error)) from error

    def _record(self, stage: _Stage, step: str, *, empty: bool = True) -> None:
        entry: dict[str, Any] = {"created": rfc3339(self.now), "created_by": step}
        stage.history.append(entry | ({"empty_layer": True} if empty else {}))


def _command(instruction: Instruction) -> list[str]:
    listed = instruction.json_list()
    return ["/bin/sh", "-c", instruction.text] if listed is None else listed
