"""Which hosts are ECR's registries, in every partition, and what is meant by those that almost are."""

import pytest
from botocore.session import get_session

from functions_app.domain.ecr_hosts import AWS_NAMES, PARTITIONS, ecr_host, meant_host, partition_of
from functions_app.domain.refs import ImageRef, repository_of

ME = "123456789012"
# host, region, partition, what ECR itself calls it
UNDERSTOOD = [
    (f"{ME}.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", "aws", "eu-west-1.amazonaws.com"),
    (f"{ME}.DKR.ECR.eu-west-1.amazonaws.com", "eu-west-1", "aws", "eu-west-1.amazonaws.com"),
    (f"{ME}.dkr-ecr.eu-west-1.on.aws", "eu-west-1", "aws", "eu-west-1.amazonaws.com"),
    (f"{ME}.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", "aws", "us-east-1.amazonaws.com"),
    (f"{ME}.dkr-ecr-fips.us-east-2.on.aws", "us-east-2", "aws", "us-east-2.amazonaws.com"),
    (f"{ME}.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1", "aws-us-gov", "us-gov-west-1.amazonaws.com"),
    (f"{ME}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "aws-us-gov", "us-gov-west-1.amazonaws.com"),
    (f"{ME}.dkr-ecr-fips.us-gov-east-1.on.aws", "us-gov-east-1", "aws-us-gov", "us-gov-east-1.amazonaws.com"),
    (f"{ME}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn", "cn-north-1.amazonaws.com.cn"),
    (f"{ME}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", "aws-cn", "cn-north-1.amazonaws.com.cn"),
    (f"{ME}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "aws-eusc", "eusc-de-east-1.amazonaws.eu"),
    (f"{ME}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "aws-iso", "us-iso-east-1.c2s.ic.gov"),
    (f"{ME}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "aws-iso-b", "us-isob-east-1.sc2s.sgov.gov"),
    (f"{ME}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", "aws-iso-e", "eu-isoe-west-1.cloud.adc-e.uk"),
    (f"{ME}.dkr.ecr.us-isof-east-1.csp.hci.ic.gov", "us-isof-east-1", "aws-iso-f", "us-isof-east-1.csp.hci.ic.gov"),
    (f"{ME}.dkr.ecr.zz-new-1.amazonaws.com", "zz-new-1", "aws", "zz-new-1.amazonaws.com"),
]
# host, and the one that is meant ("": none)
NOT_ECR = [
    (f"{ME}.dkr.ecr.cn-north-1.amazonaws.com", f"{ME}.dkr.ecr.cn-north-1.amazonaws.com.cn"),
    (f"{ME}.dkr.ecr.eu-west-1.amazonaws.com.cn", f"{ME}.dkr.ecr.eu-west-1.amazonaws.com"),
    (f"{ME}.dkr.ecr.eusc-de-east-1.amazonaws.com", f"{ME}.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
    (f"{ME}.dkr.ecr.eu-west-1.on.aws", f"{ME}.dkr.ecr.eu-west-1.amazonaws.com"),
    (f"{ME}.dkr-ecr.eu-west-1.amazonaws.com", f"{ME}.dkr.ecr.eu-west-1.amazonaws.com"),
    ("dkr.ecr.eu-west-1.amazonaws.com", "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"),
    ("api.ecr.eu-west-1.amazonaws.com", "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"),
    ("ecr.eu-west-1.api.aws", "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"),
    ("1234.dkr.ecr.eu-west-1.amazonaws.com", "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"),
    (f"{ME}.dkr.ecr.eu-west-1.amazonaws.com.evil.example", ""),
    (f"{ME}.dkr.ecr.eu-west-1.evil.example", ""),
    (f"{ME}.dkr.ecr.eu-west-1.amazonaws.com:443", ""),
    ("x.dkr.ecr.s3.eu-west-1.amazonaws.com", ""),
    (f"{ME}.dkr-ecr.us-iso-east-1.", ""),
    ("bucket.s3.eu-west-1.amazonaws.com", ""),
    ("public.ecr.aws", ""),
    ("docker.io", ""),
    ("", ""),
]


@pytest.mark.parametrize(("host", "region", "partition", "plain"), UNDERSTOOD)
def test_each_name_of_a_registry_is_understood(host: str, region: str, partition: str, plain: str) -> None:
    found = ecr_host(host)
    assert found is not None
    assert (found.account, found.region, found.partition) == (ME, region, partition)
    assert found.plain == f"{ME}.dkr.ecr.{plain}"
    assert ecr_host(found.plain) == found
    assert meant_host(host) == ""


@pytest.mark.parametrize(("host", "meant"), NOT_ECR)
def test_other_hosts_are_not_ecr_and_say_what_is_meant(host: str, meant: str) -> None:
    assert ecr_host(host) is None
    assert meant_host(host) == meant


def test_the_table_of_partitions_is_botocores() -> None:
    known = get_session().get_component("data_loader").load_data("partitions")["partitions"]
    assert {
        (each["id"], each["regionRegex"].strip("^$").replace("\\-", "-"), each["outputs"]["dnsSuffix"])
        for each in known
    } == {(each.name, each.regions, each.suffix) for each in PARTITIONS}
    for each in known:
        for region in each["regions"]:
            if not region.endswith("-global"):
                assert partition_of(region).name == each["id"]


def test_no_partitions_own_names_belong_to_another() -> None:
    assert set(AWS_NAMES) == {f".{each.suffix}" for each in PARTITIONS}


def test_an_image_by_any_name_of_its_registry_is_in_the_same_repository() -> None:
    plain = f"{ME}.dkr.ecr.eu-west-1.amazonaws.com/team/app"
    for host in (f"{ME}.dkr-ecr.eu-west-1.on.aws", f"{ME}.dkr.ecr-fips.eu-west-1.amazonaws.com"):
        assert str(ImageRef.parse(f"{host}/team/app:v1").canonical) == f"{plain}:v1"
        assert repository_of(f"{host}/team/app@sha256:{'a' * 64}") == plain
    assert repository_of("no reference") == ""
    assert str(ImageRef.parse("ghcr.io/team/app:v1").canonical) == "ghcr.io/team/app:v1"
