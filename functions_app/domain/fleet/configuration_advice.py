"""What is worth knowing about how a function is configured: hints, neither good nor bad, each with its reason.

Sources: "Configure Lambda function memory" (1,769 MB have the equivalent of one vCPU), "Create a Lambda function using
a container image" (the package type can't be changed; AWS's bases are cached), "Lambda quotas", all of AWS's guide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions_app.domain.fleet.configurations import Configuration
from functions_app.domain.fleet.functions import Features
from functions_app.domain.images.lambda_rules import Check

MB_PER_VCPU = 1769
API_GATEWAY = "apigateway.amazonaws.com"


@dataclass(frozen=True)
class Configured:
    """What the hints look at. `aws_base`: whether its base is one of AWS's own; None: not known.

    `callers` are the services that its resource policy lets call it, as far as they were read.
    """

    configuration: Configuration
    features: Features
    aws_base: bool | None = None
    callers: Sequence[str] = ()


def advise(of: Configured) -> tuple[Check, ...]:
    """All that is worth knowing of it."""
    found = ((name, hint(of)) for name, hint in HINTS.items())
    return tuple(Check(name, None, text, "hint") for name, text in found if text)


def _processor(of: Configured) -> str:
    memory, features = of.configuration.memory_mb, of.features
    if features.capacity_provider:
        ratio = features.memory_gib_per_vcpu
        return f"Its capacity provider gives a vCPU per {ratio:g} GiB of memory." if ratio else ""
    vcpus = memory / MB_PER_VCPU
    share = f"{vcpus:.1f} vCPUs" if vcpus >= 1.05 else "one vCPU" if vcpus >= 0.95 else f"{vcpus * 100:.0f} % of a vCPU"
    text = f"Processor time comes with memory: {memory:,} MB have about {share}; {MB_PER_VCPU:,} MB have one."
    return text if vcpus >= 1 else f"{text} Starting and computing get quicker with more."


def _arm(of: Configured) -> str:
    if of.configuration.architecture == "arm64" or of.features.gpu:
        return ""
    return (
        "arm64 costs less per millisecond. It needs an image built for linux/arm64, and is chosen with the code that is"
        " deployed: native packages have to exist for it."
    )


def _cached(of: Configured) -> str:
    if of.aws_base is None:
        return ""
    if of.aws_base:
        return "Its base is one of AWS's own, which Lambda keeps on its hosts: a cold start fetches what is above it."
    return "Its base is none of AWS's own, which Lambda keeps on its hosts: a cold start may have to fetch all of it."


def _package(of: Configured) -> str:
    return (
        "A function packaged as an image stays one, and one of a zip file never becomes one: Lambda can't change the"
        " package type. The way is a new function, to which callers are moved."
    )


def _hardware(of: Configured) -> str:
    if of.features.capacity_provider:
        return "" if of.features.gpu else "On Managed Instances it may have a GPU (x86_64 images alone)."
    return (
        "There is no GPU, no privileged mode, and only /tmp can be written; a GPU needs Managed Instances, or another"
        " service than Lambda."
    )


def _gateway(of: Configured) -> str:
    if API_GATEWAY not in of.callers:
        return ""
    return (
        "API Gateway calls it: an answer without statusCode (and a body that is text) becomes 502 for whoever called."
        " The smoke test of a patch can expect a statusCode."
    )


HINTS: dict[str, Callable[[Configured], str]] = {
    "Memory and CPU": _processor,
    "arm64": _arm,
    "Cold start": _cached,
    "Behind API Gateway": _gateway,
    "Package type": _package,
    "GPU and privileges": _hardware,
}
