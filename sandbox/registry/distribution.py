"""The OCI Distribution API under /v2, as ECR serves it, over the same store as the ECR API.

moto has no /v2 at all; AWS's ECR is an OCI registry, and what is pushed there is what its API shows.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from werkzeug.wrappers import Request, Response

from sandbox import clock
from sandbox.core.faults import under_faults
from sandbox.core.limits import CALLS, QUOTAS, Bucket
from sandbox.ecr import announcements, errors, referrers
from sandbox.ecr.images import Holding, full_text
from sandbox.registry import uploads
from sandbox.registry.access import Access, access, not_authorized
from sandbox.registry.errors import RegistryError
from sandbox.store.blobs import blob_response, layer_path
from sandbox.store.content_store import STORE
from sandbox.store.contents import ContentMissing, StoredManifest, TagIsImmutable, sha256

_NAME = r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DEFAULT_TAGS = 1000


@dataclass(frozen=True)
class Settings:
    """How the registry behaves where ECR could be either."""

    redirects: bool = True
    """GET of a blob answers 307 to a signed address, as ECR does; off: it sends the bytes itself."""
    public_rate: float = 0.0
    """Manifests a second, by GET or HEAD, that the nameless may read of the public name space; 0: any number."""
    public_burst: float = 1.0
    """Manifests that they may read at once."""
    retry_after: float | None = None
    """Seconds that its refusals (429) ask to wait, where the registry says so at all."""


class _State:
    settings = Settings()
    lock = threading.Lock()
    bucket = Bucket(0.0, 0.0, 0.0)


def configure(settings: Settings) -> None:
    """Change how the registry behaves; whoever reads without a name begins with a whole burst."""
    _State.settings = settings
    burst = settings.public_burst
    _State.bucket = Bucket(settings.public_rate, burst, time.monotonic(), burst)


def _throttles(who: Access, operation: str) -> bool:
    """Whether the public registry refuses a nameless reader, as public.ecr.aws and Docker Hub do."""
    if not _State.settings.public_rate or not who.is_public or who.writable or operation not in _COUNTED:
        return False
    with _State.lock:
        return not _State.bucket.take(time.monotonic())


_COUNTED = frozenset({"GetManifest", "HeadManifest"})


def settings() -> Settings:
    """How the registry behaves now."""
    return _State.settings


Endpoint = Callable[[Request, Access, str, str], Response]
_Method = tuple[str, str, Endpoint]
"""The operation's name for counting, the ECR action that must be allowed, the function."""


def answer(request: Request) -> Response:
    """Answer one request under /v2; every error is a document of the specification."""
    try:
        response = _answer(request)
    except RegistryError as error:
        response = error.response()
    response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
    return response


def _answer(request: Request) -> Response:
    who = access(request)
    if request.path.rstrip("/") == "/v2":
        CALLS.add(who.account, "registry", "Ping")
        return under_faults(who.account, "registry", "Ping", partial(_ping, request, who), _refuse)
    for pattern, methods in _ROUTES:
        match = pattern.fullmatch(request.path)
        if match and request.method in methods:
            operation = methods[request.method][0]
            CALLS.add(who.account, "registry", operation)
            if _throttles(who, operation):
                asked = settings().retry_after
                headers = {} if asked is None else {"Retry-After": f"{asked:.0f}"}
                raise RegistryError(429, "TOOMANYREQUESTS", "Rate exceeded", headers=headers)
            carry_out = partial(_carry_out, request, who, match, methods[request.method])
            return under_faults(who.account, "registry", operation, carry_out, _refuse)
        if match:
            raise RegistryError(405, "UNSUPPORTED", f"{request.method} is not supported here")
    raise RegistryError(404, "NAME_INVALID", f"no such address: {request.path}")


def _ping(request: Request, who: Access) -> Response:
    if request.authorization is None or (who.is_public and not who.writable):
        raise not_authorized()
    return Response("", status=200)


def _carry_out(request: Request, who: Access, match: re.Match[str], method: _Method) -> Response:
    _, action, endpoint = method
    name, reference = match["name"], match.groupdict().get("reference", "")
    try:
        who.check(name, action)
        if not QUOTAS.admits(who.account, who.region, "ecr", action):
            raise RegistryError(429, "TOOMANYREQUESTS", "Rate exceeded")
        return endpoint(request, who, name, reference)
    except RegistryError as error:
        return error.response()  # an answer as any other: faults may drop it


def _refuse(status: int, code: str, message: str) -> Response:
    throttles = code in ("ThrottlingException", "TooManyRequestsException")
    # The registry's word for it; a throttle is 429 here where ECR's own API says 400.
    return RegistryError(429 if throttles else status, "TOOMANYREQUESTS" if throttles else code, message).response()


def _manifest(who: Access, name: str, reference: str) -> StoredManifest:
    found = STORE.manifest(who.namespace, name, reference)
    if found is None or found.status != "ACTIVE":
        why = "is archived" if found else "not found"
        raise RegistryError(404, "MANIFEST_UNKNOWN", f"Requested image {why}: {reference}")
    STORE.contents(who.namespace, name).pulled[found.digest] = clock.now()
    return found


def _get_manifest(_request: Request, who: Access, name: str, reference: str) -> Response:
    found = _manifest(who, name, reference)
    headers = {"Docker-Content-Digest": found.digest, "Etag": f'"{found.digest}"'}
    # werkzeug drops the body of a HEAD but keeps its length.
    return Response(found.data, headers=headers, content_type=found.media_type)


