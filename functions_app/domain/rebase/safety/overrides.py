"""Files of the base that the app's layers write, hide or link to, by what they are about."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.rebase.safety.findings import Finding, found
from functions_app.domain.rebase.safety.paths import Subject, compiled, content, is_code, packages_of, subject
from functions_app.domain.rebase.safety.sides import Case

SETUID = 0o6000
_SYSTEM = ("var/lib/", "usr/lib/", "usr/share/", "lib/", "etc/")  # where files count that no base has


def override_findings(case: Case) -> Iterator[Finding]:
    """What the app writes in the place of the base's, package directories apart."""
    by_subject: dict[Subject, list[str]] = defaultdict(list)
    for path, entry in chain(case.written.items(), case.hidden.items()):
        below = case.old.files.get(path)
        if below or path in case.new.files or path.startswith(_SYSTEM):
            by_subject[subject(path, entry, *([below] if below else []))].append(path)
    pinned = _pinned(case)
    yield from found("package-pinned", pinned)
    yield from found("package-database", (path for path in by_subject["database"] if not case.same_as_new(path)))
    written = {name: [path for path in paths if path in case.written] for name, paths in by_subject.items()}
    yield from found("linker-cache", _effective(case, written.get("linker-cache", [])))
    based = (path for path in by_subject["certificates"] if path in case.old.files or path in case.new.files)
    yield from found("certificates", _effective(case, based))
    accounts = [path for path in written.get("accounts", []) if path in case.differences]
    own = [path for path in _effective(case, accounts) if not _is_copy(case, path)]
    yield from found("accounts-both", (path for path in own if path in case.new.files))
    changed = [path for path in _changed(case, written.get("code", [])) if path not in pinned]
    copies = {path for path in changed if _is_copy(case, path)}
    yield from found("override-changed", (path for path in changed if path not in copies))
    yield from found("override-copy", copies)
    settings = _changed(case, written.get("settings", []))
    yield from found("settings-override", [*settings, *_changed(case, set(accounts) - set(own))])


def _effective(case: Case, paths: Iterable[str]) -> Iterator[str]:
    """Those that are not just what the new base has, too."""
    return (path for path in paths if not case.same_as_new(path))


def _changed(case: Case, paths: Iterable[str]) -> Iterator[str]:
    """Those of the old base that the new one has otherwise, or not at all, and not as the app has them."""
    return (
        path for path in paths if path in case.old.files and path in case.differences and not case.same_as_new(path)
    )


def _is_copy(case: Case, path: str) -> bool:
    based = case.old.files.get(path)
    return based is not None and content(case.written[path]) == content(based)


def _pinned(case: Case) -> set[str]:
    """The paths that the app writes or hides in packages that differ between the bases, other than the new one has."""
    if not any(True for path in chain(case.written, case.hidden) for _ in packages_of(path)):
        return set()  # most apps end here
    differ = {
        package
        for path, sides in case.differences.items()
        if not compiled(path) and any(one and one.kind != "dir" for one in sides)
        for package in packages_of(path)
    }
    touched: dict[str, set[str]] = defaultdict(set)
    for path in chain(case.written, case.hidden):
        if not compiled(path):
            for package in packages_of(path):
                if package in differ:  # only those are kept: a path of `node_modules/node_modules/` is in hundreds
                    touched[package].add(path)
    pinned = {package: {path for path in paths if not case.same_as_new(path)} for package, paths in touched.items()}
    mixed = _mixed(case, {package for package, paths in pinned.items() if paths.isdisjoint(case.written)})
    return {
        path
        for package, paths in pinned.items()
        for path in paths
        if path in case.written or (package in mixed and case.hidden[path].kind != "dir")
    }


def _mixed(case: Case, removed: set[str]) -> set[str]:
    """Of the packages that the app only removes from, those of which the new base's would show something."""
    if not removed:
        return set()
    hidden = {one.path for one in case.touched_anew if one.after is None}
    return {
        package
        for path, entry in case.new.files.items()
        if entry.kind != "dir" and path not in hidden and not compiled(path)
        for package in packages_of(path)
        if package in removed
    }


def hiding_findings(case: Case) -> Iterator[Finding]:
    """What the app keeps of the base from being seen: new code, whole directories, shared libraries."""
    hidden_code = [
        one.path
        for one in case.touched_anew
        if one.before is not None and one.path not in case.old.files and is_code(one.path, one.before)
        if one.after is None or content(one.after) != content(one.before)
    ]
    packages = {package for path in _pinned(case) for package in packages_of(path)} if hidden_code else set()
    yield from found("hides-new-code", (path for path in hidden_code if packages.isdisjoint(packages_of(path))))
    yield from found("opaque-directory", _opaque(case))
    yield from found("library-removed", (path for path, entry in case.hidden.items() if _is_library(path, entry)))


def _opaque(case: Case) -> Iterator[str]:
    """The opaque directories over something of a base. Over nothing they hide nothing."""
    for entries in case.entries:
        for entry in entries:
            if entry.kind == "opaque" and any(
                not entry.path or ((place := tree.find(entry.path)) and tree.holds(place.path))
                for tree in (case.old.tree, case.new.tree)
            ):
                yield entry.path or "/"


def _is_library(path: str, entry: FileEntry) -> bool:
    name = path.rpartition("/")[2]
    return entry.kind != "dir" and (name.endswith(".so") or ".so." in name) and not any(packages_of(path))


def privilege_findings(case: Case) -> list[Finding]:
    """setuid and setgid bits, capabilities and other extended attributes on what a base has, too."""
    raw = {
        (number, mark.path): mark.attribute
        for number, layer in enumerate(case.app.layers, start=len(case.old.layers))
        for mark in layer.marks
    }
    based = [
        (one.path, "setuid or setgid" if one.after.mode & SETUID else raw.get((one.layer, one.after.path), ""))
        for one in case.touched
        if one.after is not None and (one.path in case.old.files or one.path in case.new.files)
        if one.after.kind in {"file", "hardlink"}
    ]
    marked = [(path, what) for path, what in based if what]
    return found("privileges", (path for path, _ in marked), ", ".join(sorted({what for _, what in marked})[:5]))
