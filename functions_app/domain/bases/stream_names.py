"""Find the stream that a name means, as images claim their bases: HOST/REPOSITORY:TAG, moving or dated."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from functions_app.domain.bases.release_tags import TagRule
from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import ImageRef

_ARCHITECTURE = re.compile(r"-(?:x86_64|amd64|arm64|aarch64)$")
_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class Followed:
    """What a stream follows: HOST/REPOSITORY:TAG, and how the tags of its releases look."""

    reference: str
    own: bool = False
    pattern: str = ""


@dataclass(frozen=True)
class FoundName:
    """The stream that a name means; `tag` is that of a release, empty for the moving one."""

    stream: str
    tag: str = ""


class StreamNames:
    """Looks names up among the streams that are watched."""

    def __init__(self, streams: Mapping[str, Followed]) -> None:
        self._by_name: dict[tuple[str, str], str] = {}
        self._rules: dict[str, list[tuple[str, TagRule]]] = defaultdict(list)
        for stream, followed in streams.items():
            ref = parse(followed.reference)
            if ref is not None:
                moving = ref.tag or "latest"
                self._by_name[ref.name, moving] = stream
                self._rules[ref.name].append((stream, TagRule(moving, followed.own, followed.pattern)))

    def find(self, name: str) -> FoundName | None:
        """The stream; None where there is none, or where the tag may be that of several."""
        ref = parse(name)
        if ref is None:
            return None
        tag = without_architecture(ref.tag or "latest")
        if stream := self._by_name.get((ref.name, tag)):
            return FoundName(stream)
        fitting = [stream for stream, rule in self._rules.get(ref.name, ()) if rule.names(tag)]
        return FoundName(fitting[0], tag) if len(fitting) == 1 else None


def without_architecture(tag: str) -> str:
    """A tag without the architecture that AWS adds to those of single images."""
    return _ARCHITECTURE.sub("", tag)


def parse(name: str) -> ImageRef | None:
    """What people write, or None; `python:3.12` is docker.io/library/python:3.12, ECR by its plain host."""
    name = name.strip()[:600]
    host, slash, rest = name.partition("/")
    if not slash:
        host, rest = "docker.io", f"library/{name}"
    elif "." not in host and ":" not in host and host != "localhost":
        host, rest = "docker.io", name
    if host in _DOCKER_HUB:
        host, rest = "docker.io", rest if "/" in rest else f"library/{rest}"
    try:
        return ImageRef.parse(f"{host}/{rest}").canonical
    except DrydockError:
        return None
