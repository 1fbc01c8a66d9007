"""What people type for an image: a tag, the beginning of a digest, a repository's name, ECR's address."""

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Function, Image, Repository
from functions_app.services.changes.image_references import read_reference
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def repository() -> Repository:
    """Where the function is deployed from."""
    return factories.make_repository(factories.make_account(), "team/app")


@pytest.fixture
def image(repository: Repository) -> Image:
    """An image in it."""
    return factories.make_image(repository, "the image", tags=["1.4.2"])


@pytest.fixture
def function(repository: Repository) -> Function:
    """A function of that repository."""
    return factories.make_function(repository.account, "app", image_uri=f"{repository.uri}:1.4.2")


@pytest.mark.parametrize(
    "typed",
    [
        "{short}",
        "{SHORT}",
        "sha256:{short}",
        "{hex}",
        "{digest}",
        "@{digest}",
        "{uri}@{digest}",
        "{uri}@sha256:{short}",
        "team/app@{short}",
        "https://{uri}@{digest}",
    ],
)
def test_whatever_names_a_digest_is_that_image(function: Function, image: Image, typed: str) -> None:
    digits = image.digest.removeprefix("sha256:")
    text = typed.format(
        short=digits[:12], SHORT=digits[:12].upper(), hex=digits, digest=image.digest, uri=image.repository.uri
    )
    assert str(read_reference(text, function)) == f"{image.repository.uri}@{image.digest}"


@pytest.mark.parametrize("typed", ["1.4.2", ":1.4.2", "team/app:1.4.2", "{uri}:1.4.2", "https://{uri}:1.4.2"])
def test_whatever_names_a_tag_is_that_tag(function: Function, image: Image, typed: str) -> None:
    assert str(read_reference(typed.format(uri=image.repository.uri), function)) == f"{image.repository.uri}:1.4.2"


def test_a_tag_of_twelve_digits_is_a_tag_before_it_is_the_beginning_of_a_digest(
    function: Function, image: Image
) -> None:
    digits = image.digest[7:19]
    factories.make_image(image.repository, "another", tags=[digits])
    assert str(read_reference(digits, function)) == f"{image.repository.uri}:{digits}"


def test_digits_of_nothing_known_may_be_a_tag_that_was_pushed_just_now(function: Function, image: Image) -> None:
    assert str(read_reference("4f2a1c9b0d3e", function)) == f"{image.repository.uri}:4f2a1c9b0d3e"


def test_the_beginning_of_a_digest_is_looked_for_in_other_repositories_of_the_region_as_well(
    function: Function,
) -> None:
    other = factories.make_image(factories.make_repository(function.account, "other/app"), "elsewhere")
    factories.make_image(factories.make_repository(function.account, "far", "us-east-1"), "elsewhere")
    assert str(read_reference(other.digest[7:19], function)) == f"{other.repository.uri}@{other.digest}"


def test_the_functions_own_repository_goes_before_others_that_have_the_same_image(
    function: Function, image: Image
) -> None:
    factories.make_image(factories.make_repository(function.account, "a/copy"), "the image")
    assert read_reference(image.digest[7:19], function).name == image.repository.uri


def test_a_beginning_that_several_images_have_names_them(function: Function, repository: Repository) -> None:
    for end in "ab":
        image = factories.make_image(repository)
        Image.objects.filter(pk=image.pk).update(digest=f"sha256:{'1' * 63}{end}")
    with pytest.raises(DrydockError) as caught:
        read_reference("1" * 12, function)
    assert caught.value.problem.code is Code.AMBIGUOUS
    assert "2 images" in caught.value.problem.message


def test_the_beginning_of_no_known_digest_says_so(function: Function) -> None:
    with pytest.raises(DrydockError) as caught:
        read_reference("sha256:4f2a1c9b0d3e", function)
    assert caught.value.problem.code is Code.INVALID
    assert "begins no image" in caught.value.problem.message


def test_an_image_that_ecr_no_longer_has_is_not_meant(function: Function, image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(gone_at=factories.NOW)
    with pytest.raises(DrydockError):
        read_reference(f"sha256:{image.digest[7:19]}", function)


@pytest.mark.parametrize("typed", ["", "  ", "team/app", "nowhere/app:1", "sha256:xyz"])
def test_what_names_no_image_is_refused_with_what_can_be_written(function: Function, typed: str) -> None:
    with pytest.raises(DrydockError) as caught:
        read_reference(typed, function)
    assert caught.value.problem.code is Code.INVALID
