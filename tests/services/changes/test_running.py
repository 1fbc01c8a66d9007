"""Which image a version runs, by what GetFunction tells of it."""

from datetime import UTC, datetime

import pytest

from functions_app.domain.fleet.functions import FunctionDetail, FunctionFact, VersionFact
from functions_app.services.changes.running import uri_of

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:shop"
DIGEST = f"sha256:{'a' * 64}"
PLAIN = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop"


def detail(image_uri: str, resolved_uri: str = "") -> FunctionDetail:
    latest = VersionFact("1", DIGEST, datetime(2026, 3, 1, tzinfo=UTC), "revision")
    fact = FunctionFact("shop", ARN, latest, "x86_64", 512, 30, 512, "role", "/aws/lambda/shop")
    return FunctionDetail(fact, image_uri, resolved_uri, "Active", "", "", "Successful", "", "")


@pytest.mark.parametrize(
    "image_uri",
    [
        f"{PLAIN}:v1",
        f"{PLAIN}@sha256:{'b' * 64}",
        f"{PLAIN}:v1@sha256:{'b' * 64}",
        PLAIN,
        "111111111111.dkr-ecr.eu-west-1.on.aws/shop:v1",
        "111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com/shop:v1",
    ],
)
def test_what_aws_did_not_resolve_is_the_repository_by_its_plain_name_with_the_digest(image_uri: str) -> None:
    assert uri_of(detail(image_uri)) == f"{PLAIN}@{DIGEST}"


def test_what_aws_resolved_counts() -> None:
    assert uri_of(detail(f"{PLAIN}:v1", f"{PLAIN}@sha256:{'c' * 64}")) == f"{PLAIN}@sha256:{'c' * 64}"
