"""A request that comes twice is answered twice and carried out once: by the key that its sender gave it.

Source: the IETF's draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header).
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import ApiToken, KeptAnswer

KEEP = timedelta(hours=24)
LENGTH = 200  # characters of a key
DEAD_AFTER = timedelta(seconds=60)  # a request takes no longer: whoever answered it died
AGAIN_IN = 2  # seconds
_NAMES = UUID("6f5f7c0a-33f0-4a52-9d2a-2f6f0d7c2b1e")


@dataclass(frozen=True)
class Answer:
    """An answer as it is kept."""

    status: int
    headers: dict[str, str]
    content: str


class Elsewhere(DrydockError):
    """The same request is being answered at this moment."""


class Reused(DrydockError):
    """The key came with something else before."""


def identity(token: ApiToken, path: str, key: str, said: bytes) -> UUID:
    """The same for each request with this key: a plan of this id is made once, even if who made it dies right then.

    And another one for what says something else: an answer that was not kept leaves its plan behind.
    """
    return uuid5(_NAMES, f"{token.pk} {path} {key} {sha256(said).hexdigest()}")


def after(identity: UUID) -> UUID:
    """The one that takes its place when the same comes again with the same key, and that is kept no longer."""
    return uuid5(_NAMES, str(identity))


def begin(token: ApiToken, path: str, key: str, said: bytes) -> KeptAnswer:
    """A row of one's own to keep the answer in, or the one that has it (`status`).

    Raises Reused where the key came with something else, Elsewhere while somebody else answers it.
    """
    now, body_hash, key_hash = clock.now(), sha256(said).hexdigest(), sha256(key.encode()).hexdigest()
    KeptAnswer.objects.filter(begun_at__lt=now - KEEP).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(
                token=token, path=path, key_hash=key_hash, body_hash=body_hash, begun_at=now
            )
    except IntegrityError:
        row = KeptAnswer.objects.get(token=token, path=path, key_hash=key_hash)
    if row.body_hash != body_hash:
        raise Reused(
            Code.INVALID,
            "This Idempotency-Key came with another body or another query before. Nothing was done.",
            next_step="Give each request a key of its own.",
        )
    if row.status is not None:
        return row
    mine = KeptAnswer.objects.filter(pk=row.pk, status=None, begun_at=row.begun_at, begun_at__lt=now - DEAD_AFTER)
    if not mine.update(begun_at=now):
        told = "The same request is being answered now."
        raise Elsewhere(Code.BUSY, told, next_step=f"Ask in {AGAIN_IN} s.", again_in=AGAIN_IN)
    row.refresh_from_db()
    return row


def keep(row: KeptAnswer, answer: Answer) -> None:
    """Keep the answer."""
    mine = KeptAnswer.objects.filter(pk=row.pk, begun_at=row.begun_at)
    mine.update(status=answer.status, headers=answer.headers, content=answer.content)


def drop(row: KeptAnswer) -> None:
    """Keep nothing: it broke, or may go better the next time."""
    KeptAnswer.objects.filter(pk=row.pk, begun_at=row.begun_at).delete()
