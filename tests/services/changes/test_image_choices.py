"""What can be chosen from the snapshot, and what ECR says of a choice now: no more is told than it answers."""

import json
from collections.abc import Iterator

import pytest

from functions_app.aws.session import Target
from functions_app.domain.changes.planned_ways_back import Held
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Function, Image
from functions_app.services.changes import image_choices
from functions_app.services.people import accounts
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.sandbox.functions import REGION, Functions
from tests.services.changes.aws_between import Answer, Between, error

pytestmark = pytest.mark.django_db

ASKED = "ecr.BatchGetImage"
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def between(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """All of the product's AWS calls pass through it."""
    proxy = Between(aws.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def pushed(functions: Functions) -> str:
    """HOST/NAME@DIGEST of an image that ECR has."""
    digest = functions.push("def handler(event, context):\n    return 1\n", "app:1")
    return f"{functions.uri('app:1').removesuffix(':1')}@{digest}"


@pytest.fixture
def own(functions: Functions, aws: Sandbox, valkey: Valkey) -> Target:
    """As Drydock reaches the account."""
    role = f"arn:aws:iam::{functions.account}:role/Drydock"
    return accounts.target(factories.make_account(account_id=functions.account, role_arn=role), REGION)


def failing(failure: str) -> Answer:
    """BatchGetImage does not give the image, for this reason."""
    told = {"imageId": {"imageDigest": DIGEST}, "failureCode": failure, "failureReason": "because"}
    body = json.dumps({"images": [], "failures": [told]}).encode()
    return Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, body)


def test_an_image_that_ecr_gives_is_there(pushed: str, own: Target) -> None:
    assert image_choices.image_now(pushed, own).held is Held.THERE


@pytest.mark.parametrize("failure", ["KmsError", "UpstreamAccessDenied", "SomethingNew"])
def test_an_image_that_ecr_lists_and_does_not_give_is_not_known_and_says_ecrs_code(
    pushed: str, own: Target, between: Between, failure: str
) -> None:
    between.guards[ASKED] = lambda: failing(failure)
    found = image_choices.image_now(pushed, own)
    assert found.held is Held.UNKNOWN
    assert failure in found.why
    assert "ECR did not give it to Drydock either" not in found.why


@pytest.mark.parametrize(
    ("status", "name"),
    [(400, "LimitExceededException"), (400, "UnableToGetUpstreamImageException"), (407, "407"), (400, "SomethingNew")],
)
def test_an_error_that_is_not_about_the_image_says_that_it_is_not_known(
    pushed: str, own: Target, between: Between, status: int, name: str
) -> None:
    between.guards[ASKED] = lambda: error(status, name, "Not now.")
    found = image_choices.image_now(pushed, own)
    assert found.held is Held.UNKNOWN
    assert "Not now." in found.why


def test_what_may_pass_is_for_the_caller_to_ask_again(pushed: str, own: Target, between: Between) -> None:
    between.guards[ASKED] = lambda: error(500, "ServerException", "Something went wrong.")
    with pytest.raises(DrydockError) as raised:
        image_choices.image_now(pushed, own)
    assert raised.value.problem.code is Code.UNREACHABLE


def test_an_image_in_two_indexes_is_offered_under_the_tags_of_both() -> None:
    # As buildx makes them: the image is the same, only the attestations beside it differ.
    account = factories.make_account()
    repository = factories.make_repository(account, "team/app")
    part = factories.make_image(repository, "shared")
    entry = {"digest": part.digest, "platform": "linux/amd64"}
    indexes = [
        factories.make_image(repository, f"index {tag}", tags=[tag], is_index=True, entries=[entry])
        for tag in ("v1", "v2")
    ]
    Image.objects.filter(pk=part.pk).update(role="part")
    function = factories.make_function(account, image_uri=f"{repository.uri}:v1")
    found = image_choices.choices(function)
    assert {(one.tags, one.index, one.image.pk) for one in found} == {
        (("v1",), indexes[0].digest, part.pk),
        (("v2",), indexes[1].digest, part.pk),
    }


def offered(function: Function, *, every: bool) -> list[tuple[str, str]]:
    """The tag of each image that is listed, and the reason against it."""
    return [(" ".join(one.tags), one.why_not) for one in image_choices.choices(function, every=every)]


@pytest.fixture
def function() -> Function:
    """Of x86_64, in a region with all sorts of images that are newer than its own."""
    account = factories.make_account()
    repository = factories.make_repository(account, "team/app")
    golden = factories.make_repository(account, "golden/python")
    factories.make_stream("golden", reference=f"{golden.uri}:3.12", own=True)
    factories.make_image(repository, tags=["own"])
    factories.make_image(repository, tags=["arm"], architecture="arm64")
    factories.make_image(repository, tags=["unread"], architecture="", os="")
    index = {"entries": [{"digest": DIGEST, "platform": "linux/arm64"}], "platforms": ["linux/arm64"]}
    factories.make_image(repository, tags=["multi"], is_index=True, os="", architecture="", **index)
    factories.make_image(golden, tags=["base"])
    run = factories.make_image(golden, tags=["run"])
    factories.make_image(factories.make_repository(account, "other/app"), tags=["other"])
    made = factories.make_function(account, image_uri=f"{repository.uri}:own")
    factories.make_version(made, 1, run)
    return made


def test_what_the_function_could_run_is_offered_its_own_repository_first(function: Function) -> None:
    assert offered(function, every=False) == [("unread", ""), ("own", ""), ("other", ""), ("run", "")]


def test_the_rest_is_shown_when_asked_for_each_with_the_reason(function: Function) -> None:
    rest = dict(offered(function, every=True)[4:])
    assert rest == {
        "arm": "for arm64: the function is x86_64",
        "multi": "an index of linux/arm64: Lambda takes single images only",
        "base": "a base image: others are built on it, and no function runs it",
    }


def test_many_images_it_could_not_run_push_none_that_it_could_out_of_the_list(function: Function) -> None:
    repository = Image.objects.filter(architecture="arm64").get().repository
    for _ in range(image_choices.SHOWN):
        factories.make_image(repository, architecture="arm64")
    assert ("own", "") in offered(function, every=False)
