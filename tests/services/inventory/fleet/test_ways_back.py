"""What an alias could go back to, in words."""

from dataclasses import replace

from functions_app.models import Alias
from functions_app.services.inventory.fleet.ways_back import way_back
from functions_app.services.snapshot.rollback_targets import AliasTargets, RollbackTarget
from tests.factories import NOW, digest

SEEN = RollbackTarget("4", digest("four"), (), live_until=NOW, obstacle="", published_at=NOW)
UNSEEN = replace(SEEN, version="3", live_until=None)
GONE = replace(SEEN, version="2", obstacle="Its image was deleted from team/app.")


def words(*targets: RollbackTarget, available: int = 0, lost: int = 0, unread: int = 0) -> str:
    """What the page says of an alias with these targets, times as AT."""
    found = way_back(AliasTargets(Alias(name="live", version="5"), targets, available, lost, unread))
    named = [f"version {each.version} ({each.verb} AT{each.remarks}){each.joint}" for each in found.shown]
    return " ".join([*named, found.rest]).strip()


def test_versions_are_named_with_when_they_were_live() -> None:
    assert words(SEEN, UNSEEN, available=2) == (
        "version 4 (live until AT), version 3 (published AT, never seen live here)"
    )


def test_what_is_to_be_known_of_a_version_stands_beside_it() -> None:
    target = replace(SEEN, same_image=True, expiry_rule=2)
    assert words(target, available=1) == (
        "version 4 (live until AT, the same image, lifecycle rule 2 will take its image away)"
    )


def test_of_many_three_are_named() -> None:
    assert words(*[SEEN] * 5, available=9).endswith("version 4 (live until AT) and 6 more")


def test_what_cannot_be_used_is_not_named() -> None:
    assert words(GONE, replace(SEEN, unread=True), UNSEEN, available=1) == (
        "version 3 (published AT, never seen live here)"
    )


def test_images_that_nobody_reads_are_asked_for_when_planning() -> None:
    tail = "in a repository that Drydock does not read. Planning a rollback asks ECR."
    assert words(unread=1) == f"The image of one earlier version is {tail}"
    assert words(unread=3) == f"The images of 3 earlier versions are {tail}"


def test_a_first_version_has_nothing_before_it() -> None:
    assert words() == "No earlier version was published."


def test_versions_that_are_lost_say_why_once() -> None:
    assert words(GONE, lost=1) == "The one earlier version cannot be used. Its image was deleted from team/app."
    assert words(GONE, GONE, lost=2) == (
        "None of the 2 earlier versions can be used. Its image was deleted from team/app."
    )


def test_somebody_who_chooses_a_version_is_told_what_it_is() -> None:
    assert SEEN.remarks == ()
    assert replace(SEEN, same_image=True, expiry_rule=2, unread=True).remarks == (
        "the same image as now",
        "lifecycle rule 2 will take its image away",
        "its repository is not read here: the plan asks ECR",
    )
