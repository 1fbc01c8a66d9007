"""What becomes of an alias that is patched, split or not."""

import json
from dataclasses import asdict

import pytest

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.patching.patched_aliases import Patched, split_check

SPLIT = AliasState("5", "6", 0.1)


def patched(before: AliasState, *replaced: str) -> Patched:
    return Patched("live", before, "sha256:5f", production=False, replaced=replaced)


@pytest.mark.parametrize(
    ("before", "replaced", "after"),
    [
        (AliasState("5"), ("5",), AliasState("7")),
        (AliasState("5"), (), AliasState("7")),  # as plans of before have it
        (SPLIT, ("5",), AliasState("7", "6", 0.1)),
        (SPLIT, ("6",), AliasState("5", "7", 0.1)),
        (SPLIT, ("5", "6"), AliasState("7")),
        (AliasState("5", "6", 0.0), ("5",), AliasState("7")),
        (AliasState("5", "6", 1.0), ("6",), AliasState("7")),
    ],
)
def test_the_new_version_has_the_share_of_those_that_it_replaces(
    before: AliasState, replaced: tuple[str, ...], after: AliasState
) -> None:
    assert patched(before, *replaced).after("7") == after


def test_what_is_stored_is_read_back_and_so_is_what_was_stored_before_splits_were_patched() -> None:
    one = patched(SPLIT, "5")
    stored = json.loads(json.dumps(asdict(one)))

    assert Patched.from_json(stored) == one
    del stored["replaced"]
    assert Patched.from_json(stored) == patched(SPLIT)


@pytest.mark.parametrize("before", [AliasState("5"), AliasState("5", "6", 0.0)])
def test_an_alias_that_is_not_split_is_fine(before: AliasState) -> None:
    check = split_check(patched(before, "5"))

    assert (check.ok, check.text) == (True, "live points to version 5.")


@pytest.mark.parametrize(
    ("replaced", "becomes"),
    [
        (("5",), "version 6 keeps its share, and the new version gets the other"),
        (("6",), "version 5 keeps its share, and the new version gets the other"),
        (("5", "6"), "both run the image that is patched, and the new version gets all of its calls"),
    ],
)
def test_of_a_split_one_sentence_says_what_becomes_of_it(replaced: tuple[str, ...], becomes: str) -> None:
    check = split_check(patched(SPLIT, *replaced))

    assert check.ok is None
    assert check.text.startswith(f"live is split: version 5 (90 %) and version 6 (10 %); {becomes}.")
