"""The schema of the API: valid, whole, with examples that fit; and the page that shows it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from django.contrib.auth.models import User
from django.test import Client
from ninja.signature.details import is_pydantic_model
from pydantic import Strict

from functions_app.api import urls
from functions_app.api.openapi import REF
from functions_app.api.shapes import Body
from functions_app.domain.errors import Code
from tests.web.unbroken import unbroken

TOLD: dict[str, Any] = json.loads(json.dumps(urls.told()))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in TOLD["paths"].items()
    for method, operation in methods.items()
}
EVERY = pytest.mark.parametrize("name", OPERATIONS)
CHANGES = pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.startswith("GET")])
WHOLE = [name for name, each in OPERATIONS.items() if "text/event-stream" not in str(each)]  # no stream
TOLD_WHOLE = pytest.mark.parametrize("name", WHOLE)
READS = pytest.mark.parametrize("name", [name for name in WHOLE if name.startswith("GET")])


def behind(part: dict[str, Any]) -> dict[str, Any]:
    """What a part refers to, or itself."""
    for key in part.get("$ref", "#").removeprefix("#").split("/")[1:]:
        part = TOLD[key] if part.get("$ref") else part[key]
    return part


def fits(value: Any, shape: dict[str, Any]) -> bool:
    """Whether a value is of a shape, formats included."""
    whole = {**shape, "components": TOLD["components"]}
    return bool(jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value))


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in it."""
    if isinstance(part, dict):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(each)


class Test_the_schema:
    def test_is_valid_openapi_of_version_3_1(self) -> None:
        assert TOLD["openapi"].startswith("3.1.")
        schemathesis.openapi.from_dict(TOLD).validate()

    def test_has_valid_shapes_alone_and_refers_to_what_is_there(self) -> None:
        for shape in TOLD["components"]["schemas"].values():
            assert jsonschema_rs.meta.is_valid(shape)
        for reference in {part["$ref"] for part in parts(TOLD) if isinstance(part.get("$ref"), str)}:
            there: Any = TOLD
            for key in reference.removeprefix("#/").split("/"):
                there = there[key]

    def test_has_no_shape_that_nothing_refers_to(self) -> None:
        used = {
            part["$ref"].rpartition("/")[2]
            for part in parts(TOLD)
            if str(part.get("$ref")).startswith(f"{REF}schemas/")
        }
        assert set(TOLD["components"]["schemas"]) == used

    def test_calls_no_two_shapes_by_one_name(self) -> None:
        shapes: dict[str, set[type]] = {}
        for bound in urls.API._get_bound_routers():
            for view in bound.path_operations.values():
                for operation in view.operations:
                    answers = [each for each in operation.response_models.values() if is_pydantic_model(each)]
                    bodies = [each for each in operation.models if each.__ninja_param_source__ == "body"]
                    for shape in within([*answers, *bodies], set()):
                        shapes.setdefault(shape.__name__, set()).add(shape)
        # Ninja's own are made for each endpoint.
        several = {
            name: found
            for name, found in shapes.items()
            if len(found) > 1 and not name.startswith(("NinjaResponse", "BodyParams"))
        }
        assert several == {}

    def test_says_how_a_token_is_shown(self) -> None:
        assert TOLD["components"]["securitySchemes"] == {"Bearer": {"type": "http", "scheme": "bearer"}}
        assert all(operation["security"] == [{"Bearer": []}] for operation in OPERATIONS.values())


def within(shapes: list[Any], seen: set[type]) -> set[type]:
    """These shapes, and those that their members are of."""
    for shape in shapes:
        if isinstance(shape, type) and is_pydantic_model(shape) and shape not in seen:
            seen.add(shape)
            inner = [each.annotation for each in getattr(shape, "model_fields", {}).values()]
            within([found for each in inner for found in (each, *arguments(each))], seen)
    return seen


def arguments(annotation: Any) -> Iterator[Any]:
    """What stands in the brackets of a type, however deep."""
    for each in getattr(annotation, "__args__", ()):
        yield each
        yield from arguments(each)


