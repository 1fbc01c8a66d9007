"""What binutils' readelf says of an ELF file: the oracle for what Drydock reads of it."""

import re
import subprocess
from pathlib import Path

from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from tests.packages import require

_TAG = re.compile(r"\((NEEDED|SONAME|RPATH|RUNPATH)\)\s+[^\[]*\[(.*)\]$")
_VERSION = re.compile(r"Name: (\S+)  Flags: (.*?)  Version: ")
_LIBRARY = re.compile(r"  File: (\S+)  Cnt: ")
_DEFINED = re.compile(r"Rev: \d+  Flags: (.*?)  Index: \d+  Cnt: \d+  Name: (\S+)")
_INTERPRETER = re.compile(r"\[Requesting program interpreter: (.*)\]")
_MACHINES = {"Advanced Micro Devices X86-64": "x86_64", "AArch64": "aarch64"}


def facts_by_readelf(file: Path, path: str) -> ElfFacts:
    """The facts of a file under that path. Fails where readelf finds fault with it."""
    command = [
        require("readelf"),
        "--wide",
        "--file-header",
        "--program-headers",
        "--dynamic",
        "--version-info",
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
    assert done.stderr == ""
    texts: dict[str, list[str]] = {"NEEDED": [], "SONAME": [], "RPATH": [], "RUNPATH": []}
    versions, defined, library, interpreter = list[NeededVersion](), list[str](), "", ""
    for line in done.stdout.splitlines():
        if tag := _TAG.search(line):
            texts[tag[1]].append(tag[2])
        elif found := _LIBRARY.search(line):
            library = found[1]
        elif found := _VERSION.search(line):
            versions.append(NeededVersion(library, found[1], "WEAK" in found[2]))
        elif (found := _DEFINED.search(line)) and "BASE" not in found[1]:
            defined.append(found[2])
        elif found := _INTERPRETER.search(line):
            interpreter = found[1]
    return ElfFacts(
        path,
        bits=int(_header(done.stdout, "Class").removeprefix("ELF")),
        machine=_MACHINES[_header(done.stdout, "Machine")],
        soname="".join(texts["SONAME"]),
        interpreter=interpreter,
        needed=tuple(texts["NEEDED"]),
        rpath=tuple(":".join(texts["RPATH"]).split(":")) if texts["RPATH"] else (),
        runpath=tuple(":".join(texts["RUNPATH"]).split(":")) if texts["RUNPATH"] else (),
        versions=tuple(versions),
        defined=tuple(defined),
    )


def _header(text: str, name: str) -> str:
    found = re.search(rf"^  {name}:\s+(.*)$", text, re.MULTILINE)
    assert found, f"readelf does not say the {name}"
    return found[1]
