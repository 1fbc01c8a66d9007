"""The demo fleet's apps: what is in their images besides the base, and how such an image is built."""

import hashlib
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.fleet.golden import NAME as GOLDEN
from sandbox.fleet.golden import golden_image
from sandbox.fleet.natives import native_files
from sandbox.images.base_packages import npm_files, python_files
from sandbox.images.bases import foreign_base, releases
from sandbox.images.making import Entry, Executable, Flavour, Image, Layer, make_image, make_layer
from sandbox.lambda_.launch import RESPONSE_LABEL

HANDLERS = Path(__file__).parents[1] / "handlers"
FOREIGN = "debian"
"""Stands where the name of a base stream does: an image on no base that Lambda knows."""


@dataclass(frozen=True)
class App:
    """What images are built from: files of sandbox/handlers by their name in /var/task, and dependencies.

    `dependencies` maps paths in /var/task to their size in KiB (natives.py has those that are native), `packages` the
    names of what pip or npm installed to versions. `forgotten` are files that were copied along and have no use there.
    An app that the sandbox cannot run has a recorded `response`, kept in a label.
    """

    title: str
    modules: Mapping[str, str]
    dependencies: Mapping[str, int]
    install: str = "pip install --no-cache-dir -r requirements.txt --target /var/task"
    command: str = "app.handler"
    response: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    forgotten: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Addition:
    """What a build also did to its base, in a layer of its own: the step as the history tells it, and the files."""

    step: str
    files: Mapping[str, Entry]


_SITE = "var/lang/lib/python3.12/site-packages"
ADDITIONS = {
    # The real trap: the base's own boto3, in its own directory. A rebase would mix two versions there.
    "pinned boto3": Addition(
        "RUN /bin/sh -c pip install --no-cache-dir boto3==1.34.162 # buildkit",
        {f"{_SITE}/boto3/__init__.py": b'__version__ = "1.34.162"\n', **python_files(_SITE, {"boto3": "1.34.162"})},
    ),
    "company certificates": Addition(
        "COPY pki/ca-bundle.crt /etc/pki/tls/certs/ # buildkit",
        {"etc/pki/tls/certs/ca-bundle.crt": b"# Mozilla's CA bundle\n" * 40 + b"# Harbour Root CA 2024\n"},
    ),
}


ORDERS = App(
    "orders",
    {"app.py": "orders.py", "worker.py": "reports.py", "events.py": "order_events.py"},
    dependencies={"orjson/VERSION": 0},
    packages={"orjson": "3.11.4"},
)
DOCUMENTS = App(
    "documents",
    {"app.py": "invoices.py", "mailer.py": "order_events.py", "export.py": "reports.py"},
    dependencies={"reportlab/VERSION": 0, "reportlab/fonts/Vera.ttf": 64, "reportlab/fonts/VeraBd.ttf": 57},
    packages={"reportlab": "4.4.4", "charset-normalizer": "3.4.4", "pillow": "12.0.0"},
)
TOOLS = App(
    "tools",
    {
        "app.py": "echo.py",
        "chatter.py": "chatter.py",
        "failing.py": "failing.py",
        "timing_out.py": "timing_out.py",
        "report.py": "reports.py",
    },
    dependencies={"tenacity/VERSION": 0},
    packages={"tenacity": "9.1.2"},
    forgotten={
        ".git/HEAD": b"ref: refs/heads/main\n",
        ".git/config": b"[core]\n\trepositoryformatversion = 0\n",
        ".git/objects/pack/pack-9f1c.pack": random.Random("tools/.git").randbytes(24 * 1024),
        "tests/__init__.py": b"",
        "tests/test_report.py": b"def test_a_report_has_a_title() -> None:\n    assert True\n",
    },
)
THUMBNAILS = App(
    "thumbnails",
    {"index.mjs": "thumbnailer.mjs"},
    command="index.handler",
    dependencies={},
    packages={"sharp": "0.34.5", "detect-libc": "2.1.2", "@img/colour": "1.0.0"},
    install="npm ci --omit=dev",
    response={"source": "uploads/anchor.jpg", "thumbnails": ["thumbs/64/anchor.jpg", "thumbs/256/anchor.jpg"]},
)
PROBE = App(
    "probe",
    {"bootstrap": "bootstrap"},
    command="bootstrap",
    dependencies={},
    install="go build -tags lambda.norpc -o /var/task/probe ./cmd/probe",
    response={"container": "mp4", "streams": [{"codec": "h264", "width": 1920, "height": 1080}], "seconds": 42.4},
)
CATALOG = App(
    "catalog",
    {"app.py": "echo.py", "search.py": "echo.py", "feed.py": "reports.py"},
    dependencies={"rapidfuzz/VERSION": 0},
    packages={"rapidfuzz": "3.14.1"},
)
APPS = {app.title: app for app in (ORDERS, DOCUMENTS, TOOLS, THUMBNAILS, PROBE, CATALOG)}


