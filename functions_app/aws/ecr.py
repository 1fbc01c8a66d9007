"""ECR: repositories, images, manifests and the log-in for the registry behind them.

Every function takes the target first, keeps AWS's quota and raises DrydockError.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions_app import clock
from functions_app.aws import quota
from functions_app.aws.ecr_scans import ScanSummary, listed_scan
from functions_app.aws.members import (
    MOST_BIG,
    Entry,
    OddAnswer,
    listed,
    named,
    needed,
    next_page,
    number,
    structures,
    text,
    texts,
    time_of,
    whole,
)
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.domain.images.tag_mutability import TagFilter, TagMutability
from functions_app.domain.refs import is_digest

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
    tags: TagMutability
    created_at: datetime | None


@dataclass(frozen=True)
class ImageFact:
    """An image by digest with all its tags; the size is compressed, in bytes. Status and types are ECR's own words."""

    digest: str
    tags: tuple[str, ...]
    size_bytes: int
    pushed_at: datetime | None
    media_type: str
    scan: ScanSummary | None = None  # as far as the listing tells of one
    status: str = ""
    artifact_type: str = ""
    subject: str = ""  # digest of the image that an artifact is about


@dataclass(frozen=True)
class ManifestFact:
    """A manifest's bytes as they were pushed."""

    digest: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class ManifestAnswer:
    """By tag or digest as it was asked for: what was found, and ECR's failure code for what was not."""

    found: dict[str, ManifestFact]
    failures: dict[str, str]


@dataclass(frozen=True)
class RepositoryList:
    """All repositories, and why entries could not be understood, by name ("" where one names none)."""

    facts: tuple[RepositoryFact, ...]
    odd: Mapping[str, str]


def repositories(target: Target) -> RepositoryList:
    """All repositories of the account in the region: one call per 1,000. Raises DrydockError."""
    found: list[RepositoryFact] = []
    odd: dict[str, str] = {}
    for page in _pages(target, "describe_repositories"):
        facts, strange = whole(repository_fact, listed(page, "repositories"))
        found += facts
        odd |= {text(entry, "repositoryName", 256): why for entry, why in strange}
    return RepositoryList(tuple(found), odd)


def repository_fact(entry: Entry) -> RepositoryFact:
    """A repository as DescribeRepositories tells of it. Raises OddAnswer."""
    return RepositoryFact(
        name=needed(entry, "repositoryName", 256),
        arn=text(entry, "repositoryArn", 400),
        uri=needed(entry, "repositoryUri", 400),
        tags=_tag_mutability(entry),
        created_at=time_of(entry, "createdAt"),
    )


def _tag_mutability(entry: Entry) -> TagMutability:
    filters = structures(entry, "imageTagMutabilityExclusionFilters")
    return TagMutability(
        text(entry, "imageTagMutability", 40),
        tuple(TagFilter(text(each, "filterType", 40), text(each, "filter", 128)) for each in filters),
    )


def images(target: Target, repository: str) -> tuple[ImageFact, ...]:
    """All images of a repository with their tags, archived ones too: one call per 1,000.

    Raises DrydockError where one can't be understood, too: what is not listed is gone, so they are listed all or none.
    """
    pages = _pages(target, "describe_images", repositoryName=repository, filter={"imageStatus": "ANY"})
    return tuple(fact for page in pages for fact in named(image_facts, page, f"DescribeImages of {repository}"))


def image_facts(answer: Entry) -> list[ImageFact]:
    """A page of DescribeImages. Raises OddAnswer."""
    return [image_fact(entry) for entry in listed(answer, "imageDetails")]


