"""A registry has several host names, and AWS several partitions: every name leads to the same repository."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.models import Account, Function, Image, Version
from functions_app.services.people import accounts
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync import version_images
from functions_app.services.sync.refresh import refresh_function
from tests import factories
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ID = "111111111111"


@pytest.mark.parametrize(
    ("host", "region", "plain", "partition"),
    [
        (f"{ID}.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", f"{ID}.dkr.ecr.eu-west-1.amazonaws.com", "aws"),
        (f"{ID}.dkr-ecr.eu-west-1.on.aws", "eu-west-1", f"{ID}.dkr.ecr.eu-west-1.amazonaws.com", "aws"),
        (f"{ID}.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", f"{ID}.dkr.ecr.us-east-1.amazonaws.com", "aws"),
        (
            f"{ID}.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
            f"{ID}.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "aws-cn",
        ),
        (
            f"{ID}.dkr-ecr-fips.us-gov-west-1.on.aws",
            "us-gov-west-1",
            f"{ID}.dkr.ecr.us-gov-west-1.amazonaws.com",
            "aws-us-gov",
        ),
    ],
)
def test_an_image_deleted_with_its_repository_is_lost_under_whichever_name_its_registry_has(
    host: str, region: str, plain: str, partition: str
) -> None:
    account = factories.make_account(account_id=ID, regions=[region])
    namesake = factories.make_image(factories.make_repository(account, "copy", region))
    function = factories.make_function(account, "shop", region, synced_at=NOW - timedelta(minutes=1))
    version = factories.make_version(function, 1, digest=namesake.digest, image_uri=f"{host}/shop@{namesake.digest}")
    scope = ScopeRead(account, region, accounts.target(account, region), NOW, True, lambda: False, images_since=NOW)
    version_images.link_versions(scope)
    image = Image.objects.select_related("repository").get(versions=version)
    assert image.gone_at == NOW
    assert image.repository.uri == f"{plain}/shop"
    assert image.repository.arn == f"arn:{partition}:ecr:{region}:{ID}:repository/shop"


@pytest.mark.parametrize("host", [f"{ID}.dkr.ecr.eu-west-2.amazonaws.com", "222222222222.dkr-ecr.eu-west-1.on.aws"])
def test_another_regions_or_accounts_registry_that_is_not_read_proves_no_loss(host: str) -> None:
    account = factories.make_account(account_id=ID)
    function = factories.make_function(account, "shop", synced_at=NOW - timedelta(minutes=1))
    version = factories.make_version(function, 1, image_uri=f"{host}/shop@{factories.digest('shop')}")
    region = "eu-west-1"
    scope = ScopeRead(account, region, accounts.target(account, region), NOW, True, lambda: False, images_since=NOW)
    version_images.link_versions(scope)
    assert Version.objects.get(pk=version.pk).image is None


def test_what_was_pushed_since_is_read_where_the_function_names_its_registry_otherwise(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    run_once(log)
    plain, other = "dkr.ecr.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws"

    def renamed(answer: Answer) -> Answer:
        return Answer(answer.status, answer.headers, answer.body.replace(plain.encode(), other.encode()))

    between.rules["GET /functions/app"] = renamed
    pushed = functions.redeploy("def handler(event, context):\n    return 'other'\n", tag="2")
    function = refresh_function(Function.objects.get())
    assert other in function.image_uri
    assert function.digest == pushed
    assert function.versions.get(number="$LATEST").image == Image.objects.get(digest=pushed)
