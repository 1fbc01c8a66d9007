"""Policies: an answer and its reason for any text, the same for what means the same."""

import json
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.bases.overdue_policies import Lateness, Policy, choose_policy, overdue_on
from functions_app.domain.fleet.lifecycle_policies import Action, Expiring, Use, all_digests, endangered
from functions_app.domain.fleet.repository_policies import allows_pull
from functions_app.domain.text import storable
from tests.fuzz.bounds import assert_shown, bounded
from tests.fuzz.inputs import edited, json_texts, texts
from tests.fuzz.running import fuzzed

OWN, OTHER = "111111111111", "222222222222"
ARN = f"arn:aws:lambda:eu-central-1:{OWN}:function:orders"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
SERVICE: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "LambdaECRImageRetrievalPolicy",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": PULL,
            "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:eu-central-1:{OWN}:function:*"}},
        },
        {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam::{OWN}:root"]}, "Action": "ecr:*"},
    ],
}
DENY: dict[str, Any] = {
    "Statement": {
        "Sid": "No",
        "Effect": "Deny",
        "Principal": "*",
        "NotAction": "ecr:Describe*",
        "Action": "ecr:Batch*",
        "Condition": {"StringNotEquals": {"aws:SourceAccount": OTHER}},
    }
}
POLICIES = [SERVICE, DENY]
REASON_LENGTH = 2000
DIGESTS = [f"sha256:{letter * 64}" for letter in "abcd"]
expiring = st.builds(
    Expiring,
    digest=st.sampled_from(DIGESTS),
    rule=st.integers(0, 3),
    action=st.sampled_from(Action),
    tags=st.lists(texts.map(storable), max_size=2).map(tuple),
    pushed_at=texts.map(storable),
    members=st.lists(st.sampled_from(DIGESTS), max_size=2).map(tuple),
)
names = st.lists(st.sampled_from(("prod", "canary", "blue", "green")), unique=True).map(tuple)
uses = st.builds(
    Use,
    digest=st.sampled_from(DIGESTS),
    function_id=st.integers(1, 3),
    function=st.sampled_from(("orders", "mail")),
    account=st.sampled_from((OWN, OTHER)),
    version=st.sampled_from(("$LATEST", "7", "12")),
    aliases=names,
    ways_back=names,
    called=st.booleans(),
)
limits = st.one_of(st.none(), st.integers(0, 3), st.just(2**31 - 1))
policies = st.builds(
    Policy,
    account_id=st.one_of(st.none(), st.integers(1, 2)),
    tag_key=st.sampled_from(("", "team", "stage")),
    tag_value=st.sampled_from(("", "a", "b")),
    max_days=limits,
    max_releases=limits,
)


@fuzzed(500)
@given(json_texts(POLICIES), st.sampled_from((OWN, OTHER)))
def test_any_policy_gets_an_answer_and_a_reason(policy: str, owner: str) -> None:
    with bounded():
        ok, why = allows_pull(policy, function_arn=ARN, owner_account=owner)
    assert ok in (True, False, None)
    assert why.endswith(".")
    assert_shown(why, REASON_LENGTH)


@fuzzed(300)
@given(edited(POLICIES), st.sampled_from((OWN, OTHER)))
def test_policies_that_mean_the_same_get_the_same_answer(policy: Any, owner: str) -> None:
    if not isinstance(policy, dict):
        return
    statements = policy.get("Statement")
    same = [dict(reversed(policy.items()))]
    if isinstance(statements, dict):
        same.append({**policy, "Statement": [statements]})
    if isinstance(statements, list) and all(isinstance(each, dict) for each in statements):
        same.append({**policy, "Statement": [_listed(each) for each in statements]})
        same.append({**policy, "Statement": [*statements, {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}]})
        same.append({**policy, "Statement": statements[::-1]})
    first, *others = (
        allows_pull(json.dumps(each), function_arn=ARN, owner_account=owner)[0] for each in (policy, *same)
    )
    assert set(others) == {first}


def _listed(statement: dict[str, Any]) -> dict[str, Any]:
    """The same statement, its one action as a list of one."""
    action = statement.get("Action")
    return {**statement, "Action": [action]} if isinstance(action, str) else statement


@fuzzed(30)
@given(st.sampled_from(("*", "?", "a*", "*a", "[a", "[!", "ecr:*", "\\")), st.sampled_from(("", "b", "]", "*")))
def test_a_pattern_that_repeats_itself_is_matched_within_bounds(unit: str, end: str) -> None:
    pattern = unit * 2000 + end
    condition = {"ArnLike": {"aws:SourceArn": pattern}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": [pattern, *PULL], "Condition": condition}
    with bounded():
        allows_pull(json.dumps({"Statement": statement}), function_arn=ARN, owner_account=OTHER)


@fuzzed(200)
@given(st.lists(expiring, max_size=5), st.lists(uses, max_size=6))
def test_what_a_lifecycle_policy_endangers_does_not_depend_on_the_order(taken: list[Expiring], held: list[Use]) -> None:
    once = {each.digest: each for each in taken}  # ECR tells of each image once
    taken = list(once.values())
    held = list({(use.function_id, use.version): use for use in held}.values())
    found = endangered(taken, held)
    assert endangered(taken[::-1], held[::-1]) == found
    assert [danger.need for danger in found] == sorted(danger.need for danger in found)
    doomed = set().union(*all_digests(taken).values())
    assert len(found) == sum(use.digest in doomed for use in held)
    assert all(danger.text.endswith(".") for danger in found)
    assert [Expiring.from_json(json.loads(json.dumps(each.as_json()))) for each in taken] == taken


@fuzzed(300)
@given(st.lists(policies, max_size=6), st.dictionaries(st.sampled_from(("team", "stage")), st.sampled_from("abc")))
def test_the_policy_that_counts_does_not_depend_on_the_order(listed: list[Policy], found: dict[str, str]) -> None:
    chosen = choose_policy(listed, 1, found)
    again = choose_policy(listed[::-1], 1, found)
    stale = Lateness(Freshness.STALE, None, None, ((date(2026, 3, 1), date.max), ()))
    assert overdue_on(stale, chosen) == overdue_on(stale, again)
    assert chosen is None or chosen.fits(1, found)
    assert (chosen is None) == (not any(policy.fits(1, found) for policy in listed))
    ended = Lateness(Freshness.END_OF_LIFE, None, date.max - timedelta(days=1))
    assert overdue_on(ended, chosen) in (None, date.max, date.max - timedelta(days=1))
