"""Recorded answers: what AWS would say, built from botocore's models, and every way in which a member may be odd.

No answer is written down by hand, so that a new release of botocore brings its new words and members into the tests.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

Path = tuple[str | int, ...]
INVENTED = "SomethingThatNobodyKnowsYet"
WHEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DEPTH = 7  # of structures within structures; no answer that is read is deeper

# What a member has to be for the whole to make sense; all else is made up from its shape.
SENSIBLE: Mapping[str, Any] = {
    "FunctionName": "app",
    "FunctionArn": "arn:aws:lambda:eu-west-1:111111111111:function:app",
    "Version": "$LATEST",
    "FunctionVersion": "1",
    "CodeSha256": "a" * 64,
    "LastModified": "2026-11-20T09:30:00.000+0000",
    "PackageType": "Image",
    "Architectures": ["x86_64"],
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "AdditionalVersionWeights": {"2": 0.1},
    "AdditionalVersionWeight": 0.1,
    "NextMarker": "",
    "nextToken": "",
}
ERRORS = frozenset({"Error", "TagsError"})  # an answer holds either a part or its error


@cache
def service(name: str) -> ServiceModel:
    """botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


@dataclass(frozen=True)
class Odd:
    """An answer in which one member is not as it should be; `what` says which, and how."""

    what: str
    path: Path
    answer: dict[str, Any]

    def __str__(self) -> str:
        return self.what


def answer(service_name: str, operation: str, **members: Any) -> dict[str, Any]:
    """A whole answer of an operation: every member has a value of its shape, these the ones that are given."""
    shape = service(service_name).operation_model(operation).output_shape
    assert shape is not None
    return {**_value(shape, "", 0, members), **{name: members[name] for name in members if name in shape.members}}


def structure(service_name: str, shape: str, **members: Any) -> dict[str, Any]:
    """A whole structure of a service, as an entry of a listing is."""
    built: dict[str, Any] = _value(service(service_name).shape_for(shape), "", 0, members)
    return built


def _value(shape: Shape, name: str, depth: int, given: Mapping[str, Any]) -> Any:
    known = {**SENSIBLE, **given}
    if name in known:
        return copy.deepcopy(known[name])
    if isinstance(shape, StructureShape):
        members = shape.members.items() if depth < DEPTH else ()
        return {key: _value(member, key, depth + 1, given) for key, member in members if key not in ERRORS}
    if isinstance(shape, ListShape):
        return [_value(shape.member, "", depth + 1, given)]
    if isinstance(shape, MapShape):
        return {"KEY": _value(shape.value, "", depth + 1, given)}
    return _scalar(shape)


def _scalar(shape: Shape) -> Any:
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "text"
    kinds: Mapping[str, Any] = {"timestamp": WHEN, "boolean": True, "double": 1.5, "float": 1.5, "blob": b"bytes"}
    return kinds.get(shape.type_name, 7)


def oddities(service_name: str, operation: str, whole: Mapping[str, Any]) -> Iterator[Odd]:
    """The answer with each of its members missing, null, empty; with each word of each enum, and one invented."""
    shape = service(service_name).operation_model(operation).output_shape
    assert shape is not None
    yield from _oddities(shape, (), whole, whole)


def _oddities(shape: Shape, path: Path, part: Any, whole: Mapping[str, Any]) -> Iterator[Odd]:
    if isinstance(shape, StructureShape) and isinstance(part, Mapping):
        for name, member in shape.members.items():
            here = (*path, name)
            yield from _broken(here, member, name in part, whole)
            if name in part:
                yield from _oddities(member, here, part[name], whole)
    elif isinstance(shape, ListShape) and isinstance(part, list):
        for position, item in enumerate(part):
            yield Odd(f"{_named((*path, position))} is null", (*path, position), _with(whole, (*path, position), None))
            yield from _oddities(shape.member, (*path, position), item, whole)
    elif isinstance(shape, MapShape) and isinstance(part, Mapping):
        for key in part:
            yield Odd(f"{_named((*path, key))} is null", (*path, key), _with(whole, (*path, key), None))


def _broken(path: Path, shape: Shape, there: bool, whole: Mapping[str, Any]) -> Iterator[Odd]:
    name = _named(path)
    if there:
        yield Odd(f"{name} is missing", path, _without(whole, path))
    yield Odd(f"{name} is null", path, _with(whole, path, None))
    if path[-1] in ERRORS:
        error = {"ErrorCode": "AccessDeniedException", "Message": "Lambda may not decrypt it."}
        yield Odd(f"{name} is an error", path, _with(whole, path, error))
        yield Odd(f"{name} is empty", path, _with(whole, path, {}))
    for empty in _empties(shape):
        yield Odd(f"{name} is {empty!r}", path, _with(whole, path, empty))
    for word in [*shape.enum, INVENTED] if isinstance(shape, StringShape) and shape.enum else ():
        yield Odd(f"{name} is {word}", path, _with(whole, path, word))


def _empties(shape: Shape) -> tuple[Any, ...]:
    if isinstance(shape, StringShape):
        return "", "x" * 700, "\x00\ud83d"
    if isinstance(shape, ListShape):
        return ([],)
    if isinstance(shape, StructureShape | MapShape):
        return ({},)
    numbers: Mapping[str, tuple[Any, ...]] = {"integer": (0, 2**40, -1), "long": (0, 2**70, -1), "double": (0.0,)}
    return numbers.get(shape.type_name, ())


def _named(path: Path) -> str:
    return ".".join(map(str, path))


def _with(whole: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    return _changed(whole, path, lambda parent, last: parent.__setitem__(last, value))


def _without(whole: Mapping[str, Any], path: Path) -> dict[str, Any]:
    return _changed(whole, path, lambda parent, last: parent.__delitem__(last))


def _changed(whole: Mapping[str, Any], path: Path, change: Callable[[Any, Any], None]) -> dict[str, Any]:
    made: Any = copy.deepcopy(dict(whole))
    parent = made
    for step in path[:-1]:
        parent = parent[step]
    change(parent, path[-1])
    built: dict[str, Any] = made
    return built
