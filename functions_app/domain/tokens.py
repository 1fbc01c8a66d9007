"""Tokens of the API: how one is written, what it may be made for, what a change needs, how far it reaches.

A prefix and a checksum let scanners of secrets find one, and refuse what only looks like one, without asking anybody
(as GitHub's tokens: "Behind GitHub's new authentication token formats", 2021).
"""

import secrets
import string
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Kind
from functions_app.domain.wildcards import wildcard

PREFIX = "ddk_"
SHOWN = len(PREFIX) + 4  # characters that pages show, by which somebody knows theirs again
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 32, 6  # characters: 190 bits that nobody guesses, and CRC-32


class TokenScope(StrEnum):
    """What a token may be made for; a person in the browser has them all."""

    READ = "read"
    INVOKE = "invoke"
    DEPLOY_NONPROD = "deploy:nonprod"
    DEPLOY_PROD = "deploy:prod"
    PATCH = "patch"
    APPROVE = "approve"
    ADMIN = "admin"


CHANGING = frozenset(TokenScope) - {TokenScope.READ, TokenScope.APPROVE}
_NEEDED = {
    Kind.INVOCATION: TokenScope.INVOKE,
    Kind.PATCH: TokenScope.PATCH,
    Kind.UNDO: TokenScope.PATCH,
    Kind.PATCH_LIST: TokenScope.PATCH,
}
# What changes or calls functions, as against what only reads.
CHANGES = frozenset({Kind.DEPLOYMENT, Kind.ROLLBACK, *_NEEDED})


def new_token() -> str:
    """A token that nobody had before: "ddk_", 32 characters, 6 of checksum."""
    random = "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
    return f"{PREFIX}{random}{_checksum(random)}"


def looks_like_token(text: str) -> bool:
    """Whether it is written as one, and its checksum fits: whatever does not is asked of no database."""
    random, checksum = text[len(PREFIX) : -_CHECK], text[-_CHECK:]
    return (
        text.startswith(PREFIX)
        and len(random) == _RANDOM
        and all(sign in _DIGITS for sign in random)
        and checksum == _checksum(random)
    )


def hashed(token: str) -> str:
    """As it is stored. It is random, so a fast hash keeps it as safe as a slow one."""
    return sha256(token.encode()).hexdigest()


def _checksum(random: str) -> str:
    number, written = zlib.crc32(random.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_DIGITS))
        written = _DIGITS[digit] + written
    return written


def needed(kind: Kind, *, production: bool) -> frozenset[TokenScope]:
    """The scopes that a change needs, all of them; an alias with production traffic always needs `deploy:prod`."""
    own = _NEEDED.get(kind, TokenScope.DEPLOY_NONPROD)
    if not production:
        return frozenset({own})
    return frozenset({TokenScope.DEPLOY_PROD}) | ({own} - {TokenScope.DEPLOY_NONPROD})


@dataclass(frozen=True)
class Reach:
    """Which functions somebody gets to: None for all. Accounts are AWS's numbers, functions names with `*` and `?`."""

    accounts: frozenset[str] | None = None
    functions: tuple[str, ...] | None = None

    @property
    def everything(self) -> bool:
        """Whether it ends nowhere."""
        return self.accounts is None and self.functions is None

    def covers(self, account_id: str, name: str) -> bool:
        """Whether this function is within it."""
        return self.covers_account(account_id) and (
            self.functions is None or any(wildcard(pattern).fullmatch(name) for pattern in self.functions)
        )

    def covers_arn(self, arn: str) -> bool:
        """Whether the function of this ARN is; "" is no function's, and for who gets everywhere."""
        parts = arn.split(":")
        return self.everything or (len(parts) > 6 and self.covers(parts[4], parts[6]))

    def covers_account(self, account_id: str) -> bool:
        """Whether anything of this account is."""
        return self.accounts is None or account_id in self.accounts


EVERYWHERE = Reach()


@dataclass(frozen=True)
class Beside:
    """What a change changes beside its function, in this account: `what` in words.

    It belongs to this function, or ('') to none, as an image that others stand on.
    """

    account_id: str
    function: str
    what: str

    def is_within(self, reach: Reach) -> bool:
        """Whether somebody gets to it who gets so far: to what belongs to none, who gets to every function."""
        return reach.covers(self.account_id, self.function)


def is_from(address: str, networks: Collection[str]) -> bool:
    """Whether a request came from one of these networks ("10.0.0.0/8"); none named means from anywhere."""
    if not networks:
        return True
    try:
        source = ip_address(address)
    except ValueError:
        return False  # nobody knows where it came from
    source = getattr(source, "ipv4_mapped", None) or source
    return any(source in ip_network(network) for network in networks)


def are_within(networks: Collection[str], others: Collection[str]) -> bool:
    """Whether who comes from these networks comes from the others, too; none named means from anywhere."""
    if not others:
        return True
    return bool(networks) and all(
        any(_is_within(ip_network(each), ip_network(other)) for other in others) for each in networks
    )


def _is_within(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    start, end = network.network_address, network.broadcast_address
    return network.version == other.version and start in other and end in other


def read_networks(text: str) -> tuple[str, ...]:
    """Networks as somebody typed them, each written in the one way. Raises INVALID."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            found.append(str(ip_network(word, strict=False)))
        except ValueError as error:
            raise DrydockError(
                Code.INVALID, f"“{word[:60]}” is no network.", next_step="Write an address or 10.0.0.0/8, IPv6 too."
            ) from error
    return tuple(dict.fromkeys(found))
