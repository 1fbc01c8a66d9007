"""Base images shaped like AWS's Lambda bases (public.ecr.aws/lambda/...), with releases over time.

Each release has an image per platform (amd64, arm64) of six layers, of which the OS layer is shared by all runtimes
on that OS and the emulator and entrypoint layers by all releases: a match of one layer proves nothing. No labels and
no CMD, as in AWS's. Ages are relative to a given day, so that "days behind" always looks real. Source: the facts
in AWS's own images as of 2026 (dated tags, `-x86_64`/`-arm64` suffixes, ENV, WORKDIR, ENTRYPOINT).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from sandbox.images.base_packages import dpkg_files, npm_files, python_files, rpm_files
from sandbox.images.elf import Elf
from sandbox.images.making import Entry, Executable, Image, Index, Layer, SymlinkTo, make_image, make_index, make_layer
from sandbox.images.native import MACHINES, SYSTEMS, extension, glibc, native, program, system_files

# Go's name of each platform -> what AWS's tags and Lambda call it.
ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
_VARIANT = {"amd64": None, "arm64": "v8"}


@dataclass(frozen=True)
class BaseStream:
    """A moving tag of a base repository, and how old its releases are: days before today, oldest first."""

    runtime: str
    tag: str
    os: str
    ages: tuple[int, ...]
    patches: tuple[str, ...]
    hour: int = 13

    @property
    def name(self) -> str:
        """As people write it: "python:3.12"."""
        return f"{self.runtime}:{self.tag}"

    @property
    def repository(self) -> str:
        """Repository within public.ecr.aws."""
        return f"lambda/{self.runtime}"

    def patch(self, number: int) -> str:
        """The language's version in a release; beyond those listed it counts on from the last."""
        listed, beyond = self.patches[min(number, len(self.patches) - 1)], number - len(self.patches) + 1
        rest, _, last = listed.rpartition(".")
        return f"{rest}.{int(last) + beyond}".lstrip(".") if beyond > 0 else listed


@dataclass(frozen=True)
class BaseRelease:
    """One release of a stream: its dated tag, when it was built, an image per architecture and the index."""

    stream: BaseStream
    version: str
    created: datetime
    images: Mapping[str, Image]
    index: Index

    def tagged(self, *, newest: bool) -> list[tuple[Image | Index, list[str]]]:
        """What to push under which tags; the newest release carries the moving tags too."""
        names = [self.version, self.stream.tag] if newest else [self.version]
        pushes: list[tuple[Image | Index, list[str]]] = [
            (image, [f"{name}-{ARCHITECTURES[architecture]}" for name in names])
            for architecture, image in self.images.items()
        ]
        return [*pushes, (self.index, names)]


STREAMS = (
    BaseStream("python", "3.12", "al2023", (97, 61, 33, 9), ("3.12.9", "3.12.10", "3.12.11", "3.12.12")),
    BaseStream("python", "3.9", "al2", (352, 331, 298, 263), ("3.9.21", "3.9.22", "3.9.23", "3.9.25"), hour=10),
    BaseStream("nodejs", "22", "al2023", (95, 58, 30, 8), ("22.18.0", "22.19.0", "22.20.0", "22.21.1"), hour=15),
    BaseStream("provided", "al2023", "al2023", (97, 60, 33, 11), ("1", "2", "3", "4"), hour=11),
)


def stream(name: str) -> BaseStream:
    """The stream of this name, such as "python:3.12"; KeyError if there is none."""
    return {known.name: known for known in STREAMS}[name]


def releases(name: str, today: date) -> tuple[BaseRelease, ...]:
    """All releases of a stream as of that day, oldest first."""
    known = stream(name)
    return tuple(_release(known, number, today) for number in range(len(known.ages)))


def all_releases(today: date) -> tuple[tuple[BaseRelease, ...], ...]:
    """The releases of every stream, each oldest first."""
    return tuple(releases(known.name, today) for known in STREAMS)


