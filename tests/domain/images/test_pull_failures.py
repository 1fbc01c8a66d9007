"""Each failure code of BatchGetImage has its words; one that nobody knows claims nothing."""

import pytest
from botocore.session import get_session

from functions_app.domain.errors import Code
from functions_app.domain.images.pull_failures import TABLE as FAILURES
from functions_app.domain.images.pull_failures import not_given, why_not_given
from functions_app.domain.refs import ImageRef

TAG = ImageRef.parse("111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1")
TABLE = [
    ("", Code.NOT_FOUND, "There is no tag 'v1'", "push it first"),
    ("ImageNotFound", Code.NOT_FOUND, "There is no tag 'v1'", "push it first"),
    ("ImageInaccessible", Code.PREFLIGHT, "archived, or is just being restored", "Restore it in ECR first"),
    ("ImageTagDoesNotMatchDigest", Code.NOT_FOUND, "do not belong together", "only one"),
    ("InvalidImageDigest", Code.INVALID, "does not take", "list"),
    ("InvalidImageTag", Code.INVALID, "does not take", "list"),
    ("MissingDigestAndTag", Code.INVALID, "does not take", "list"),
    ("KmsError", Code.DENIED, "KMS key", "policy"),
    ("UpstreamAccessDenied", Code.DENIED, "pull-through cache", "credentials"),
    ("UpstreamTooManyRequests", Code.THROTTLED, "slow down", "later"),
    ("UpstreamUnavailable", Code.UNREACHABLE, "does not answer", "later"),
    ("ImageReferencedByManifestList", Code.PREFLIGHT, "does not give tag 'v1'", "console"),
    ("ImageOnTheMoon", Code.PREFLIGHT, "(ImageOnTheMoon)", "console"),
]


@pytest.mark.parametrize(("failure", "code", "text", "next_step"), TABLE)
def test_each_failure_says_why_and_what_to_do(failure: str, code: Code, text: str, next_step: str) -> None:
    problem = not_given(TAG, failure).problem
    assert (problem.code, problem.aws_code) == (code, failure)
    assert text in problem.message
    assert next_step in problem.next_step


@pytest.mark.parametrize("failure", [row[0] for row in TABLE])
def test_of_an_image_that_ecr_lists_each_failure_has_its_code_and_never_says_there_is_none(failure: str) -> None:
    text = why_not_given(TAG, failure)
    assert text.count(failure or "no reason told") == 1
    assert "There is no" not in text
    assert "Nothing was changed" not in text


def test_every_row_and_every_code_of_aws_has_its_example() -> None:
    codes = get_session().get_service_model("ecr").shape_for("ImageFailureCode").enum  # type: ignore[attr-defined]
    assert {*codes, *FAILURES} <= {row[0] for row in TABLE}
