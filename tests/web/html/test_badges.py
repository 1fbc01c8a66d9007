"""Badges: what each says, and that text in them stays text."""

from datetime import date

import pytest
from django.utils.safestring import SafeString

from functions_app.domain.bases.detection import Tier
from functions_app.domain.images.scans import ScanState, Side
from functions_app.domain.runs import Status, StepStatus
from functions_app.web.html import badges
from functions_app.web.html.icons import icon
from functions_app.web.html.looks import Change, Severity, look
from tests.web.html.hostile import ATTACK, harmless


def test_stale_says_how_far_behind_and_unknown_why() -> None:
    assert "3 releases, 41 d" in badges.freshness("stale", "why", 3, 41)
    assert "1 release, 2 d" in badges.freshness("stale", "why", 1, 2)
    assert 'title="No layer is known."' in badges.freshness("unknown", "No layer is known.")


def test_only_what_is_stale_says_how_far() -> None:
    assert "41 d" not in badges.freshness("end_of_life", "why", 3, 41)


def test_overdue_says_since_when_and_for_how_long() -> None:
    badge = badges.overdue(date(2026, 1, 1), date(2026, 1, 9))
    assert "Overdue" in badge
    assert "8 d" in badge
    assert "replaced by 2026-01-01" in badge
    assert "title" not in badges.overdue()


def test_a_state_of_lambda_that_nobody_knows_is_shown_by_its_own_word() -> None:
    badge = badges.state("Hibernating", "Lambda says so.")
    assert 'class="bdg calm"' in badge
    assert "Hibernating" in badge


def test_a_failed_update_is_not_a_failed_function() -> None:
    assert "Update failed" in badges.update_status("Failed")
    assert "Update" not in badges.state("Failed")


@pytest.mark.parametrize("value", list(Status))
def test_a_run_has_an_icon_and_a_word(value: Status) -> None:
    badge = badges.run_status(value.value)
    assert "<svg" in badge
    assert badge.endswith(f"{value.name.capitalize()}</span>")


def test_a_number_stands_before_the_word_and_bytes_behind_it() -> None:
    added = look(Change, Change.ADDED)
    assert "<b>3</b>&nbsp;added</span>" in badges.counted(added, 3)
    assert "<b>1</b>&nbsp;added, 1.5 kB</span>" in badges.counted(added, 1, 1500)


def test_findings_are_counted() -> None:
    assert "1 finding</span>" in badges.scan_state(ScanState.FOUND, 1)
    assert "3 findings</span>" in badges.scan_state(ScanState.FOUND, 3)
    assert "No findings" in badges.scan_state(ScanState.CLEAN)


def test_a_detection_says_how_sure_it_is() -> None:
    assert "confidence certain: its layers are" in badges.tier(Tier.EXACT.value)


def test_a_finding_that_is_gone_looks_good_and_one_that_came_looks_bad() -> None:
    assert 'class="bdg good"' in badges.finding_change("removed")
    assert 'class="bdg bad"' in badges.finding_change("added")


def test_a_badge_never_lets_markup_through() -> None:
    for html in (
        badges.badge(ATTACK, ATTACK, ATTACK, ATTACK),
        badges.freshness("stale", ATTACK),
        badges.freshness(ATTACK, ATTACK),
        badges.state(ATTACK, ATTACK),
        badges.update_status(ATTACK, ATTACK),
        badges.run_status(ATTACK),
        badges.severity(ATTACK),
        badges.change_mark(ATTACK),
        badges.finding_change(ATTACK),
        icon(ATTACK, ATTACK),
    ):
        assert harmless(html)


def test_markup_from_us_is_no_pass_for_the_same_letters_from_elsewhere() -> None:
    ours = badges.badge(SafeString("<b>ours</b>"), "x", "calm")
    theirs = badges.badge("<b>ours</b>", "x", "calm")
    assert "<b>ours</b>" in ours
    assert "&lt;b&gt;ours&lt;/b&gt;" in theirs


def test_the_other_badges_say_their_words() -> None:
    assert "Critical" in badges.severity(Severity.CRITICAL)
    assert "not known" in badges.side(Side.UNKNOWN)
    assert "Kept" in badges.change_mark("kept")
    assert badges.step_look(StepStatus.UNDONE).word == "Undone"
