"""Which version a trigger's calls reach, and what a resource policy permits."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions_app.domain.errors import Code, Problem
from functions_app.domain.fleet.triggers import Part, Provisioned, Trigger, Triggers, Way, permitted, reach

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALIASES = {"live": "7"}
VERSIONS = {"6", "7"}
SNS = {"Sid": "s", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "lambda:InvokeFunction"}


@pytest.mark.parametrize(
    ("qualifier", "way", "words"),
    [
        ("live", Way.ALIAS, "through the alias live, now version 7"),
        ("", Way.PAST, "past the aliases: it reaches $LATEST"),
        ("$LATEST", Way.PAST, "past the aliases: it reaches $LATEST"),
        ("6", Way.VERSION, "always version 6"),
        ("gone", Way.LOST, "no alias or version that is known"),
    ],
)
def test_an_alias_decides_only_where_the_trigger_names_it(qualifier: str, way: Way, words: str) -> None:
    found = reach(qualifier, ALIASES, VERSIONS)
    assert found.way is way
    assert words in found.says


def test_without_aliases_nothing_is_passed_by() -> None:
    assert reach("", {}, VERSIONS).way is Way.UNQUALIFIED
    assert "$LATEST.PUBLISHED" in reach("", {}, {"$LATEST.PUBLISHED"}).says


def policy(*statements: Any) -> str:
    """A resource policy as Lambda tells it."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_permission_names_the_service_and_where_it_calls_from() -> None:
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:1:orders"}, "StringEquals": {"k": "v"}}
    (found,) = permitted(policy({**SNS, "Condition": condition}), "live")
    assert found == Trigger(
        Part.PERMISSIONS,
        "live",
        "sns.amazonaws.com",
        "from arn:aws:sns:eu-west-1:1:orders; k StringEquals v",
        "sns.amazonaws.com",
    )


@pytest.mark.parametrize(
    ("principal", "source"),
    [
        ("*", "anybody"),
        ({"AWS": "*"}, "anybody"),
        ({"AWS": ["arn:aws:iam::1:root", "arn:aws:iam::2:root"]}, "arn:aws:iam::1:root, arn:aws:iam::2:root"),
        (None, "None"),
    ],
)
def test_whoever_else_is_permitted_is_named(principal: Any, source: str) -> None:
    (found,) = permitted(policy({**SNS, "Principal": principal}), "")
    assert (found.source, found.service) == (source, "")


def test_what_denies_is_not_told_as_if_it_allowed() -> None:
    assert permitted(policy({**SNS, "Effect": "Deny"}), "")[0].source == "Deny: sns.amazonaws.com"


@pytest.mark.parametrize("text", ["", "[]", "nonsense"])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        permitted(text, "")


def test_what_is_kept_is_read_again_as_it_was() -> None:
    full = Triggers(
        (Trigger(Part.URLS, "live", "https://x"),),
        (Provisioned("live", 5, "READY"),),
        0,
        {"permissions": Problem(Code.DENIED, "may not")},
        2,
        {"permissions": NOW},
    )
    assert Triggers.from_json(json.loads(json.dumps(full.as_json()))) == full


def test_what_was_known_of_a_part_is_told_with_its_first_age_however_often_it_is_refused_since() -> None:
    refused = Triggers.refused(Problem(Code.DENIED, "may not"))
    known = Triggers((Trigger(Part.URLS, "live", "https://x"),), reserved=7, left_out=2)
    once = refused.beside(known, NOW)
    assert (once.triggers, once.reserved, once.left_out) == (known.triggers, 7, 2)
    assert set(once.older.values()) == {NOW}
    assert refused.beside(once, NOW + timedelta(days=1)) == once


def test_of_a_part_that_was_never_told_nothing_is_known() -> None:
    refused = Triggers.refused(Problem(Code.DENIED, "may not"))
    assert refused.beside(refused, NOW) == refused


def test_what_an_older_drydock_kept_is_read() -> None:
    stored = Triggers(reserved=7).as_json()
    assert Triggers.from_json({name: stored[name] for name in stored if name not in ("older", "soon")}).reserved == 7


def test_what_could_not_be_read_is_told_in_one_order_whatever_the_database_made_of_it() -> None:
    stored = Triggers.refused(Problem(Code.DENIED, "may not")).as_json()
    stored["problems"] = dict(sorted(stored["problems"].items(), key=lambda pair: len(pair[0])))
    assert list(Triggers.from_json(stored).problems) == [*Part]
