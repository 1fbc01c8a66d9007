"""Codes that are read in one place and typed in another."""

import re

from functions_app.domain.chat import codes


def test_a_code_of_a_link_is_another_each_time_and_has_no_sign_that_is_taken_for_another() -> None:
    made = {codes.new_link_code() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", code) for code in made)


def test_a_code_of_a_plan_is_never_taken_for_the_number_of_a_run() -> None:
    assert not any(codes.new_plan_code().isdecimal() for _ in range(1000))


def test_a_code_is_the_same_however_it_is_typed() -> None:
    assert {codes.typed(text) for text in ("7F3K-9QXM", "7f3k 9qxm", " 7F3K9qxm ", "`7F3K–9QXM`")} == {"7F3K9QXM"}
