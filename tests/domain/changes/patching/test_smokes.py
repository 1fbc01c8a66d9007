"""What a smoke test may ask for, and what its answer must be."""

import json
from typing import Any

import pytest

from functions_app.domain.changes.patching.smokes import Smoke, check_smoke, failure
from functions_app.domain.errors import Code, DrydockError
from tests.fuzz.bounds import bounded


def wrong(answer: Any, **expected: Any) -> str:
    """What is wrong with an answer, where this is expected."""
    return failure(check_smoke(Smoke(**expected)), json.dumps(answer).encode(), "")


def refusal(**asked: Any) -> str:
    with pytest.raises(DrydockError) as caught:
        check_smoke(Smoke(**asked))
    assert caught.value.problem.code == Code.INVALID
    return caught.value.problem.message


def test_a_function_that_failed_is_wrong_whatever_is_expected() -> None:
    assert failure(Smoke(), b"{}", "Unhandled") == "The function failed (Unhandled)."


def test_nothing_else_is_asked_of_an_answer_by_itself() -> None:
    assert failure(Smoke(), b"no JSON at all", "") == ""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"statusCode": 200}, {"status": 200}),
        ({"statusCode": 200, "body": {"ok": True}}, {"status": 200, "path": "$.body.ok", "value": "true"}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"path": "$.a[*].b", "value": "2"}),
        ({"a": [{"b": None}]}, {"path": "$..b"}),
        ({"n": 1.0}, {"path": "$.n", "value": "1"}),
        ({"n": [{"a": 1, "b": [2]}]}, {"path": "$.n[0]", "value": '{"b": [2.0], "a": 1}'}),
        ([3, 4], {"path": "$[1:]", "value": "4"}),
    ],
)
def test_what_is_expected_is_found(answer: Any, expected: dict[str, Any]) -> None:
    assert wrong(answer, **expected) == ""


@pytest.mark.parametrize(
    ("answer", "expected", "told"),
    [
        ({"statusCode": 500}, {"status": 200}, "Its statusCode is 500, expected was 200."),
        ([1], {"status": 200}, "Its statusCode is null, expected was 200."),
        ({"a": 1}, {"path": "$.b"}, "Its answer has nothing at $.b."),
        ({"ok": False}, {"path": "$.ok", "value": "true"}, "At $.ok is false, expected was true."),
        ({"ok": "true"}, {"path": "$.ok", "value": "true"}, 'At $.ok is "true", expected was true.'),
        ({"ok": 1}, {"path": "$.ok", "value": "true"}, "At $.ok is 1, expected was true."),
        ({"n": False}, {"path": "$.n", "value": "0"}, "At $.n is false, expected was 0."),
        ({"n": [True, {"a": 1}]}, {"path": "$.n", "value": '[1, {"a": true}]'}, "At $.n is [true"),
        ({"n": [1, 2]}, {"path": "$.n", "value": "[1]"}, "At $.n is [1, 2], expected was [1]."),
        ({"n": {"a": 1}}, {"path": "$.n", "value": '{"b": 1}'}, "At $.n is"),
    ],
)
def test_what_is_otherwise_is_told(answer: Any, expected: dict[str, Any], told: str) -> None:
    assert wrong(answer, **expected).startswith(told)


def test_an_answer_that_is_no_json_is_told_where_something_is_looked_for_in_it() -> None:
    assert failure(Smoke(path="$.a"), b"\xff", "") == "Its answer is not JSON."


@pytest.mark.parametrize(
    "path",
    [
        "$..*..*",
        "$..a..b..c",
        "$[*,*][*,*]",
        "$[0,0][0,0]",
        "$.a[?@.b == 1]",
        "$..* | $..*",
        "$[*] & $[*]",
        "$" + ".a" * 100,
    ],
)
def test_a_path_that_could_take_for_ever_is_refused(path: str) -> None:
    assert "no filters" in refusal(path=path)


@pytest.mark.parametrize("path", ["$..*", "$..[*]", "$..a", "$..[0:]", "$..*[*][*][*]"])
def test_other_paths_look_at_each_value_once(path: str) -> None:
    answer: Any = 1
    for _ in range(300):
        answer = [answer, answer] if isinstance(answer, int) else [answer, 1]

    with bounded():
        failure(check_smoke(Smoke(path=path, value='"no"')), json.dumps([answer] * 50).encode(), "")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"payload": "{"}, "JSON"),
        ({"payload": json.dumps("x" * 20_000)}, "16,384 are kept at most"),
        ({"payload": '{"password": "hunter2hunter2"}'}, "looks like a secret"),
        ({"path": "$.a", "value": '"ghp_' + "a1B2" * 9 + '"'}, "looks like a secret"),
        ({"status": 20}, "from 100 to 599"),
        ({"limit_s": 0}, "1 to 900 s"),
        ({"path": "$["}, "no JSONPath"),
        ({"value": "1"}, "needs a path"),
        ({"path": "$.a", "value": "ok"}, "stands in quotes"),
    ],
)
def test_what_can_not_be_kept_says_which_part(asked: dict[str, Any], told: str) -> None:
    assert told in refusal(**asked)
