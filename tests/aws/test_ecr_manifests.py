"""Manifests by tag and digest, whatever tag of an image ECR names in its answer."""

from collections.abc import Iterator

import pytest

from functions_app.aws import ecr
from functions_app.aws.session import Target
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between


@pytest.fixture
def target(aws: Sandbox, valkey: object, account: str) -> Target:
    """The test's own account."""
    return Target(account, REGION, f"arn:aws:iam::{account}:role/Drydock")


@pytest.fixture
def between(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """What ECR says passes through this."""
    proxy = Between(aws.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def other_tags(aws: Sandbox) -> Iterator[None]:
    """ECR names another tag of the image than the one asked for."""
    aws.admin("POST", "ecr", {"other_tags": True})
    yield
    aws.admin("POST", "ecr", {"other_tags": False})


def pushed(functions: Functions) -> tuple[str, str]:
    """An image under p8 and p9, and another under v1."""
    one = functions.push(reference="app:p8")
    assert functions.push(reference="app:p9") == one
    return one, functions.push("def handler(event, context):\n    return 1\n", "app:v1")


@pytest.mark.usefixtures("other_tags")
def test_the_one_image_that_came_is_the_one_that_was_asked_for(target: Target, functions: Functions) -> None:
    one, _ = pushed(functions)
    answer = ecr.manifests(target, "app", ["p9"])
    assert {name: fact.digest for name, fact in answer.found.items()} == {"p9": one}
    assert answer.failures == {}


@pytest.mark.usefixtures("other_tags")
def test_in_a_batch_each_reference_finds_its_own_image(target: Target, functions: Functions) -> None:
    one, other = pushed(functions)
    wanted = ["p9", "v1", "p8", one, other, "no-such-tag"]
    answer = ecr.manifests(target, "app", wanted)
    assert {name: fact.digest for name, fact in answer.found.items()} == {
        "p9": one, "p8": one, "v1": other, one: one, other: other,
    }  # fmt: skip
    assert answer.failures == {"no-such-tag": "ImageNotFound"}


def test_an_image_of_another_digest_is_never_the_one_asked_for(
    target: Target, functions: Functions, between: Between
) -> None:
    one, other = pushed(functions)
    between.rules["ecr.BatchGetImage"] = lambda answer: Answer(
        answer.status, answer.headers, answer.body.replace(one.encode(), other.encode())
    )
    assert ecr.manifests(target, "app", [one]).found == {}


@pytest.mark.parametrize("body", [b"{}", b'{"images": null, "failures": null}', b'{"images": [], "failures": [{}]}'])
def test_an_answer_without_its_parts_finds_nothing(
    target: Target, functions: Functions, between: Between, body: bytes
) -> None:
    pushed(functions)
    between.rules["ecr.BatchGetImage"] = lambda answer: Answer(answer.status, answer.headers, body)
    assert ecr.manifests(target, "app", ["p9"]).found == {}


def test_an_image_without_a_name_is_known_by_its_bytes(target: Target, functions: Functions, between: Between) -> None:
    one, _ = pushed(functions)
    between.rules["ecr.BatchGetImage"] = lambda answer: Answer(
        answer.status, answer.headers, answer.body.replace(b'"imageId"', b'"nothing"')
    )
    assert ecr.manifests(target, "app", ["p9"]).found["p9"].digest == one
    assert ecr.manifests(target, "app", [one]).found[one].digest == one
