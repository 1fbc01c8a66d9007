"""What a patch made of a golden image stands in the place of the release that its owner's tag names, and no longer."""

from datetime import timedelta

import pytest

from functions_app.models import BaseRelease, BaseStream, Image
from functions_app.services.bases.patched_releases import in_their_place, settle
from tests.factories import NOW, make_account, make_image, make_release, make_repository, make_stream

pytestmark = pytest.mark.django_db


class Golden:
    """A golden image with the release 1.0 that its tag points to, and one that a patch made of it."""

    def __init__(self) -> None:
        self.repository = make_repository(make_account("company"), "golden")
        self.stream: BaseStream = make_stream("golden", own=True, reference=f"{self.repository.uri}:stable")
        self.owners = make_release(self.stream, "1.0", days_old=9)
        self.patched = self.patch("1.0-base-20261018-01234567", days_old=3, current=True)

    def patch(self, tag: str, *, days_old: int, current: bool = False) -> BaseRelease:
        """Another that a patch made of it."""
        made = make_release(self.stream, tag, days_old=days_old, current=current)
        BaseRelease.objects.filter(pk=made.pk).update(patched_from=self.owners)
        image = make_image(self.repository, tag, tags=[tag])
        Image.objects.filter(pk=image.pk).update(digest=made.manifest_digest)
        return made

    def delete(self, release: BaseRelease) -> None:
        """ECR no longer has its image."""
        Image.objects.filter(digest=release.manifest_digest).update(gone_at=NOW)

    def current(self) -> list[str]:
        return [row.tag for row in self.stream.releases.filter(current=True)]


def test_the_newest_of_those_that_were_made_of_it_counts() -> None:
    golden = Golden()
    newer = golden.patch("1.0-base-20261118-01234567", days_old=1)
    assert in_their_place(golden.stream, {golden.owners.pk}) == {newer.pk}


def test_one_that_its_owner_has_moved_the_tag_to_gives_way_to_the_next_of_it() -> None:
    golden = Golden()
    assert in_their_place(golden.stream, {golden.patched.pk}) == {golden.patched.pk}
    newer = golden.patch("1.0-base-20261118-01234567", days_old=1)
    assert in_their_place(golden.stream, {golden.patched.pk}) == {newer.pk}


def test_a_release_of_which_nothing_was_made_stays() -> None:
    golden = Golden()
    owners = make_release(golden.stream, "1.1", days_old=0)
    assert in_their_place(golden.stream, {owners.pk}) == {owners.pk}


def test_one_that_is_deleted_leaves_its_place_to_the_one_before() -> None:
    golden = Golden()
    newer = golden.patch("1.0-base-20261118-01234567", days_old=1)
    golden.delete(newer)
    assert in_their_place(golden.stream, {golden.owners.pk}) == {golden.patched.pk}
    golden.delete(golden.patched)
    assert in_their_place(golden.stream, {golden.owners.pk}) == {golden.owners.pk}


def test_settling_changes_nothing_while_it_is_there_and_tells_when_it_is_not() -> None:
    golden = Golden()
    assert (settle(golden.stream), golden.current()) == ("", [golden.patched.tag])
    golden.delete(golden.patched)
    assert settle(golden.stream) == "a patched release is gone from its repository"
    assert golden.current() == ["1.0"]
    assert (settle(golden.stream), golden.current()) == ("", ["1.0"])


def test_what_is_not_synced_yet_counts_as_there() -> None:
    golden = Golden()
    Image.objects.all().delete()
    assert golden.owners.created_at + timedelta(days=6) == golden.patched.created_at
    assert in_their_place(golden.stream, {golden.owners.pk}) == {golden.patched.pk}
