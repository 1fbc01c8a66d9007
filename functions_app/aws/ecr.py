"""ECR: repositories, images, manifests and the log-in for the registry behind them.

Every function takes the target first, keeps AWS's quota and raises DrydockError.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions_app import clock
from functions_app.aws import quota
from functions_app.aws.ecr_scans import ScanSummary, listed_scan
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

READ = "ecr-read"
PAGE = 1000
BATCH = 100  # images per BatchGetImage
RENEW_BEFORE = timedelta(minutes=30)
RENEW_AGAIN = 60.0  # seconds; who is refused with a login newer than that lacks a permission, not a login
MEDIA_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True)
class RepositoryFact:
    """A repository; `uri` is HOST/NAME."""

    name: str
    arn: str
    uri: str
    immutable_tags: bool
    created_at: datetime | None


@dataclass(frozen=True)
class ImageFact:
    """An image by digest with all its tags; the size is compressed, in bytes."""

    digest: str
    tags: tuple[str, ...]
    size_bytes: int
    pushed_at: datetime | None
    media_type: str
    scan: ScanSummary | None = None  # as far as the listing tells of one


@dataclass(frozen=True)
class ManifestFact:
    """A manifest's bytes as they were pushed."""

    digest: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class ManifestAnswer:
    """By tag or digest as it was asked for: what was found, and ECR's failure code for what was not."""

    found: Mapping[str, ManifestFact]
    failures: Mapping[str, str]


def repositories(target: Target) -> tuple[RepositoryFact, ...]:
    """All repositories of the account in the region: one call per 1,000."""
    return tuple(
        RepositoryFact(
            name=entry["repositoryName"],
            arn=entry["repositoryArn"],
            uri=entry["repositoryUri"],
            immutable_tags=entry.get("imageTagMutability", "MUTABLE").startswith("IMMUTABLE"),
            created_at=entry.get("createdAt"),
        )
        for page in _pages(target, "describe_repositories")
        for entry in page["repositories"]
    )


def images(target: Target, repository: str) -> tuple[ImageFact, ...]:
    """All images of a repository with their tags: one call per 1,000. Archived ones are not listed by ECR."""
    return tuple(
        ImageFact(
            digest=entry["imageDigest"],
            tags=tuple(sorted(entry.get("imageTags") or ())),
            size_bytes=entry.get("imageSizeInBytes", 0),
            pushed_at=entry.get("imagePushedAt"),
            media_type=entry.get("imageManifestMediaType", ""),
            scan=listed_scan(entry),
        )
        for page in _pages(target, "describe_images", repositoryName=repository)
        for entry in page["imageDetails"]
    )


def _pages(target: Target, operation: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    token: dict[str, str] = {}
    while True:
        page = quota.read(
            target,
            READ,
            lambda token=token: getattr(client(target, "ecr"), operation)(maxResults=PAGE, **request, **token),  # type: ignore[misc]
        )
        yield page
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def manifests(target: Target, repository: str, references: Sequence[str], *, registry_id: str = "") -> ManifestAnswer:
    """Manifests by tag or digest, 100 per call; `registry_id` is the account that owns the repository, if another."""
    found: dict[str, ManifestFact] = {}
    failures: dict[str, str] = {}
    more: dict[str, Any] = {"registryId": registry_id} if registry_id else {}
    for start in range(0, len(references), BATCH):
        wanted = references[start : start + BATCH]
        answer = quota.read(
            target,
            "ecr-batch-get-image",
            lambda wanted=wanted: client(target, "ecr").batch_get_image(  # type: ignore[misc]
                repositoryName=repository,
                imageIds=[_identifier(reference) for reference in wanted],
                acceptedMediaTypes=list(MEDIA_TYPES),
                **more,
            ),
        )
        for image in answer.get("images", []):
            name = image["imageId"]
            fact = ManifestFact(
                name["imageDigest"], image.get("imageManifestMediaType", ""), image["imageManifest"].encode()
            )
            # ECR may name the tags of an image that was asked for by digest, too.
            for reference in {name["imageDigest"], name.get("imageTag", "")} & set(wanted):
                found[reference] = fact
        for failure in answer.get("failures", []):
            name = failure.get("imageId", {})
            failures[name.get("imageTag") or name.get("imageDigest", "")] = str(failure.get("failureCode", ""))
    return ManifestAnswer(found, failures)


def _identifier(reference: str) -> ImageIdentifierTypeDef:
    return {"imageDigest": reference} if reference.startswith("sha256:") else {"imageTag": reference}


_LOGINS: dict[Target, tuple[Login, datetime, float]] = {}
_LOCK = threading.Lock()


def login(target: Target, *, refused: Login | None = None) -> Login:
    """User and password for the account's registry, kept until shortly before they expire (12 hours).

    `refused`: a login that the registry took no longer; it is replaced, unless it is as good as new.
    """
    with _LOCK:
        kept = _LOGINS.get(target)
    if kept and kept[1] - RENEW_BEFORE > clock.now():
        fetched = time.monotonic() - kept[2]
        if kept[0] != refused or fetched < RENEW_AGAIN:
            return kept[0]
    answer = quota.read(target, "ecr-token", lambda: client(target, "ecr").get_authorization_token())
    data = answer["authorizationData"][0]
    username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    fresh = Login(username, password)
    with _LOCK:
        _LOGINS[target] = (fresh, data["expiresAt"], time.monotonic())
    return fresh


def repository_policy(target: Target, repository: str, *, registry_id: str = "") -> str | None:
    """The repository's policy as JSON text; None where it has none."""
    more: dict[str, Any] = {"registryId": registry_id} if registry_id else {}
    try:
        answer = quota.read(
            target, READ, lambda: client(target, "ecr").get_repository_policy(repositoryName=repository, **more)
        )
    except DrydockError as error:
        if error.problem.aws_code == "RepositoryPolicyNotFoundException":
            return None
        if error.problem.code is Code.NOT_FOUND:
            raise DrydockError(
                Code.NOT_FOUND,
                f"There is no repository {repository} in {target}.",
                next_step="Sync, then choose an image from the list.",
                aws_code=error.problem.aws_code,
                request_id=error.problem.request_id,
            ) from error
        raise
    return answer["policyText"]
