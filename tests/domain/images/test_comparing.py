"""Which two images can be compared, and what is said of the others, with what to do next."""

from dataclasses import replace

import pytest

from functions_app.domain.errors import Code, Problem
from functions_app.domain.images.comparing import Compared, remarks

OLD = Compared(1, "team/app@aaa", "sha256:a", "linux/amd64", "image", is_index=False, read=True, gone=False)
NEW = replace(OLD, pk=2, name="team/app@bbb", digest="sha256:b")


def test_of_two_that_were_read_nothing_is_said() -> None:
    assert remarks(OLD, NEW) == ()


@pytest.mark.parametrize(
    ("new", "said", "step"),
    [
        (OLD, "This is the image itself", "Choose another image."),
        (replace(NEW, digest=OLD.digest), "one image, byte for byte, in two places", "another digest"),
        (replace(NEW, is_index=True, role="index"), "is an index of images", "the image of one platform"),
        (replace(NEW, role="signature"), "no image but what is kept beside one (signature)", "Choose an image"),
        (replace(NEW, read=False), "has not been read yet", "Sync its account"),
        (replace(NEW, read=False, gone=True), "deleted before Drydock read it", "that ECR still has"),
        (
            replace(NEW, read=False, problem=Problem(Code.DENIED, "Nobody may.", "Allow ecr:BatchGetImage.")),
            "could not be read: Nobody may.",
            "Allow ecr:BatchGetImage.",
        ),
        (replace(NEW, read=False, problem=Problem(Code.FAILED, "Odd.")), "could not be read: Odd.", "Sync its account"),
    ],
)
def test_what_can_not_be_compared_is_said_with_the_next_step(new: Compared, said: str, step: str) -> None:
    for pair in ((OLD, new), (new, OLD)):
        (remark,) = remarks(*pair)
        assert remark.stops
        assert said in remark.text
        assert step in remark.next_step


def test_one_that_was_deleted_is_compared_as_it_was_read() -> None:
    (remark,) = remarks(OLD, replace(NEW, gone=True))
    assert (remark.text, remark.stops) == (f"ECR no longer has {NEW.name}: this is what was read before.", False)


def test_another_platform_is_said_and_compared() -> None:
    (remark,) = remarks(OLD, replace(NEW, platform="linux/arm64"))
    assert "different platforms, linux/amd64 and linux/arm64" in remark.text
    assert not remark.stops


def test_what_stops_comes_first_and_a_platform_that_nobody_read_is_no_other() -> None:
    found = remarks(replace(OLD, gone=True), replace(NEW, read=False, platform=""))
    assert [remark.stops for remark in found] == [True, False]
    assert not any("platform" in remark.text for remark in found)
