"""Where a registry may lead: the guard that keeps a foreign registry from sending Drydock into its own network.

Names are resolved here and the connection goes to the very address that was checked, so that a name that resolves
differently the second time (DNS rebinding) gains nothing. The same connections carry the deadline of a whole answer.
"""

import ipaddress
import math
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from functions_app.domain.ecr_hosts import AWS_NAMES
from functions_app.domain.errors import Code, DrydockError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Iterable[str]]

# Metadata and credentials of a cloud's machines, outside the link-local range, whose addresses look public or private.
METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        "fd00:ec2::/32",  # EC2
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle Cloud
        "100.100.100.200/32",  # Alibaba Cloud
        "fd20:ce::254/128",  # Google Cloud
    )
)
GLOBAL = ipaddress.ip_network("2000::/3")  # all that IANA has given out of IPv6 as public
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Those whose last 32 bits are an IPv4 address: NAT64 (RFC 6052), its local one (RFC 8215), SIIT (RFC 2765).
TRANSLATED = (NAT64, ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("::ffff:0:0:0/96"))


class Reach(Enum):
    """How far an answer of a registry (a redirect, the address of its tokens) may lead."""

    PUBLIC = "public addresses only"
    AWS = "public addresses, and private ones under AWS's own names: endpoints in a VPC"
    PRIVATE = "any address but link-local ones: a registry that the operator named"


def may_reach(address: str, host: str, reach: Reach) -> bool:
    """Whether a connection to this address, which a host's name resolved to, is within reach."""
    return all(_may_reach(each, host, reach) for each in _meant(ipaddress.ip_address(address)))


def _may_reach(address: Address, host: str, reach: Reach) -> bool:
    if address.is_link_local or address.is_multicast or any(address in each for each in METADATA):
        return False
    if reach is Reach.PRIVATE:
        return True
    if reach is Reach.AWS and host.lower().rstrip(".").endswith(AWS_NAMES):
        return not (address.is_loopback or address.is_unspecified)
    return address.is_global and (address.version == 4 or address in GLOBAL or address in NAT64)


def _meant(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address it stands for in any of the ways there are to write one as IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    embedded = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if any(address in each for each in TRANSLATED) or (embedded is None and 1 < int(address) < 2**32):
        embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if embedded is None or not address.ipv4_mapped:
        yield address
    if embedded is not None:
        yield embedded


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Every address of a host, as the system resolves it. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def refuse_literal(url: httpx.URL, reach: Reach) -> None:
    """Refuse an address written out in a URL where it is out of reach: a proxy would connect to it unasked."""
    if (address := _written(url.host)) and not may_reach(address, url.host, reach):
        raise out_of_reach(url.host, url.host)


def _written(host: str) -> str:
    """The address that a host is, also as 127.1 or 2130706433, which resolvers take; empty for a name."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, ValueError):
        return ""


def out_of_reach(host: str, address: str) -> DrydockError:
    """The error for an address that a foreign registry has no business to send us to."""
    where = host if host == address else f"{host} ({address})"
    return DrydockError(
        Code.DENIED,
        f"The registry leads to {where}, an address inside a private network. It was not asked."[:500],
        next_step="If this registry is your own, name it in DRYDOCK_REGISTRY_HOSTS or DRYDOCK_REGISTRY_MIRRORS.",
    )


_DEADLINE: ContextVar[float] = ContextVar("registry_deadline", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[Callable[[], None]]:
    """Let every reading and writing in the block end by then, however steadily a server drips. Do not yield inside.

    Whoever gets on calls what the block is given: the seconds begin anew.
    """
    outer = _DEADLINE.get()

    def renew() -> None:
        _DEADLINE.set(min(outer, time.monotonic() + seconds))

    token = _DEADLINE.set(min(outer, time.monotonic() + seconds))
    try:
        yield renew
    finally:
        _DEADLINE.reset(token)


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    left = _DEADLINE.get() - time.monotonic()
    if left <= 0:
        raise late("not complete in time")
    least = min(math.inf if timeout is None else timeout, left)
    return None if least == math.inf else least


class GuardedBackend(httpcore.NetworkBackend):
    """Opens httpx's connections: checks where a name leads; `own` (host, port) was named by who runs Drydock.

    Behind a proxy (`proxied`) names are the proxy's to resolve and its rules are the guard.
    """

    def __init__(
        self, reach: Reach, own: tuple[str, int], *, proxied: bool = False, resolve: Resolve = resolve
    ) -> None:
        self._reach, self._own, self._proxied, self._resolve = reach, own, proxied, resolve
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers. Raises DENIED before a byte goes astray."""
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port):
            try:
                left = _left(timeout, httpcore.ConnectTimeout)
                return _Stream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        try:
            found = tuple(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        if not self._proxied and (host, port) != self._own:
            for address in found:
                if not may_reach(address, host, self._reach):
                    raise out_of_reach(host, address)
        return found


class _Stream(httpcore.NetworkStream):
    """A connection whose every reading and writing keeps the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At least one byte, or none at the end."""
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it."""
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same under TLS; the certificate is checked for the name, not for the address."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of the socket."""
        return self._inner.get_extra_info(info)
