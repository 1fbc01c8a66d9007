"""Whether the loader finds on the new base what the app's programs and libraries need, as it did on the old one.

As in ld.so(8): RPATH (unless there is a RUNPATH), LD_LIBRARY_PATH, RUNPATH, then the directories that it knows by
itself, each as the app's layers over the base have it. A library for another machine is passed over; one without any
versions serves each. What is told of a list of directories (ld.so.conf) can't be read: Debian's /usr/local/lib counts.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from functions_app.domain.layers.elves import ElfFacts
from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.tree import FileTree, Place
from functions_app.domain.rebase.safety.findings import Finding, found
from functions_app.domain.rebase.safety.sides import Case, SideFiles

NAMED = 5  # libraries or versions that a finding names
FOLDERS = 200  # directories of one list that are searched
LOOKUPS = 500_000  # in one image, well under a second: lists could be made to be searched for ever
LONG = 100  # characters of a directory: it is remembered, so that a longer one counts as several lookups
PATH_MAX = 4096  # characters: Linux opens nothing longer
TOKENS = 8  # $ORIGIN and the like in one directory: each may stand for as many characters as a path has
_FOLDERS = ("lib64", "usr/lib64", "lib", "usr/lib", "usr/local/lib64", "usr/local/lib")
_TRIPLETS = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
_LIB = {64: "lib64", 32: "lib"}

Lack = tuple[str, str]  # a library, and the version that it lacks; '': the library itself


@dataclass(frozen=True)
class _Own:
    """A program or library of the app, and where it lies on the old and on the new base."""

    facts: ElfFacts
    old_path: str
    new_path: str


class _Loader:
    """What the loader finds in one image."""

    def __init__(
        self, base: SideFiles, tree: FileTree, app: tuple[LayerContents, ...], environment: Mapping[str, str]
    ) -> None:
        self._tree, self._layers = tree, (*base.layers, *app)
        self._facts = {
            **base.elves,
            **{
                (number, elf.path): elf
                for number, layer in enumerate(app, start=len(base.layers))
                for elf in layer.elves
            },
        }
        self._path = [folder for folder in environment.get("LD_LIBRARY_PATH", "").split(":") if folder][:FOLDERS]
        self._lookups = 0
        self._seen: dict[tuple[str, str, int, str], ElfFacts | None] = {}
        self._common: dict[tuple[str, int, str], ElfFacts | None] = {}
        self.unread: dict[str, str] = {}  # path to the reason

    def lacks(self, elf: ElfFacts, path: str) -> set[Lack]:
        """What a program or library at this path needs and would not find."""
        lacking: set[Lack] = set()
        if elf.interpreter and self._tree.find(elf.interpreter) is None:
            lacking.add((elf.interpreter, ""))
        folders = self._folders(elf, posixpath.dirname(path))
        held = {name: self._library(name, elf, folders) for name in elf.needed}
        if self._lookups > LOOKUPS:
            self.unread[path] = "libraries are looked for in too many places"
            return set()
        lacking.update((name, "") for name, library in held.items() if library is None)
        for version in elf.versions:
            library = held.get(version.library)
            if library is None or version.weak:
                continue
            if library.problem:
                self.unread[library.path] = library.problem
            elif library.defined and version.name not in library.defined:
                lacking.add((version.library, version.name))
        return lacking

    def _folders(self, elf: ElfFacts, origin: str) -> tuple[str, ...]:
        """Where its libraries are looked for before the directories that the loader knows by itself."""
        before = () if elf.runpath else _expanded(elf.rpath, origin, elf)
        return (*before, *self._path, *_expanded(elf.runpath, origin, elf))

    def _library(self, name: str, elf: ElfFacts, folders: Iterable[str]) -> ElfFacts | None:
        if "/" in name:
            return self._at(posixpath.dirname(name), _name(name), elf)
        for folder in folders:
            if library := self._at(folder, name, elf):
                return library
        key = name, elf.bits, elf.machine
        if key not in self._common:
            known = [*_FOLDERS, *(f"{root}/{_TRIPLETS.get(elf.machine, elf.machine)}" for root in ("lib", "usr/lib"))]
            self._common[key] = next((one for folder in known if (one := self._at(folder, name, elf))), None)
        return self._common[key]

    def _at(self, folder: str, name: str, elf: ElfFacts) -> ElfFacts | None:
        """The library of this name in a folder that fits the machine."""
        self._lookups += 1 + len(folder) // LONG
        if self._lookups > LOOKUPS:
            return None
        key = folder, name, elf.bits, elf.machine
        if key not in self._seen:
            place = self._tree.find(f"{folder}/{name}")
            facts = self._read(place) if place and place.entry.kind in {"file", "hardlink"} else None
            fits = facts and (facts.problem or (facts.bits, facts.machine) == (elf.bits, elf.machine))
            self._seen[key] = facts if fits else None
        return self._seen[key]

    def _read(self, place: Place) -> ElfFacts | None:
        """What is known of a file: None where it is no ELF file, a problem where it was not read."""
        names = (place.entry.path, place.entry.link) if place.entry.kind == "hardlink" else (place.entry.path,)
        for number in range(place.layer, -1, -1):
            for name in names:
                if facts := self._facts.get((number, name)):
                    return facts
            if place.entry.kind == "file":
                break
        if self._layers[place.layer].facts_read:
            return None
        return ElfFacts(place.path, problem="it was not read")


class Linking:
    """The app's programs and libraries, and what each lacks on either base."""

    def __init__(self, case: Case) -> None:
        app = case.app
        self._case = case
        self._old = _Loader(case.old, case.on_old, app.layers, app.environment_before or app.environment)
        self._new = _Loader(case.new, case.on_new, app.layers, app.environment)

    def findings(self) -> Iterator[Finding]:
        """Libraries and versions that the new base lacks, and what the old one lacked too."""
        lost: dict[Lack, set[str]] = defaultdict(set)
        never: dict[Lack, set[str]] = defaultdict(set)
        brought = {name for own in self._own for name in (own.facts.soname, _name(own.new_path)) if name}
        for own, lacking, before in self._lacks:
            for lack in lacking - before:
                lost[lack].add(own.new_path)
            for lack in lacking & before:
                if lack[0] not in brought or lack[1]:  # else another one of the app's loads it first
                    never[lack].add(own.new_path)
        yield from _told("library-missing", {lack: paths for lack, paths in lost.items() if not lack[1]})
        yield from _told("symbol-missing", {lack: paths for lack, paths in lost.items() if lack[1]})
        yield from _told("already-missing", never)

    def unread(self) -> dict[str, str]:
        """The app's programs and libraries, and the base's that they need, that could not be read: path to reason."""
        mine = {own.new_path: own.facts.problem for own in self._own if own.facts.problem}
        return {**self._new.unread, **mine} if self._lacks else mine

    @cached_property
    def _lacks(self) -> list[tuple[_Own, set[Lack], set[Lack]]]:
        """Each with what it lacks on the new base, and of that on the old one."""
        lacks = []
        for own in self._loaded:
            lacking = self._new.lacks(own.facts, own.new_path)
            before = self._old.lacks(own.facts, own.old_path) if lacking else set()
            if own.old_path in self._old.unread:
                self._new.unread[own.new_path], lacking = self._old.unread[own.old_path], set()
            lacks.append((own, lacking, before))
        return lacks

    @cached_property
    def _own(self) -> tuple[_Own, ...]:
        """Those that show."""
        olds, news = len(self._case.old.layers), len(self._case.new.layers)
        facts = {(number, elf.path): elf for number, layer in enumerate(self._case.app.layers) for elf in layer.elves}
        if not facts:
            return ()
        before = {
            (one.layer - olds, one.after.path): one.path
            for one in self._case.touched
            if one.after and one.after.kind == "file"
        }
        return tuple(
            _Own(elf, before.get(key, one.path), one.path)
            for one in self._case.touched_anew
            if one.after is not None
            and one.after.kind == "file"
            and (elf := facts.get(key := (one.layer - news, one.after.path)))
        )

    @cached_property
    def _loaded(self) -> tuple[_Own, ...]:
        """Those that the loader could take: for a machine and a C library that the old base has.

        Packages bring libraries for many machines, of which an image only ever loads its own.
        """
        machines = {(elf.bits, elf.machine) for elf in self._case.old.elves.values() if not elf.problem}
        musl = any(elf.soname.startswith("libc.musl-") for elf in self._case.old.elves.values())
        return tuple(
            own
            for own in self._own
            if not own.facts.problem
            and (not machines or (own.facts.bits, own.facts.machine) in machines)
            and (musl or not any(name.startswith("libc.musl-") for name in own.facts.needed))
        )


def _told(code: str, lacks: Mapping[Lack, Iterable[str]]) -> list[Finding]:
    names = sorted(f"{version} of {library}" if version else library for library, version in lacks)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return found(code, (path for paths in lacks.values() for path in paths), ", ".join(names[:NAMED]) + more)


def _expanded(folders: Iterable[str], origin: str, elf: ElfFacts) -> tuple[str, ...]:
    """Directories with $ORIGIN and $LIB filled in; an empty one, the working directory, is nothing to count on."""
    filled = []
    for folder in islice(folders, FOLDERS):
        if folder.count("$") > TOKENS:
            continue
        for name, value in (("ORIGIN", f"/{origin}"), ("LIB", _LIB.get(elf.bits, "lib")), ("PLATFORM", elf.machine)):
            folder = folder.replace(f"${{{name}}}", value).replace(f"${name}", value)
        if len(folder) < PATH_MAX:
            filled.append(folder)
    return tuple(folder for folder in filled if folder)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
