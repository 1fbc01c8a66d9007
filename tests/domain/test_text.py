"""Whatever text comes from outside can be stored and shown, and nothing in it can pass for something else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.redaction import redact, redact_value
from functions_app.domain.text import sentence, storable, storable_value, visible

ANY_TEXT = st.text(st.characters())  # halves of surrogate pairs too
ANY_JSON = st.recursive(ANY_TEXT | st.none() | st.integers(), lambda it: st.lists(it) | st.dictionaries(ANY_TEXT, it))
HOSTILE = "\0\x07\x1b\x7f\x9b\u061c\u200b\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0041\ud83d\udc00"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain, größer, 日本語, 👍🏽", "plain, größer, 日本語, 👍🏽"),
        ("one\ttwo\nthree", "one\ttwo\nthree"),
        ("a\0b", "a‹U+0000›b"),
        ("half a pair \ud83d", "half a pair ‹U+D83D›"),
        ("paid \u202e00.01\u2066", "paid ‹U+202E›00.01‹U+2066›"),
        ("\x1b[31mred\x1b[0m \x9b1mbold", "red bold"),
        ("one\r\ntwo\x85", "one\ntwo‹U+0085›"),
        ("[ERROR] no\rTraceback:\r\xa0\xa0File", "[ERROR] no\nTraceback:\n\xa0\xa0File"),  # Lambda's Python client
        ("10%\r20%\r\r\nend\r", "10%\n20%\nend\n"),
        ("", ""),
    ],
)
def test_what_a_database_refuses_and_what_deceives_is_taken_out_and_the_rest_stays(text: str, stored: str) -> None:
    assert storable(text) == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("see \x1b]8;;https://example.com/?a=1\x1b\\the docs\x1b]8;;\x1b\\ now", "see the docs now"),  # OSC 8, ST
        ("see \x1b]8;id=1;https://example.com\x07the docs\x1b]8;;\x07 now", "see the docs now"),  # OSC 8, BEL
        ("\x9d8;;https://example.com\x9cthe docs\x9d8;;\x9c", "the docs"),  # in the 8-bit set
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]1337;File=inline=1:QUJD\x07text", "text"),
        ("\x1b[1;38:2::255:0:0mred\x1b[0m", "red"),  # CSI with colons
        ("\x1b[?25l\x1b[2K\x1b[1Gdone\x1b[?25h", "done"),
        ("\x1b[>0;276;0ca\x1b[!pb\x1b[2 qc\x1b[15~d\x1b[@e", "abcde"),  # private, intermediates, finals
        ("\x1b(B\x1b[mplain\x1b(0", "plain"),  # as tput writes it
        ("\x1b7a\x1b8\x1b=b\x1b>\x1bM\x1bcc", "abc"),
        ("\x1bP1$r0m\x1b\\a\x1bPq#0;2;0;0;0~-\x1b\\b\x90x\x9cc", "abc"),  # DCS: answers, sixels
        ("\x1b_Gf=24;AAAA\x1b\\a\x1b^pm\x1b\\b\x1bXsos\x1b\\c", "abc"),  # APC, PM, SOS
        ("\x1b]8;;https://example.com never ended", "8;;https://example.com never ended"),
        ("\x1b]0;one\ntwo\x07", "0;one\ntwo‹U+0007›"),
        ("\x1b[31", ""),
        ("\x1b", "‹U+001B›"),
        ("array[0] (B) ]8;; P1 7", "array[0] (B) ]8;; P1 7"),
    ],
)
def test_of_terminal_sequences_the_text_remains(text: str, stored: str) -> None:
    assert storable(text) == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("live\u200b", "live‹U+200B›"),
        ("\u2066\u2069\u061c\u200e\u200f", "‹U+2066›‹U+2069›‹U+061C›‹U+200E›‹U+200F›"),
        ("ring\x07", "ring‹U+0007›"),
        ("so\xadft \u2060\ufeff\u2063", "so‹U+00AD›ft ‹U+2060›‹U+FEFF›‹U+2063›"),
        ("\u3164\uffa0\u115f", "‹U+3164›‹U+FFA0›‹U+115F›"),  # letters that look like nothing
        ("hi\U000e0068\U000e0069", "hi‹U+E0068›‹U+E0069›"),  # tags, which spell what nobody sees
        ("a\u200db \u200c", "a‹U+200D›b ‹U+200C›"),
        ("\u200b\u200c\u200b", "‹U+200B›‹U+200C›‹U+200B›"),
        ("a\ufe0f 😀\ufe0f\ufe01\U000e0130", "a‹U+FE0F› 😀\ufe0f‹U+FE01›‹U+E0130›"),  # bytes in choices of form
        ("x" + "\u200b" * 40, "x‹U+200B×40›"),
        ("\0\x01" * 10, "‹U+0000›‹U+0001›" * 4 + "‹+12›"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", None),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", None),  # Scotland's flag
        ("می\u200cخواهم नमस्\u200dते 葛\U000e0100", None),  # letters that are joined, kept apart, chosen
    ],
)
def test_what_cannot_be_seen_is_shown_as_what_it_is_and_what_writing_needs_stays(text: str, stored: str | None) -> None:
    assert storable(text) == visible(text) == (text if stored is None else stored)


def test_a_text_that_is_too_long_ends_with_a_mark() -> None:
    assert storable("abc", 3) == "abc"
    assert storable("abcd", 3) == "ab…"
    assert storable("a\0b", 3) == "a‹…"


@given(ANY_TEXT, st.integers(1, 20))
def test_any_text_becomes_one_that_fits_and_stays_as_it_is_from_then_on(text: str, length: int) -> None:
    stored = storable(text, length)

    assert len(stored) <= length
    assert not set(stored) & set(HOSTILE)
    assert storable(stored, length) == stored
    stored.encode()  # raises where half a surrogate pair is left


@given(ANY_JSON)
def test_any_json_becomes_one_that_a_database_takes(value: Any) -> None:
    for stored in (storable_value(value), redact_value(value)):
        assert not set(json.dumps(stored, ensure_ascii=False)) & set(HOSTILE)


def test_names_of_members_and_texts_within_lists_are_made_storable_too() -> None:
    assert storable_value({"a\0": [{"b\ud800": ("c\u202e", 1)}]}) == {"a‹U+0000›": [{"b‹U+D800›": ["c‹U+202E›", 1]}]}
    assert storable_value({"long": "x" * 9}, 4) == {"long": "xxx…"}


def test_a_name_stays_another_than_the_one_without_what_is_hidden_in_it() -> None:
    assert visible("a\u202egpj.exe\0\n\u200b") == "a‹U+202E›gpj.exe‹U+0000›‹U+000A›‹U+200B›"
    assert visible("\ud800") == "‹U+D800›"
    assert visible("größer 日本") == "größer 日本"
    assert visible("\0" * 9, 6) == "‹U+00…"


@given(ANY_TEXT)
def test_any_name_can_be_stored_and_seen(name: str) -> None:
    shown = visible(name)

    assert storable(shown) == shown
    assert "\n" not in shown


@pytest.mark.parametrize(
    "hidden",
    [
        "\0",
        "\x1b",
        "\x1b[0m",
        "\x7f",
        "\x9b1;31m",
        "\u202e",
        "\u2066",
        "\u200b",
        "\U000e0041",
        "\x1b]8;;a\x07",
        "\x1bPa\x1b\\",
        "\x1b(B",
    ],
)
def test_nothing_that_hides_a_secret_from_the_eye_hides_it_from_us(hidden: str) -> None:
    assert "hunter2" not in redact(f"pass{hidden}word=hunter2")


def test_an_error_says_nothing_that_cannot_be_stored_or_shown() -> None:
    error = DrydockError(Code.FAILED, f"ECR says {HOSTILE}no", next_step=HOSTILE, aws_code=HOSTILE, request_id=HOSTILE)

    assert str(error) == error.problem.message
    assert str(error).startswith("ECR says ‹U+0000›")
    assert Problem.from_json(error.problem.as_json()) == error.problem


def test_a_problem_keeps_no_text_without_end() -> None:
    assert len(Problem(Code.FAILED, "x" * 100_000).as_json()["message"]) == 4000


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "\x1b[1;",
        "\x9b",
        "\0",
        "\ud800",
        "\x1b]",
        "\x9d",
        "\x1bP",
        "\x1bPa\x1b\x1b",
        "\x1b(",
        "\x1b]8;",
        "\r",
        "\r\ra",
        "\0\1",
        "\u200d",
        "\ufe0f",
        "\U000e0041b",
    ],
)
def test_a_megabyte_of_anything_costs_time_in_proportion(piece: str) -> None:
    assert len(storable(piece * (1_000_000 // len(piece)), 80)) <= 80


def test_numbers_that_json_does_not_know_are_null_and_depth_ends() -> None:
    deep: dict[str, object] = {}
    for _ in range(10_000):
        deep = {"a": deep}

    assert storable_value({"a": [float("nan"), float("inf"), 1.5]}) == {"a": [None, None, 1.5]}
    assert json.loads(json.dumps(storable_value(deep), allow_nan=False))


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("It is in the state: Failed", "It is in the state: Failed."),
        ("It failed.", "It failed."),
        ("Which? ", "Which?"),
        ("cut off…", "cut off…"),
        ("", ""),
    ],
)
def test_another_sentence_may_follow_what_aws_says(text: str, ended: str) -> None:
    assert sentence(text) == ended
