"""Findings: how bad they are together, and what an error of AWS says of a permission."""

import pytest

from functions_app.domain.errors import Code, Problem
from functions_app.domain.health.findings import Finding, State, counts, exit_code
from functions_app.domain.health.permissions import refused


def found(*states: State) -> list[Finding]:
    return [Finding("part", state, "words") for state in states]


def test_only_what_is_broken_fails() -> None:
    assert exit_code(found(State.OK, State.WARN, State.NOT_TRIED)) == 0
    assert exit_code(found(State.OK, State.BAD)) == 1
    assert exit_code([]) == 0


def test_they_are_counted_by_state() -> None:
    five = found(State.NOT_TRIED, State.OK, State.BAD, State.WARN, State.OK)

    assert counts(five) == "2 ok, 1 warn, 1 bad, 1 not tried"


def test_an_error_is_told_with_its_code_request_and_next_step() -> None:
    problem = Problem(Code.DENIED, "Not you.", "Allow it.", "AccessDeniedException", "req-1")

    finding = Finding.of("part", State.BAD, "Refused:", problem)

    assert finding.words == "Refused: Not you. (AccessDeniedException, request req-1)"
    assert finding.next_step == "Allow it."


def test_a_secret_in_an_error_is_not_told() -> None:
    problem = Problem(Code.UNREACHABLE, "https://olga:hunter2-hunter2@registry.example.com did not answer.")

    finding = Finding.of("part", State.BAD, "It can't be read.", problem)

    assert "hunter2" not in finding.words
    assert "registry.example.com did not answer" in finding.words


class Test_a_permission:
    @pytest.mark.parametrize(
        ("action", "state"),
        [
            ("lambda:ListFunctions", State.BAD),
            ("ecr:DescribeImageScanFindings", State.WARN),
            ("lambda:UpdateFunctionCode", State.WARN),
        ],
    )
    def test_that_is_refused_is_as_bad_as_what_drydock_lacks_without_it(self, action: str, state: State) -> None:
        finding = refused("part", action, "", Problem(Code.DENIED, "No.", aws_code="AccessDeniedException"))

        assert finding.state is state
        assert finding.words.startswith(f"{action} is refused: without it ")

    @pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.INVALID, Code.BUSY, Code.CHANGED, Code.FAILED])
    def test_is_there_where_aws_complains_of_anything_else(self, code: Code) -> None:
        problem = Problem(code, "No such thing.", aws_code="ScanNotFoundException")

        assert refused("part", "ecr:DescribeImageScanFindings", "", problem).state is State.OK

    @pytest.mark.parametrize(
        "problem",
        [
            Problem(Code.THROTTLED, "Slow down.", aws_code="ThrottlingException"),
            Problem(Code.UNREACHABLE, "No answer."),
            Problem(Code.FAILED, "AWS's answer is not of the shape that botocore knows."),
        ],
    )
    def test_is_not_known_where_aws_did_not_answer(self, problem: Problem) -> None:
        finding = refused("part", "lambda:ListFunctions", "", problem)

        assert finding.state is State.WARN
        assert "not known" in finding.words
