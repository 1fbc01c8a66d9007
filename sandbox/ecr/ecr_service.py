"""ECR in the sandbox: the door."""

from __future__ import annotations

from moto.ecr.models import ecr_backends

from sandbox.core.dispatch import route
from sandbox.ecr.announcements import announce
from sandbox.ecr.backend import EcrBackend
from sandbox.ecr.responses import EcrResponse
from sandbox.store.content_store import STORE


def install() -> None:
    """Put the corrected ECR in moto's place. Call once, before any account is used."""
    ecr_backends.backend = EcrBackend
    route("ecr", EcrResponse)
    if announce not in STORE.listeners:
        STORE.listeners.append(announce)
