"""What is said in a chat: any text is a command or told what would be one."""

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.chat.grammar import GRAMMAR, VERBS
from functions_app.domain.chat.reading import Command, asks_aws, read
from functions_app.domain.errors import Code, DrydockError
from tests.fuzz.bounds import assert_shown, bounded
from tests.fuzz.inputs import texts
from tests.fuzz.running import fuzzed

SIGNS = ("'", '"', "“", "”", "\\", " ", "\n", "\u00a0", "7", "a:b", "{", "}", "\0", "\u202e", "…", "x" * 5000)
words = st.one_of(st.sampled_from((*VERBS, *SIGNS)), texts)
said = st.one_of(
    st.lists(words, max_size=8).map(" ".join),
    st.lists(words, max_size=8).map("".join),
    st.builds("".join, st.tuples(st.sampled_from([verb.example for verb in GRAMMAR]), words)),
    st.text(),
)


def command(text: str) -> Command | None:
    """What it is read as; None where it is refused, in words that can be shown."""
    with bounded():
        try:
            return read(text)
        except DrydockError as error:
            problem = error.problem
    assert problem.code is Code.INVALID
    assert_shown(problem.message, 300)
    return None


@fuzzed(400)
@given(said)
def test_a_message_is_a_command_with_words_at_its_places_or_told_why_it_is_none(text: str) -> None:
    found = command(text)
    assert asks_aws(text) is (found is not None and found.verb.plans)
    if found is None:
        return
    taken = dict(found.words)
    assert list(taken) == [place.name for place in found.verb.places if place.name in taken]
    for place in found.verb.places:
        assert place.optional or place.name in taken
        assert not place.digits or taken.get(place.name, "0").isdecimal()
