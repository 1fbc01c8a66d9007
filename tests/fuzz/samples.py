"""Real inputs, by whom they are read."""

import gzip
import json
from pathlib import Path
from typing import Any

from sandbox.images.elf import Elf, elf_bytes
from sandbox.images.rpm_packages import RpmPackage, berkeley_database, sqlite_database
from tests.domain.layers.hostile import berkeley_circle, berkeley_shared, header, ndb_of

_LAYERS = Path(__file__).parents[1] / "domain" / "layers" / "data"
_DATA = _LAYERS / "packages"
_FEW = [RpmPackage("openssl-libs", "3.0.8", "1.amzn2023", epoch=1), RpmPackage("glibc", "2.34", "52.amzn2023")]

RPM = [gzip.decompress(path.read_bytes()) for path in sorted(_DATA.glob("*.gz"))]
RPM += [sqlite_database(_FEW), berkeley_database(_FEW), ndb_of([header("glibc", "2.34"), header("bash", "5")])]
RPM += [berkeley_circle(8192), berkeley_shared(8192, 3)]
DPKG = (_DATA / "status").read_bytes()
PYTHON = (_DATA / "whitenoise-METADATA").read_bytes()
APK = b"C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nP:busybox\nV:1.36.1-r29\nF:bin\nR:busybox\n\n"
NPM = json.dumps({"name": "express", "version": "4.19.2", "dependencies": {"accepts": "~1.3.8"}}).encode()
# Where a layer keeps them.
METADATA = {
    "var/lib/rpm/rpmdb.sqlite": sqlite_database(_FEW),
    "var/lib/rpm/Packages": berkeley_database(_FEW),
    "usr/lib/sysimage/rpm/Packages.db": ndb_of([header("glibc", "2.34")]),
    "var/lib/rpm/rpmdb.sqlite-wal": b"changes",
    "var/lib/dpkg/status": DPKG,
    "var/lib/dpkg/status.d/base": b"Package: base-files\nVersion: 12.4\n",
    "lib/apk/db/installed": APK,
    "var/task/whitenoise-6.9.0.dist-info/METADATA": PYTHON,
    "var/task/node_modules/express/package.json": NPM,
    "var/task/node_modules/@scope/name/package.json": NPM,
}
LIBRARY = elf_bytes(
    Elf(
        soname="libship.so.2",
        needed={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.34"], "libm.so.6": ["GLIBC_2.27"]},
        weak=["GLIBC_2.27"],
        defined=["SHIP_1.0", "SHIP_2.0"],
        runpath="$ORIGIN/../lib",
    )
)
PROGRAM = elf_bytes(Elf("arm64", interpreter="/lib/ld-linux-aarch64.so.1", needed={"libc.so.6": ["GLIBC_2.17"]}))
ELVES = [LIBRARY, PROGRAM, *(gzip.decompress(path.read_bytes()) for path in sorted((_LAYERS / "elf").glob("*.gz")))]
PYTHON_SOURCES = [
    b"import os.path, boto3 as aws\nfrom botocore.config import Config\nfrom . import own\n\n    import late\n",
    "import größe\nfrom six import (\n    moves,\n)\n".encode(),
]
NODE_SOURCES = [
    b"import sharp from 'sharp'\nimport{a as b}from\"@aws-sdk/client-s3\";",
    b"const x=require( './own' );await import('uuid/v4')\nexport * from 'late'\n",
]
CODE = {
    "var/task/native.so": LIBRARY,
    "opt/program": PROGRAM,
    "var/task/app.py": PYTHON_SOURCES[0],
    "var/task/index.mjs": NODE_SOURCES[0],
}

_DIGEST = "sha256:" + "5f" * 32
_OTHER = "sha256:" + "a0" * 32
_OCI = "application/vnd.oci.image"
CONFIG: dict[str, Any] = {
    "architecture": "arm64",
    "os": "linux",
    "variant": "v8",
    "created": "2026-03-04T05:06:07.123456789Z",
    "config": {
        "Env": ["LANG=en_US.UTF-8", "LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime", "KEY=s3cr3t"],
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Cmd": ["app.handler"],
        "WorkingDir": "/var/task",
        "Labels": {
            "org.opencontainers.image.base.name": "public.ecr.aws/lambda/python:3.12",
            "org.opencontainers.image.base.digest": _DIGEST,
        },
    },
    "rootfs": {"type": "layers", "diff_ids": [_DIGEST, _OTHER]},
    "history": [
        {"created": "2026-03-04T05:06:07Z", "created_by": "/bin/sh -c #(nop) ADD file:5f5f in / "},
        {"created": "2026-03-04T05:06:08Z", "created_by": "ENV KEY=s3cr3t", "empty_layer": True},
        {"created": "2026-03-04T05:06:09Z", "created_by": "COPY requirements.txt . # buildkit"},
        {"created": "2026-03-04T05:06:10Z", "created_by": "RUN |1 TOKEN=s3cr3t /bin/sh -c pip install . # buildkit"},
        {"created": "2026-03-04T05:06:11Z", "created_by": "COPY app.py ./ # buildkit"},
    ],
}
MANIFEST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": f"{_OCI}.manifest.v1+json",
    "config": {"mediaType": f"{_OCI}.config.v1+json", "digest": _DIGEST, "size": 1500},
    "layers": [
        {"mediaType": f"{_OCI}.layer.v1.tar+gzip", "digest": _DIGEST, "size": 40_000_000},
        {"mediaType": f"{_OCI}.layer.v1.tar+zstd", "digest": _OTHER, "size": 100},
    ],
    "annotations": {"org.opencontainers.image.base.name": "python:3.12"},
}
INDEX: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": f"{_OCI}.index.v1+json",
    "manifests": [
        {
            "mediaType": f"{_OCI}.manifest.v1+json",
            "digest": _DIGEST,
            "size": 700,
            "platform": {"os": "linux", "architecture": "amd64"},
        },
        {
            "mediaType": f"{_OCI}.manifest.v1+json",
            "digest": _OTHER,
            "size": 700,
            "platform": {"os": "unknown", "architecture": "unknown"},
        },
    ],
}
DOCKER: dict[str, Any] = {
    **MANIFEST,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {**MANIFEST["config"], "mediaType": "application/vnd.docker.container.image.v1+json"},
}
EVENT: dict[str, Any] = {
    "version": "0",
    "source": "aws.ecr",
    "detail-type": "ECR Image Action",
    "account": "111111111111",
    "region": "eu-central-1",
    "detail": {
        "result": "SUCCESS",
        "repository-name": "team/orders",
        "image-digest": _DIGEST,
        "action-type": "PUSH",
        "image-tag": "prod",
    },
}
IN_SNS: dict[str, Any] = {"Type": "Notification", "Message": json.dumps(EVENT)}
BASIC_FINDING: dict[str, Any] = {
    "name": "CVE-2026-1",
    "uri": "https://alas.aws.amazon.com/1.html",
    "severity": "HIGH",
    "attributes": [{"key": "package_name", "value": "glibc"}, {"key": "package_version", "value": "2.34"}],
}
ENHANCED_FINDING: dict[str, Any] = {
    "severity": "UNTRIAGED",
    "title": "CVE-2026-2 - openssl",
    "packageVulnerabilityDetails": {
        "vulnerabilityId": "CVE-2026-2",
        "sourceUrl": "https://nvd.nist.gov/2",
        "vulnerablePackages": [
            {"name": "openssl", "version": "3.0.8", "release": "1", "fixedInVersion": "NotAvailable", "epoch": 1}
        ],
    },
}
