"""EventBridge's patterns: what each operator accepts."""

from typing import Any

import pytest

from sandbox.events.patterns import InvalidPattern, matches, parse

PUSH: dict[str, Any] = {
    "source": "aws.ecr",
    "detail-type": "ECR Image Action",
    "resources": ["arn:one", "arn:two"],
    "detail": {"action-type": "PUSH", "image-tag": "v1.2", "size": 10, "signed": True, "layers": [{"kind": "app"}]},
}


@pytest.mark.parametrize(
    "detail",
    [
        {"action-type": ["PUSH", "DELETE"]},
        {"image-tag": [{"prefix": "v1"}]},
        {"image-tag": [{"suffix": ".2"}]},
        {"action-type": [{"equals-ignore-case": "push"}]},
        {"action-type": [{"anything-but": "DELETE"}]},
        {"action-type": [{"anything-but": ["DELETE", "PULL"]}]},
        {"image-tag": [{"anything-but": {"prefix": "latest"}}]},
        {"image-tag": [{"exists": True}]},
        {"image-digest": [{"exists": False}]},
        {"size": [{"numeric": [">", 5, "<=", 10]}]},
        {"image-tag": [{"wildcard": "v*.2"}]},
        {"layers": {"kind": ["app"]}},
        {"$or": [{"action-type": ["DELETE"]}, {"size": [10]}]},
    ],
)
def test_a_pattern_accepts(detail: dict[str, Any]) -> None:
    assert matches({"source": ["aws.ecr"], "detail": detail}, PUSH)


@pytest.mark.parametrize(
    "detail",
    [
        {"action-type": ["DELETE"]},
        {"image-tag": [{"prefix": "v2"}]},
        {"action-type": [{"anything-but": ["PUSH"]}]},
        {"image-tag": [{"anything-but": {"prefix": "v"}}]},
        {"image-tag": [{"exists": False}]},
        {"image-digest": [{"exists": True}]},
        {"image-digest": ["sha256:00"]},
        {"size": [{"numeric": [">", 10]}]},
        {"image-tag": [{"numeric": ["=", 1]}]},
        {"signed": [1]},
        {"layers": {"kind": ["base"]}},
        {"action-type": ["PUSH"], "image-tag": ["latest"]},
    ],
)
def test_a_pattern_rejects(detail: dict[str, Any]) -> None:
    assert not matches({"source": ["aws.ecr"], "detail": detail}, PUSH)


def test_an_array_of_the_event_needs_one_element_that_is_accepted() -> None:
    assert matches({"resources": ["arn:two"]}, PUSH)
    assert not matches({"resources": ["arn:three"]}, PUSH)


@pytest.mark.parametrize("text", ["{", "[]", '{"source": "aws.ecr"}', '{"source": []}', '{"source": [{"like": "a"}]}'])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        parse(text)
