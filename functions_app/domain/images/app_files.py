"""What stands out among the files that an app's own layers bring: size, clutter, secrets, runtime clients."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from functions_app.domain.images.scans import DATABASES
from functions_app.domain.layers.entries import FileEntry

BIGGEST = 20
EXAMPLES = 4
PATH_LENGTH = 160
ADAPTER = "opt/extensions/lambda-adapter"
BOOTSTRAP = "var/runtime/bootstrap"

# What it is called, and the paths that are it: the first that fits counts.
CLUTTER: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a .git directory", re.compile(r"(?:^|/)\.git/")),
    ("Dockerfiles", re.compile(r"(?:^|/)(?:Dockerfile(?:\.[\w-]+)?|docker-compose\.ya?ml|\.dockerignore)$")),
    ("caches of build tools", re.compile(r"(?:^|/)(?:node_modules/\.cache|\.pytest_cache|\.mypy_cache|\.ruff_cache)/")),
    ("caches of installers", re.compile(r"^(?:root/\.(?:cache|npm)|var/cache/(?:dnf|yum|apt)|var/lib/apt/lists)/.")),
    ("compiled Python (__pycache__)", re.compile(r"(?:^|/)__pycache__/")),
    ("source maps", re.compile(r"\.(?:js|mjs|cjs|css)\.map$")),
    ("tests", re.compile(r"(?:^|/)(?:tests?|__tests__|spec)/")),
)  # fmt: skip
# Sorts of which libraries have their own: nobody chose to copy those, and installers compile what they install.
_OF_LIBRARIES = frozenset({"tests", "compiled Python (__pycache__)", "Dockerfiles"})
_SECRET = re.compile(
    r"(?:^|/)(?:\.env(?:\.[\w-]+)?|\.npmrc|\.pypirc|\.netrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|"
    r"\.aws/credentials|\.docker/config\.json)$"
)
_HARMLESS = re.compile(r"\.(?:example|sample|template|dist)$")
CLIENTS = (
    re.compile(r"(?:^|/)awslambdaric/"),
    re.compile(r"(?:^|/)node_modules/aws-lambda-ric/"),
    re.compile(r"(?:^|/)aws-lambda-java-runtime-interface-client[\w.-]*\.jar$"),
    re.compile(r"(?:^|/)aws_lambda_ric[\w.-]*/"),
    re.compile(r"(?:^|/)Amazon\.Lambda\.RuntimeSupport\.dll$"),
    re.compile(r"^var/runtime/bootstrap$"),
)
_CODE = re.compile(r"^(?:var/task|opt)(?:/|$)|^var/runtime/bootstrap$")  # a zip has its bootstrap beside its code
# What libraries bring and what tools install: published for all, and chosen by nobody.
_NOT_THE_APPS = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|bower_components|vendor|gems|\.venv|venv)/|"
    r"^(?:usr/(?:local/)?(?:lib|lib64|share|include)|lib|lib64|var/lang|var/lib|var/runtime)/"
)
_INSTALLED = re.compile(r"^(.+)/[^/]+\.dist-info/RECORD$")  # beside it lies what `pip install --target` put there


@dataclass(frozen=True)
class Clutter:
    """Files of one sort that a function does not need."""

    what: str
    count: int
    size_bytes: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class AppFiles:
    """What stands out in an app's own layers. Paths have no leading slash, and are cut where they are very long."""

    count: int
    size_bytes: int
    biggest: tuple[tuple[str, int], ...]
    clutter: tuple[Clutter, ...]
    secrets: tuple[str, ...]
    runtime_clients: tuple[str, ...]
    web_adapter: bool
    bootstrap: bool  # where AWS's bases for own runtimes start it
    os_packages_written: bool
    elsewhere: tuple[str, ...]  # outside of /var/task and /opt


def describe_app_files(files: Mapping[str, FileEntry]) -> AppFiles:
    """Look through the files of the app's own layers, stacked (layers.overlay)."""
    held = {path: entry for path, entry in files.items() if entry.kind in ("file", "hardlink", "symlink")}
    sizes = {path: entry.size for path, entry in held.items() if entry.kind == "file"}
    largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:BIGGEST]
    return AppFiles(
        count=len(held),
        size_bytes=sum(sizes.values()),
        biggest=tuple((_end_of(path), size) for path, size in largest),
        clutter=_clutter(held, sizes),
        secrets=_examples(path for path, entry in held.items() if _may_be_secret(path, entry)),
        runtime_clients=_examples(path for path in held if any(client.search(path) for client in CLIENTS)),
        web_adapter=ADAPTER in held,
        bootstrap=BOOTSTRAP in held,
        os_packages_written=any(path.startswith(DATABASES) for path in held),
        elsewhere=_examples(path for path in held if not _CODE.search(path)),
    )


def _clutter(held: Mapping[str, FileEntry], sizes: Mapping[str, int]) -> tuple[Clutter, ...]:
    counts: Counter[str] = Counter()
    bytes_of: Counter[str] = Counter()
    paths: dict[str, list[str]] = {}
    targets = {match[1] for path in held if (match := _INSTALLED.search(path))}
    for path in held:
        for what, pattern in CLUTTER:
            if pattern.search(path):
                if what not in _OF_LIBRARIES or not _is_a_librarys(path, targets):
                    counts[what] += 1
                    bytes_of[what] += sizes.get(path, 0)
                    if len(paths.setdefault(what, [])) < EXAMPLES:
                        paths[what].append(_end_of(path))
                break
    return tuple(Clutter(what, counts[what], bytes_of[what], tuple(paths[what])) for what, _ in CLUTTER if counts[what])


def _is_a_librarys(path: str, targets: Collection[str]) -> bool:
    """Whether a library brought it; of a folder beneath one where pip puts them, nobody can tell."""
    if _NOT_THE_APPS.search(path):
        return True
    return any(path.startswith(f"{target}/") and path.count("/", len(target) + 1) > 1 for target in targets)


def _may_be_secret(path: str, entry: FileEntry) -> bool:
    """Not what libraries bring, which is public, nor an empty file."""
    if not _SECRET.search(path) or _HARMLESS.search(path) or _NOT_THE_APPS.search(path):
        return False
    return entry.size > 0 or entry.kind != "file"


def _examples(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(_end_of(path) for path in _first(paths))


def _first(paths: Iterable[str]) -> Iterator[str]:
    for number, path in enumerate(paths):
        if number == EXAMPLES:
            return
        yield path


def _end_of(path: str) -> str:
    return path if len(path) <= PATH_LENGTH else f"…{path[-PATH_LENGTH:]}"
