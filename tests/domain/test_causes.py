"""What failed for one reason is told together."""

from functions_app.domain.causes import by_cause
from functions_app.domain.errors import Code, Problem

GONE = "The name public.ecr.aws can't be resolved."


def test_what_was_asked_for_does_not_tell_two_of_one_cause_apart() -> None:
    problems = [(name, Problem(Code.UNREACHABLE, f"{GONE} Asked for: {name}.")) for name in ("a", "b")]
    (cause,) = by_cause(problems)
    assert (cause.count, cause.names, cause.problem.cause) == (2, ("a", "b"), GONE)


def test_a_denial_comes_first_then_the_most_frequent() -> None:
    rare, often, denied = (
        Problem(Code.FAILED, "Rare."),
        Problem(Code.FAILED, "Often."),
        Problem(Code.DENIED, "Denied.", aws_code="AccessDeniedException"),
    )
    found = by_cause([("1", rare), ("2", often), ("3", often), ("4", denied)])
    assert [cause.problem.message for cause in found] == ["Denied.", "Often.", "Rare."]


def test_two_codes_of_aws_are_two_causes() -> None:
    problems = [(code, Problem(Code.FAILED, "No.", aws_code=code)) for code in ("A", "B")]
    assert len(by_cause(problems)) == 2
