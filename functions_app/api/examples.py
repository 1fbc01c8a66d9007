"""What the schema shows as examples: made from each shape, with the values of one installation."""

from collections.abc import Mapping
from typing import Any

from functions_app.api.answers import problem_title
from functions_app.domain.errors import details

Schema = dict[str, Any]
DIGEST = "sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"
TIME = "2026-11-29T04:10:00Z"
# By the member's name, or with its shape's before it. What has no line is shown as an example of its type.
VALUES: Mapping[str, Any] = {
    "text": "billing-api is stale: 3 releases behind python:3.12.",
    "url": "https://drydock.example/functions/17/",
    "function": "billing-api:staging",
    "name": "billing-api",
    "arn": "arn:aws:lambda:eu-west-1:111111111111:function:billing-api",
    "account": "production",
    "account_id": "111111111111",
    "region": "eu-west-1",
    "alias": "staging",
    "version": "12",
    "image": "1.8.3",
    "digest": DIGEST,
    "tags": ["1.8.3", "main"],
    "deployed_tag": "1.8.3",
    "repository": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/billing-api",
    "reference": "public.ecr.aws/lambda/python:3.12",
    "base": "python:3.12",
    "stream": "python:3.12",
    "release": "3.12.2026.11.20.10",
    "current": "3.12.2026.11.20.10",
    "label": "3.12.2026.11.20.10",
    "platform": "linux/amd64",
    "freshness": "stale",
    "freshness_reason": "3 releases behind python:3.12",
    "reason": "a later build is due",
    "state": "Active",
    "state_reason": "",
    "problem": "",
    "owner": "payments",
    "managed_by": "terraform",
    "kind": "deployment",
    "title": "Deploy 1.8.3 to billing-api:staging",
    "target": "billing-api:staging",
    "status": "succeeded",
    "actor": "olga (token ci)",
    "person": "olga",
    "group": "operator",
    "action": "plan.apply",
    "result": "applied",
    "level": "info",
    "source": "drydock",
    "verdict": "safe",
    "steps": "5 of 5",
    "takes": [],
    "warnings": [],
    "choices": [],
    "confirm": "staging",
    "ticks": ["review"],
    "key": "review",
    "scopes": ["read", "deploy:nonprod"],
    "accounts": None,
    "functions": None,
    "networks": ["10.0.0.0/8"],
    "beginning": "ddk_3fQz",
    "token": "ddk_… (shown this once)",
    "payload": {"order": 417},
    "qualifier": "staging",
    "weight": 1.0,
    "total": 1,
    "next": None,
    "description": "Takes orders and bills them",
    "signal": "cancel",
    "id": 417,
    "pk": 417,
    "run": 417,
    "AliasChip.name": "live",
    "AliasLine.alias": "live",
    "AccountLine.name": "production",
    "BaseLine.name": "python:3.12",
    "BaseAnswer.name": "python:3.12",
    "CheckLine.name": "image",
    "CheckLine.ok": True,
    "CheckLine.text": "The image can be pulled, and is fit for Lambda.",
    "TickLine.text": "Somebody has looked at what is doubtful.",
    "LogLine.text": "Point alias staging to version 13",
    "StepLine.title": "Point the alias",
    "StepLine.note": "version 13",
    "PersonLine.name": "olga",
    "TokenLine.name": "ci",
    "NewToken.name": "ci",
    "NewToken.scopes": ["read", "deploy:nonprod"],
    "PlanAnswer.steps": ["Check again", "Update the code", "Publish a version", "Point the alias"],
    "RepositoryLine.name": "billing-api",
    "maker": "olga",
    "Started.text": "Run 417: Deploy 1.8.3 to billing-api:staging (queued).",
    "Started.status": "queued",
    "summary": "billing-api:staging runs 1.8.3 as version 13",
    "why": "",
    "ended": True,
    "live": True,
    "size_bytes": 58_720_256,
    "own": False,
    "regions": ["eu-west-1"],
    "sequence": 12,
    "last": 12,
    "about": "billing-api",
    "plan_id": "0b9b6c1e-7f0e-4a51-9d3e-6a4f6c1f2a10",
}
_FORMATS = {"date-time": TIME, "date": TIME[:10], "uuid": VALUES["plan_id"], "uri": VALUES["url"]}
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_DEEPEST = 12


