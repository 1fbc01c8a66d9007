"""What only some functions have, in words."""

import pytest

from functions_app.domain.fleet.features import in_words, stored
from functions_app.domain.fleet.functions import Features

PROVIDER = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:large"


@pytest.mark.parametrize(
    ("features", "name", "settings"),
    [
        (Features(capacity_provider=PROVIDER), "Managed Instances", "capacity provider large"),
        (
            Features(capacity_provider=PROVIDER, environment_concurrency=16, memory_gib_per_vcpu=4.0),
            "Managed Instances",
            "capacity provider large, up to 16 calls at once per environment, 4 GiB per vCPU",
        ),
        (Features(durable=True), "Durable", ""),
        (
            Features(durable=True, durable_timeout_s=86_400, durable_retention_days=14),
            "Durable",
            "executions up to 24 h, history kept 14 days",
        ),
        (Features(durable=True, durable_timeout_s=31_536_000), "Durable", "executions up to 365 days"),
        (Features(durable=True, durable_timeout_s=90), "Durable", "executions up to 90 s"),
        (Features(durable=True, durable_timeout_s=900), "Durable", "executions up to 15 min"),
        (Features(tenant_isolation="PER_TENANT"), "Tenant isolation", "per tenant"),
        (Features(tenant_isolation="PER_PLANET"), "Tenant isolation", "per planet"),
        (Features(gpu=True, gpu_memory_gb=24), "GPU", "24 GB or more each"),
        (Features(gpu=True), "GPU", ""),
    ],
)
def test_each_is_told_with_its_settings(features: Features, name: str, settings: str) -> None:
    (told,) = in_words(features)
    assert (told.name, told.settings) == (name, settings)
    assert told.meaning


def test_a_function_with_none_of_it_has_nothing_to_tell() -> None:
    assert in_words(Features()) == ()
    assert in_words(stored({})) == ()


def test_what_another_version_of_drydock_kept_is_left_out() -> None:
    assert stored({"gpu": True, "quantum": 7}) == Features(gpu=True)
