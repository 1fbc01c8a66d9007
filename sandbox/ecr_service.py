"""ECR in the sandbox: the door."""

from __future__ import annotations

from moto.ecr.models import ecr_backends

from sandbox.dispatch import route
from sandbox.ecr import EcrBackend
from sandbox.ecr_announcements import announce
from sandbox.ecr_responses import EcrResponse
from sandbox.store import STORE


def install() -> None:
    """Put the corrected ECR in moto's place. Call once, before any account is used."""
    ecr_backends.backend = EcrBackend
    route("ecr", EcrResponse)
    if announce not in STORE.listeners:
        STORE.listeners.append(announce)
