"""The programs and shared libraries of the bases: true ELF files that need and define what the real ones do.

Sources: `readelf -V` of Amazon Linux 2 (glibc 2.26, gcc 7.3, OpenSSL 1.0.2), Amazon Linux 2023 (glibc 2.34, gcc 11,
OpenSSL 3) and Debian 12 (glibc 2.36, gcc 12, OpenSSL 3); not every version is there, but the first, the newest, and
those that wheels ask for.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox.images.elf import Elf, elf_bytes
from sandbox.images.making import Entry, Executable, SymlinkTo

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
LOADERS = {"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
_LOADER_PATHS = {"amd64": "/lib64/ld-linux-x86-64.so.2", "arm64": "/lib/ld-linux-aarch64.so.1"}
_GLIBC = (2, 3, 4, 7, 9, 14, 16, 17, 18, 22, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36)  # minor versions
_FIRST_OF_ARM = 17
_GLIBCXX = (0, 11, 14, 15, 18, 19, 20, 21, 22, 24, 26, 28, 29, 30)
_GCC = ("GCC_3.0", "GCC_3.3", "GCC_4.2.0", "GCC_7.0.0")
_OLD_OPENSSL, _OPENSSL = ("OPENSSL_1.0.1", "OPENSSL_1.0.1_EC", "OPENSSL_1.0.2"), ("OPENSSL_3.0.0",)


@dataclass(frozen=True)
class System:
    """What an operating system brings: minor versions of glibc and of GLIBCXX_3.4, and which OpenSSL."""

    glibc: int
    glibcxx: int
    openssl: str = "3"

    @property
    def openssl_versions(self) -> tuple[str, ...]:
        """Those that its libssl and libcrypto define."""
        return _OPENSSL if self.openssl == "3" else _OLD_OPENSSL


SYSTEMS = {"al2": System(26, 24, "10"), "al2023": System(34, 29), "debian": System(36, 30)}


def glibc(minor: int) -> str:
    """GLIBC_2.34 of 34; x86_64's first is 2.2.5."""
    return "GLIBC_2.2.5" if minor == 2 else f"GLIBC_2.{minor}"


def native(elf: Elf, architecture: str, *key: object, kilobytes: int = 4) -> bytes:
    """An ELF file for that architecture, about so large; what fills it depends on the key alone."""
    needed = {library: _of(architecture, versions) for library, versions in elf.needed.items()}
    defined = _of(architecture, elf.defined)
    seed = "/".join(map(str, (architecture, *key)))
    contents = random.Random(seed).randbytes(kilobytes * 1024)
    interpreter = _LOADER_PATHS[architecture] if elf.interpreter else ""
    bare = replace(elf, architecture=architecture, needed=needed, defined=defined, interpreter=interpreter)
    room = max(0, len(contents) - len(elf_bytes(bare)))
    return elf_bytes(replace(bare, contents=contents[:room]))


def _of(architecture: str, versions: Sequence[str]) -> tuple[str, ...]:
    """These versions as the architecture has them: what is older than its first glibc has that one's."""
    old = {glibc(minor) for minor in _GLIBC if minor < _FIRST_OF_ARM} if architecture == "arm64" else set()
    return tuple(dict.fromkeys(glibc(_FIRST_OF_ARM) if version in old else version for version in versions))


def program(needed: Mapping[str, Sequence[str]]) -> Elf:
    """A program that is linked with these libraries."""
    return Elf(interpreter="the loader", needed=needed)


def system_libraries(os: str) -> Iterator[Elf]:
    """The libraries that every program expects, but for glibc itself and OpenSSL, which move with the releases."""
    system = SYSTEMS[os]
    first, newest = glibc(2), glibc(system.glibc)
    libc = {"libc.so.6": (first,)}
    yield Elf(soname="libm.so.6", needed=libc, defined=(first, glibc(27), glibc(29)) if system.glibc > 26 else (first,))
    for name in ("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"):
        yield Elf(soname=name, needed=libc, defined=(first, glibc(3), glibc(4)))
    yield Elf(soname="libgcc_s.so.1", needed=libc, defined=_GCC)
    cxx = ["GLIBCXX_3.4", *(f"GLIBCXX_3.4.{minor}" for minor in _GLIBCXX if 0 < minor <= system.glibcxx)]
    yield Elf(
        soname="libstdc++.so.6",
        needed={"libm.so.6": (first,), "libc.so.6": (first, newest), "libgcc_s.so.1": _GCC[:3]},
        defined=(*cxx, "CXXABI_1.3", "CXXABI_1.3.9", "CXXABI_1.3.11"),
    )
    yield Elf(soname="libz.so.1", needed=libc, defined=("ZLIB_1.2.0", "ZLIB_1.2.2", "ZLIB_1.2.9"))


def system_files(os: str, architecture: str, folder: str, number: int = 0) -> dict[str, Entry]:
    """The loader and the libraries of a system, most of them in that folder; OpenSSL moves with each `number`, glibc
    with every second.
    """
    path = _LOADER_PATHS[architecture]
    loading = Elf(soname=LOADERS[architecture], defined=(glibc(2), glibc(3), glibc(4), "GLIBC_PRIVATE"))
    c_library = native(libc(os, architecture), architecture, "libc", os, number // 2, kilobytes=180)
    files: dict[str, Entry] = {
        "lib": SymlinkTo("usr/lib"),
        "lib64": SymlinkTo("usr/lib64"),
        f"usr{path}": Executable(native(loading, architecture, "loader", os, number // 2)),
        f"{folder}/libc.so.6": Executable(c_library),
    }
    if os == "al2":  # glibc's older than 2.34 have their version in the name
        files |= {f"{folder}/libc-2.26.so": Executable(c_library), f"{folder}/libc.so.6": SymlinkTo("libc-2.26.so")}
    for elf in system_libraries(os):
        files[f"{folder}/{elf.soname}"] = Executable(native(elf, architecture, elf.soname, os))
    for name, kilobytes in (("libssl", 120), ("libcrypto", 60)):
        elf = openssl(os, name)
        files[f"{folder}/{elf.soname}"] = native(elf, architecture, name, os, number, kilobytes=kilobytes)
    return files


def libc(os: str, architecture: str) -> Elf:
    """glibc: it defines every version up to its own."""
    defined = (*(glibc(minor) for minor in _GLIBC if minor <= SYSTEMS[os].glibc), "GLIBC_PRIVATE")
    return Elf(soname="libc.so.6", needed={LOADERS[architecture]: (glibc(3), "GLIBC_PRIVATE")}, defined=defined)


def openssl(os: str, name: str) -> Elf:
    """libssl or libcrypto, by their name without the number."""
    system = SYSTEMS[os]
    own = (f"{name}.so.10",) if system.openssl == "10" else ()
    needed: dict[str, Sequence[str]] = {"libc.so.6": (glibc(2), glibc(14))}
    if name == "libssl":
        needed[f"libcrypto.so.{system.openssl}"] = system.openssl_versions[:1]
    return Elf(soname=f"{name}.so.{system.openssl}", needed=needed, defined=(*own, *system.openssl_versions))


def extension(os: str) -> Elf:
    """The module of a language that is linked with OpenSSL."""
    system = SYSTEMS[os]
    libraries = {f"{name}.so.{system.openssl}": system.openssl_versions[:1] for name in ("libssl", "libcrypto")}
    return Elf(needed={**libraries, "libc.so.6": (glibc(2), glibc(14))})
