"""What a lifecycle policy would take once images are pushed: by the rules' words, and as the sandbox previews it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.lifecycle_policies import Action
from functions_app.domain.fleet.lifecycle_simulation import Kept, keeping_tag, read_rules, taken, with_pushes
from sandbox.ecr.lifecycle import Candidate, expiring
from sandbox.images.making import make_index
from tests.fixtures import ClientFactory, Push
from tests.publishing import NOW
from tests.sandbox.fixtures import small_image

COUNT, PUSHED, PULLED = "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled"


def rule(priority: int, status: str, counts: str, number: int, action: str = "expire", **more: Any) -> dict[str, Any]:
    unit = {"countUnit": "days"} if counts != COUNT else {}
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    selection = {"tagStatus": status, "countType": counts, "countNumber": number, **unit, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": action, **target}}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": rules})


def image(name: str, days: float, *tags: str, members: tuple[str, ...] = ()) -> Kept:
    return Kept(name, frozenset(tags), NOW - timedelta(days=days), members)


def gone(text: str, *images: Kept) -> set[str]:
    return {each.digest for each in taken(read_rules(text), images, NOW)}


def test_one_more_image_makes_the_oldest_go() -> None:
    keep_two = policy(rule(1, "any", COUNT, 2))
    held = (image("old", 9, "1"), image("new", 1, "2"))
    assert gone(keep_two, *held) == set()
    assert gone(keep_two, *with_pushes(held, [image("pushed", 0, "3")])) == {"old"}


def test_an_untagged_statement_counts_where_a_rule_counts_the_untagged() -> None:
    keep_one = policy(rule(1, "untagged", COUNT, 1))
    held = (image("live", 3), image("tagged", 4, "1"))
    assert gone(keep_one, *with_pushes(held, [image("statement", 0)])) == {"live"}


def test_what_was_pushed_before_keeps_its_day_and_gets_the_tag() -> None:
    keep_one = policy(rule(1, "tagged", COUNT, 1, tagPrefixList=["v"]))
    held = (image("old", 9, "x"), image("new", 1, "v2"))
    assert gone(keep_one, *with_pushes(held, [image("old", 0, "v3")])) == {"old"}


def test_what_a_rule_selects_is_no_matter_of_a_later_one() -> None:
    text = policy(rule(1, "tagged", COUNT, 5, tagPrefixList=["v"]), rule(2, "any", COUNT, 1))
    assert gone(text, image("a", 3, "v1"), image("b", 2), image("c", 1)) == {"b"}


@pytest.mark.parametrize(
    ("selection", "tags", "selects"),
    [
        ({"tagPatternList": ["prod*"]}, ("prod-1",), True),
        ({"tagPatternList": ["*-base-*"]}, ("v1-base-20261001-aabbccdd",), True),
        ({"tagPatternList": ["prod*", "web*"]}, ("prod-1",), False),
        ({"tagPatternList": ["prod*", "web*"]}, ("prod-1", "web-1"), True),
        ({"tagPatternList": ["v1.0"]}, ("v1x0",), False),
        ({"tagPrefixList": ["rel"]}, ("release",), True),
        ({"tagPrefixList": ["rel"]}, (), False),
    ],
)
def test_a_rule_for_tags_selects_what_has_a_tag_for_each_of_its_patterns(
    selection: dict[str, Any], tags: tuple[str, ...], selects: bool
) -> None:
    text = policy(rule(1, "tagged", PUSHED, 1, **selection))
    assert gone(text, image("it", 5, *tags)) == ({"it"} if selects else set())


def test_an_index_takes_what_it_holds_with_it_and_nothing_of_it_goes_before() -> None:
    text = policy(rule(1, "any", COUNT, 1))
    held = (image("index", 5, "1", members=("part",)), image("part", 6), image("new", 1, "2"))
    (found,) = taken(read_rules(text), held, NOW)
    assert (found.digest, found.members) == ("index", ("part",))


def test_archiving_counts_as_taking_away_and_rules_of_the_archive_take_nothing() -> None:
    archive = rule(2, "any", "sinceImageTransitioned", 90, storageClass="archive")
    text = policy(rule(1, "any", COUNT, 1, "transition"), archive)
    (found,) = taken(read_rules(text), (image("old", 200, "1"), image("new", 1, "2")), NOW)
    assert (found.digest, found.rule, found.action) == ("old", 1, Action.ARCHIVE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rules": [1]}', policy(rule(1, "sometimes", COUNT, 1)), "{}" * 9])
def test_a_policy_that_can_not_be_understood_says_so(text: str) -> None:
    with pytest.raises(DrydockError, match="lifecycle policy"):
        read_rules(text)


def test_a_tag_that_no_rule_takes_keeps_an_untagged_image() -> None:
    rules = read_rules(policy(rule(1, "untagged", COUNT, 1)))
    held = (image("old", 9), image("new", 1))
    assert keeping_tag(rules, held, "old", "keep-old", NOW)
    assert not keeping_tag(read_rules(policy(rule(1, "any", COUNT, 1))), held, "old", "keep-old", NOW)


TAGS = ["v1", "v2", "prod-1", "prod-2", "main", "v1-base-20261001-aabbccdd"]
LISTS = [["v"], ["prod"], ["v", "prod"], ["main"]]


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Rules that ECR takes: priorities differ, one for any is the last."""
    made = []
    count = draw(st.integers(1, 4))
    for priority in range(1, count + 1):
        statuses = ["tagged", "untagged"] + (["any"] if priority == count else [])
        status = draw(st.sampled_from(statuses))
        more = {}
        if status == "tagged":
            words = draw(st.sampled_from(LISTS))
            stars = {"tagPatternList": [f"{word}*" for word in words]}
            more = draw(st.sampled_from([{"tagPrefixList": words}, stars]))
        action = draw(st.sampled_from(["expire", "transition"]))
        counts = draw(st.sampled_from([COUNT, COUNT, PUSHED]))
        made.append(rule(priority, status, counts, draw(st.integers(1, 5)), action, **more))
    return policy(*made)


