"""What ECR's status of an image says of pulling it."""

import pytest
from botocore.session import get_session

from functions_app.domain.images.statuses import KNOWN, NOT_PULLABLE, read_status

TABLE = [
    ("ACTIVE", True, "is in ECR", ""),
    ("ARCHIVED", False, "archived in ECR: it can't be pulled until it is restored", "Restore it in ECR first"),
    ("ACTIVATING", False, "being restored from ECR's archive", "Wait until ECR has restored it"),
    ("", None, "no status that ECR told", ""),
    ("DEEP_FROZEN", None, "the status DEEP_FROZEN, which Drydock does not know", "Look at the image"),
]


@pytest.mark.parametrize(("word", "pullable", "state", "next_step"), TABLE)
def test_each_status_says_whether_the_image_can_be_pulled(
    word: str, pullable: bool | None, state: str, next_step: str
) -> None:
    status = read_status(word)
    assert status.pullable is pullable
    assert state in status.state
    assert next_step in status.next_step


def test_every_row_and_every_word_of_the_model_has_its_example() -> None:
    words = get_session().get_service_model("ecr").shape_for("ImageStatus").enum  # type: ignore[attr-defined]
    assert {*words, *KNOWN} <= {row[0] for row in TABLE}


def test_those_that_certainly_can_not_be_pulled_are_known_by_name() -> None:
    assert set(NOT_PULLABLE) == {"ARCHIVED", "ACTIVATING"}
