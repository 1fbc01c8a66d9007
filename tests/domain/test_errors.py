"""Problems as they are kept: what somebody else wrote into an error is not trusted."""

from functions_app.domain.errors import Code, Problem


def test_a_problem_is_read_back_as_it_was() -> None:
    problem = Problem(Code.DENIED, "AWS refuses it.", "Ask.", "AccessDenied", "c0ffee-1", retryable=True)

    assert Problem.from_json(problem.as_json()) == problem


def test_what_a_registry_says_is_kept_without_credentials_and_without_what_a_database_refuses() -> None:
    said = "gone\0 \ud800 https://b.s3.amazonaws.com/x?X-Amz-Signature=abcdef0123&X-Amz-Credential=AKIA/1 \u202e"

    kept = Problem(Code.FAILED, said).as_json()["message"]

    assert "abcdef0123" not in kept
    assert "AKIA/1" not in kept
    assert kept.startswith("gone  https://b.s3.amazonaws.com/x?X-Amz-Signature=[redacted]")
    assert "\u202e" not in kept