def image_fact(entry: Entry) -> ImageFact:
    """An image as DescribeImages tells of it. Raises OddAnswer."""
    name = needed(entry, "imageDigest", 80)
    if not is_digest(name):
        raise OddAnswer(f"its imageDigest is none ({name})")
    return ImageFact(
        digest=name,
        tags=tuple(sorted(texts(entry, "imageTags"))),
        size_bytes=number(entry, "imageSizeInBytes", most=MOST_BIG),
        pushed_at=time_of(entry, "imagePushedAt"),
        media_type=text(entry, "imageManifestMediaType"),
        scan=listed_scan(entry),
        status=text(entry, "imageStatus", 30),
        artifact_type=text(entry, "artifactMediaType", 200),
        subject=text(entry, "subjectManifestDigest", 80),
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
        mark = next_page(page, "nextToken", token.get("nextToken", ""))
        if not mark:
            return
        token = {"nextToken": mark}


def manifests(target: Target, repository: str, references: Sequence[str], *, registry_id: str = "") -> ManifestAnswer:
    """Manifests by tag or digest, 100 per call; `registry_id` is the account that owns the repository, if another.

    ECR answers with images "corresponding to the image references in the request" and promises nothing about which of
    an image's tags it names: of one reference that was asked, the one image that came is that one. What can't be told
    apart in a batch is asked for alone. An image asked for by digest is found by that digest only.
    """
    answer = ManifestAnswer({}, {})
    wanted = list(dict.fromkeys(references))
    for start in range(0, len(wanted), BATCH):
        _ask(answer, target, repository, wanted[start : start + BATCH], registry_id)
    for reference in wanted if len(wanted) > 1 else ():
        if reference not in answer.found and reference not in answer.failures:
            _ask(answer, target, repository, [reference], registry_id)
    return answer


def _ask(known: ManifestAnswer, target: Target, repository: str, wanted: Sequence[str], registry_id: str) -> None:
    """One call; what it tells is added to what is known."""
    more: dict[str, Any] = {"registryId": registry_id} if registry_id else {}
    answer = quota.read(
        target,
        "ecr-batch-get-image",
        lambda: client(target, "ecr").batch_get_image(
            repositoryName=repository,
            imageIds=[_identifier(reference) for reference in wanted],
            acceptedMediaTypes=list(MEDIA_TYPES),
            **more,
        ),
    )
    alone = wanted[0] if len(wanted) == 1 else ""
    images = answer.get("images") or []
    for image in images:
        fact, tag = _manifest_fact(image), (image.get("imageId") or {}).get("imageTag", "")
        names = {fact.digest, tag} & set(wanted)
        if not names and len(images) == 1 and alone and not is_digest(alone):
            names = {alone}
        known.found.update(dict.fromkeys(names, fact))
    for failure in answer.get("failures") or []:
        name = failure.get("imageId") or {}
        told = name.get("imageTag") or name.get("imageDigest") or alone
        known.failures[alone or told] = str(failure.get("failureCode") or "")


def _manifest_fact(image: Mapping[str, Any]) -> ManifestFact:
    data = (image.get("imageManifest") or "").encode()
    told = (image.get("imageId") or {}).get("imageDigest") or f"sha256:{hashlib.sha256(data).hexdigest()}"
    return ManifestFact(told, image.get("imageManifestMediaType") or "", data)


def _identifier(reference: str) -> ImageIdentifierTypeDef:
    return {"imageDigest": reference} if is_digest(reference) else {"imageTag": reference}


def image_status(target: Target, repository: str, digest: str, *, registry_id: str = "") -> str:
    """ECR's word for how it keeps an image (ACTIVE, ARCHIVED, ACTIVATING); "" where it has none of that digest."""
    more: dict[str, Any] = {"registryId": registry_id} if registry_id else {}
    try:
        answer = quota.read(
            target,
            READ,
            lambda: client(target, "ecr").describe_images(
                repositoryName=repository, imageIds=[{"imageDigest": digest}], **more
            ),
        )
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            return ""
        raise
    return next((str(entry.get("imageStatus") or "ACTIVE") for entry in answer.get("imageDetails", [])), "")


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
    fresh, expires_at = named(read_login, answer, "GetAuthorizationToken")
    with _LOCK:
        _LOGINS[target] = (fresh, expires_at or clock.now(), time.monotonic())
    return fresh


def read_login(answer: Entry) -> tuple[Login, datetime | None]:
    """User, password and when they expire. Raises OddAnswer."""
    data = next(iter(listed(answer, "authorizationData")), {})
    try:
        username, colon, password = base64.b64decode(text(data, "authorizationToken")).decode().partition(":")
    except ValueError as error:
        raise OddAnswer("its authorizationToken can't be read") from error
    if not (username and colon and password):
        raise OddAnswer("it has no authorizationToken")
    return Login(username, password), time_of(data, "expiresAt")


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
    return named(lambda policy: needed(policy, "policyText", 100_000), answer, f"GetRepositoryPolicy of {repository}")
