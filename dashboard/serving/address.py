"""Where people reach what is served here."""

import errno
import re
import socket
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - understood, not chosen


class PortError(ValueError):
    """What a variable holds is no port."""


def port(variables: Mapping[str, str], variable: str, default: int) -> int:
    """The port that a variable names. Raises PortError."""
    text = variables.get(variable) or str(default)
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 0 < int(text) < 65536:
        raise PortError(f"{variable} must be a port number, not {text!r}.")
    return int(text)


class TakenError(RuntimeError):
    """Somebody else listens on the port, or it is for others."""


class HostError(RuntimeError):
    """This machine has no such address."""


def refuse_taken(host: str, port: int) -> None:
    """Raises TakenError where somebody listens on the port already, HostError where the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise TakenError(f"Port {port} is taken.") from None
            if error.errno == errno.EACCES:
                raise TakenError(f"Port {port} can't be had: {error.strerror}.") from None
            raise HostError(f"Nothing can listen on {host}: {error.strerror}.") from None


def url(host: str, port: int) -> str:
    """The address to open on this machine."""
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(address: str) -> bool:
    """Whether the web server there is up, whatever it thinks of its database; no proxy of the environment is asked."""
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=1)) as connection:
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()
        except (OSError, HTTPException):
            return False
    return True
