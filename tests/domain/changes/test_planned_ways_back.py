"""Whether a change that is planned has a way back."""

import pytest

from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.planned_ways_back import Behind, Held, ImageNow, planned_way_back

THERE = ImageNow(Held.THERE)
GONE = ImageNow(Held.GONE, "Its image 1f4ee0c3a9d4 was deleted from shop.")
ARCHIVED = ImageNow(Held.ARCHIVED, "Its image 1f4ee0c3a9d4 in shop is archived. Restore it first.")
UNKNOWN = ImageNow(Held.UNKNOWN, "Whether ECR has its image could not be asked.")


def test_the_version_before_is_the_way_back_while_ecr_has_its_image() -> None:
    back = planned_way_back("live", AliasState("7"), [Behind("7", "d", THERE)], ())
    assert (back.version, back.sure, back.none, back.text) == ("7", True, False, "Roll live back to version 7.")


def test_a_new_alias_is_undone_by_deleting_it() -> None:
    back = planned_way_back("live", AliasState(), (), ())
    assert (back.version, back.sure, back.none) == ("", True, False)
    assert "delete it in Lambda" in back.text


def test_where_the_image_behind_was_deleted_there_is_no_way_back() -> None:
    back = planned_way_back("live", AliasState("7"), [Behind("7", "d", GONE)], ())
    assert (back.version, back.none) == ("", True)
    assert back.text == "There is no way back to version 7. Its image 1f4ee0c3a9d4 was deleted from shop."


def test_where_the_image_behind_is_archived_it_has_to_be_restored_first() -> None:
    back = planned_way_back("live", AliasState("7"), [Behind("7", "d", ARCHIVED)], ())
    assert back.none
    assert "no way back until the image of version 7 is restored" in back.text


def test_where_ecr_does_not_tell_the_way_back_is_not_sure_and_says_why() -> None:
    back = planned_way_back("live", AliasState("7"), [Behind("7", "d", UNKNOWN)], ())
    assert (back.version, back.sure, back.none) == ("7", False, False)
    assert "could not be asked" in back.text


def test_a_split_is_not_restored_by_a_rollback_and_the_larger_share_is_the_way_back() -> None:
    before = AliasState("2", "3", 0.9)
    back = planned_way_back("live", before, [Behind("2", "a", THERE, 0.1), Behind("3", "b", THERE, 0.9)], ())
    assert back.version == "3"
    assert "does not restore the split (version 2 (10 %) and version 3 (90 %))" in back.text


@pytest.mark.parametrize("lost", [GONE, ARCHIVED])
def test_of_a_split_the_version_whose_image_is_there_is_the_way_back(lost: ImageNow) -> None:
    behind = [Behind("2", "a", lost, 0.9), Behind("3", "b", THERE, 0.1)]
    back = planned_way_back("live", AliasState("2", "3", 0.1), behind, ())
    assert (back.version, back.sure) == ("3", True)


@pytest.mark.parametrize("other", [THERE, UNKNOWN, GONE])
def test_of_a_split_the_larger_share_is_the_way_back_though_nobody_knows_whether_its_image_is_there(
    other: ImageNow,
) -> None:
    behind = [Behind("2", "a", other, 0.1), Behind("3", "b", UNKNOWN, 0.9)]
    back = planned_way_back("live", AliasState("2", "3", 0.9), behind, ())
    assert (back.version, back.sure, back.none) == ("3", False, False)
    assert "could not be asked" in back.text
    assert ("The image of version 2 is there." in back.text) is (other is THERE)


def test_from_latest_the_way_back_is_a_version_with_the_digest_before() -> None:
    twins = [Behind("6", "d", GONE), Behind("5", "d", THERE)]
    back = planned_way_back("live", AliasState("$LATEST"), [Behind("$LATEST", "d", THERE)], twins)
    assert (back.version, back.none) == ("5", False)
    assert "which has the image that $LATEST runs now" in back.text


@pytest.mark.parametrize("other", [GONE, ARCHIVED, UNKNOWN])
def test_from_latest_a_version_whose_image_nobody_may_ask_about_is_a_way_back_that_is_not_sure(other: ImageNow) -> None:
    twins = [Behind("6", "d", other), Behind("5", "d", UNKNOWN)]
    back = planned_way_back("live", AliasState("$LATEST"), [Behind("$LATEST", "d", UNKNOWN)], twins)
    assert (back.version, back.sure, back.none) == ("6" if other is UNKNOWN else "5", False, False)
    assert "could not be asked" in back.text
    assert "There is no way back" not in back.text


@pytest.mark.parametrize("twins", [(), (Behind("6", "d", GONE),)])
def test_from_latest_without_such_a_version_there_is_no_way_back(twins: tuple[Behind, ...]) -> None:
    back = planned_way_back("live", AliasState("$LATEST"), [Behind("$LATEST", "d", THERE)], twins)
    assert (back.version, back.none) == ("", True)
    assert "version $LATEST" not in back.text
