"""Where Drydock is and who asks: from the environment, or a file that nobody else can read; never from arguments."""

import ipaddress
import json
import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from drydock_cli.failures import ExitCode, Failure

URL, TOKEN, ALLOW_HTTP = "DRYDOCK_URL", "DRYDOCK_TOKEN", "DRYDOCK_ALLOW_HTTP"


@dataclass(frozen=True)
class Configuration:
    """The address, and the token that is shown there."""

    url: httpx.URL
    token: str

    @property
    def encrypted(self) -> bool:
        """Whether others on the way can't read it."""
        return self.url.scheme == "https"


def path_of(environment: Mapping[str, str]) -> Path:
    """The file (XDG Base Directory Specification)."""
    home = environment.get("XDG_CONFIG_HOME", "")
    folder = Path(home) if home.startswith("/") else Path(environment.get("HOME") or Path.home()) / ".config"
    return folder / "drydock" / "config.toml"


def read(environment: Mapping[str, str]) -> Configuration:
    """What holds now. A token of the file goes to the file's own address alone. Raises Failure."""
    path = path_of(environment)
    given, token = environment.get(URL, ""), environment.get(TOKEN, "").strip()
    kept = {} if given and token else _read_file(path)
    address = given or kept.get("url", "")
    if not address:
        raise _usage("no_address", f"Neither {URL} nor {path} says where Drydock is.", "Say it: drydock login URL")
    url = address_of(address, environment)
    if not token and kept and _origin(url) == _origin(address_of(kept.get("url", ""), environment)):
        token = kept.get("token", "")
    if not token:
        raise _usage("no_token", f"There is no token for {url}.", f"Set {TOKEN}, or: drydock login {url}")
    return Configuration(url, checked_token(token))


def checked_token(token: str) -> str:
    """A token as a header may have it. Raises Failure."""
    if not (token.isascii() and token.isprintable()) or " " in token or not token:
        raise _usage("no_token", "This is no token of Drydock's: they begin with ddk_.", "Make one: Settings, Tokens.")
    return token


def address_of(text: str, environment: Mapping[str, str]) -> httpx.URL:
    """An address that a token may be sent to. Raises Failure."""
    try:
        url = httpx.URL(text.strip().rstrip("/"))
    except httpx.InvalidURL as error:
        raise _usage("no_address", f"{text!r} is no address: {error}", "Write https://drydock.example.com") from error
    if url.scheme not in ("https", "http") or not url.host or url.query or url.fragment:
        raise _usage("no_address", f"{text!r} is no address of a server.", "Write https://drydock.example.com")
    if url.userinfo:
        raise _usage("no_address", "An address has no name and password here.", f"Set {TOKEN}, or: drydock login URL")
    if url.scheme == "http" and not (is_loopback(url.host) or environment.get(ALLOW_HTTP) == "1"):
        told = f"With {url.scheme}:// everybody on the way to {url.host} can read the token."
        raise _usage("not_encrypted", told, f"Write https://, or set {ALLOW_HTTP}=1 within a network of your own.")
    return url


def is_loopback(host: str) -> bool:
    """Whether it never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761


def keep(configuration: Configuration, path: Path) -> None:
    """Write the file, for its owner alone, and whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = {"url": str(configuration.url), "token": configuration.token}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in written.items())  # ASCII: JSON's is TOML's too
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:  # of mode 600
        file.write(text)
    os.replace(file.name, path)


def _read_file(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                told = f"Others can read {path}: its mode is {mode:o}."
                raise _usage("readable_by_others", told, f"Close it: chmod 600 {path}")
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _usage("configuration", f"{path} can't be read: {error}.", "Write it anew: drydock login URL") from error
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _usage(code: str, told: str, next_step: str) -> Failure:
    return Failure(ExitCode.USAGE, code, told, next_step)
