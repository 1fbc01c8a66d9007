"""What a lifecycle policy would take away, held against what functions use."""

from itertools import permutations
from typing import Any

import pytest

from functions_app.domain.fleet.functions import LATEST
from functions_app.domain.fleet.lifecycle_policies import Action, Expiring, Need, Use, all_digests, endangered


def use(digest: str = "a", version: str = "7", **values: Any) -> Use:
    """A version of orders."""
    return Use(digest, 1, "orders", "production", version, **values)


def one(image: Expiring, who: Use) -> str:
    (danger,) = endangered([image], [who])
    return danger.text


@pytest.mark.parametrize(
    ("who", "need", "says"),
    [
        (use(aliases=("prod",)), Need.LIVE, "the image behind orders prod (version 7)."),
        (use(aliases=("a", "b")), Need.LIVE, "the image behind orders a and b (version 7)."),
        (use(aliases=("a", "b", "c", "d")), Need.LIVE, "the image behind orders a, b and 2 more (version 7)."),
        (use(version=LATEST, called=True), Need.LIVE, "the image behind orders, whose callers reach $LATEST."),
        (use(ways_back=("prod",)), Need.ROLLBACK, "the image of version 7, which orders prod could go back to."),
        (use(version=LATEST), Need.LATEST, "the image that $LATEST of orders runs."),
        (use(), Need.PUBLISHED, "the image of version 7 of orders, which no alias points to."),
    ],
)
def test_it_says_how_much_the_image_is_needed(who: Use, need: Need, says: str) -> None:
    assert who.need is need
    assert one(Expiring("a", 2), who) == f"Rule 2 will delete {says}"


def test_an_image_that_stays_is_in_no_danger() -> None:
    assert endangered([Expiring("other", 1)], [use()]) == ()


def test_an_image_that_is_archived_can_not_be_pulled_either() -> None:
    text = one(Expiring("a", 3, Action.ARCHIVE), use(aliases=("prod",)))
    assert text == "Rule 3 will archive the image behind orders prod (version 7); then it can't be pulled."


def test_an_action_that_nobody_knows_is_told_as_that_and_as_no_deletion() -> None:
    text = one(Expiring("a", 3, Action.UNKNOWN, told="FREEZE"), use(aliases=("prod",)))
    action = "take an action that Drydock does not know (FREEZE) on"
    assert text == f"Rule 3 will {action} the image behind orders prod (version 7)."


@pytest.mark.parametrize(
    ("action", "told", "does"),
    [
        (Action.DELETE, "", "deletes it"),
        (Action.ARCHIVE, "", "archives it: it can't be pulled"),
        (Action.UNKNOWN, "FREEZE", "takes an action that Drydock does not know (FREEZE)"),
        (Action.UNKNOWN, "", "takes an action that Drydock does not know (none is told)"),
    ],
)
def test_each_action_has_its_words_and_is_read_back(action: Action, told: str, does: str) -> None:
    image = Expiring("a", 3, action, told=told)
    assert image.does == does
    assert Expiring.from_json(image.as_json()) == image


def test_what_was_kept_before_actions_were_told_apart_is_a_deletion() -> None:
    assert Expiring.from_json({"digest": "a", "rule": 1}).action is Action.DELETE


def test_an_image_goes_with_the_index_that_holds_it() -> None:
    (danger,) = endangered([Expiring("index", 1, members=("a", "b"))], [use(aliases=("prod",))])
    assert danger.text == "Rule 1 will delete the index that holds the image behind orders prod (version 7)."
    assert (danger.digest, danger.index) == ("a", "index")


def test_an_image_that_a_rule_names_itself_is_not_put_down_to_its_index() -> None:
    (danger,) = endangered([Expiring("a", 2), Expiring("index", 1, members=("a",))], [use()])
    assert (danger.rule, danger.index) == (2, "")


def test_what_is_needed_most_comes_first() -> None:
    uses = [use(), use(version=LATEST), use(ways_back=("p",)), use(aliases=("p",))]
    needs = [danger.need for danger in endangered([Expiring("a", 1)], uses)]
    assert needs == [Need.LIVE, Need.ROLLBACK, Need.LATEST, Need.PUBLISHED]


def test_every_use_of_one_image_is_told() -> None:
    uses = [use(aliases=("prod",)), Use("a", 2, "cart", "staging", "1", aliases=("live",))]
    assert [danger.use.function for danger in endangered([Expiring("a", 1)], uses)] == ["cart", "orders"]


def test_uses_that_are_needed_as_much_come_by_function_and_account_in_whatever_order_they_are_read() -> None:
    uses = [Use("a", 3, "orders", "test", "1"), Use("a", 2, "orders", "staging", "1"), Use("a", 1, "cart", "test", "1")]

    for order in permutations(uses):
        found = [danger.use.function_id for danger in endangered([Expiring("a", 1)], order)]
        assert found == [1, 2, 3]


def test_of_several_indexes_that_hold_an_image_the_first_rules_is_told() -> None:
    indexes = [Expiring("x", 2, members=("a",)), Expiring("z", 1, members=("a",)), Expiring("y", 1, members=("a",))]

    for order in permutations(indexes):
        (danger,) = endangered(order, [use()])
        assert (danger.rule, danger.index) == (1, "y")


def test_a_forecast_reads_back_what_it_wrote() -> None:
    image = Expiring("a", 2, Action.ARCHIVE, ("v1",), "2026-01-01T00:00:00+00:00", ("b",))
    assert Expiring.from_json(image.as_json()) == image
    assert Expiring.from_json({}) == Expiring("", 0)


def test_digests_are_gathered_by_rule_with_what_an_index_holds() -> None:
    found = all_digests([Expiring("a", 1), Expiring("index", 1, members=("b",)), Expiring("c", 2)])
    assert found == {1: {"a", "index", "b"}, 2: {"c"}}
