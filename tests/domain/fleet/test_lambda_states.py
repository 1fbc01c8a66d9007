"""What each word of Lambda's for a state and an update means: ready, changed, waited for. A test per row."""

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from functions_app.domain.fleet.lambda_states import STATES, UPDATES, Waiting, readiness, state_meaning, update_meaning

DONE, WAIT, FAIL = Waiting.DONE, Waiting.WAIT, Waiting.FAIL
MODEL = ServiceModel(Loader().load_service_model("lambda", "service-2"), "lambda")
NEW = "Hibernating"  # a word that nobody knows
OF_STATES: list[tuple[str, bool | None, bool | None, Waiting]] = [
    ("Active", True, True, DONE),
    ("Pending", False, False, WAIT),
    ("Inactive", None, None, WAIT),
    ("Failed", None, False, FAIL),
    ("Deactivating", False, False, FAIL),
    ("Deactivated", False, False, FAIL),
    ("ActiveNonInvocable", False, False, WAIT),
    ("Deleting", False, False, FAIL),
    (NEW, False, False, WAIT),
    ("active", False, False, WAIT),
    ("", None, None, WAIT),
]
OF_UPDATES: list[tuple[str, str, bool | None, Waiting]] = [
    ("Successful", "Active", True, DONE),
    ("InProgress", "Active", False, WAIT),
    ("Failed", "Active", None, FAIL),
    ("", "Active", None, WAIT),
    ("", "Pending", True, DONE),  # Lambda tells none before the function was created
    ("Postponed", "Active", False, WAIT),
]


@pytest.mark.parametrize(
    ("word", "change", "serve", "waiting"),
    OF_STATES,
)
def test_what_a_state_allows_and_whether_it_is_waited_for(
    word: str, change: bool | None, serve: bool | None, waiting: Waiting
) -> None:
    meaning = state_meaning(word)
    assert (meaning.change, meaning.serve, meaning.waiting) == (change, serve, waiting)
    assert meaning.ready is (word == "Active")
    assert meaning.says
    assert meaning.why


@pytest.mark.parametrize(
    ("word", "state", "change", "waiting"),
    OF_UPDATES,
)
def test_what_a_last_update_allows_and_whether_it_is_waited_for(
    word: str, state: str, change: bool | None, waiting: Waiting
) -> None:
    meaning = update_meaning(word, state)
    assert (meaning.change, meaning.waiting) == (change, waiting)
    assert meaning.says
    assert meaning.why


@pytest.mark.parametrize(("shape", "table"), [("State", STATES), ("LastUpdateStatus", UPDATES)])
def test_every_word_of_the_model_has_a_row(shape: str, table: dict[str, object]) -> None:
    assert set(MODEL.shape_for(shape).enum) == set(table)  # type: ignore[attr-defined]


def test_every_row_has_its_example() -> None:
    assert STATES.keys() <= {row[0] for row in OF_STATES}
    assert UPDATES.keys() <= {row[0] for row in OF_UPDATES}


def test_latest_of_managed_instances_may_be_published_from_though_it_takes_no_calls() -> None:
    meaning = state_meaning("ActiveNonInvocable", managed_latest=True)
    assert (meaning.change, meaning.serve, meaning.waiting) == (None, False, DONE)
    assert state_meaning("Deactivated", managed_latest=True) == state_meaning("Deactivated")


def test_a_word_that_nobody_knows_is_worse_than_one_that_passes() -> None:
    words = ["Failed", NEW, "Inactive", "Pending", "", "Active"]
    assert sorted(words, key=readiness, reverse=True) == words
