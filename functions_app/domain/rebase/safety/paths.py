"""What a path of a base is: code or data, part of a package, of the accounts, of a package database.

A base's files are kept as path, mode and digest: whether one is code is told by these alone. The rule, in this order:
compiled Python is never code; what may be executed is; so is what has an extension of code, wherever it lies; so is all
else in a directory of programs or libraries, but for documents. Anything else is data: settings below /etc, documents,
time zones, caches.
"""

import re
from collections.abc import Iterator
from typing import Literal

from functions_app.domain.layers.entries import FileEntry

Subject = Literal["database", "accounts", "linker-cache", "certificates", "code", "settings", "data"]

_COMPILED = re.compile(r"(?:^|/)__pycache__(?:/|$)|\.py[co]$")
_CODE = re.compile(
    r"\.(?:py|pyx|pth|js|mjs|cjs|node|wasm|rb|gemspec|jar|war|class|jmod|jsa|dll|exe|sh|bash|pl|pm|php|lua|tcl|o|a|so)$"
)
_NO_VERSION = re.compile(r"[^\w.+-]")
_CODE_FOLDERS = re.compile(
    r"^(?:(?:usr/|usr/local/)?(?:bin|sbin|lib|lib32|lib64|libx32|libexec)|usr/local|var/lang|var/runtime|opt)/"
)
_DOCUMENTS = re.compile(
    r"\.(?:txt|md|rst|html?|css|man|[1-8](?:\.gz)?|gz|pdf|png|svg|pc|cmake|h|hpp)$|"
    r"/(?:doc|docs|man|info|licenses?|locale)/|(?:^|/)(?:LICENSE|LICENCE|COPYING|NOTICE|AUTHORS|README|CHANGELOG|RECORD|INSTALLER|REQUESTED)[^/]*$"
)
_DATABASE = re.compile(
    r"^(?:(?:var/lib/rpm|usr/lib/sysimage/rpm|usr/share/rpm)/(?!\.|__db\.)(?!.*-shm$)[^/]+|"
    r"var/lib/dpkg/(?:status|diversions|statoverride|(?:status\.d|info)/.+)|"
    r"(?:usr/)?lib/apk/db/(?!lock)[^/]+)$"
)
_ACCOUNTS = frozenset({"etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"})
_CERTIFICATES = re.compile(
    r"^(?:etc/ssl/(?:certs/|cert\.pem$|ca-bundle\.pem$)|etc/pki/(?:ca-trust/|tls/(?:certs/|cert\.pem$))|"
    r"etc/(?:ca-certificates\.conf$|ca-certificates/)|usr/share/(?:pki/ca-trust|ca-certificates/)|"
    r"usr/local/share/ca-certificates/|var/lib/ca-certificates/)|(?:^|/)lib/security/cacerts$"
)
_SUFFIX = re.compile(r"-[^-]+\.(?:dist-info|egg-info|data)$|\.(?:egg-info|egg-link|py|pth)$|(?:\.[\w-]+)?\.so$")
_PACKAGE = re.compile(
    r"(?P<python>(?:site|dist)-packages/[^/]+)|(?P<node>node_modules/(?:@[^/]+/)?[^/]+)|"
    r"(?P<gem>(?:gems|ruby)/[\d.]+/(?:gems|specifications(?:/default)?|extensions/[^/]+/[^/]+)/[^/]+)|"
    r"(?P<runtime>^var/runtime/(?!(?:node_modules|lib|bin|gems|ruby)/)[^/]+(?=/))"
)


def content(entry: FileEntry) -> tuple[str, str]:
    """What an entry is and holds; a hard link is a file like any other."""
    if entry.kind == "symlink":
        return entry.kind, entry.link
    if entry.kind in {"file", "hardlink"}:
        return "file", entry.digest or entry.link
    return entry.kind, ""


def compiled(path: str) -> bool:
    """Whether it is compiled Python: it is made anew from its source, and is no override."""
    return bool(_COMPILED.search(path))


def is_code(path: str, entry: FileEntry) -> bool:
    """Whether a file or link of a base is code (see above)."""
    if entry.kind == "dir" or compiled(path):
        return False
    if entry.kind != "symlink" and entry.mode & 0o111:
        return True
    if _CODE.search(path) or _is_versioned_library(path):
        return True
    return bool(_CODE_FOLDERS.match(path)) and not _DOCUMENTS.search(path)


def _is_versioned_library(path: str) -> bool:
    """libz.so.1.2 and the like. By a pattern a name of nothing but `.so.so` would take time by the square of it."""
    return ".so." in path and ".so." in _NO_VERSION.split(path)[-1][:-1]


def subject(path: str, *entries: FileEntry) -> Subject:
    """What a path is about, by what a base and an app have there: code where any of it is."""
    if _DATABASE.match(path) and (not path.endswith("-wal") or any(entry.size for entry in entries)):
        return "database"
    if path in _ACCOUNTS:
        return "accounts"
    if path == "etc/ld.so.cache":
        return "linker-cache"
    if _CERTIFICATES.search(path):
        return "certificates"
    if any(is_code(path, entry) for entry in entries):
        return "code"
    return "settings" if path.startswith("etc/") else "data"


def packages_of(path: str) -> Iterator[str]:
    """The packages of a language that a path belongs to, outermost first, each by its place and name.

    A module, its metadata and the libraries beside it are one package, whatever version its metadata's name has.
    """
    if "-packages/" not in path and "node_modules/" not in path and "gems/" not in path and "var/runtime/" not in path:
        return
    for match in _PACKAGE.finditer(path):
        if match.lastgroup == "python":
            folder, _, name = match["python"].partition("/")
            yield f"{path[: match.start()]}{folder}/{re.sub(r'[-_.]+', '-', _SUFFIX.sub('', name)).lower()}"
        else:
            yield path[: match.end()]
