"""Words for states, and parts of a function: whatever AWS says next, nothing is well by chance."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.errors import Code, Problem
from functions_app.domain.fleet.lambda_states import STATES, UPDATES, Waiting, readiness, state_meaning, update_meaning
from functions_app.domain.fleet.parts import DETAILED, LISTED, Part, PartAge, ages, oldest, read_together, unread
from functions_app.domain.fleet.states import Condition, LiveVersion, find_problem, worst_condition
from tests.fuzz.inputs import texts
from tests.fuzz.running import fuzzed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSING = {"Pending", "InProgress"}  # told beside the problem


def words_like(known: Iterable[str]) -> st.SearchStrategy[str]:
    """One of these words, one that is spelt a little otherwise, or any text."""
    words = st.sampled_from(sorted(known))
    spelt = st.sampled_from((str.lower, str.upper, str.swapcase, "{} ".format, " {}".format, "{}d".format))
    return st.one_of(words, words, st.builds(lambda word, change: change(word), words, spelt), texts)


states, updates = words_like(STATES), words_like(UPDATES)
conditions = st.builds(
    Condition, state=states, state_reason=texts, last_update_status=updates, last_update_reason=texts
)


@fuzzed(200)
@given(states, updates, st.booleans())
def test_a_word_that_no_table_has_lets_nothing_pass(state: str, update: str, managed: bool) -> None:
    meaning, last = state_meaning(state, managed_latest=managed), update_meaning(update, state)
    assert meaning.ready == (state == "Active")
    if state not in STATES:
        assert (meaning.waiting, meaning.serve is True, meaning.change is True) == (Waiting.WAIT, False, False)
    if update not in UPDATES and (update or state != "Pending"):
        assert (last.waiting, last.change is True) == (Waiting.WAIT, False)
    assert meaning.says
    assert last.says


@fuzzed(150)
@given(st.lists(states, min_size=2, max_size=6))
def test_only_the_ready_state_is_best_and_only_a_failed_one_is_worst(words: list[str]) -> None:
    for word in words:
        assert (readiness(word) == readiness("Active")) == (word == "Active")
        assert (readiness(word) == readiness("Failed")) == (word == "Failed")
        assert readiness("Active") <= readiness(word) <= readiness("Failed")


@fuzzed(200)
@given(
    st.lists(st.tuples(conditions, st.sampled_from(Freshness)), min_size=1, max_size=4),
    st.one_of(st.none(), conditions),
    st.randoms(use_true_random=False),
)
def test_a_function_is_well_only_where_every_live_version_is(
    versions: list[tuple[Condition, Freshness]], idle: Condition | None, chance: random.Random
) -> None:
    live = [
        LiveVersion(str(number), (f"a{number}",), False, freshness, "It is so.", image_status="ACTIVE", condition=each)
        for number, (each, freshness) in enumerate(versions, 1)
    ]
    shuffled = chance.sample(live, len(live))
    found = find_problem(live, [], NOON.date(), idle)
    assert find_problem(shuffled, [], NOON.date(), idle) == found
    assert worst_condition(shuffled, idle) == worst_condition(live, idle)
    for version in () if found.text else live:
        assert version.freshness is Freshness.CURRENT
        assert version.condition.state in {"Active", *PASSING}
        assert version.condition.last_update_status in {"Successful", "", *PASSING}
        assert version.condition.last_update_status or version.condition.state == "Pending"


moments = st.one_of(st.none(), st.integers(-300, 300).map(lambda seconds: NOON + timedelta(seconds=seconds)))
problems = st.builds(Problem, st.sampled_from(Code), st.sampled_from(("No.", "Denied: no. Again.", "…")))
READ = (Part.SETTINGS, Part.DETAILS, Part.ALIASES)
missed = st.dictionaries(
    st.one_of(st.sampled_from([part.value for part in Part]), texts),
    st.builds(
        lambda problem, at: {"problem": problem.as_json(), "tried_at": NOON.isoformat(), "known_at": at},
        problems,
        st.one_of(st.none(), st.just(NOON.isoformat())),
    ),
    max_size=4,
)


@fuzzed(200)
@given(st.lists(moments, max_size=3), missed)
def test_parts_are_told_as_read_only_where_each_was(
    times: list[datetime | None], kept: dict[str, dict[str, object]]
) -> None:
    read = list(zip(READ, times, strict=False))
    parts = ages(read, kept)
    within = [part for part in (*LISTED, *DETAILED) if part in kept]
    assert [part.part for part in parts] == [*(part for part, _ in read), *within]
    assert bool(unread(parts)) == any(part.missing for part in parts)
    assert all(part.missing == (part.read_at is None or part.part in kept) for part in parts)
    at = oldest(parts)
    assert (at is None) == (not parts or any(part.read_at is None for part in parts))
    assert at is None or all(part.read_at is not None and at <= part.read_at for part in parts)
    assert not read_together(parts) or not unread(parts)
    assert read_together(parts) == read_together(parts[::-1])
    never = PartAge(Part.ALIASES, None)
    assert not read_together((*parts, never))
    assert oldest((*parts, never)) is None