def foreign_base(today: date, architecture: str = "amd64") -> Image:
    """A base that is in no Lambda stream: Debian with Python and the runtime interface client installed."""
    built = datetime.combine(today - timedelta(days=74), time(6, 12, 31), UTC)
    rootfs: dict[str, Entry] = {
        "etc/os-release": b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
        "etc/passwd": b"root:x:0:0:root:/root:/bin/bash\n",
        **dpkg_files(architecture),
        **system_files("debian", architecture, f"usr/lib/{MACHINES[architecture]}-linux-gnu"),
    }
    interpreter: dict[str, Entry] = {
        "usr/local/bin/python3.12": Executable(
            native(program({"libc.so.6": (glibc(2), glibc(34))}), architecture, "debian-python", kilobytes=160)
        ),
        "usr/local/bin/python": SymlinkTo("python3.12"),
        "usr/local/lib/python3.12/os.py": b'"""OS routines."""\n',
        **python_files("usr/local/lib/python3.12/site-packages", {"awslambdaric": "3.0.2", "pip": "24.3.1"}),
        "usr/local/lib/python3.12/site-packages/awslambdaric/__init__.py": b'__version__ = "3.0.2"\n',
    }
    return make_image(
        [make_layer(rootfs, level=0), make_layer(interpreter, level=0)],
        created=built,
        architecture=architecture,
        variant=_VARIANT[architecture],
        created_by=[
            "# debian.sh --arch 'amd64' out/ 'bookworm' '@1757289600'",
            'RUN /bin/sh -c set -eux; ./configure --enable-optimizations; make -j "$(nproc)"; make install # buildkit',
        ],
        config={"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "PYTHON_VERSION=3.12.8"]},
    )


def next_release(name: str, number: int, created: datetime, built: datetime | None) -> BaseRelease:
    """A release of a stream beyond those that it began with; `number` counts its releases from 0.

    Its OS layer is the one that the stream's newest release began with; what stands on it is new. `created` is in its
    dated tag, `built` in its configs, None for no time. KeyError if there is no such stream.
    """
    return _release_at(stream(name), number, created, built)


@cache
def _release(known: BaseStream, number: int, today: date) -> BaseRelease:
    created = datetime.combine(today - timedelta(days=known.ages[number]), time(known.hour, 4 + number, 27), UTC)
    return _release_at(known, number, created, created)


def _release_at(known: BaseStream, number: int, created: datetime, built: datetime | None) -> BaseRelease:
    version = f"{known.tag}.{created:%Y.%m.%d.%H}"
    images = {architecture: _image(known, number, architecture, built) for architecture in ARCHITECTURES}
    return BaseRelease(known, version, created, images, make_index(images.values()))


def _image(known: BaseStream, number: int, architecture: str, built: datetime | None) -> Image:
    layers = [
        _os_layer(known.os, min(number, len(known.ages) - 1), architecture),
        _language_layer(known, number, architecture),
        _runtime_layer(known, number),
        _entrypoint_layer(),
        _emulator_layer(architecture),
        _certificates_layer(number),
    ]
    return make_image(
        layers,
        created=built,
        architecture=architecture,
        variant=_VARIANT[architecture],
        created_by=[f"/bin/sh -c #(nop) ADD file:{_checksum(layer)} in / " for layer in layers],
        config={
            "Env": [
                "LANG=en_US.UTF-8",
                "TZ=:/etc/localtime",
                "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
                "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib"
                ":/opt/lib",
                "LAMBDA_TASK_ROOT=/var/task",
                "LAMBDA_RUNTIME_DIR=/var/runtime",
            ],
            "WorkingDir": "/var/task",
            "Entrypoint": ["/lambda-entrypoint.sh"],
        },
    )


@cache
def _os_layer(os: str, number: int, architecture: str) -> Layer:
    """Shared by every runtime on this OS; a new one with every release that the streams began with."""
    build, version = f"2026{number + 5:02d}", "2023" if os == "al2023" else "2"
    return make_layer(
        {
            "etc/os-release": f'NAME="Amazon Linux"\nVERSION="{version}"\nID="amzn"\nVERSION_ID="{version}"\n'
            f'PRETTY_NAME="Amazon Linux {version}.{build}"\n'.encode(),
            "etc/passwd": b"root:x:0:0:root:/root:/bin/bash\nsbx_user1051:x:993:990::/home/sbx:/sbin/nologin\n",
            "etc/group": b"root:x:0:\nsbx_user1051:x:990:\n",
            "etc/localtime": SymlinkTo("../usr/share/zoneinfo/UTC"),
            "usr/share/zoneinfo/UTC": b"TZif2",
            **system_files(os, architecture, "usr/lib64", number),
            **rpm_files(os, number, architecture),
            "tmp/": b"",
        },
        level=0,
    )


@cache
def _language_layer(known: BaseStream, number: int, architecture: str) -> Layer:
    patch = known.patch(number)
    contents = {"python": _python_files, "nodejs": _nodejs_files}.get(known.runtime)
    if contents is None:
        return make_layer({"var/task/": b"", "opt/": b"", "usr/share/doc/provided/release": f"{patch}\n".encode()})
    return make_layer(contents(known, patch, number, architecture), level=0)


def _python_files(known: BaseStream, patch: str, number: int, architecture: str) -> dict[str, Entry]:
    tag, system = known.tag, SYSTEMS[known.os]
    library = Elf(
        soname=f"libpython{tag}.so.1.0",
        needed={"libdl.so.2": (glibc(2),), "libm.so.6": (glibc(2),), "libc.so.6": (glibc(2), glibc(system.glibc))},
    )
    python = program({library.soname: (), "libc.so.6": (glibc(2), glibc(system.glibc))})
    modules = f"var/lang/lib/python{tag}/lib-dynload"
    suffix = f"cpython-{tag.replace('.', '')}-{MACHINES[architecture]}-linux-gnu.so"
    packages = f"var/lang/lib/python{tag}/site-packages"
    boto3, urllib3 = f"1.{40 + number}.4", f"2.{2 + number // 2}.0"
    installed = {"boto3": boto3, "botocore": boto3, "jmespath": "1.0.1", "python-dateutil": "2.9.0.post0"}
    installed |= {"s3transfer": f"0.{14 + number // 2}.0", "six": "1.17.0", "urllib3": urllib3}
    return {
        f"var/lang/bin/python{tag}": Executable(native(python, architecture, "python", patch, kilobytes=260)),
        "var/lang/bin/python3": SymlinkTo(f"python{tag}"),
        "var/lang/bin/python": SymlinkTo("python3"),
        f"var/lang/lib/{library.soname}": native(library, architecture, library.soname, patch, kilobytes=300),
        f"{modules}/_ssl.{suffix}": native(extension(known.os), architecture, "_ssl", patch, kilobytes=20),
        f"var/lang/lib/python{tag}/os.py": f'"""OS routines for Python {patch}."""\n'.encode(),
        f"{packages}/boto3/__init__.py": f'__version__ = "{boto3}"\n'.encode(),
        f"{packages}/urllib3/__init__.py": f'__version__ = "{urllib3}"\n'.encode(),
        **python_files(packages, installed),
        "var/task/": b"",
    }


def _nodejs_files(known: BaseStream, patch: str, number: int, architecture: str) -> dict[str, Entry]:
    tag, system = known.tag, SYSTEMS[known.os]
    node = program(
        {
            "libdl.so.2": (glibc(2),),
            "libstdc++.so.6": ("GLIBCXX_3.4", "GLIBCXX_3.4.21", "CXXABI_1.3.9"),
            "libm.so.6": (glibc(2),),
            "libgcc_s.so.1": ("GCC_3.0",),
            "libc.so.6": (glibc(2), glibc(system.glibc)),
        }
    )
    sdk = f"3.{800 + 14 * number}.0"
    return {
        "var/lang/bin/node": Executable(native(node, architecture, "node", patch, kilobytes=520)),
        "var/lang/include/node/node_version.h": f'#define NODE_VERSION "v{patch}"\n'.encode(),
        f"var/lang/share/node{tag}/CHANGELOG.md": f"## {patch}\n".encode(),
        **npm_files("var/runtime/node_modules", {"@aws-sdk/client-s3": sdk, "@aws-sdk/client-dynamodb": sdk}),
        **npm_files("var/lang/lib/node_modules", {"npm": f"10.9.{number}"}),
        "var/task/": b"",
    }


@cache
def _runtime_layer(known: BaseStream, number: int) -> Layer:
    """The runtime interface client; it changes with every second release."""
    generation = number // 2
    if known.runtime == "provided":
        return make_layer({"var/runtime/README": f"Put bootstrap here. {generation}\n".encode()})
    return make_layer(
        {
            "var/runtime/bootstrap": Executable(f"#!/bin/sh\n# {known.name} client {generation}\n".encode()),
            f"var/runtime/{known.runtime}/VERSION": f"4.{generation}.0\n".encode(),
        }
    )


@cache
def _entrypoint_layer() -> Layer:
    script = (
        b"#!/bin/sh\n"
        b'if [ $# -ne 1 ]; then echo "entrypoint requires the handler name as its argument" 1>&2; exit 142; fi\n'
        b'export _HANDLER="$1"\n'
        b"RUNTIME_ENTRYPOINT=/var/runtime/bootstrap\n"
        b'if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then exec /usr/local/bin/aws-lambda-rie $RUNTIME_ENTRYPOINT; fi\n'
        b"exec $RUNTIME_ENTRYPOINT\n"
    )
    return make_layer({"lambda-entrypoint.sh": Executable(script)})


@cache
def _emulator_layer(architecture: str) -> Layer:
    return make_layer(
        {"usr/local/bin/aws-lambda-rie": Executable(native(Elf(), architecture, "rie", kilobytes=110))}, level=0
    )


@cache
def _certificates_layer(number: int) -> Layer:
    return make_layer({"etc/pki/tls/certs/ca-bundle.crt": f"# Mozilla's CA bundle, edition {number}\n".encode() * 40})


def _checksum(layer: Layer) -> str:
    """What Docker prints after "ADD file:": not the layer's digest, but as long, and as stable."""
    return hashlib.sha256(layer.diff_id.encode()).hexdigest()
