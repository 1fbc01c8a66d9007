"""What differs between two stacks of layers, however long they were made."""

from collections.abc import Mapping

import pytest

from functions_app.services.inventory.images.differences import (
    ALIGNED,
    SHOWN_LINES,
    SHOWN_STEPS,
    SHOWN_TEXT,
    Differences,
    Stack,
    differences,
)

pytestmark = pytest.mark.django_db
NO_LABELS: Mapping[str, str | None] = {}


def compared(old: list[str], new: list[str], labels: Mapping[str, str | None] = NO_LABELS) -> Differences:
    """Two stacks without layers, with these steps; the first with labels."""
    return differences(Stack((), (), ({}, labels), tuple(old)), Stack((), (), ({}, {}), tuple(new)))


def test_steps_are_put_beside_each_other() -> None:
    found = compared(["FROM a", "RUN one", "CMD"], ["FROM a", "RUN two", "CMD"])
    assert [(line.change, line.text) for line in found.steps] == [
        ("kept", "FROM a"), ("removed", "RUN one"), ("added", "RUN two"), ("kept", "CMD"),
    ]  # fmt: skip
    assert found.more_steps == 0


def test_a_history_that_was_made_long_is_not_aligned_step_by_step() -> None:
    """That takes the cube of its length: half an hour for the ten thousand steps that a config may have."""
    number = 3 * ALIGNED
    old, new = ([str(step * by % 7) for step in range(number)] for by in (1, 3))
    found = compared(["FROM a", *old, "CMD"], ["FROM a", *new, "CMD"])
    assert [line.change for line in found.steps] == ["kept", "kept", *["removed"] * (SHOWN_STEPS - 2)]
    assert found.more_steps == 2 * number + 2 - SHOWN_STEPS


def test_labels_without_end_make_no_page_without_end() -> None:
    found = compared([], [], {f"label {number:03}": "v" * (SHOWN_TEXT + 1) for number in range(SHOWN_LINES + 3)})
    assert (len(found.config), found.more_config, found.config[0].new) == (SHOWN_LINES, 3, None)
    assert found.config[0].old == "v" * (SHOWN_TEXT - 1) + "…"