def _put_manifest(request: Request, who: Access, name: str, reference: str) -> Response:
    data = request.get_data()
    tag = None if reference.startswith("sha256:") else reference
    if tag is None and reference != sha256(data):
        raise RegistryError(400, "DIGEST_INVALID", f"the manifest's digest is {sha256(data)}, not {reference}")
    if tag is not None and not _TAG.fullmatch(tag):
        raise RegistryError(400, "TAG_INVALID", f"not a tag: {tag}")
    try:
        media_type = request.mimetype or json.loads(data)["mediaType"]
        if who.is_public:
            STORE.create(who.namespace, name)
        elif text := full_text(Holding(who.account, who.namespace, name), sha256(data)):
            raise RegistryError(403, "DENIED", text)  # it does: https://github.com/aws/containers-roadmap/issues/2159
        stored = STORE.put_manifest(who.namespace, name, data, media_type, tag)
    except TagIsImmutable as error:
        raise RegistryError(400, "TAG_INVALID", errors.immutable_tag_text(error.tag, name)) from error
    except ContentMissing as error:
        raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(400, "MANIFEST_INVALID", f"not a manifest: {error!r}") from error
    headers = {"Location": f"/v2/{name}/manifests/{stored.digest}", "Docker-Content-Digest": stored.digest}
    if stored.subject:
        # Tells the client that it need not keep a list of referrers under a tag of its own.
        headers["OCI-Subject"] = stored.subject
    return Response("", status=201, headers=headers)


def _delete_manifest(_request: Request, who: Access, name: str, reference: str) -> Response:
    found = STORE.manifest(who.namespace, name, reference)  # an archived one can be deleted
    if found is None:
        raise RegistryError(404, "MANIFEST_UNKNOWN", f"Requested image not found: {reference}")
    by_digest = reference.startswith("sha256:")
    tags = STORE.contents(who.namespace, name).tags_of(found.digest) if by_digest else [reference]
    if by_digest:
        STORE.delete_manifest(who.namespace, name, found.digest)
    else:
        STORE.untag(who.namespace, name, reference)
    if not who.is_public:
        for tag in tags or (None,):
            announcements.announce_action(who.account, who.region, "DELETE", name, found.digest, tag)
    return Response("", status=202)


def _get_blob(request: Request, who: Access, name: str, digest: str) -> Response:
    if digest not in STORE.contents(who.namespace, name).blobs:
        raise RegistryError(404, "BLOB_UNKNOWN", f"blob unknown to registry: {digest}")
    if request.method == "GET" and settings().redirects:
        return Response("", status=307, headers={"Location": layer_path(digest)})
    response = blob_response(request, STORE.blob(digest))
    response.headers["Docker-Content-Digest"] = digest
    return response


def _list_referrers(request: Request, who: Access, name: str, digest: str) -> Response:
    wanted = request.args.getlist("artifactType")
    found = referrers.referrers(STORE.contents(who.namespace, name), digest, wanted)
    media_type = "application/vnd.oci.image.index.v1+json"
    index = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [referrers.descriptor(each) for each in found if each.status == "ACTIVE"],
    }
    headers = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
    return Response(json.dumps(index), headers=headers, content_type=media_type)


def _list_tags(request: Request, who: Access, name: str, _reference: str) -> Response:
    tags = sorted(STORE.contents(who.namespace, name).tags)
    size = request.args.get("n", _DEFAULT_TAGS, type=int)
    last = request.args.get("last", "")
    rest = [tag for tag in tags if tag > last]
    part = rest[: max(size, 0)]
    headers = {}
    if part and len(rest) > len(part):
        headers["Link"] = f'</v2/{name}/tags/list?last={part[-1]}&n={size}>; rel="next"'
    body = json.dumps({"name": name, "tags": part})
    return Response(body, headers=headers, content_type="application/json")


_ROUTES: tuple[tuple[re.Pattern[str], dict[str, _Method]], ...] = (
    (
        re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)"),
        {
            "GET": ("GetManifest", "BatchGetImage", _get_manifest),
            "HEAD": ("HeadManifest", "BatchGetImage", _get_manifest),
            "PUT": ("PutManifest", "PutImage", _put_manifest),
            "DELETE": ("DeleteManifest", "BatchDeleteImage", _delete_manifest),
        },
    ),
    (
        re.compile(rf"/v2/{_NAME}/blobs/uploads/?"),
        {"POST": ("StartUpload", "InitiateLayerUpload", uploads.start)},
    ),
    (
        re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<reference>[^/]+)"),
        {
            "GET": ("GetUpload", "UploadLayerPart", uploads.status),
            "PATCH": ("PatchUpload", "UploadLayerPart", uploads.append),
            "PUT": ("FinishUpload", "CompleteLayerUpload", uploads.finish),
            "DELETE": ("CancelUpload", "UploadLayerPart", uploads.cancel),
        },
    ),
    (
        re.compile(rf"/v2/{_NAME}/blobs/(?P<reference>{_DIGEST.pattern})"),
        {
            "GET": ("GetBlob", "GetDownloadUrlForLayer", _get_blob),
            "HEAD": ("HeadBlob", "BatchCheckLayerAvailability", _get_blob),
        },
    ),
    (
        re.compile(rf"/v2/{_NAME}/referrers/(?P<reference>{_DIGEST.pattern})"),
        {"GET": ("ListReferrers", "BatchGetImage", _list_referrers)},
    ),
    (re.compile(rf"/v2/{_NAME}/tags/list"), {"GET": ("ListTags", "ListImages", _list_tags)}),
)
