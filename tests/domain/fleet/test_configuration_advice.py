"""What is worth knowing about a configuration: a test per row of the table."""

import pytest

from functions_app.domain.fleet.configuration_advice import HINTS, Configured, advise
from functions_app.domain.fleet.configurations import Configuration
from functions_app.domain.fleet.functions import Features

MANAGED = Features(capacity_provider="arn:aws:lambda:eu-west-1:1:capacity-provider:fast", memory_gib_per_vcpu=4)


def hint(name: str, of: Configured) -> str:
    """The text of one hint, "" where it is not given."""
    return next((check.text for check in advise(of) if check.name == name), "")


def configured(memory: int = 512, architecture: str = "x86_64", features: Features | None = None) -> Configured:
    """A configuration with these."""
    return Configured(Configuration(memory_mb=memory, architecture=architecture), features or Features())


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        (128, "128 MB have about 7 % of a vCPU; 1,769 MB have one"),
        (1769, "1,769 MB have about one vCPU"),
        (10240, "10,240 MB have about 5.8 vCPUs"),
    ],
)
def test_processor_time_comes_with_memory(memory: int, words: str) -> None:
    assert words in hint("Memory and CPU", configured(memory))


def test_on_managed_instances_the_capacity_provider_decides() -> None:
    assert "a vCPU per 4 GiB" in hint("Memory and CPU", configured(features=MANAGED))


def test_arm64_is_mentioned_where_it_could_be_chosen() -> None:
    assert "linux/arm64" in hint("arm64", configured())
    assert not hint("arm64", configured(architecture="arm64"))
    assert not hint("arm64", configured(features=Features(gpu=True)))


@pytest.mark.parametrize(("aws_base", "words"), [(True, "one of AWS's own"), (False, "none of AWS's own"), (None, "")])
def test_which_bases_lambda_keeps_on_its_hosts(aws_base: bool | None, words: str) -> None:
    text = hint("Cold start", Configured(Configuration(), Features(), aws_base))
    assert words in text
    assert bool(text) == (aws_base is not None)


def test_behind_api_gateway_an_answer_has_a_status_code_only_where_that_is_known() -> None:
    callers = ("events.amazonaws.com", "apigateway.amazonaws.com")
    assert "statusCode" in hint("Behind API Gateway", Configured(Configuration(), Features(), callers=callers))
    assert not hint("Behind API Gateway", configured())


def test_the_package_type_stays() -> None:
    assert "never becomes one" in hint("Package type", configured())


def test_a_gpu_needs_managed_instances() -> None:
    assert "no GPU, no privileged mode" in hint("GPU and privileges", configured())
    assert "may have a GPU" in hint("GPU and privileges", configured(features=MANAGED))


def test_nothing_is_judged_and_each_row_is_tested() -> None:
    every = advise(Configured(Configuration(), Features(), True, ("apigateway.amazonaws.com",)))
    assert {check.name for check in every} == set(HINTS)
    assert {(check.kind, check.ok) for check in every} == {("hint", None)}
