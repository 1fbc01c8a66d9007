"""Who calls: access keys to accounts, as STS hands them out.

moto calls every caller arn:aws:sts::ACCOUNT:user/moto; AWS says whose keys signed, a role's session by its name.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.sts.responses import TokenResponse

from sandbox.iam.roles import ROLE_ARN

DEFAULT_ACCOUNT = "111111111111"
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]*)/(?P<service>[^/]+)/")


@dataclass(frozen=True)
class Principal:
    """An account and the name by which AWS calls the caller in it."""

    account: str
    arn: str
    user_id: str


DEFAULT = Principal(DEFAULT_ACCOUNT, f"arn:aws:iam::{DEFAULT_ACCOUNT}:user/sandbox", "AIDASANDBOXUSER")
_PRINCIPALS: dict[str, Principal] = {}


@dataclass(frozen=True)
class Signature:
    """What a request's signature says; the sandbox checks no secret."""

    access_key: str
    region: str
    service: str


def signature(authorization: str) -> Signature | None:
    """Read an AWS4-HMAC-SHA256 header; None when it is not one."""
    match = _CREDENTIAL.search(authorization)
    return Signature(match["key"], match["region"], match["service"].lower()) if match else None


def principal(access_key: str) -> Principal:
    """Whose access key this is; a key that STS did not hand out belongs to the default account."""
    return _PRINCIPALS.get(access_key, DEFAULT)


class _InvalidRole(ServiceException):
    code = "ValidationError"


class StsResponse(TokenResponse):
    """STS: a role of another account gives credentials of that account."""

    def assume_role(self) -> ActionResult:
        """Credentials of the role's account (`roles` says which are refused). Raises ValidationError for a bad ARN."""
        arn, session = str(self._get_param("RoleArn")), str(self._get_param("RoleSessionName"))
        match = ROLE_ARN.fullmatch(arn)
        if not match:
            raise _InvalidRole(f"{arn} is invalid")
        key = "ASIA" + _random(string.ascii_uppercase + string.digits, 16)
        role_id = "AROA" + _random(string.ascii_uppercase + string.digits, 17)
        assumed = f"arn:aws:sts::{match['account']}:assumed-role/{match['name']}/{session}"
        _PRINCIPALS[key] = Principal(match["account"], assumed, f"{role_id}:{session}")
        seconds = self._get_int_param("DurationSeconds", 3600)
        return ActionResult(
            {
                "Credentials": {
                    "AccessKeyId": key,
                    "SecretAccessKey": secrets.token_urlsafe(30),
                    "SessionToken": secrets.token_urlsafe(120),
                    # By the real clock, with which botocore compares it: on a past day it would refuse the keys.
                    "Expiration": datetime.now(UTC) + timedelta(seconds=seconds),  # noqa: TID251
                },
                "AssumedRoleUser": {"AssumedRoleId": f"{role_id}:{session}", "Arn": assumed},
                "PackedPolicySize": 6,
            }
        )

    def get_caller_identity(self) -> ActionResult:
        """The account and ARN behind the request's access key."""
        caller = principal(self.get_access_key())
        return ActionResult({"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn})


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
