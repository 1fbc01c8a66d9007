"""Patterns that people and policies bring: of tags, with stars, and IAM's conditions with their three answers."""

import re
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.release_tags import TagRule
from functions_app.domain.bases.tag_patterns import PARTS, TEXT, check, compiled
from functions_app.domain.fleet.policy_language import (
    all_of,
    any_of,
    conditions_hold,
    has_action,
    has_resource,
    matches,
    negated,
)
from functions_app.domain.wildcards import wildcard
from tests.fuzz.bounds import bounded
from tests.fuzz.inputs import odd_values, texts
from tests.fuzz.running import fuzzed

pieces = st.one_of(
    st.sampled_from([f"{{{part}}}" for part in (*PARTS, TEXT)]),
    st.sampled_from(("-", ".", "_", "v", "3.12-", "rc", "base.", "7", "{", "}", "{}", "*", "(", "é", " ")),
)
patterns = st.one_of(st.lists(pieces, min_size=1, max_size=12).map("".join), texts)
VALUES = {"date": "20261003", "timestamp": "1760000000", "build": "r7", "number": "12", TEXT: "abc"}


def refusal_of(pattern: str) -> str:
    """Why it can't be a pattern, "" where it can."""
    try:
        check(pattern)
    except ValueError as error:
        return str(error)
    return ""


def filled(pattern: str) -> str:
    """A tag that fits it."""
    return re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], pattern)


@fuzzed(400)
@given(patterns, st.lists(st.integers(0, 10**6 - 1), min_size=2, max_size=8, unique=True))
def test_a_pattern_is_refused_in_words_or_orders_the_tags_that_fit_it(pattern: str, numbers: list[int]) -> None:
    if refusal := refusal_of(pattern):
        assert refusal.endswith(".")
        return
    ordering = [name for name in re.findall(r"\{(\w+)\}", pattern) if name != TEXT]
    assert compiled(pattern).groups == len(ordering)
    assert compiled(pattern).fullmatch(filled(pattern))
    before, part, after = pattern.partition("{number}")
    if not part:
        return
    rule = TagRule("moving", own=True, pattern=pattern)
    tags = [f"{filled(before)}{number}{filled(after)}" for number in sorted(numbers, reverse=True)]
    found = rule.history(tags)
    assert [each.tag for each in found] == tags
    assert rule.history(tags[::-1]) == found
    assert all(older < newer for newer, older in pairwise(found))
    assert all(rule.names(tag) for tag in tags)


@fuzzed(60)
@given(patterns, st.sampled_from(("1", "a", "-", "1-", "20261003", "r7.")))
def test_a_pattern_takes_steps_in_proportion_to_its_tag(pattern: str, unit: str) -> None:
    if not refusal_of(pattern):
        with bounded():
            compiled(pattern).fullmatch(unit * 20_000)


def fits(pattern: str, text: str, *, single: bool) -> bool:
    """What a pattern with stars means, worked out the slow and certain way."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[at:], single=single) for at in range(len(text) + 1))
    same = bool(text) and (pattern[0] == text[0] or (single and pattern[0] == "?"))
    return same and fits(pattern[1:], text[1:], single=single)


@fuzzed(500)
@given(st.text("ab*?.", max_size=7), st.text("ab?.\n", max_size=8), st.booleans())
def test_a_wildcard_fits_what_it_means(pattern: str, text: str, single: bool) -> None:
    assert bool(wildcard(pattern, single=single).fullmatch(text)) == fits(pattern, text, single=single)


@fuzzed(40)
@given(st.text("ab*?", min_size=1, max_size=4), st.text("ab", max_size=2))
def test_a_wildcard_of_many_stars_gives_nothing_up_twice(unit: str, end: str) -> None:
    with bounded():
        wildcard(unit * 500 + end).fullmatch("ab" * 2_000)


answers = st.sampled_from((True, False, None))
KEY = "aws:SourceAccount"
OPERATORS = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "Bool")
NEGATED = {"StringEquals": "StringNotEquals", "StringLike": "StringNotLike", "ArnLike": "ArnNotLike"}
values = st.one_of(st.sampled_from(("111", "222", "1*", "?11", "${aws:x}", "TRUE", "")), texts)
wanted = st.one_of(values, st.lists(values, max_size=3))
facts = st.one_of(st.none(), st.sampled_from(("111", "222", "true", "")))
blocks = st.dictionaries(
    st.one_of(st.sampled_from((*OPERATORS, *NEGATED.values(), "StringEqualsIfExists", "Null", "IpAddress")), texts),
    st.dictionaries(st.sampled_from((KEY, KEY.lower(), "aws:other")), wanted, max_size=2),
    max_size=3,
)


@fuzzed(200)
@given(st.lists(answers, max_size=5))
def test_three_answers_are_one_logic(found: list[bool | None]) -> None:
    assert negated(any_of(found)) == all_of([negated(each) for each in found])
    assert any_of(found) == any_of(found[::-1]) == any_of([*found, False])
    assert all_of(found) == all_of(found[::-1]) == all_of([*found, True])
    for guess in (True, False):  # what is decided stays so, whatever the rest turns out to be
        known = [guess if each is None else each for each in found]
        assert any_of(found) in (None, any_of(known))
        assert all_of(found) in (None, all_of(known))


@fuzzed(400)
@given(blocks, blocks, facts)
def test_a_condition_more_never_makes_a_statement_apply(
    one: dict[str, Any], two: dict[str, Any], fact: str | None
) -> None:
    known = {KEY.lower(): fact}
    first = conditions_hold({"Condition": one}, known)
    both = conditions_hold({"Condition": {**one, **{key: two[key] for key in two.keys() - one.keys()}}}, known)
    assert first is not False or both is False
    assert both is not True or first is True
    assert conditions_hold({"Condition": dict(reversed(one.items()))}, known) == first
    unknown = conditions_hold({"Condition": one}, {})
    assert unknown in (None, True) if not any(one.values()) else unknown is None


@fuzzed(300)
@given(st.sampled_from(sorted(NEGATED)), wanted, facts)
def test_a_negated_operator_is_the_contrary_where_the_key_is_known(operator: str, value: Any, fact: str | None) -> None:
    def holds(name: str) -> bool | None:
        return conditions_hold({"Condition": {name: {KEY: value}}}, {KEY.lower(): fact})

    assert holds(NEGATED[operator]) == negated(holds(operator))
    assert fact is not None or holds(operator) is None


@fuzzed(300)
@given(odd_values, odd_values, st.sampled_from(("Action", "NotAction")))
def test_a_statement_of_any_form_gets_one_of_three_answers(one: Any, two: Any, name: str) -> None:
    statement = {name: one, "Resource": two, "Condition": two}
    with bounded():
        found = [has_action(statement, "ecr:X"), has_resource(statement, "arn"), conditions_hold(statement, {})]
    assert all(each in (True, False, None) for each in found)


@fuzzed(200)
@given(texts, texts)
def test_a_variable_within_a_pattern_leaves_it_undecided(before: str, after: str) -> None:
    assert matches(f"{before}${{aws:username}}{after}", "anything") is None
