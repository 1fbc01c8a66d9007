"""Why nobody answered, in words: what the operating system and TLS tell, found beneath what a library wraps it in."""

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

NETWORK = "Check the network and the proxy of the host that Drydock's worker runs on."
NAMES = "Check the name, and the name server (DNS) of the host that Drydock's worker runs on."
CERTIFICATES = "Add the authority that signed it to those the worker's host trusts, or mend the proxy in between."


@dataclass(frozen=True)
class Cause:
    """One sentence without its end, which is the same for everything that the host was asked for; what to do next."""

    words: str
    next_step: str


def cause_of(host: str, error: BaseException) -> Cause | None:
    """Why this host gave no answer; None where the error tells nothing that is known here."""
    return next((cause for each in _chain(error) if (cause := _cause(host, each))), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from, the innermost last."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _cause(host: str, error: BaseException) -> Cause | None:
    if isinstance(error, socket.gaierror):
        moment = " at the moment" if error.errno == socket.EAI_AGAIN else ""
        return Cause(f"The name {host} can't be resolved{moment}", NAMES)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause(f"The certificate of {host} is not trusted: {error.verify_message}", CERTIFICATES)
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "reason", "") or "no reason given"  # it is there only where OpenSSL gave one
        return Cause(f"No TLS connection to {host} comes about ({why})", CERTIFICATES)
    if isinstance(error, ConnectionRefusedError):
        return Cause(f"{host} refuses the connection", NETWORK)
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return Cause(f"There is no route to {host}", NETWORK)
    return None
