"""Where the base ends: told by layers first, and in the history by what was done."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.images.manifests import HistoryEntry, ImageConfig, Platform
from functions_app.domain.rebase.refusals import Reason, Refusal
from functions_app.domain.rebase.seam import Seam, find_seam

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def image(layers: str, history: str) -> ImageConfig:
    """An image of one layer per letter; of the history capitals made a layer."""
    steps = tuple(HistoryEntry(step, step.islower(), NOON) for step in history)
    diff_ids = tuple(f"sha256:{ord(layer):064x}" for layer in layers)
    return ImageConfig(Platform("linux", "amd64"), diff_ids, steps, (), (), "", (), {}, None)


def test_it_is_after_the_bases_layers_and_steps() -> None:
    assert find_seam(image("abcd", "ABxCDy"), image("ab", "ABx")) == Seam(2, 3)


def test_steps_that_follow_are_the_apps_though_they_repeat_the_bases() -> None:
    assert find_seam(image("abc", "ABxxCx"), image("ab", "ABx")) == Seam(2, 3)


def test_dates_do_not_count() -> None:
    app, base = image("abc", "ABxC"), image("ab", "ABx")
    undated = replace(app, history=tuple(replace(step, created=None) for step in app.history))

    assert find_seam(undated, base) == Seam(2, 3)


def test_a_history_written_anew_is_told_by_its_layers() -> None:
    assert find_seam(image("abc", "PQR"), image("ab", "ABx")) == Seam(2, 2)
    assert find_seam(image("abc", "PQxRy"), image("ab", "ABx")) == Seam(2, 3)


def test_without_history_all_layers_are_there() -> None:
    assert find_seam(image("abcd", ""), image("ab", "ABx")) == Seam(2, 0)
    assert find_seam(image("abcd", ""), image("ab", "")) == Seam(2, 0)


def test_a_history_of_the_app_alone_is_the_apps() -> None:
    assert find_seam(image("abcd", "yCD"), image("ab", "")) == Seam(2, 0)


def test_a_history_that_does_not_go_on_with_the_layers_is_the_bases() -> None:
    assert find_seam(image("abcd", "ABx"), image("ab", "ABx")) == Seam(2, 3)


def test_a_base_whose_history_tells_less_than_its_layers_ends_with_it() -> None:
    assert find_seam(image("abcd", "ACD"), image("ab", "A")) == Seam(2, 1)


def test_entries_that_a_builder_added_for_a_base_without_them_cost_the_app_none() -> None:
    # BuildKit puts them at the end, by the number that was missing.
    assert find_seam(image("abcd", "ACDP"), image("ab", "A")) == Seam(2, 1)


def test_own_layers_are_squashed_and_their_steps_empty() -> None:
    # docker build --squash: the base stays, its own steps lose their layers, one entry more has them all.
    assert find_seam(image("abm", "ABxcdM"), image("ab", "ABx")) == Seam(2, 3)


def test_an_image_of_its_base_alone_has_no_layers_of_its_own() -> None:
    assert find_seam(image("ab", "ABxy"), image("ab", "ABx")) == Seam(2, 3)


def test_one_layer_for_base_and_app_is_squashed() -> None:
    found = find_seam(image("m", "M"), image("ab", "AB"))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.SQUASHED


def test_fewer_layers_than_the_base_and_its_history_are_squashed_too() -> None:
    found = find_seam(image("mn", "ABCx"), image("abc", "ABC"))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.SQUASHED


def test_fewer_layers_alone_are_another_base() -> None:
    found = find_seam(image("mn", "MN"), image("abc", "ABC"))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.OTHER_BASE


def test_another_base_is_refused_with_how_much_fits() -> None:
    found = find_seam(image("axcd", "AXCD"), image("ab", "AB"))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.OTHER_BASE
    assert "the 2 of the base" in found.text
    assert "1 fit" in found.text


def test_a_base_cut_short_is_another() -> None:
    found = find_seam(image("a", "A"), image("ab", "AB"))

    assert isinstance(found, Refusal)
    assert found.reason is Reason.OTHER_BASE


words = st.text(st.sampled_from("ABxy"), max_size=8)


def capitals(history: str) -> str:
    """A layer for each step that made one."""
    return "".join(step for step in history if step.isupper())


@given(words.filter(bool), words)
def test_an_honest_history_is_cut_where_the_base_ended(base: str, own: str) -> None:
    app = image(capitals(base + own), base + own)

    assert find_seam(app, image(capitals(base), base)) == Seam(len(capitals(base)), len(base))


@given(words, words, words, words)
def test_whatever_a_history_says_no_layer_is_lost(layers: str, own: str, base_history: str, history: str) -> None:
    app, base = image(layers + own, history), image(layers, base_history)

    found = find_seam(app, base)

    assert isinstance(found, Seam)
    assert found.layers == len(layers)
    assert 0 <= found.history <= len(history)
