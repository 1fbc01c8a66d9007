"""Native files of the demo's apps, as the wheels of PyPI and the packages of npm bring them: linked with an old glibc,
so that they run on every base. Sources: `readelf -dV` of orjson 3.11, pillow 12 and rapidfuzz 3.14 (manylinux_2_17),
sharp with libvips beside it, and a program that Go linked statically.
"""

from collections.abc import Mapping

from sandbox.images.elf import Elf
from sandbox.images.native import MACHINES, glibc, native

_LIBC = {"libpthread.so.0": (glibc(2),), "libc.so.6": (glibc(2), glibc(14), glibc(17))}
_CXX = {"libstdc++.so.6": ("GLIBCXX_3.4", "GLIBCXX_3.4.11", "CXXABI_1.3"), "libgcc_s.so.1": ("GCC_3.0",), **_LIBC}
_JPEG = "libjpeg-4bd3c2e6.so.62.4.0"
_VIPS = "libvips-cpp.so.42"
_EXTENSION = "cpython-{python}-{machine}-linux-gnu.so"

# Of each app: paths in /var/task, what is there, and KiB.
_NATIVES: Mapping[str, Mapping[str, tuple[Elf, int]]] = {
    "orders": {f"orjson/orjson.{_EXTENSION}": (Elf(needed={"libgcc_s.so.1": ("GCC_3.0", "GCC_4.2.0"), **_LIBC}), 140)},
    "documents": {
        f"PIL/_imaging.{_EXTENSION}": (
            Elf(needed={_JPEG: ("LIBJPEG_6.2",), **_LIBC}, rpath="$ORIGIN/../pillow.libs"),
            40,
        ),
        f"pillow.libs/{_JPEG}": (Elf(soname=_JPEG, needed=_LIBC, defined=("LIBJPEG_6.2",)), 20),
    },
    "catalog": {f"rapidfuzz/fuzz_cpp.{_EXTENSION}": (Elf(needed=_CXX), 60)},
    "thumbnails": {
        "node_modules/sharp/build/Release/sharp.node": (
            Elf(needed={_VIPS: (), **_CXX}, runpath="$ORIGIN/../../vendor/lib"),
            210,
        ),
        f"node_modules/sharp/vendor/lib/{_VIPS}": (Elf(soname=_VIPS, needed=_CXX), 40),
    },
    "probe": {"probe": (Elf(), 330)},
}


def native_files(title: str, architecture: str, python: str) -> dict[str, bytes]:
    """The native files of an app by their path in /var/task, for a version of Python such as "3.12"."""
    words = {"python": python.replace(".", ""), "machine": MACHINES[architecture]}
    return {
        path.format(**words): native(elf, architecture, title, path, kilobytes=kilobytes)
        for path, (elf, kilobytes) in _NATIVES.get(title, {}).items()
    }
