"""Logins of registries from a docker config.json: read at use, never kept, its secrets never shown.

Source: docker/cli `cli/config/configfile` and containers-auth.json(5). {"auths": {HOST: {"auth": ...}}}, base64 of
user:password, or "username" and "password", or "identitytoken". Credential helpers are programs to run: not supported.
"""

import base64
import binascii
import json
import os
import stat
from collections.abc import Mapping
from typing import Any

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.domain.json_fields import read_text
from functions_app.registry.auth import IdentityToken

VARIABLE = "DRYDOCK_REGISTRY_AUTH_FILE"
FILE_LIMIT = 1024**2  # bytes
DOCKER_HUB_NAMES = {"index.docker.io": "docker.io", "registry-1.docker.io": "docker.io"}
_VERSIONS = frozenset({"", "v1", "v2"})  # paths that docker itself writes behind a host: https://index.docker.io/v1/


def hosts(path: str) -> frozenset[str]:
    """The hosts that the file has a login for. Raises DrydockError naming the variable."""
    return frozenset(_host(key)[0] for key in _entries(path))


def login_for(path: str, host: str) -> Login | IdentityToken | None:
    """The login of this host; None where the file has none. Raises DrydockError naming the variable."""
    wanted, by_path = _host(host)[0], False
    for key, entry in _entries(path).items():
        name, rest = _host(key)
        if name == wanted and rest in _VERSIONS:
            return _login(entry, path, wanted)
        by_path = by_path or name == wanted
    if by_path:
        raise _unusable(path, f"it has logins for parts of {wanted}, and only one for the whole host can be used")
    return None


def _entries(path: str) -> Mapping[str, Any]:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait for its writer
            raise _unusable(path, "it is not a file")
        with open(path, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a path"
        raise _unusable(path, f"it cannot be read ({why})") from error
    if len(data) > FILE_LIMIT:
        raise _unusable(path, f"it is larger than {FILE_LIMIT:,} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _unusable(path, "it is not JSON") from None  # the cause would carry what is in the file
    found = document.get("auths", {}) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise _unusable(path, 'it has no object "auths"')
    return found


def _host(key: str) -> tuple[str, str]:
    """Host and the path behind it, of a key such as `https://index.docker.io/v1/` or `ghcr.io`."""
    host, _, path = key.partition("://")[2].partition("/") if "://" in key else key.partition("/")
    return DOCKER_HUB_NAMES.get(host.lower(), host.lower()), path.strip("/")


def _login(entry: Any, path: str, host: str) -> Login | IdentityToken:
    if not isinstance(entry, dict):
        raise _unusable(path, f"the entry of {host} is not an object")
    if token := read_text(entry.get("identitytoken")):
        return IdentityToken(token)
    username, password = read_text(entry.get("username")), read_text(entry.get("password"))
    if encoded := read_text(entry.get("auth")):
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise _unusable(path, f'"auth" of {host} is not base64 of user:password') from None
        username, colon, password = text.rstrip("\0").partition(":")
        if not colon:
            raise _unusable(path, f'"auth" of {host} is not base64 of user:password')
    if not username or not password:
        raise _unusable(
            path,
            f"the entry of {host} holds no login itself (credential helpers and registry tokens are not supported)",
        )
    return Login(username, password)


def _unusable(path: str, why: str) -> DrydockError:
    return DrydockError(
        Code.INVALID,
        f"{VARIABLE} names {path[:200]!r}, but {why}.",
        next_step='Write {"auths": {"HOST": {"auth": "base64 of user:password"}}}, readable by Drydock\'s own user.',
    )
