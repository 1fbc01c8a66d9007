"""Paths that are something else in the new base, or lead elsewhere, on the way to what the app's layers hold."""

from bisect import bisect_left
from collections.abc import Iterator

from functions_app.domain.layers.entries import FileEntry
from functions_app.domain.rebase.safety.findings import Finding, found
from functions_app.domain.rebase.safety.sides import Case


def kind_findings(case: Case) -> Iterator[Finding]:
    """Files that became directories or links, links that lead elsewhere, hard links to what changed."""
    yield from found("kind-changed", _other_kinds(case))
    yield from found("link-moved", {*_moved(case), *_hidden_elsewhere(case)})
    yield from found("hard-link-changed", _hard_links(case))


def _other_kinds(case: Case) -> list[str]:
    changed = {
        path for path, (old, new) in case.differences.items() if old and new and _kind(old) != _kind(new)
    }  # most rebases end here
    used = _used(case) if changed else []
    return [path for path in changed if _is_used(path, used)]


def _kind(entry: FileEntry) -> str:
    return "file" if entry.kind == "hardlink" else entry.kind


def _used(case: Case) -> list[str]:
    """What the app's layers name and write, sorted, each with a slash at its end."""
    named = (entry.path for entries in case.entries for entry in entries)
    return sorted({f"{path}/" for path in (*named, *(one.path for one in case.touched))})


def _is_used(path: str, used: list[str]) -> bool:
    """Whether this is among them, or a directory on the way to one."""
    at = bisect_left(used, f"{path}/")
    return at < len(used) and used[at].startswith(f"{path}/")


def _moved(case: Case) -> Iterator[str]:
    """What lies elsewhere on the new base; its path is the one on the old. Links alone lead elsewhere."""
    if not any(one and one.kind == "symlink" for sides in case.differences.values() for one in sides):
        return
    there = {
        (one.layer - len(case.new.layers), one.after.path): one.path
        for one in case.touched_anew
        if one.after and one.after.kind != "dir"  # a directory that no entry names has its bare name for a path
    }
    for one in case.touched:
        if one.after is not None and one.after.kind != "dir":
            path = there.get((one.layer - len(case.old.layers), one.after.path))
            if path is not None and path != one.path:
                yield one.path


def _hidden_elsewhere(case: Case) -> Iterator[str]:
    """Whiteouts that would hide in another directory than they did."""
    ways: dict[str, bool] = {}
    for entries in case.entries:
        for entry in entries:
            if entry.kind in {"whiteout", "opaque"}:
                folder = entry.path if entry.kind == "opaque" else entry.path.rpartition("/")[0]
                if folder not in ways:
                    old, new = case.old.tree.find(folder), case.new.tree.find(folder)
                    ways[folder] = bool(old and new and old.path != new.path)
                if ways[folder]:
                    yield entry.path


def _hard_links(case: Case) -> Iterator[str]:
    """Hard links of the app whose contents come from the base and would be others."""
    links = [one for one in case.touched if one.after and one.after.kind == "hardlink"]
    there = {
        (one.layer - len(case.new.layers), one.after.path): one.after
        for one in (case.touched_anew if links else ())
        if one.after and one.after.kind == "hardlink"
    }
    for one in links:
        if one.after is not None:
            anew = there.get((one.layer - len(case.old.layers), one.after.path))
            if anew is not None and anew.digest != one.after.digest:
                yield one.path
