"""What a plan says first: the verdict, then what deviates, the worst first."""

from dataclasses import replace

import pytest

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.base_changes import Base, base_change
from functions_app.domain.changes.configurations import Comparison, Difference
from functions_app.domain.changes.judgements import Facts, Level, Remark, Running, judge
from functions_app.domain.changes.planned_ways_back import PlannedWayBack
from functions_app.domain.images.lambda_rules import Check

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
OLD = Base("python:3.12", 1, "old", Freshness.STALE.value, "One release behind new.")
NEW = Base("python:3.12", 2, "new", Freshness.CURRENT.value)
NOW = Running("7", A, f"{HOST}/shop@{A}", OLD)
GOAL = Running("", B, f"{HOST}/shop@{B}", NEW)
BACK = PlannedWayBack("7", True, "Roll live back to version 7.")
FINE = Check("Region", True, "Image and function are in eu-west-1.")
FACTS = Facts(
    function="orders",
    alias="live",
    runs=(NOW,),
    goal=GOAL,
    changes=(base_change(OLD, NEW, {1: 0, 2: 1}),),
    comparisons=(Comparison("7"),),
    ran=frozenset({f"{HOST}/shop"}),
    checks=(FINE,),
    way_back=BACK,
)


def remarks(facts: Facts) -> list[tuple[Level, str]]:
    """Level and name of each remark, in order."""
    return [(remark.level, remark.name) for remark in judge(facts).remarks]


def with_goal(goal: Running) -> Facts:
    """The facts with something else to run."""
    return replace(FACTS, goal=goal, changes=(base_change(OLD, goal.base, {1: 0, 2: 1}),))


def test_where_nothing_deviates_the_verdict_says_so_in_one_sentence() -> None:
    judged = judge(FACTS)
    assert judged.verdict == "Same repository, base one release newer, configuration unchanged."
    same = Check("Configuration", True, "No setting differs.")
    assert (judged.level, judged.remarks, judged.fine, judged.ticks) == (Level.FINE, (), (FINE, same), ())


def test_what_differs_in_the_configuration_is_counted_in_the_verdict_and_named_beneath() -> None:
    rows = (Difference("Memory", "640 MB", "3,008 MB"), Difference("Variable K", "set", "changed"))
    judged = judge(replace(FACTS, comparisons=(Comparison("7", rows),)))
    assert judged.verdict == "Same repository, base one release newer, two settings differ."
    assert judged.remarks == (Remark(Level.MIND, "Configuration", "Against version 7: Memory, Variable K."),)


@pytest.mark.parametrize(("same", "words"), [(True, "says so too"), (False, "may cover what Drydock does not compare")])
def test_the_hash_that_aws_makes_is_a_hint_and_the_fields_decide(*, same: bool, words: str) -> None:
    judged = judge(replace(FACTS, comparisons=(Comparison("7", same_hash=same),)))
    assert "configuration unchanged" in judged.verdict
    assert judged.level is Level.FINE
    assert words in judged.fine[-1].text


def test_a_configuration_that_aws_does_not_tell_is_not_called_unchanged() -> None:
    judged = judge(replace(FACTS, comparisons=(Comparison("7", (), ("AWS could not tell the environment of 7.",)),)))
    assert judged.verdict.endswith("whether its configuration is the same is not known.")
    assert judged.level is Level.MIND


def test_an_image_of_a_repository_that_was_never_run_is_red_comes_first_and_needs_a_tick() -> None:
    judged = judge(with_goal(replace(GOAL, image=f"{HOST}/other@{B}")))
    assert judged.verdict.startswith("From other, a repository that orders never ran")
    assert (judged.level, judged.remarks[0].level, judged.remarks[0].name) == (
        Level.DANGER,
        Level.DANGER,
        "Repository",
    )
    assert [tick.key for tick in judged.ticks] == ["repository"]


def test_the_same_name_in_another_account_is_another_repository() -> None:
    other = HOST.replace("111111111111", "222222222222")
    assert judge(with_goal(replace(GOAL, image=f"{other}/shop@{B}"))).ticks


def test_another_name_of_the_same_registry_is_the_same_repository() -> None:
    dual = "111111111111.dkr-ecr.eu-west-1.on.aws"
    judged = judge(with_goal(replace(GOAL, image=f"{dual}/shop@{B}")))
    assert judged.verdict.startswith("Same repository")
    assert judged.ticks == ()


def test_another_repository_that_the_function_ran_before_is_amber_and_needs_no_tick() -> None:
    facts = replace(with_goal(replace(GOAL, image=f"{HOST}/fork@{B}")), ran=frozenset({f"{HOST}/fork"}))
    assert judge(facts).verdict.startswith("From another repository, fork, ")
    assert (remarks(facts), judge(facts).ticks) == ([(Level.MIND, "Repository")], ())


