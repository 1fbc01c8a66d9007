"""Each operator of IAM's conditions from both sides, and what stays undecided."""

import pytest

from functions_app.domain.fleet.policy_language import ABSENT, COMPARISONS, conditions_hold

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
# Operator, what is wanted, what it holds of, what it does not hold of.
TABLE = [
    ("StringEquals", "Shop", "Shop", "shop"),
    ("StringEqualsIgnoreCase", "Shop", "SHOP", "ship"),
    ("StringLike", "sh?p*", "shop-eu", "sheep"),
    ("ArnEquals", "arn:aws:lambda:*:111111111111:function:*", ARN, "arn:aws:s3:::orders"),
    ("ArnLike", "arn:aws:lambda:*:111111111111:function:*", ARN, "arn:aws:s3:::orders"),
    ("Bool", "true", "TRUE", "false"),
    ("StringNotEquals", "Shop", "shop", "Shop"),
    ("StringNotEqualsIgnoreCase", "Shop", "ship", "SHOP"),
    ("StringNotLike", "sh?p*", "sheep", "shop-eu"),
    ("ArnNotEquals", "arn:aws:lambda:*:111111111111:function:*", "arn:aws:s3:::orders", ARN),
    ("ArnNotLike", "arn:aws:lambda:*:111111111111:function:*", "arn:aws:s3:::orders", ARN),
]


def holds(operator: str, wanted: object, fact: str | None) -> bool | None:
    return conditions_hold({"Condition": {operator: {"aws:SourceArn": wanted}}}, {"aws:sourcearn": fact})


@pytest.mark.parametrize(("operator", "wanted", "yes", "no"), TABLE)
def test_each_operator_holds_of_one_and_not_of_the_other(operator: str, wanted: str, yes: str, no: str) -> None:
    assert (holds(operator, wanted, yes), holds(operator, wanted, no)) == (True, False)
    assert holds(operator.upper(), [wanted], yes) is True
    assert holds(operator, wanted, None) is None


@pytest.mark.parametrize("operator", [row[0] for row in TABLE])
def test_a_key_that_the_request_lacks_fails_what_is_asked_of_it_and_passes_what_is_denied(operator: str) -> None:
    assert holds(operator, "x", ABSENT) is ("Not" in operator)
    assert holds(f"{operator}IfExists", "x", ABSENT) is True


def test_every_operator_has_its_example() -> None:
    assert COMPARISONS.keys() == {row[0].lower() for row in TABLE}


@pytest.mark.parametrize(
    ("wanted", "fact", "held"), [("true", ABSENT, True), ("false", ABSENT, False), ("false", "x", True)]
)
def test_null_asks_whether_the_key_is_missing(wanted: str, fact: str, held: bool) -> None:
    assert holds("Null", wanted, fact) is held


@pytest.mark.parametrize("operator", ["IpAddress", "NumericLessThan", "DateGreaterThan", "Invented"])
def test_an_operator_that_nobody_knows_leaves_it_undecided(operator: str) -> None:
    assert holds(operator, "x", "x") is None
    assert holds(f"{operator}IfExists", "x", "x") is None
