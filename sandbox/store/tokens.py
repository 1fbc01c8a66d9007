"""ECR's authorization tokens and its signed layer addresses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox import clock

TOKEN_LIFE = timedelta(hours=12)
LAYER_LIFE = timedelta(hours=1)
_SECRET = secrets.token_bytes(32)


class InvalidToken(Exception):
    """Not a token that GetAuthorizationToken gave."""


class ExpiredToken(InvalidToken):
    """A token past its 12 hours."""


@dataclass(frozen=True)
class Registry:
    """Where a token leads, and who holds it."""

    account: str
    region: str
    caller_account: str
    caller_arn: str


def issue(registry: Registry, now: datetime | None = None) -> tuple[str, datetime]:
    """A password for user AWS, and when it expires."""
    expires = (now or clock.now()) + TOKEN_LIFE
    payload = {**registry.__dict__, "expiration": int(expires.timestamp())}
    return base64.b64encode(json.dumps(payload).encode()).decode(), expires


def read(password: str, now: datetime | None = None) -> Registry:
    """Where a password leads. Raises InvalidToken, ExpiredToken."""
    try:
        payload = json.loads(base64.b64decode(password, validate=True))
        expiration = int(payload.pop("expiration"))
        registry = Registry(**payload)
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidToken(str(error)) from error
    if expiration <= (now or clock.now()).timestamp():
        raise ExpiredToken("Your authorization token has expired. Reauthenticate and try again.")
    return registry


def layer_query(digest: str) -> str:
    """The signed query of a layer's address, good for an hour."""
    expires = int(clock.seconds() + LAYER_LIFE.total_seconds())
    return f"X-Amz-Expires={expires}&X-Amz-Signature={_sign(digest, expires)}"


def layer_query_is_valid(digest: str, expires: str, given: str) -> bool:
    """Whether a layer's address was signed by this process and has not run out."""
    return (
        expires.isdigit() and int(expires) > clock.seconds() and hmac.compare_digest(_sign(digest, int(expires)), given)
    )


def _sign(digest: str, expires: int) -> str:
    return hmac.new(_SECRET, f"{digest}:{expires}".encode(), hashlib.sha256).hexdigest()
