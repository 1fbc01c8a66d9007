"""Who knows the chat knows the command line: the same verbs with the same words in the same order."""

from drydock_cli.table import VERBS
from functions_app.domain.chat.grammar import GRAMMAR

IN_CHAT = {"link"}  # says who somebody is; a token does here
HERE = {"login", "completion"}


def test_both_know_the_same_verbs_with_the_same_words() -> None:
    chat = {verb.word.value: [(place.name, place.optional) for place in verb.places] for verb in GRAMMAR}
    here = {verb.name: [(word.shown, not word.needed) for word in verb.words] for verb in VERBS}
    assert {name: words for name, words in here.items() if name not in HERE} == {
        name: words for name, words in chat.items() if name not in IN_CHAT
    }
