"""POST and DELETE /_sandbox/findings: what ECR's scans say of an image. POST /_sandbox/ecr and image-limit: how ECR
answers, and how many images a repository may hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request

from sandbox.core import admin
from sandbox.ecr import images as ecr_images
from sandbox.ecr import scans
from sandbox.store.content_store import STORE, namespace


def install() -> None:
    """Serve them."""
    admin.add("POST", "findings", _set_findings)
    admin.add("DELETE", "findings", _forget_scan)
    admin.add("POST", "ecr", _set_answers)
    admin.add("POST", "image-limit", _limit_images)


def _set_answers(request: Request) -> object:
    ecr_images.ANSWERS.other_tags = bool(admin.body_of(request).get("other_tags"))
    return asdict(ecr_images.ANSWERS)


def _limit_images(request: Request) -> object:
    body = admin.body_of(request)
    ecr_images.IMAGE_LIMITS[str(body["account"])] = int(body.get("images", ecr_images.IMAGE_LIMIT))
    return dict(ecr_images.IMAGE_LIMITS)


def _set_findings(request: Request) -> object:
    body = admin.body_of(request)
    space, repository, digest = _scanned_image(body)
    findings = body.get("findings", [])
    options = {name: body[name] for name in ("status", "description", "enhanced") if name in body}
    scans.set_findings(space, repository, digest, findings, **options)
    return {"digest": digest, "findings": len(findings)}


def _forget_scan(request: Request) -> object:
    space, repository, digest = _scanned_image(request.args)
    scans.forget(space, repository, digest)
    return {"digest": digest}


def _scanned_image(named: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name space, repository and digest of account, region, repository and image (a tag or a digest)."""
    space, repository = namespace(str(named["account"]), str(named["region"])), str(named["repository"])
    found = STORE.manifest(space, repository, str(named["image"]))
    if found is None:
        raise NotFound(f"no image {named['image']!r} (a tag or a digest) in {space}/{repository}")
    return space, repository, found.digest
