"""Rows for tests of the read side, in a line each. Everything has a sensible value; say only what the test is about."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from functions_app import clock
from functions_app.domain.images.manifests import chain_ids
from functions_app.models import (
    Account,
    Alias,
    AliasMove,
    BaseRelease,
    BaseStream,
    Function,
    Image,
    Repository,
    Scope,
    Tag,
    Version,
)
from functions_app.services.snapshot.base_use_rows import refresh_uses

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBERS = count(1)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
UNNUMBERED = {"$LATEST": 0, "$LATEST.PUBLISHED": -1}


def today(days: int = 0) -> date:
    """The day on the product's clock, or so many days after it. Midnight falls into no test that is marked."""
    return clock.now().date() + timedelta(days=days)


def digest(word: object) -> str:
    """A digest that is the same for the same word."""
    return "sha256:" + hashlib.sha256(str(word).encode()).hexdigest()


def make_account(name: str = "", *, regions: Sequence[str] = ("eu-west-1",), **values: Any) -> Account:
    """An account, with a scope that was synced just now for each region."""
    number = next(NUMBERS)
    account = Account.objects.create(
        name=name or f"account {number}",
        **{"account_id": f"{number:012d}", "regions": list(regions), "colour": "blue", **values},
    )
    now = clock.now()
    for region in regions:
        Scope.objects.create(account=account, region=region, attempted_at=now, synced_at=now)
    return account


def make_repository(account: Account, name: str = "team/app", region: str = "eu-west-1", **values: Any) -> Repository:
    """An ECR repository."""
    host = f"{account.account_id}.dkr.ecr.{region}.amazonaws.com"
    return Repository.objects.create(
        account=account,
        region=region,
        name=name,
        **{
            "arn": f"arn:aws:ecr:{region}:{account.account_id}:repository/{name}",
            "uri": f"{host}/{name}",
            "created_at": NOW - timedelta(days=400),
            "synced_at": NOW,
            "images_synced_at": NOW,
            **values,
        },
    )


def make_stream(name: str = "python:3.12", **values: Any) -> BaseStream:
    """A base stream."""
    runtime, _, version = name.partition(":")
    defaults = {"reference": f"public.ecr.aws/lambda/{name}", "runtime": runtime, "runtime_version": version}
    return BaseStream.objects.create(name=name, **{**defaults, "polled_at": NOW, **values})


def make_release(
    stream: BaseStream, tag: str, *, days_old: int = 0, current: bool = False, layers: int = 3
) -> BaseRelease:
    """A release of a stream for linux/amd64 with so many layers."""
    diff_ids = [digest(f"{stream.name} {tag} layer {position}") for position in range(layers)]
    return BaseRelease.objects.create(
        stream=stream,
        platform="linux/amd64",
        chain_id=chain_ids(diff_ids)[-1] if diff_ids else digest(f"chain of {stream.name} {tag}"),
        diff_ids=diff_ids,
        manifest_digest=digest(f"{stream.name} {tag}"),
        tag=tag,
        built_at=NOW - timedelta(days=days_old),
        created_at=NOW - timedelta(days=days_old),
        first_seen_at=NOW - timedelta(days=days_old),
        current=current,
    )


def make_image(repository: Repository, word: object = "", *, tags: Sequence[str] = (), **values: Any) -> Image:
    """An image that was inspected, with two layers of its own on those of its base release, if it has one."""
    number = next(NUMBERS)
    base: BaseRelease | None = values.get("base_release")
    diff_ids = [*(base.diff_ids if base else []), digest(f"own a {number}"), digest(f"own b {number}")]
    image = Image.objects.create(
        repository=repository,
        digest=digest(word or f"image {number}"),
        **{
            "media_type": MANIFEST,
            "size_bytes": 213_400_000,
            "pushed_at": NOW - timedelta(days=3),
            "synced_at": NOW,
            "status": "ACTIVE",
            "role": "image",
            "inspected_at": NOW,
            "os": "linux",
            "architecture": "amd64",
            "created_at": NOW - timedelta(days=3),
            "diff_ids": diff_ids,
            "layers": [
                {"digest": digest(f"blob {diff_id}"), "size": 40_000_000, "media_type": "layer"} for diff_id in diff_ids
            ],
            "settings": {"entrypoint": ["/lambda-entrypoint.sh"], "command": ["app.handler"], "env_keys": ["PATH"]},
            "labels": {"org.opencontainers.image.revision": "4f2a1c9"},
            "base_tier": "exact" if base else "unknown",
            **values,
        },
    )
    for tag in tags:
        Tag.objects.create(repository=repository, name=tag, digest=image.digest, since=NOW - timedelta(days=3))
    return image