class Test_every_endpoint:
    @EVERY
    def test_has_an_example_of_what_is_sent_and_of_each_answer(self, name: str) -> None:
        operation = OPERATIONS[name]
        contents = [operation.get("requestBody", {}), *map(behind, operation["responses"].values())]
        shown = [each for content in contents for kind, each in content.get("content", {}).items() if "json" in kind]
        assert shown
        for each in shown:
            assert fits(each["example"], each["schema"]), each["example"]
        for parameter in operation["parameters"]:
            assert parameter["in"] != "path" or fits(parameter["example"], parameter["schema"])

    @EVERY
    def test_bounds_each_number_that_it_takes(self, name: str) -> None:
        operation = OPERATIONS[name]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        given = [each["schema"] for each in operation["parameters"] if each["in"] == "query"]
        for shape in parts([given, behind(body).get("properties", {})]):
            if shape.get("type") == "integer":
                assert {"minimum", "exclusiveMinimum"} & set(shape), shape
                assert {"maximum", "exclusiveMaximum"} & set(shape), shape

    @EVERY
    def test_tells_each_problem_as_one(self, name: str) -> None:
        for status, answer in OPERATIONS[name]["responses"].items():
            content = behind(answer).get("content", {})
            if status[0] in "45":
                assert set(content) == {"application/problem+json", "text/plain"}
                assert "X-Request-Id" in behind(answer)["headers"]

    @TOLD_WHOLE
    def test_is_answered_as_one_line_where_that_is_asked_for(self, name: str) -> None:
        answers = [answer for status, answer in OPERATIONS[name]["responses"].items() if status[0] == "2"]
        assert answers
        assert all("text/plain" in answer["content"] for answer in answers)

    @CHANGES
    def test_that_changes_something_declares_whatever_the_table_of_errors_has(self, name: str) -> None:
        doors = {"400", "401", "403", "404", "405", "408", "413", "415", "422", "429", "431", "500", "503"}
        assert doors | {str(code.http_status) for code in Code} <= set(OPERATIONS[name]["responses"])

    @READS
    def test_that_reads_may_be_asked_whether_something_has_changed(self, name: str) -> None:
        operation = OPERATIONS[name]
        assert "If-None-Match" in {each["name"] for each in operation["parameters"]}
        assert {"200", "304"} <= set(operation["responses"])
        assert "ETag" in operation["responses"]["200"]["headers"]


class Test_the_schemas_door:
    def test_is_open_to_everybody_and_knows_who_has_it(self) -> None:
        answer = Client().get("/api/v1/openapi.json")
        assert (answer.status_code, answer.json()) == (200, TOLD)
        again = Client().get("/api/v1/openapi.json", headers={"If-None-Match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
class Test_the_page_of_the_reference:
    def test_has_every_endpoint_and_nothing_of_another_server(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)
        page = unbroken(client.get("/api/v1/docs").content.decode())
        for name in OPERATIONS:
            method, path = name.split(" ")
            assert re.search(rf'>{method}</span>\s*<code class="wrap">{re.escape(path)}</code>', page), name
        assert set(re.findall(r'(?:src|href)="(https?:[^"]+)"', page)) == set()

    def test_is_for_whoever_may_look(self, client: Client) -> None:
        assert client.get("/api/v1/docs")["Location"].startswith("/login/")
        stranger = User.objects.create_user("stan", password="a long password")
        client.force_login(stranger)
        assert client.get("/api/v1/docs").status_code == 403

    def test_takes_get_alone(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)
        assert client.post("/api/v1/docs").status_code == 405


def bodies(shape: type[Body] = Body) -> Iterator[type[Body]]:
    """Every shape of what comes in."""
    for each in shape.__subclasses__():
        yield each
        yield from bodies(each)


def test_a_number_is_no_yes_or_no_in_any_body() -> None:
    """The schema says boolean: 0 was taken for false."""
    flags = {f"{each.__name__}.{name}": field for each in bodies() for name, field in each.model_fields.items()}
    loose = [at for at, field in flags.items() if field.annotation is bool and Strict() not in field.metadata]
    assert loose == []
