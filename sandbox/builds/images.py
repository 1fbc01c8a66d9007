"""How a build's docker reaches images: through /v2 itself, so that its rules, rates and faults hold for builds too."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from sandbox.builds.files import BuildError
from sandbox.core.http_server import DroppedConnection
from sandbox.core.limits import CALLS, DENIALS
from sandbox.iam import roles
from sandbox.images.making import Blob, Image, Layer
from sandbox.registry import distribution
from sandbox.store import tokens
from sandbox.store.content_store import STORE
from sandbox.store.contents import INDEX_MEDIA_TYPES

_REFERENCE = re.compile(
    r"(?:(?P<host>[^/]+\.[^/]+)/)?(?P<name>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PUBLIC_HOST = "public.ecr.aws"
_ECR_HOST = re.compile(r"\d{12}\.dkr\.ecr\.[\w-]+\.amazonaws\.com")


@dataclass(frozen=True)
class Reference:
    """An image's address: "host/name:tag" or "host/name@digest"."""

    text: str
    host: str
    name: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read an address. Raises BuildError for one that is malformed or leads outside the sandbox."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise BuildError(f"invalid reference format: {text!r}")
        host = match["host"] or "docker.io"
        if host != _PUBLIC_HOST and not _ECR_HOST.fullmatch(host):
            raise BuildError(f"{text}: {host} cannot be reached from the sandbox: use {_PUBLIC_HOST} or ECR")
        return cls(text, host, match["name"], match["digest"] or match["tag"] or "latest")


@dataclass
class Docker:
    """The images that a build has made, and the registries it has logged in to."""

    account: str
    region: str
    caller_arn: str
    images: dict[str, Image] = field(default_factory=dict)
    pushed: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def login_password(self) -> str:
        """What `aws ecr get-login-password` prints. Raises BuildError where the role may not."""
        CALLS.add(self.account, "ecr", "GetAuthorizationToken")
        text = roles.refusal(self.caller_arn, self.region, "ecr", "GetAuthorizationToken", lambda: "*")
        if DENIALS.denies(self.account, "ecr", "GetAuthorizationToken"):
            text = (
                f"User: {self.caller_arn} is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
                "because no identity-based policy allows the ecr:GetAuthorizationToken action"
            )
        if text:
            raise BuildError(
                f"An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: {text}"
            )
        return tokens.issue(tokens.Registry(self.account, self.region, self.account, self.caller_arn))[0]

    def login(self, host: str, password: str) -> None:
        """Keep the password for a registry. Raises BuildError when it is not taken."""
        answer = self._send("GET", host, "/v2/", password=password)
        if answer.status_code != 200:
            raise BuildError(f"Error response from daemon: login attempt to https://{host}/v2/ failed: unauthorized")
        self.passwords[host] = password

    def pull(self, text: str, platform: str) -> Image:
        """An image that the build made, or one of a registry. Raises BuildError."""
        if text in self.images:
            return self.images[text]
        address = Reference.parse(text)
        document = self._manifest(address, address.reference)
        if document.get("mediaType") in INDEX_MEDIA_TYPES or "manifests" in document:
            document = self._manifest(address, _child(address, document, platform))
        config = self._blob(address, document["config"])
        diff_ids = json.loads(config.data)["rootfs"]["diff_ids"]
        blobs = [self._blob(address, descriptor) for descriptor in document["layers"]]
        layers = tuple(Layer(blob, diff_id) for blob, diff_id in zip(blobs, diff_ids, strict=True))
        return Image(Blob(document["mediaType"], json.dumps(document).encode()), config, layers)

    def push(self, text: str) -> str:
        """Push an image by its tag and give its digest. Raises BuildError."""
        address, image = Reference.parse(text), self.images.get(text)
        if image is None:
            raise BuildError(f"An image does not exist locally with the tag: {text.rpartition(':')[0] or text}")
        if address.host not in self.passwords and address.host != _PUBLIC_HOST:
            raise BuildError("no basic auth credentials")
        for blob in image.blobs:
            self._upload(address, blob)
        path = f"/v2/{address.name}/manifests/{address.reference}"
        answer = self._send("PUT", address.host, path, body=image.manifest.data, kind=image.manifest.media_type)
        _check(answer)
        self.pushed[text] = f"{address.host}/{address.name}@{image.digest}"
        return image.digest

    def _upload(self, address: Reference, blob: Blob) -> None:
        head = self._send("HEAD", address.host, f"/v2/{address.name}/blobs/{blob.digest}")
        if head.status_code == 200:
            return
        path = f"/v2/{address.name}/blobs/uploads/"
        started = self._send("POST", address.host, path)
        _check(started)
        location = started.headers["Location"]
        _check(self._send("PUT", address.host, location, body=blob.data, query=f"digest={blob.digest}"))

    def _manifest(self, address: Reference, reference: str) -> dict[str, Any]:
        answer = self._send("GET", address.host, f"/v2/{address.name}/manifests/{reference}")
        if answer.status_code != 200:
            why = "not found" if answer.status_code == 404 else _message(answer)
            raise BuildError(f"{address.text}: failed to resolve source metadata for {address.text}: {why}")
        document: dict[str, Any] = json.loads(answer.get_data())
        return {"mediaType": answer.mimetype, **document}

    def _blob(self, address: Reference, descriptor: dict[str, Any]) -> Blob:
        answer = self._send("GET", address.host, f"/v2/{address.name}/blobs/{descriptor['digest']}")
        if answer.status_code == 200:
            return Blob(descriptor["mediaType"], answer.get_data())
        if answer.status_code != 307:
            _check(answer)
        return Blob(descriptor["mediaType"], STORE.blob(descriptor["digest"]))

    def _send(
        self,
        method: str,
        host: str,
        path: str,
        *,
        body: bytes = b"",
        kind: str = "application/octet-stream",
        query: str = "",
        password: str | None = None,
    ) -> Response:
        headers = Headers()
        if password := password or self.passwords.get(host):
            headers["Authorization"] = "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()
        elif host != _PUBLIC_HOST:
            raise BuildError(f"https://{host}{path}: no basic auth credentials")
        environ = EnvironBuilder(
            path, f"https://{host}", query, method=method, data=body, content_type=kind, headers=headers
        ).get_environ()
        try:
            return distribution.answer(Request(environ))
        except DroppedConnection as error:
            raise BuildError(f"https://{host}{path}: connection reset by peer") from error


def _child(address: Reference, index: dict[str, Any], platform: str) -> str:
    system, architecture = platform.split("/")[:2]
    for child in index["manifests"]:
        found = child.get("platform", {})
        if (found.get("os"), found.get("architecture")) == (system, architecture):
            return str(child["digest"])
    raise BuildError(f"{address.text}: no match for platform in manifest: {platform}")


def _check(answer: Response) -> None:
    if answer.status_code >= 400:
        raise BuildError(_message(answer))


def _message(answer: Response) -> str:
    try:
        (error, *_) = json.loads(answer.get_data())["errors"]
    except (ValueError, KeyError):
        return f"unexpected status: {answer.status}"
    return f"{error['code'].lower().replace('_', ' ')}: {error['message']}"