def test_a_base_that_goes_back_is_said_with_both_releases() -> None:
    facts = replace(
        FACTS,
        runs=(replace(NOW, base=NEW),),
        goal=replace(GOAL, base=OLD),
        changes=(base_change(NEW, OLD, {1: 0, 2: 1}),),
    )
    judged = judge(facts)
    assert "base one release older" in judged.verdict
    assert judged.remarks[0].text == "Its base goes back: python:3.12 new → python:3.12 old, one release older."
    assert judged.remarks[1].text == "Its base is stale. One release behind new."


@pytest.mark.parametrize(
    ("freshness", "before", "level"),
    [
        (Freshness.CURRENT, Freshness.CURRENT, None),
        (Freshness.STALE, Freshness.CURRENT, Level.MIND),
        (Freshness.UNKNOWN, Freshness.CURRENT, Level.MIND),
        (Freshness.END_OF_LIFE, Freshness.CURRENT, Level.DANGER),
        (Freshness.END_OF_LIFE, Freshness.END_OF_LIFE, Level.MIND),
    ],
)
def test_a_base_that_is_not_current_is_no_silent_matter(
    freshness: Freshness, before: Freshness, level: Level | None
) -> None:
    base = replace(NEW, freshness=freshness.value, reason="So it is.")
    facts = replace(
        with_goal(replace(GOAL, base=base)), runs=(replace(NOW, base=replace(OLD, freshness=before.value)),)
    )
    assert remarks(facts) == ([(level, "Base")] if level else [])


def test_an_unknown_base_is_said_to_be() -> None:
    judged = judge(with_goal(replace(GOAL, base=Base(reason="Its image was not read."))))
    assert "base not known" in judged.verdict
    assert judged.remarks[0].text == "Whether its base is current is not known. Its image was not read."


def test_no_way_back_is_red_and_one_that_is_not_sure_is_amber() -> None:
    none = PlannedWayBack("", False, "There is no way back to version 7.", none=True)
    assert remarks(replace(FACTS, way_back=none)) == [(Level.DANGER, "Way back")]
    unsure = PlannedWayBack("7", False, "Whether its image is there is not known.")
    assert remarks(replace(FACTS, way_back=unsure)) == [(Level.MIND, "Way back")]


def test_the_same_image_says_nothing_of_bases() -> None:
    judged = judge(replace(FACTS, goal=replace(GOAL, digest=NOW.digest, image=NOW.image)))
    assert judged.verdict == "The same image, configuration unchanged."


def test_what_forbids_the_plan_is_the_verdict_and_what_forbids_it_too_comes_next() -> None:
    checks = (Check("Size", None, "Perhaps."), Check("State", False, "It is Pending."), Check("Image", False, "Gone."))
    judged = judge(replace(FACTS, checks=checks))
    assert judged.verdict == "It can't be done as planned: It is Pending."
    assert judged.level is Level.DANGER
    assert [remark.name for remark in judged.remarks] == ["Image", "Size"]


def test_red_comes_before_amber_whatever_it_is_about() -> None:
    none = PlannedWayBack("", False, "There is no way back.", none=True)
    facts = replace(FACTS, checks=(Check("Ownership", None, "terraform"),), way_back=none)
    assert [level for level, _ in remarks(facts)] == [Level.DANGER, Level.MIND]


def test_each_version_of_a_split_is_compared_and_the_larger_share_makes_the_verdict() -> None:
    rows = (Difference("Memory", "640 MB", "128 MB"),)
    facts = replace(
        FACTS,
        runs=(replace(NOW, share=0.9), replace(NOW, version="6", share=0.1)),
        changes=(*FACTS.changes, *FACTS.changes),
        comparisons=(Comparison("7"), Comparison("6", rows)),
        opening="Against version 7, which has 90 % of the calls: ",
    )
    judged = judge(facts)
    assert judged.verdict == (
        "Against version 7, which has 90 % of the calls: same repository, base one release newer, "
        "configuration unchanged."
    )
    assert judged.remarks == (Remark(Level.MIND, "Configuration", "Against version 6: Memory."),)


def test_a_repository_that_aws_does_not_tell_is_not_called_the_same() -> None:
    judged = judge(replace(FACTS, runs=(replace(NOW, image=""),)))
    assert judged.verdict.startswith("Whether the repository is the same is not known")


def test_a_check_that_is_open_for_one_image_has_not_passed_for_another() -> None:
    open_one, passed = Check("Safety", None, "Golden image: look."), Check("Safety", True, "Nothing was found.")
    assert "Safety" not in judge(replace(FACTS, checks=(open_one, passed, FINE))).fine_names