def chip(name: str, freshness: str) -> dict[str, object]:
    """An alias as its function's row keeps it."""
    return {"name": name, "version": "1", "digest": digest(name), "freshness": freshness, "reason": f"why {name}"}


def make_function(account: Account, name: str = "", region: str = "eu-west-1", **values: Any) -> Function:
    """A function without versions or aliases; its search text holds its name, owner, base and digest."""
    name = name or f"function-{next(NUMBERS)}"
    function = Function(
        account=account,
        region=region,
        name=name,
        **{
            "arn": f"arn:aws:lambda:{region}:{account.account_id}:function:{name}",
            "architecture": "x86_64",
            "memory_mb": 512,
            "timeout_s": 30,
            "last_modified": NOW - timedelta(days=2),
            "revision_id": f"revision-{name}"[:60],
            "digest": digest(name),
            "state": "Active",
            "last_update_status": "Successful",
            "synced_at": NOW,
            "detailed_at": NOW,
            "aliases_synced_at": NOW,
            "partly_read": False,
            **values,
        },
    )
    words = [name, function.owner, function.base_name, function.digest]
    words += [f"{chip['name']} {chip['digest']}" for chip in function.alias_chips]
    function.search_text = function.search_text or " ".join(words).lower()
    function.save()
    return function


def make_version(function: Function, number: int | str, image: Image | None = None, **values: Any) -> Version:
    """A version that runs an image; without one, an image that nobody knows. Active; None for `detailed_at`: unread."""
    return Version.objects.create(
        function=function,
        number=str(number),
        ordinal=UNNUMBERED[str(number)] if str(number) in UNNUMBERED else int(number),
        image=image,
        **{
            "digest": image.digest if image else digest(f"{function.name} {number}"),
            "last_modified": NOW - timedelta(days=1),
            "state": "Active",
            "last_update_status": "Successful",
            "detailed_at": NOW,
            "image_uri": f"{image.repository.uri}@{image.digest}" if image else f"registry.example/app@{digest(0)}",
            **values,
        },
    )


def make_alias(
    function: Function, name: str, version: int | str, *, second: int | str = "", weight: float = 0
) -> Alias:
    """An alias, perhaps split, with one entry in its history."""
    AliasMove.objects.create(
        function=function,
        alias=name,
        version=str(version),
        second_version=str(second),
        second_weight=weight,
        at=NOW - timedelta(hours=5),
    )
    return Alias.objects.create(
        function=function,
        name=name,
        version=str(version),
        second_version=str(second),
        second_weight=weight,
        revision_id=f"revision-{function.name}-{name}",
        synced_at=NOW,
    )


def make_golden(
    stream: BaseStream, tag: str, *, on: BaseRelease, days_old: int = 0, current: bool = False
) -> BaseRelease:
    """A release of a company's own stream that stands on another release, with a layer of its own."""
    diff_ids = [*on.diff_ids, digest(f"{stream.name} {tag} golden layer")]
    return BaseRelease.objects.create(
        stream=stream,
        platform=on.platform,
        chain_id=chain_ids(diff_ids)[-1],
        diff_ids=diff_ids,
        manifest_digest=digest(f"{stream.name} {tag}"),
        tag=tag,
        built_at=NOW - timedelta(days=days_old),
        created_at=NOW - timedelta(days=days_old),
        first_seen_at=NOW - timedelta(days=days_old),
        current=current,
    )


def make_user(
    account: Account, release: BaseRelease | None, name: str = "", *, alias: str = "live", **values: Any
) -> Function:
    """A function whose alias (none: $LATEST) runs an image on this release; a policy's day is its chip's too."""
    function = make_function(account, name, **values)
    repository = Repository.objects.filter(account=account).first() or make_repository(account)
    stream: dict[str, Any] = {"base_stream": release.stream, "base_tier": "exact"} if release else {}
    image = make_image(repository, base_release=release, **stream)
    make_version(function, 1 if alias else "$LATEST", image)
    if alias:
        make_alias(function, alias, 1)
        day = function.overdue_on.isoformat() if function.overdue_on else ""
        function.alias_chips = [{"name": alias, "version": "1", "digest": image.digest, "overdue_on": day}]
        function.save()
    refresh_uses([function])
    return function
