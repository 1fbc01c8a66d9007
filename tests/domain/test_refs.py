"""Image references: what is understood, and what is refused."""

import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.refs import ImageRef, is_digest

DIGEST = "sha256:" + "a" * 64
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
MODEL = get_session().get_service_model("ecr").shape_for("RepositoryName")
LONGEST = "r" * MODEL.metadata["max"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HOST}/team/app:v1", ImageRef(HOST, "team/app", "v1")),
        (f"{HOST}/team/app@{DIGEST}", ImageRef(HOST, "team/app", digest=DIGEST)),
        (f"{HOST}/app:v1@{DIGEST}", ImageRef(HOST, "app", "v1", DIGEST)),
        (f"{HOST}/app", ImageRef(HOST, "app")),
        ("localhost:5000/a__b/c-d.e:1_2.3-4", ImageRef("localhost:5000", "a__b/c-d.e", "1_2.3-4")),
        ("localhost/app:v1", ImageRef("localhost", "app", "v1")),
        (f"{HOST}/{LONGEST}:v1", ImageRef(HOST, LONGEST, "v1")),
    ],
)
def test_a_reference_is_read_and_written_back_as_it_was(text: str, expected: ImageRef) -> None:
    assert ImageRef.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "host name"),
        ("python:3.12", "host name"),
        ("library/python:3.12", "host name"),
        (f"{HOST}/Team/App:v1", "no repository name"),
        (f"{HOST}/team/../app:v1", "no repository name"),
        (f"{HOST}/app:", "no tag"),
        (f"{HOST}/app:-v1", "no tag"),
        (f"{HOST}/app:{'x' * 129}", "no tag"),
        (f"{HOST}/app@sha256:abc", "no digest"),
        (f"{HOST}/app@sha256:{'A' * 64}", "no digest"),
        (f"{HOST}/{'a/' * 200}a", "no repository name"),
        (f"{HOST}/{LONGEST}r", "no repository name"),
    ],
)
def test_what_is_no_reference_is_refused_with_its_cause(text: str, cause: str) -> None:
    with pytest.raises(DrydockError, match=cause) as caught:
        ImageRef.parse(text)

    assert caught.value.problem.code is Code.INVALID
    assert caught.value.problem.next_step


def test_with_digest_drops_the_tag_so_that_nothing_moving_is_deployed() -> None:
    assert str(ImageRef.parse(f"{HOST}/app:v1").with_digest(DIGEST)) == f"{HOST}/app@{DIGEST}"


@pytest.mark.parametrize(
    "text", ["sha256:", "a" * 64, f"{DIGEST}\n", f"sha256:{'g' * 64}", f"sha512:{'a' * 64}", f"md5:{'a' * 32}"]
)
def test_only_a_whole_digest_is_one(text: str) -> None:
    assert is_digest(DIGEST)
    assert not is_digest(text)


@given(st.text(max_size=300))
def test_any_text_is_either_read_and_written_back_or_refused(text: str) -> None:
    try:
        ref = ImageRef.parse(text)
    except DrydockError:
        return
    assert str(ref) == text.strip()