def base_of(base: str, behind: int, architecture: str, today: date) -> Image:
    """The base's image, so many releases behind the newest as of today."""
    if base == FOREIGN:
        return foreign_base(today, architecture)
    if base == GOLDEN:
        return golden_image(behind, today)
    return releases(base, today)[-1 - behind].images[architecture]


@cache
def build_app(
    title: str,
    tag: str,
    *,
    base: str,
    behind: int,
    built: datetime,
    today: date,
    architecture: str = "amd64",
    flavour: Flavour = "oci",
    added: str = "",
) -> Image:
    """An image of that app: base, what ADDITIONS has by the name `added`, dependencies, the app's own files last."""
    app, also = APPS[title], [ADDITIONS[added]] if added else []
    revision = hashlib.sha1(f"{title}@{tag}".encode(), usedforsecurity=False).hexdigest()
    config: dict[str, Any] = {
        "Env": [f"APP_RELEASE={tag}"],
        "Labels": {
            "org.opencontainers.image.title": title,
            "org.opencontainers.image.version": tag,
            "org.opencontainers.image.revision": revision,
            "org.opencontainers.image.source": f"https://git.example.com/harbour/{title}",
        },
        "Cmd": [app.command],
    }
    if app.response:
        config["Labels"][RESPONSE_LABEL] = json.dumps({**app.response, "release": tag})
    if base == FOREIGN:
        config |= {"Entrypoint": ["/usr/local/bin/python", "-m", "awslambdaric"], "WorkingDir": "/var/task"}
    return make_image(
        [
            *(make_layer(each.files) for each in also),
            _dependencies(title, architecture, _python(base)),
            _app_layer(app, tag, revision),
        ],
        base=base_of(base, behind, architecture, today),
        created=built,
        created_by=[
            *(each.step for each in also),
            f"RUN /bin/sh -c {app.install} # buildkit",
            f"COPY {title}/ /var/task/ # buildkit",
        ],
        config=config,
        flavour=flavour,
    )


@cache
def _dependencies(title: str, architecture: str, python: str) -> Layer:
    native = native_files(title, architecture, python)
    files: dict[str, Entry] = {f"var/task/{path}": Executable(data) for path, data in native.items()}
    for path, kibibytes in APPS[title].dependencies.items():
        data = random.Random(f"{title}/{path}").randbytes(kibibytes * 1024)
        # Sources hold text, everything else bytes that compress as badly as compiled code does.
        files[f"var/task/{path}"] = data if kibibytes else f"{path}: pinned by the app\n".encode()
    if APPS[title].install.startswith("npm"):
        files |= npm_files("var/task/node_modules", APPS[title].packages)
    else:
        files |= python_files("var/task", APPS[title].packages)
    return make_layer(files, level=0)


def _python(base: str) -> str:
    """The version of Python on a base; 3.12 where its name tells none."""
    version = base.rpartition(":")[2]
    return version if re.fullmatch(r"3\.\d+", version) else "3.12"


def _app_layer(app: App, tag: str, revision: str) -> Layer:
    files: dict[str, Entry] = {
        "var/task/release.json": json.dumps({"version": tag, "revision": revision}).encode() + b"\n",
    }
    for name, source in app.modules.items():
        data = (HANDLERS / source).read_bytes()
        files[f"var/task/{name}"] = Executable(data) if data.startswith(b"#!") else data
    files |= {f"var/task/{path}": data for path, data in app.forgotten.items()}
    return make_layer(files)
