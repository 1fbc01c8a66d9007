"""What the app uses of the base by its name: what the image starts, what it links to, modules that it imports."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from functions_app.domain.images.app_files import BOOTSTRAP, CLIENTS
from functions_app.domain.layers.tree import FileTree
from functions_app.domain.rebase.safety.findings import SHOWN, Finding, found
from functions_app.domain.rebase.safety.paths import compiled
from functions_app.domain.rebase.safety.sides import Case

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # where the environment has none
WORDS = 200  # of a command that are looked at
_NAMED = re.compile(r"(?<![\w./:-])/[\w./+@-]+")
_CLIENT_WORDS = ("awslambdaric", "aws-lambda-ric", "aws_lambda_ric", "lambda-runtime-interface-client")
_CLIENT_NAME = re.compile(
    r"awslambdaric|aws-lambda-ric|aws-lambda-java-runtime-interface-client|aws_lambda_ric|RuntimeSupport"
)
_PYTHON_ROOT = re.compile(
    r"^(.*(?:(?:site|dist)-packages|lib/python\d+\.\d+|var/runtime))/([^/]+?)(?:\.(?:py|(?:[\w-]+\.)?so))?(?:/|$)"
)
_NODE_ROOT = re.compile(r"^(.*node_modules)/((?:@[^/]+/)?[^/]+)(?:/|$)")


def entry_findings(case: Case) -> list[Finding]:
    """What is started, a runtime client or bootstrap, and the targets of the app's links: gone or moved."""
    return found("entry-gone", {*_started(case), *_clients(case), *_link_targets(case)})


def _started(case: Case) -> Iterator[str]:
    words = (*case.app.entrypoint, *case.app.command)[:WORDS]
    if not words:
        return
    before = case.app.environment_before or case.app.environment
    if _program(case, case.on_old, words[0], before) and not _program(
        case, case.on_new, words[0], case.app.environment
    ):
        yield words[0]
    for word in words:
        for path in _NAMED.findall(word)[:WORDS]:
            if case.on_old.find(path) and not case.on_new.find(path):
                yield path


def _program(case: Case, tree: FileTree, word: str, environment: Mapping[str, str]) -> bool:
    """Whether a command is found, as execvp(3) looks for it."""
    if "/" in word:
        return tree.find(word if word.startswith("/") else f"{case.app.workdir}/{word}") is not None
    folders = environment.get("PATH", PATH).split(":")[:WORDS]
    return any(tree.find(f"{folder}/{word}") for folder in folders)


def _clients(case: Case) -> Iterator[str]:
    """Runtime clients and bootstraps of the old base that are gone, or have moved while the app's command names one."""
    lost: dict[str, set[str]] = defaultdict(set)
    for path, (old, new) in case.differences.items():
        if old is not None and new is None and _may_be_client(path) and (client := _client(path)):
            lost[client[0]].add(client[1])
    if not lost:
        return
    command = " ".join((*case.app.entrypoint, *case.app.command))
    own = {client[0] for path in case.written if _may_be_client(path) and (client := _client(path))}
    elsewhere = {client[0] for path in case.new.files if _may_be_client(path) and (client := _client(path))}
    for name, places in lost.items():
        if name not in own and name not in elsewhere:
            yield from places
        elif name not in own and any(word in command for word in _CLIENT_WORDS):
            yield from (place for place in places if not case.on_new.find(place))


def _may_be_client(path: str) -> bool:
    return path == BOOTSTRAP or "ambda" in path


def _client(path: str) -> tuple[str, str] | None:
    """The name of the runtime client that a path belongs to, and where that lies."""
    if path == BOOTSTRAP:
        return "bootstrap", path
    if compiled(path) or not any(client.search(path) for client in CLIENTS):
        return None
    match = _CLIENT_NAME.search(path)
    if match is None:
        return None
    versioned = path[match.end() : match.end() + 1] != "/"  # then its directory is what counts, which others share
    return match[0], path[: match.start()].rstrip("/") if versioned else path[: match.end()]


def _link_targets(case: Case) -> Iterator[str]:
    """The app's symbolic links that led somewhere, and would lead nowhere."""
    for path, entry in case.written.items():
        if entry.kind == "symlink" and case.on_old.find(path) and not case.on_new.find(path):
            yield path


def import_findings(case: Case) -> list[Finding]:
    """Modules that the app's code imports, that the old base had, and that neither the new one nor the app has."""
    imported: dict[str, list[str]] = defaultdict(list)
    for layer in case.app.layers:
        for one in layer.imports:
            imported[one.module].append(one.path)
    if not imported:
        return []
    places: dict[str, set[str]] = defaultdict(set)
    for path, (old, new) in case.differences.items():
        if new is None and old is not None:
            for _, name in _modules(path):
                if name in imported:
                    places[name].add(path)
    gone = places.keys() - _held(case, places.keys())
    detail = ", ".join(sorted(gone)[:SHOWN])
    return found("module-gone", (path for name in gone for path in imported[name]), detail)


def _held(case: Case, names: Iterable[str]) -> set[str]:
    """Those of these modules that the app brings, or the new base has anywhere."""
    wanted = set(names)
    held: set[str] = set()
    if wanted:
        for path in (*case.written, *case.new.files):
            held.update(name for _, name in _modules(path) if name in wanted)
        held.update(name for name in wanted if _beside(case, name))
    return held


def _beside(case: Case, name: str) -> bool:
    """Whether the app has it beside its own code."""
    folder = case.app.workdir.strip("/") or "var/task"
    return any(
        case.on_new.find(f"{root}/{name}{end}")
        for root in (folder, "var/task", "opt/python", "opt/nodejs/node_modules")
        for end in ("", ".py", ".js")
    )


def _modules(path: str) -> Iterator[tuple[str, str]]:
    """The top-level modules that a path belongs to, with where they lie."""
    if compiled(path):
        return
    for pattern in (_PYTHON_ROOT, _NODE_ROOT):
        if match := pattern.match(path):
            yield match[1], match[2]
