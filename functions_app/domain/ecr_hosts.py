"""The host names of ECR's private registries, in every partition of AWS: the one rule for "is ECR".

Suffixes and regions: botocore's partitions.json (a test holds the table to it). Forms of the host, FIPS and dual-stack
ones among them: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html and
https://docs.aws.amazon.com/general/latest/gr/ecr.html. All names of a registry lead to the same images; repositories,
and Lambda's image URIs, are named by the plain one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Partition:
    """A part of AWS with its own names: of ARNs, of regions (`regions` is a pattern), of hosts."""

    name: str
    regions: str
    suffix: str
    dual_stack: str = ""  # of registries; empty: none is documented


PARTITIONS = (
    Partition("aws", r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+", "amazonaws.com", "on.aws"),
    Partition("aws-cn", r"cn-\w+-\d+", "amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    Partition("aws-us-gov", r"us-gov-\w+-\d+", "amazonaws.com", "on.aws"),
    Partition("aws-eusc", r"eusc-(de)-\w+-\d+", "amazonaws.eu", "on.amazonwebservices.eu"),
    Partition("aws-iso", r"us-iso-\w+-\d+", "c2s.ic.gov"),
    Partition("aws-iso-b", r"us-isob-\w+-\d+", "sc2s.sgov.gov"),
    Partition("aws-iso-e", r"eu-isoe-\w+-\d+", "cloud.adc-e.uk"),
    Partition("aws-iso-f", r"us-isof-\w+-\d+", "csp.hci.ic.gov"),
)
AWS_NAMES = tuple(dict.fromkeys(f".{partition.suffix}" for partition in PARTITIONS))  # what AWS's own hosts end in
_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.dkr(?P<dual>[.-])ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.-]+)"
)
_ALIKE = re.compile(
    r"(?:(?P<account>[0-9]+)\.)?(?:(?:api|dkr)[.-])?ecr(?:-fips)?\.(?P<region>[a-z]+(?:-[a-z0-9]+)+)\..*"
)


@dataclass(frozen=True)
class EcrHost:
    """A private registry: the account and region it is of, and its plain host name."""

    account: str
    region: str
    partition: str
    plain: str


def partition_of(region: str) -> Partition:
    """The partition of a region; one that no table knows is thought to be in the largest."""
    return next((each for each in PARTITIONS if re.fullmatch(each.regions, region)), PARTITIONS[0])


def plain_host(account: str, region: str) -> str:
    """The plain host name of an account's registry in a region."""
    return f"{account}.dkr.ecr.{region}.{partition_of(region).suffix}"


@lru_cache(maxsize=1024)  # asked for each version of a fleet, whose registries are few
def ecr_host(host: str) -> EcrHost | None:
    """Read the host name of a private registry, FIPS and dual-stack ones too; None for any other host."""
    match = _HOST.fullmatch(host.lower())
    if match is None:
        return None
    partition = partition_of(match["region"])
    if match["suffix"] != (partition.dual_stack if match["dual"] == "-" else partition.suffix):
        return None
    return EcrHost(match["account"], match["region"], partition.name, plain_host(match["account"], match["region"]))


def account_of(host: str) -> str:
    """The account of a private registry; '' for any other host."""
    known = ecr_host(host)
    return known.account if known else ""


def meant_host(host: str) -> str:
    """For a host that is almost ECR's (an API's, another partition's suffix, no account) which to use; '' for none."""
    match = _ALIKE.fullmatch(host.lower())
    if match is None or ecr_host(host) is not None or not host.lower().endswith(_ANY_NAMES):
        return ""
    account = match["account"] if len(match["account"] or "") == 12 else "ACCOUNT"
    return plain_host(account, match["region"])


_ANY_NAMES = (*AWS_NAMES, *dict.fromkeys(f".{each.dual_stack}" for each in PARTITIONS if each.dual_stack), ".api.aws")
