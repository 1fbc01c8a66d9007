"""A search finds what holds its words, byte for byte in lower case, whichever way the database takes to find it."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from hypothesis import assume, example, given
from hypothesis import strategies as st

from functions_app.domain.pasted.reading import read
from functions_app.domain.pasted.things import DigestStart, RunNumber, Words
from functions_app.models import Account, Function
from functions_app.services.inventory.fleet import search
from functions_app.services.inventory.fleet.function_list import functions
from functions_app.services.inventory.fleet.list_filter import FleetFilter
from functions_app.services.inventory.fleet.search import searched, words
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.search_index import looks_up_trigrams
from tests.factories import make_account, make_alias, make_function, make_version, today

pytestmark = pytest.mark.django_db

HOSTILE = [
    "%",
    "_",
    "*",
    "?",
    "[",
    "]",
    "\\",
    '"',
    "'",
    "-",
    "+",
    "(",
    ")",
    ":",
    "^",
    "{",
    "}",
    "/",
    ".",
    ";",
    "\ufffe",
]
LETTERS = st.sampled_from([*"abcAB01", "é", "É", "ß", "ſ", "İ", "ı", "Σ", "ς", "字", "🚢", "\u0301", *HOSTILE])
SHORT = st.text(LETTERS, min_size=1, max_size=2)
LONG = st.text(LETTERS, min_size=3, max_size=8)
OPERATORS = st.sampled_from(["AND", "OR", "NOT", "NEAR(a b)", "a*", '"', '""', 'search_text : "a"', "^abc", "{a b}: c"])
SEARCHES = st.lists(st.one_of(SHORT, LONG, OPERATORS), min_size=1, max_size=4).map(" ".join)


def found(text: str) -> set[int]:
    return set(searched(text).values_list("pk", flat=True))


def store(texts: Sequence[str]) -> dict[int, str]:
    """A function for each text, as a summary would write it: in lower case."""
    Function.objects.all().delete()
    account = Account.objects.first() or make_account()
    return {make_function(account, search_text=text.lower() or " ").pk: text.lower() for text in texts}


@given(
    texts=st.lists(st.lists(LONG, max_size=4).map(" ".join), max_size=6), text=SEARCHES, few=st.sampled_from([0, 4000])
)
@example(texts=["orders-100%", "orders-100"], text="100%", few=4000)
@example(texts=["a_b_c", "axbxc"], text="A_B_C", few=4000)
@example(texts=['say "hello"', "say hello"], text='"hello"', few=4000)
@example(texts=["ééx", "eex"], text="ÉÉX", few=4000)
@example(texts=["abcd", "abxd"], text="ab", few=0)
def test_what_holds_every_word_is_found_and_nothing_else(texts: list[str], text: str, few: int) -> None:
    assume(all(isinstance(thing, Words | DigestStart | RunNumber) for word in text.split() for thing in read(word)))
    stored = store(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", few)  # both ways of SQLite, without thousands of rows
        expected = {pk for pk, held in stored.items() if all(word in held for word in words(text))}
        assert found(text) == expected
        keys = search.keys_by_trigrams(text)
        assert keys is None or set(Function.objects.filter(pk__in=keys).values_list("pk", flat=True)) == expected


@given(
    texts=st.lists(st.text("abAB01%_'\\\"-", min_size=1, max_size=9), max_size=6),
    word=st.text("abAB01%_'\\\"-", min_size=1, max_size=4),
)
def test_the_same_is_found_as_by_reading_every_text(texts: list[str], word: str) -> None:
    store(texts)
    there = Function.objects.filter(gone_at=None, search_text__icontains=word)
    assert found(word) == set(there.values_list("pk", flat=True))


def test_the_index_of_sqlite_is_there() -> None:
    assert looks_up_trigrams(connection) == (connection.vendor == "sqlite")


def test_only_sqlite_is_asked_beforehand_and_only_for_three_letters(django_assert_num_queries: object) -> None:
    more = 1 if connection.vendor == "sqlite" else 0
    with django_assert_num_queries(0):  # type: ignore[operator]
        searched("ab")
    with django_assert_num_queries(more):  # type: ignore[operator]
        searched("abc de")


def test_a_word_that_many_hold_is_found_as_one_that_few_hold() -> None:
    held = store([f"orders-{number} prod" for number in range(30)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", 10)  # without thousands of rows
        assert found("prod") == held.keys()
        assert len(found("orders-29")) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orders", True),
        ("orders prod", True),
        ("or", False),  # too short
        ("orders or", False),
        ("/aws/lambda/orders", False),  # names a function, which words alone don't
        ("", False),
    ],
)
def test_trigrams_alone_tell_what_words_of_three_letters_find(text: str, told: bool) -> None:
    assert (search.keys_by_trigrams(text) is not None) == (told and connection.vendor == "sqlite")


@pytest.mark.parametrize(
    "others", [{}, {"owner": ("a",)}, {"state": ("Failed",)}, {"facet": "tag"}, {"facet": "alias"}]
)
@pytest.mark.parametrize("asked", [{"tag": ("team=a",)}, {"alias": "live"}, {"alias": "live", "tag": ("team=a",)}])
def test_aliases_and_tags_that_stand_for_functions_are_counted_as_these_are(
    asked: dict[str, Any], others: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account()
    for number, name in enumerate(["orders-a", "orders-b", "billing-c", "orders-d", "orders-e"]):
        function = make_function(account, name, tags={"team": "ab"[number % 2], "owner": "ab"[number % 2]})
        make_version(function, 1, state="Failed" if number == 4 else "Active")
        make_alias(function, "next" if number == 3 else "live", 1)
    refresh_summaries()
    wanted = FleetFilter(search="orders", **asked, **others)
    found = functions(wanted, today())
    assert found.total
    monkeypatch.setattr(search, "looks_up_trigrams", lambda _: False)
    assert functions(wanted, today()) == found


class Test_what_a_pasted_text_names:
    NUMBER = "444455556666"

    @pytest.fixture
    def fleet(self) -> None:
        account, other = make_account("shop", account_id=self.NUMBER), make_account("other")
        text = "orders live rel python:3.12 0123456789ab shop/orders-image v1.2"
        make_function(account, "orders", search_text=text)
        make_function(account, "orders-api", search_text=text.replace("orders", "orders-api"))
        make_function(other, "orders", search_text="orders previous nodejs:22")
        make_function(account, "orders", region="us-east-1", search_text="orders live")
        make_function(account, "shared", search_text="shared live /platform/shared")

    @pytest.mark.parametrize(
        ("pasted", "found_names"),
        [
            (f"arn:aws:lambda:eu-west-1:{NUMBER}:function:orders", ["shop orders eu-west-1"]),
            (f"arn:aws:lambda:eu-west-1:{NUMBER}:function:orders:live", ["shop orders eu-west-1"]),
            (f"arn:aws:lambda:eu-west-1:{NUMBER}:function:orders:7", ["shop orders eu-west-1"]),
            (f"`arn:aws:lambda:us-east-1:{NUMBER}:function:orders`", ["shop orders us-east-1"]),
            (f"arn:aws:lambda:eu-west-1:{NUMBER}:function:nothing", []),
            ("/aws/lambda/orders-api", ["shop orders-api eu-west-1"]),
            ("/aws/lambda/orders-api 2026/11/28/[7]0123abcd", ["shop orders-api eu-west-1"]),
            ("/platform/shared", ["shop shared eu-west-1"]),
            ("orders:previous", ["other orders eu-west-1"]),
            ("orders-api:live", ["shop orders-api eu-west-1"]),
            ("ORDERS-API:live", ["shop orders-api eu-west-1"]),
            ("orders-api:7", ["shop orders-api eu-west-1"]),
            ("orders-api:gone", []),
            ("shop/orders-image", ["shop orders eu-west-1"]),
            (f"{NUMBER}.dkr.ecr.eu-west-1.amazonaws.com/shop/orders-image:v1.2", ["shop orders eu-west-1"]),
            ("nodejs:22", ["other orders eu-west-1"]),
            ("python:3.12 orders-api", ["shop orders-api eu-west-1"]),
            ("sha256:0123456789ab" + "c" * 52 + " orders-api", ["shop orders-api eu-west-1"]),
            (
                "https://us-east-1.console.aws.amazon.com/lambda/home?region=us-east-1#/functions/orders?tab=code",
                ["shop orders us-east-1"],
            ),
            (
                "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"
                "$252Faws$252Flambda$252Forders-api",
                ["shop orders-api eu-west-1"],
            ),
        ],
    )
    @pytest.mark.parametrize("few", [0, 4_000])
    def test_is_found_and_nothing_else(
        self, fleet: None, monkeypatch: pytest.MonkeyPatch, few: int, pasted: str, found_names: list[str]
    ) -> None:
        monkeypatch.setattr(search, "FEW", few)  # both ways of SQLite, without thousands of rows
        rows = searched(pasted).values_list("account__name", "name", "region")
        assert [" ".join(row) for row in rows] == found_names

    def test_of_an_account_is_all_that_lies_in_it(self, fleet: None) -> None:
        assert searched(self.NUMBER).count() == 4
