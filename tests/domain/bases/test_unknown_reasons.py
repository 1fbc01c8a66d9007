"""Why a base is unknown decides what to do: each sentence that detection and verdicts tell has a step of its own."""

from datetime import timedelta

import pytest

from functions_app.domain.bases.detection import REPOSITORY_NOT_READ, Detection, ImageShape, detect, not_read, unknown
from functions_app.domain.bases.freshness import READ_WITHIN, Freshness, judge
from functions_app.domain.bases.known_releases import KnownReleases
from functions_app.domain.bases.unknown_reasons import (
    ADD_BASE,
    ALIASES_NOT_READ,
    LOOK,
    NOTHING_READ,
    STEPS,
    next_step,
)
from tests.domain.bases.test_detection import AMD64, LAMBDA, PYTHON, WHEN, look, release, says

KNOWN = [release(1, PYTHON, current=True)]


def reason(found: Detection, *, current: bool = True) -> str:
    """The verdict's sentence on a base that is unknown, long after its stream was read."""
    now = WHEN + READ_WITHIN + timedelta(days=1)
    tracks = {("python:3.12", AMD64): [release(1, PYTHON, current=current)]}
    verdict = judge(found, tracks, {}, now, {"python:3.12": WHEN})
    assert verdict.freshness is Freshness.UNKNOWN
    return verdict.reason


@pytest.mark.parametrize("layers", [("a",), ("a", "b", "c")])
def test_a_base_that_is_none_of_those_watched_is_to_be_added(layers: tuple[str, ...]) -> None:
    assert next_step(reason(look(layers, KNOWN))) == ADD_BASE
    assert next_step(reason(look(layers, KNOWN, **LAMBDA))) == ADD_BASE


TABLE = [
    (ALIASES_NOT_READ, "next sync reads them"),
    (NOTHING_READ, "next sync reads it"),
    (REPOSITORY_NOT_READ, "Settings, Accounts"),
    (not_read(platforms=["linux/amd64"], gone=False, problem=""), "image of one platform"),
    (not_read(platforms=None, gone=True, problem=""), "still there"),
    (not_read(platforms=None, gone=False, problem="Denied."), "says why"),
    (not_read(platforms=None, gone=False, problem=""), "next sync reads it"),
    (reason(unknown("Its config names no layers.")), "Build it anew"),
    (reason(look(("a",), KNOWN, platform="unknown/unknown")), "the image that it is about"),
    (reason(detect(ImageShape.of(("a",), AMD64), KnownReleases([], {}))), "poll of base images"),
    (reason(look((*PYTHON[1:], "app"), KNOWN)), "a release that is known"),
    (reason(look(("app",), KNOWN, **says("public.ecr.aws/lambda/python:3.12"))), "a release that is known"),
    (reason(look((*PYTHON, "app"), KNOWN)), "poll base images again"),
    (reason(look((*PYTHON, "app"), KNOWN), current=False), "poll base images again"),
    # Of a golden image with a long name; cut where the column ends.
    ("Built on golden:1, current when that was last read on 2026-10-01, which stands", "poll base images again"),
]


@pytest.mark.parametrize(("why", "step"), TABLE)
def test_every_other_reason_has_a_step_that_adds_no_base(why: str, step: str) -> None:
    assert step in next_step(why)
    assert "Add a base" not in next_step(why)


def test_a_reason_that_has_no_row_leads_to_what_was_found() -> None:
    assert next_step("It carries no annotation.") == LOOK


def test_every_row_has_its_example() -> None:
    added = [reason(look(("a",), KNOWN)), reason(look(("a", "b"), KNOWN)), reason(look(("a",), KNOWN, **LAMBDA))]
    added.append("None of its 2 layers' chain ids is known.")  # kept from an earlier version until it is judged again
    reasons = [*added, *(why for why, _ in TABLE)]
    first = [next((begin.pattern for begin, _ in STEPS if begin.match(why)), "") for why in reasons]
    assert {begin.pattern for begin, _ in STEPS} <= set(first)
