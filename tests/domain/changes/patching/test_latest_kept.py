"""What is done next with a $LATEST that is lent to a patch, by what it is."""

import pytest

from functions_app.domain.changes.patching.latest_kept import Goal, Next, Seen, next_change

KEPT, PATCHED = "sha256:kept", "sha256:patched"


@pytest.mark.parametrize(
    ("seen", "lending", "giving_back"),
    [
        (Seen(KEPT, like_kept=True, like_live=False), Next.UPDATE, Next.NOTHING),
        (Seen(PATCHED, like_kept=True, like_live=False), Next.CONFIGURE, Next.UPDATE),
        (Seen(PATCHED, like_kept=False, like_live=True), Next.NOTHING, Next.UPDATE),
        (Seen(KEPT, like_kept=False, like_live=True), Next.UPDATE, Next.CONFIGURE),
        (Seen(KEPT, like_kept=False, like_live=False), Next.LEAVE, Next.LEAVE),
        (Seen(PATCHED, like_kept=False, like_live=False), Next.LEAVE, Next.LEAVE),
        (Seen("sha256:other", like_kept=True, like_live=True), Next.LEAVE, Next.LEAVE),
    ],
)
def test_a_call_at_a_time_by_image_and_configuration(seen: Seen, lending: Next, giving_back: Next) -> None:
    assert next_change(seen, KEPT, PATCHED, Goal.PATCHED) is lending
    assert next_change(seen, KEPT, PATCHED, Goal.KEPT) is giving_back


def test_where_the_configuration_is_the_same_only_the_image_is_changed() -> None:
    assert next_change(Seen(PATCHED, like_kept=True, like_live=True), KEPT, PATCHED, Goal.PATCHED) is Next.NOTHING
    assert next_change(Seen(KEPT, like_kept=True, like_live=True), KEPT, PATCHED, Goal.KEPT) is Next.NOTHING


def test_where_the_image_is_the_same_only_the_configuration_is_changed() -> None:
    assert next_change(Seen(KEPT, like_kept=True, like_live=False), KEPT, KEPT, Goal.PATCHED) is Next.CONFIGURE
    assert next_change(Seen(KEPT, like_kept=False, like_live=True), KEPT, KEPT, Goal.KEPT) is Next.CONFIGURE