def add(operation: Schema, schemas: Mapping[str, Schema]) -> None:
    """Give an endpoint an example of its address, of what is sent, and of each answer."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["example"] = _Shapes(schemas).example(parameter["schema"], parameter["name"])
    if sent := operation.get("requestBody", {}).get("content", {}).get("application/json"):
        sent["example"] = _Shapes(schemas).sent(sent["schema"])
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        shown = content.get("application/json")
        if shown:
            shown["example"] = _Shapes(schemas).example(shown["schema"])
        if shown and "text/plain" in content:
            content["text/plain"] = {**content["text/plain"], "example": f"{shown['example']['text']}\n"}


def problem(status: int) -> dict[str, Any]:
    """A problem with this status."""
    told = details(status, problem_title(status), "What is wrong, in a sentence.", "What to do next.")
    return {**told, "choices": []}


class _Shapes:
    """Finds values that fit shapes."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas = schemas

    def sent(self, shape: Schema) -> dict[str, Any]:
        """A body: what must be sent, or all there is where nothing must."""
        shape, _ = self._resolved(shape)
        wanted = shape.get("required") or shape.get("properties", ())
        return {name: self.example(shape["properties"][name], name, shape.get("title", "")) for name in wanted}

    def example(self, shape: Schema, name: str = "", owner: str = "", deep: int = 0) -> Any:
        """A value that fits; `owner` is the shape that has it as its member of this name."""
        shape, may_be_null = self._resolved(shape)
        known = [VALUES[key] for key in (f"{owner}.{name}", name) if key in VALUES]
        for value in [*shape.get("examples", ()), *known]:
            if self._fits(value, shape) or (value is None and may_be_null):
                return value
        if "const" in shape or shape.get("enum"):
            return shape.get("const", shape.get("enum", [None])[0])
        if "properties" in shape and deep < _DEEPEST:
            title = shape.get("title", "")
            return {each: self.example(part, each, title, deep + 1) for each, part in shape["properties"].items()}
        if shape.get("type") == "array":
            return [self.example(shape.get("items", {}), name.removesuffix("s"), owner, deep + 1)]
        return _plain(shape)

    def _resolved(self, shape: Schema) -> tuple[Schema, bool]:
        """The shape behind references, of several the first that is more than null; and whether null fits, too."""
        may_be_null = False
        while True:
            choices = shape.get("anyOf") or shape.get("allOf") or shape.get("oneOf")
            if "$ref" in shape:
                shape = self.schemas[shape["$ref"].rpartition("/")[2]]
            elif choices:
                may_be_null |= any(each.get("type") == "null" for each in choices)
                shape = next((each for each in choices if each.get("type") != "null"), choices[0])
            else:
                return shape, may_be_null

    def _fits(self, value: Any, shape: Schema) -> bool:
        if "type" not in shape:
            return "properties" not in shape
        if isinstance(value, list) and shape["type"] == "array":
            return all(self._fits(each, self._resolved(shape.get("items", {}))[0]) for each in value)
        if shape.get("format") in _FORMATS and value != _FORMATS[shape["format"]]:
            return False
        if shape.get("enum") and value not in shape["enum"]:
            return False
        return bool(_TYPES.get(type(value)) == shape["type"])


def _plain(shape: Schema) -> Any:
    if shape.get("format") in _FORMATS:
        return _FORMATS[shape["format"]]
    if shape.get("default") not in ("", None):
        return shape["default"]
    least = max(int(shape.get("minimum", 0)), 3)
    return {"integer": least, "number": 0.5, "boolean": False, "string": "words", "null": None}.get(
        shape.get("type", ""), {}
    )
