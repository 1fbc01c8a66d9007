"""ECR's managed signing: whether ECR signs an image by itself, and how far it is.

Source: the ECR API reference, DescribeImageSigningStatus. An image that no rule of the registry's signing configuration
speaks of has no status at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from functions_app.aws import quota
from functions_app.aws.ecr import READ
from functions_app.aws.members import structures, text
from functions_app.aws.session import Target, client

IN_PROGRESS, COMPLETE, FAILED = "IN_PROGRESS", "COMPLETE", "FAILED"


@dataclass(frozen=True)
class Signing:
    """What came of one signing profile: ECR's word for it, and why where it failed."""

    profile: str
    status: str
    reason: str


def signings(target: Target, repository: str, digest: str, registry_id: str) -> tuple[Signing, ...]:
    """One for each profile that ECR signs this image with; none where it signs it with none. Raises DrydockError."""
    answer = quota.read(
        target,
        READ,
        lambda: client(target, "ecr").describe_image_signing_status(
            repositoryName=repository, imageId={"imageDigest": digest}, registryId=registry_id
        ),
    )
    return tuple(
        Signing(
            text(each, "signingProfileArn").rpartition("/")[2],
            text(each, "status", 60) or "not told",
            " ".join(part for part in (text(each, "failureCode", 60), text(each, "failureReason")) if part),
        )
        for each in structures(answer, "signingStatuses")
    )
