"""A golden image that goes first: what a plan says of it, and where what stands on it goes then."""

import json
from dataclasses import replace

import pytest

from functions_app.domain.changes.patching.golden import pending
from functions_app.domain.changes.patching.patch_verdicts import golden_sentence, review_sentence, safety_check
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.rebase.safety.findings import Finding, Level, Verdict
from tests.patch_plans import BASE, make_golden_patch, make_patch_plan

REVIEW = Verdict.of([Finding("certificates", ("etc/pki/tls/certs/ca-bundle.crt",), 1)])
UNSAFE = Verdict.of([Finding("package-database", ("var/lib/rpm/rpmdb.sqlite",), 1)])
GOLDEN = make_golden_patch()
ON_GOLDEN = replace(BASE, stream="platform/golden:stable", to_label="stable-1.0.0", index_digest="", releases=0)


def test_a_plan_with_golden_images_is_kept_and_read_back_whole() -> None:
    plan = make_patch_plan(golden=(GOLDEN, replace(GOLDEN, name="team/golden:1", verdict=REVIEW)))
    assert PatchPlan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


def test_a_plan_of_before_golden_images_were_patched_is_read_still() -> None:
    stored = make_patch_plan().as_json()
    del stored["golden"]
    assert PatchPlan.from_json(stored).golden == ()


def test_what_stands_on_it_goes_to_what_comes_of_it_and_is_as_new_as_its_base() -> None:
    move = GOLDEN.carrying(ON_GOLDEN)
    assert (move.to_reference, move.to_label) == (GOLDEN.image_uri, GOLDEN.tag)
    assert move.to_name == f"{GOLDEN.repository}:{GOLDEN.tag}"
    assert (move.released, move.releases, move.to_release_id) == (BASE.released, 1, ON_GOLDEN.to_release_id)


def test_while_nobody_knows_what_comes_of_it_the_release_is_called_patched() -> None:
    assert pending(ON_GOLDEN).to_label == "stable-1.0.0, patched"


@pytest.mark.parametrize(
    ("golden", "own", "level"),
    [
        (Verdict(), Verdict(), Level.SAFE),
        (REVIEW, Verdict(), Level.REVIEW),
        (Verdict(), REVIEW, Level.REVIEW),
        (UNSAFE, REVIEW, Level.UNSAFE),
        (REVIEW, UNSAFE, Level.UNSAFE),
    ],
)
def test_the_worse_of_the_verdicts_counts_and_all_that_was_found_is_ticked(
    golden: Verdict, own: Verdict, level: Level
) -> None:
    plan = make_patch_plan(golden=(replace(GOLDEN, verdict=golden),), verdict=own)
    assert plan.safety.level is level
    told = review_sentence(plan.verdict, plan.golden)
    assert [one.rule.of_golden.rstrip(".") in told for one in golden.findings] == [True] * len(golden.findings)
    assert [one.rule.sentence.rstrip(".") in told for one in own.findings] == [True] * len(own.findings)


def test_the_steps_rebase_the_golden_image_then_the_function() -> None:
    check, golden, own, *_ = make_patch_plan(golden=(GOLDEN,)).steps()
    assert check.startswith("Check that nothing was changed")
    assert golden == (
        "Rebase golden image platform/golden:stable stable-1.0.0 in repository platform/golden: put the one layer of "
        "its own upon the six layers of python:3.12 3.12.2026.11.01.10, push that as "
        "stable-1.0.0-base-20261101-89abcdef with a statement beside it, and take it for the newest release of "
        "platform/golden:stable."
    )
    assert own.startswith("Rebase this function's image: put your three layers upon the six layers")


def test_one_that_is_there_already_is_not_pushed() -> None:
    assert replace(GOLDEN, there=True).step.endswith(f"has that as {GOLDEN.tag} already, so that nothing is pushed.")


def test_each_golden_image_is_two_more_looks_at_ecr_and_one_at_the_rules_of_its_repository() -> None:
    plain = make_patch_plan().calls
    assert make_patch_plan(golden=(GOLDEN,)).calls == plain + 3
    assert make_patch_plan(golden=(GOLDEN, GOLDEN)).calls == plain + 5  # both in one repository
    assert make_patch_plan(golden=(replace(GOLDEN, there=True),)).calls == plain + 2


def test_undoing_says_that_the_golden_images_new_image_stays() -> None:
    told = "The new image of platform/golden:stable stays in its repository"
    assert told in make_patch_plan(golden=(GOLDEN,)).undo()
    assert told in make_patch_plan(golden=(GOLDEN,), aliases=()).undo()
    assert told not in make_patch_plan().undo()


@pytest.mark.parametrize(
    ("level", "golden", "end"),
    [
        (Level.SAFE, GOLDEN, "first (two releases forward), and your one layer follows byte for byte."),
        (Level.REVIEW, GOLDEN, "follows byte for byte; somebody should look at what was found before it is applied."),
        (Level.UNSAFE, GOLDEN, "but your layers would not work on that as they are: build both images anew."),
        (
            Level.UNSAFE,
            replace(GOLDEN, verdict=UNSAFE),
            "would not work on python:3.12 3.12.2026.11.01.10 as it is: build it anew first.",
        ),
    ],
)
def test_the_first_sentence_says_what_goes_first_and_what_follows(level: Level, golden: object, end: str) -> None:
    assert isinstance(golden, type(GOLDEN))
    sentence = golden_sentence(level, (golden,), 1)
    assert sentence.startswith(f"{level.upper()}: ")
    assert sentence.endswith(end)


def test_a_check_names_the_golden_image_with_the_paths() -> None:
    check = safety_check(UNSAFE, "platform/golden:stable")
    assert check.ok is False
    assert check.text.startswith("Golden image platform/golden:stable: The golden image's layers write")
    assert "(/var/lib/rpm/rpmdb.sqlite)" in check.text


def test_what_was_found_in_the_golden_image_is_not_told_of_the_app() -> None:
    told = review_sentence(Verdict(), (replace(GOLDEN, verdict=REVIEW),))
    assert "The golden image's layers write the list of trusted certificate authorities" in told
    assert "app" not in told
