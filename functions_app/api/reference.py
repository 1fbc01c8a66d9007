"""The schema as `/api/v1/docs` shows it: a page to read, without a script and without anybody else's server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from functions_app.api.openapi import REF, Schema

TITLES = {
    "fleet": "Functions",
    "images": "Repositories and images",
    "bases": "Base images",
    "changes": "Changes",
    "runs": "Runs",
    "people": "Tokens",
    "settings": "Settings",
    "chat": "Chat",
}
ELSEWHERE = ("X-Request-Id", "If-None-Match", "Idempotency-Key")  # parameters that are told once, for all endpoints


@dataclass(frozen=True)
class Named:
    """A parameter, or a member of a body."""

    name: str
    type: str
    required: bool
    about: str


@dataclass(frozen=True)
class Answer:
    """What is answered where it goes well."""

    status: str
    headers: tuple[str, ...]
    example: str


@dataclass(frozen=True)
class Endpoint:
    """One endpoint as the page shows it."""

    name: str
    method: str
    path: str
    about: str
    parameters: tuple[Named, ...]
    members: tuple[Named, ...]
    sent: str  # an example of the body
    answers: tuple[Answer, ...]
    problems: tuple[str, ...]  # statuses


@dataclass(frozen=True)
class Reference:
    """All of it: endpoints by what they are about, and what is the same for each."""

    chapters: tuple[tuple[str, tuple[Endpoint, ...]], ...]
    headers: tuple[Named, ...]
    problems: tuple[tuple[str, str], ...]  # status, title


def reference_of(told: Schema) -> Reference:
    """What the page shows of a schema."""
    operations = [
        (operation["tags"][0], path, method, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    order = [*TITLES, *(tag for tag, *_ in operations)]
    operations.sort(key=lambda each: order.index(each[0]))
    schemas = told["components"]["schemas"]
    found = {each["name"]: each for *_, operation in operations for each in operation["parameters"]}
    return Reference(
        tuple(
            (
                TITLES.get(tag, tag.capitalize()),
                tuple(_endpoint(path, method, operation, schemas) for _, path, method, operation in group),
            )
            for tag, group in groupby(operations, key=lambda each: each[0])
        ),
        tuple(_named(found[name]) for name in ELSEWHERE if name in found),
        tuple(
            (name.removeprefix("Problem"), answer["description"])
            for name, answer in told["components"]["responses"].items()
            if name.startswith("Problem")
        ),
    )


def _endpoint(path: str, method: str, operation: Schema, schemas: Mapping[str, Schema]) -> Endpoint:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shape = _behind(body.get("schema", {}), schemas)
    required = shape.get("required", ())
    return Endpoint(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        about=str(operation.get("description", operation["summary"])),
        parameters=tuple(_named(each) for each in operation["parameters"] if each["name"] not in ELSEWHERE),
        members=tuple(
            Named(name, _type(member, schemas), name in required, _about(member))
            for name, member in shape.get("properties", {}).items()
        ),
        sent=_shown(body["example"]) if body else "",
        answers=tuple(
            _answer(status, answer) for status, answer in operation["responses"].items() if status.startswith("2")
        ),
        problems=tuple(status for status in operation["responses"] if status[0] in "45"),
    )


def _answer(status: str, answer: Schema) -> Answer:
    example = answer.get("content", {}).get("application/json", {}).get("example")
    return Answer(status, tuple(answer.get("headers", ())), _shown(example) if example is not None else "")


def _named(parameter: Schema) -> Named:
    shape = parameter["schema"]
    return Named(parameter["name"], _type(shape, {}), parameter["required"], _about(parameter) or _about(shape))


def _about(told: Schema) -> str:
    choices = told.get("enum") or told.get("schema", {}).get("enum") or ()
    return str(told.get("description", "")) or ", ".join(str(each) for each in choices if each != "")


def _type(shape: Schema, schemas: Mapping[str, Schema]) -> str:
    """In a few words: "integer or null", "list of string"."""
    several = shape.get("anyOf") or shape.get("allOf") or shape.get("oneOf")
    if several:
        return " or ".join(_type(each, schemas) for each in several)
    shape = _behind(shape, schemas)
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}), schemas)}"
    if "enum" in shape and schemas:
        return " | ".join(str(each) for each in shape["enum"])
    return str(shape.get("format") or shape.get("type") or "any JSON")


def _behind(shape: Schema, schemas: Mapping[str, Schema]) -> Schema:
    reference = shape.get("$ref", "")
    return schemas.get(reference.removeprefix(f"{REF}schemas/"), {}) if reference else shape


def _shown(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
