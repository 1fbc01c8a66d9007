"""Addresses in AWS's console, partition by partition."""

import pytest

from functions_app.domain import aws_console
from functions_app.domain.ecr_hosts import PARTITIONS

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_each_partition_has_a_host_of_its_own(region: str, host: str) -> None:
    assert aws_console.function(region, "orders") == f"https://{host}/lambda/home?region={region}#/functions/orders"


def test_of_a_partition_whose_console_is_not_known_no_address_is_given() -> None:
    assert aws_console.function("us-iso-east-1", "orders") == ""
    assert set(aws_console.HOSTS) < {each.name for each in PARTITIONS}


def test_a_repository_is_found_by_its_uri_in_its_own_account_and_region() -> None:
    uri = "000000000012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
    at = "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/000000000012/team/app"
    assert aws_console.repository(uri) == f"{at}?region=eu-west-1"
    assert aws_console.image(uri, DIGEST) == f"{at}/_/image/{DIGEST}/details?region=eu-west-1"


@pytest.mark.parametrize("uri", ["", "nonsense", "registry.example/team/app:v1"])
def test_what_is_in_no_registry_of_ecr_has_no_page_there(uri: str) -> None:
    assert (aws_console.repository(uri), aws_console.image(uri, DIGEST)) == ("", "")


def test_a_log_groups_name_is_written_as_cloudwatch_writes_it() -> None:
    assert aws_console.log_group("eu-west-1", "/aws/lambda/orders").endswith(
        "/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Forders"
    )


def test_cold_starts_are_a_query_of_insights_on_the_functions_own_group() -> None:
    address = aws_console.cold_starts("eu-west-1", "/aws/lambda/orders")
    assert "#logsV2:logs-insights$3FqueryDetail$3D~(end~0~start~-604800~timeType~'RELATIVE" in address
    assert "editorString~'filter*20*40type*20*3d*20*22REPORT*22" in address
    assert address.endswith("~source~(~'*2faws*2flambda*2forders))")
    assert not {" ", '"', "\n", "|"} & set(address)
