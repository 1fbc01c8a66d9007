"""What ECR tells EventBridge of images, and the scans that a push starts."""

from __future__ import annotations

from typing import Any

from moto.ecr.models import Repository

from sandbox.core import account_events
from sandbox.ecr import scans
from sandbox.ecr.backend import find_repository
from sandbox.store.content_store import PUBLIC, Push


def announce(push: Push) -> None:
    """Tell of a push to a private repository, and scan the image where the repository scans on push."""
    if push.namespace == PUBLIC:
        return
    account, region = push.namespace.split("/")
    announce_action(account, region, "PUSH", push.repository, push.digest, push.tag)
    found = find_repository(account, region, push.repository)
    if found is not None and _scans_on_push(found):
        scans.scan(push.namespace, push.repository, push.digest)


def _scans_on_push(repository: Repository) -> bool:
    configuration: Any = repository.image_scanning_configuration
    return bool(configuration.get("scanOnPush"))


def announce_action(account: str, region: str, action: str, repository: str, digest: str, tag: str | None) -> None:
    """Emit "ECR Image Action" for a PUSH or DELETE."""
    detail = {"action-type": action, "result": "SUCCESS", "repository-name": repository, "image-digest": digest}
    if tag:
        detail["image-tag"] = tag
    account_events.emit(account, region, "aws.ecr", "ECR Image Action", detail)
