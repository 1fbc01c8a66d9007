"""What somebody writes in a chat, read as a command by the one table."""

import pytest

from functions_app.domain.chat.grammar import GRAMMAR, VERBS, Verb, Word
from functions_app.domain.chat.reading import LONGEST, asks_aws, read
from functions_app.domain.chat.words import help_line, help_lines, some, with_end
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.text import LINE


def words(text: str) -> dict[str, str]:
    return dict(read(text).words)


def refused(text: str) -> Problem:
    with pytest.raises(DrydockError) as caught:
        read(text)
    assert caught.value.problem.code is Code.INVALID
    return caught.value.problem


class Test_a_command:
    @pytest.mark.parametrize(
        ("text", "word", "places"),
        [
            ("list", Word.LIST, {}),
            ("list billing eu", Word.LIST, {"WORDS": "billing eu"}),
            ("list what's \"new", Word.LIST, {"WORDS": "what's \"new"}),
            ("show billing-api:live", Word.SHOW, {"NAME": "billing-api:live"}),
            ("deploy billing-api 1.8.3", Word.DEPLOY, {"NAME": "billing-api", "IMAGE": "1.8.3"}),
            ("patch billing-api live", Word.PATCH, {"NAME": "billing-api", "ALIAS": "live"}),
            ("rollback billing-api", Word.ROLLBACK, {"NAME": "billing-api"}),
            ("rollback billing-api live", Word.ROLLBACK, {"NAME": "billing-api", "ALIAS": "live"}),
            ("rollback billing-api:live 7", Word.ROLLBACK, {"NAME": "billing-api:live", "VERSION": "7"}),
            ("rollback a live 7", Word.ROLLBACK, {"NAME": "a", "ALIAS": "live", "VERSION": "7"}),
            ("undo 123", Word.UNDO, {"RUN|NAME": "123"}),
            ("invoke a", Word.INVOKE, {"NAME": "a"}),
            ('invoke a {"b": "c  d", "e": \'}', Word.INVOKE, {"NAME": "a", "PAYLOAD": '{"b": "c  d", "e": \'}'}),
            ("status", Word.STATUS, {}),
            ("status 123", Word.STATUS, {"RUN": "123"}),
            ("cancel 123 it's wrong", Word.CANCEL, {"RUN": "123", "REASON": "it's wrong"}),
            ("approve 7f3k review", Word.APPROVE, {"CODE|RUN": "7f3k", "TICKS": "review"}),
            ("link 7F3K 9QXM", Word.LINK, {"CODE": "7F3K 9QXM"}),
        ],
    )
    def test_has_its_words_at_their_places(self, text: str, word: Word, places: dict[str, str]) -> None:
        assert (read(text).verb.word, words(text)) == (word, places)

    @pytest.mark.parametrize(
        "text",
        ["patch 'a b' live", 'patch "a b" live', "patch “a b” live", "patch ‘a b’ live", "patch a\\ b live"],
    )
    def test_keeps_together_what_stands_in_quotes_also_in_those_that_phones_write(self, text: str) -> None:
        assert words(text) == {"NAME": "a b", "ALIAS": "live"}

    @pytest.mark.parametrize("text", [" patch  a\tlive ", "PATCH a live", "Patch a\u00a0live", "patch a\r\nlive"])
    def test_is_the_same_with_other_blanks_and_capitals(self, text: str) -> None:
        assert words(text) == {"NAME": "a", "ALIAS": "live"}

    def test_of_nothing_is_help(self) -> None:
        assert read(" ").verb.word is Word.HELP

    @pytest.mark.parametrize("verb", GRAMMAR, ids=str)
    def test_is_read_as_its_own_example_says(self, verb: Verb) -> None:
        assert read(verb.example).verb is verb


class Test_what_is_no_command:
    @pytest.mark.parametrize(
        ("text", "near"), [("pathc a", "patch"), ("stauts 1", "status"), ("roll-back a", "rollback")]
    )
    def test_is_told_the_nearest(self, text: str, near: str) -> None:
        assert refused(text).message.endswith(f"Did you mean “{near}”?")

    def test_and_like_none_is_told_where_they_are(self) -> None:
        problem = refused("xyzzy now")
        assert (problem.message, problem.next_step[:10]) == ("There is no command “xyzzy”.", "Say “help”")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("patch", "patch takes NAME: patch NAME [ALIAS]"),
            ("deploy a", "deploy takes NAME and IMAGE: deploy NAME IMAGE [ALIAS]"),
            ("patch a b c", "“c” is more than patch takes"),
            ("rollback a live 7 8", "“8” is more than rollback takes"),
            ("status soon", "RUN is a number, not “soon”"),
            ("logs 99999999999999999999", "RUN is a number"),
            ("patch 'a", "A quote is opened here and not closed"),
            ("patch a\\", "A quote is opened here and not closed, or a backslash"),
        ],
    )
    def test_is_told_how_it_is_written(self, text: str, told: str) -> None:
        assert refused(text).message.startswith(told)

    @pytest.mark.parametrize("sign", ["\0", "\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\x9b", "\ud83d"])
    def test_for_a_sign_that_nobody_sees_names_it(self, sign: str) -> None:
        assert f"U+{ord(sign):04X}" in refused(f"patch billing{sign}-api live").message

    def test_is_short(self) -> None:
        assert "has 10,248 characters" in refused("invoke a " + "x" * 10_239).message
        assert read("invoke a " + "x" * (LONGEST - 9)).verb.word is Word.INVOKE


class Test_aws_is_asked:
    def test_by_what_makes_a_plan_and_by_nothing_else(self) -> None:
        asking = {verb.word for verb in GRAMMAR if asks_aws(verb.example)}
        assert asking == {Word.DEPLOY, Word.PATCH, Word.ROLLBACK, Word.UNDO}

    @pytest.mark.parametrize("text", ["'deploy' a 1", "DEPLOY a 1", 'de"ploy" a 1'])
    def test_however_the_word_is_spelt(self, text: str) -> None:
        assert asks_aws(text)
        assert read(text).verb.word is Word.DEPLOY

    def test_not_by_what_is_no_command(self) -> None:
        assert not asks_aws("deploy")


class Test_help:
    def test_tells_all_commands_in_one_line_and_each_in_one_of_its_own(self) -> None:
        assert len(help_line()) <= LINE
        assert all(word in help_line() for word in VERBS)
        assert len(help_lines()) == len(VERBS)

    def test_of_one_gives_an_example_and_says_who_may(self) -> None:
        assert help_lines("Patch") == (
            "patch NAME [ALIAS]: put a function onto the newest release of its base",
            "For example: patch billing-api live",
            "Only for people who are linked: Settings, Chat.",
        )

    def test_of_none_is_told_the_nearest(self) -> None:
        with pytest.raises(DrydockError, match="Did you mean “patch”"):
            help_lines("pacth")


class Test_a_line:
    def test_has_its_end_whole_whatever_comes_before(self) -> None:
        line = with_end("word " * 100, "Say “approve 7F3K”.")
        assert len(line) == LINE
        assert line.endswith("… Say “approve 7F3K”.")

    def test_of_a_list_is_one_of_few_and_none_too_wide(self) -> None:
        shown = some([f"{number}\n{'x' * 400}" for number in range(25)], 60)
        assert (len(shown), shown[-1]) == (21, "and 40 more")
        assert max(map(len, shown)) == 300
        assert "\n" not in "".join(shown)
