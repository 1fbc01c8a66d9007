"""Blob uploads under /v2: in one POST, in a session of PATCHes, or by mounting from another repository."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, field

from werkzeug.wrappers import Request, Response

from sandbox.ecr import backend
from sandbox.ecr.layers import mounting_enabled
from sandbox.registry.access import Access
from sandbox.registry.errors import RegistryError
from sandbox.store.content_store import STORE
from sandbox.store.contents import sha256

_RANGE = re.compile(r"(?:bytes[ =])?(?P<first>\d+)-(?P<last>\d+)(?:/.*)?")


@dataclass
class Upload:
    """A session: what has arrived so far."""

    namespace: str
    repository: str
    data: bytearray = field(default_factory=bytearray)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def range(self) -> str:
        """What has arrived, as the specification's Range header says it."""
        return f"0-{max(len(self.data) - 1, 0)}"


_UPLOADS: dict[str, Upload] = {}


def start(request: Request, who: Access, name: str, _reference: str) -> Response:
    """POST: mount, take the whole blob, or open a session."""
    if who.is_public:
        STORE.create(who.namespace, name)
    mount, source = request.args.get("mount"), request.args.get("from")
    if mount and source and _mounted(who, source, name, mount):
        return _created(name, mount)
    if digest := request.args.get("digest"):
        return _keep(who, name, request.get_data(), digest)
    identifier = str(uuid.uuid4())
    upload = _UPLOADS[identifier] = Upload(who.namespace, name)
    return _accepted(name, identifier, upload)


def _mounted(who: Access, source: str, name: str, digest: str) -> bool:
    if not who.is_public and not _may_mount(who, source, name, digest):
        return False
    return STORE.mount_blob(who.namespace, source, name, digest)


def _may_mount(who: Access, source: str, name: str, digest: str) -> bool:
    """Within one registry, where it is switched on, both are encrypted alike and the source may be read.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html. And of an image alone: a layer that
    belongs to none is "not available" (LayerInaccessibleException).
    """
    if not mounting_enabled(who.account, who.region):
        return False
    try:
        who.check(source, "GetDownloadUrlForLayer")
    except RegistryError:
        return False
    given, taken = (backend.find_repository(who.account, who.region, each) for each in (source, name))
    if not given or not taken or given.encryption_configuration != taken.encryption_configuration:
        return False
    manifests = list(STORE.contents(who.namespace, source).manifests.values())
    return any(digest in manifest.references() for manifest in manifests)


def append(request: Request, who: Access, name: str, identifier: str) -> Response:
    """PATCH: add a part; with Content-Range it must begin where the last one ended (else 416)."""
    upload = _find(who, name, identifier)
    with upload.lock:
        _check_range(request, name, identifier, upload)
        upload.data += request.get_data()
    return _accepted(name, identifier, upload)


def finish(request: Request, who: Access, name: str, identifier: str) -> Response:
    """PUT: add what is in the body, check the digest, keep the blob."""
    upload = _find(who, name, identifier)
    with upload.lock:
        if body := request.get_data():
            who.check(name, "UploadLayerPart")
            _check_range(request, name, identifier, upload)
            upload.data += body
        response = _keep(who, name, bytes(upload.data), request.args.get("digest", ""))
    del _UPLOADS[identifier]
    return response


def status(_request: Request, who: Access, name: str, identifier: str) -> Response:
    """GET: how much has arrived."""
    response = _accepted(name, identifier, _find(who, name, identifier))
    response.status_code = 204
    return response


def cancel(_request: Request, who: Access, name: str, identifier: str) -> Response:
    """DELETE: forget the session."""
    _find(who, name, identifier)
    del _UPLOADS[identifier]
    return Response("", status=204)


def _find(who: Access, name: str, identifier: str) -> Upload:
    upload = _UPLOADS.get(identifier)
    if upload is None or (upload.namespace, upload.repository) != (who.namespace, name):
        raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", f"blob upload unknown to registry: {identifier}")
    return upload


def _check_range(request: Request, name: str, identifier: str, upload: Upload) -> None:
    header = request.headers.get("Content-Range")
    if not header:
        return
    match = _RANGE.fullmatch(header)
    size = len(request.get_data())
    if match is None or int(match["first"]) != len(upload.data) or int(match["last"]) - int(match["first"]) + 1 != size:
        headers = {"Location": f"/v2/{name}/blobs/uploads/{identifier}", "Range": upload.range}
        raise RegistryError(416, "BLOB_UPLOAD_INVALID", f"out of order: {header}", headers=headers)


def _keep(who: Access, name: str, data: bytes, digest: str) -> Response:
    if digest != sha256(data):
        raise RegistryError(400, "DIGEST_INVALID", f"the blob's digest is {sha256(data)}, not {digest or 'given'}")
    return _created(name, STORE.put_blob(who.namespace, name, data))


def _created(name: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return Response("", status=201, headers=headers)


def _accepted(name: str, identifier: str, upload: Upload) -> Response:
    headers = {
        "Location": f"/v2/{name}/blobs/uploads/{identifier}",
        "Docker-Upload-Uuid": identifier,
        "Range": upload.range,
    }
    return Response("", status=202, headers=headers)