@given(
    policies(),
    st.lists(st.tuples(st.sets(st.sampled_from(TAGS), max_size=2), st.integers(0, 12)), max_size=9),
    st.sets(st.sampled_from(TAGS), max_size=1),
)
@settings(max_examples=300, deadline=None)
def test_it_takes_what_the_sandbox_previews_once_the_images_are_there(
    text: str, drawn: list[tuple[set[str], int]], tag: set[str]
) -> None:
    held = [image(f"i{at}", days + at / 100, *tags) for at, (tags, days) in enumerate(drawn)]
    after = with_pushes(held, [Kept("new", frozenset(tag), NOW), Kept("said", frozenset(), NOW + timedelta(seconds=1))])
    previewed = expiring(
        text, [Candidate(each.digest, tuple(each.tags), each.pushed_at) for each in after], NOW + timedelta(seconds=2)
    )
    found = taken(read_rules(text), after, NOW + timedelta(seconds=2))
    expected = [(each.image.digest, each.rule_priority) for each in previewed]
    assert [(each.digest, each.rule) for each in found] == expected


def test_it_says_before_the_push_what_ecrs_own_preview_says_after_it(aws_client: ClientFactory, push: Push) -> None:
    text = policy(
        rule(1, "tagged", COUNT, 2, tagPrefixList=["v"]), rule(2, "untagged", COUNT, 1), rule(3, "any", COUNT, 1)
    )
    ecr = aws_client("ecr")
    for at, tags in enumerate((["v1"], [], ["other"], ["v2"], ["x"])):
        push("team/app", small_image(f"held {at}"), tags)
    index = make_index([small_image("held index")])
    push("team/app", index, ["y"])
    details = [*ecr.describe_images(repositoryName="team/app")["imageDetails"]]
    members = {index.digest: tuple(each.digest for each in index.images)}
    held = [
        Kept(
            one["imageDigest"],
            frozenset(one.get("imageTags", ())),
            one["imagePushedAt"],
            members.get(one["imageDigest"], ()),
        )
        for one in details
    ]
    result, statement = small_image("result"), small_image("statement")
    later = max(one.pushed_at for one in held) + timedelta(seconds=1)
    pushes = [
        Kept(result.digest, frozenset({"v3"}), later),
        Kept(statement.digest, frozenset(), later + timedelta(seconds=1)),
    ]
    forecast = taken(read_rules(text), with_pushes(held, pushes), later + timedelta(seconds=2))
    push("team/app", result, ["v3"])
    push("team/app", statement)
    ecr.start_lifecycle_policy_preview(repositoryName="team/app", lifecyclePolicyText=text)
    preview = ecr.get_lifecycle_policy_preview(repositoryName="team/app")["previewResults"]
    assert preview
    assert {(each.digest, each.rule) for each in forecast} == {
        (each["imageDigest"], each["appliedRulePriority"]) for each in preview
    }
