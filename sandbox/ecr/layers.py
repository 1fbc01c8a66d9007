"""ECR's calls for layers: the API's way to upload and download them.

moto has no address for a layer's download; AWS signs one that is good for an hour.
"""

from __future__ import annotations

from base64 import b64decode

from moto.core.responses import ActionResult
from moto.ecr.exceptions import (
    InvalidLayerPartException,
    InvalidParameterException,
    UploadNotFoundException,
)

from sandbox.ecr import errors
from sandbox.ecr.call import EcrCall
from sandbox.store.blobs import layer_path
from sandbox.store.content_store import STORE
from sandbox.store.contents import sha256

_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_SETTINGS: dict[tuple[str, str, str], str] = {}
_SETTING_VALUES = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    "REGISTRY_POLICY_SCOPE": ("V2", "V1"),
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
}
PART_SIZES = range(5 * 1024**2, 20_971_520 + 1)  # bytes; the last part of a layer may be smaller
_PARTS: dict[str, list[int]] = {}
"""Bytes of each part that arrived, by upload."""


def mounting_enabled(account: str, region: str) -> bool:
    """Whether /v2 mounts blobs across repositories (PutAccountSetting BLOB_MOUNTING; off until switched on)."""
    return _SETTINGS.get((account, region, "BLOB_MOUNTING")) == "ENABLED"


def enable_mounting(account: str, region: str) -> None:
    """Switch it on, as a fleet's seed does."""
    _SETTINGS[account, region, "BLOB_MOUNTING"] = "ENABLED"


class LayerActions(EcrCall):
    """Mixed into the ECR response class."""

    def upload_layer_part(self) -> ActionResult:
        """As moto does, with AWS's sizes. Raises InvalidLayerPartException, UploadNotFoundException."""
        asked, holding = self.parameters, self.holding
        size = len(b64decode(asked["layerPartBlob"]))
        if size > PART_SIZES[-1] or size != asked["partLastByte"] - asked["partFirstByte"] + 1:
            raise InvalidLayerPartException(holding.registry_id, holding.repository, asked["uploadId"], -1)
        result = super().upload_layer_part()
        _PARTS.setdefault(asked["uploadId"], []).append(size)
        return result

    def complete_layer_upload(self) -> ActionResult:
        """Keep the uploaded parts as one blob.

        Raises UploadNotFoundException, EmptyUploadException, LayerPartTooSmallException, InvalidLayerException,
        LayerAlreadyExistsException.
        """
        holding, upload_id = self.holding, self.parameters["uploadId"]
        uploads = self.ecr_backend.repositories[holding.repository].uploads
        if upload_id not in uploads:
            raise UploadNotFoundException(upload_id, holding.repository, holding.registry_id)
        data, sizes = bytes(uploads[upload_id].layer_parts), _PARTS.pop(upload_id, [])
        if not data:
            raise errors.EmptyUpload("The specified layer upload does not contain any layer parts.")
        if any(size not in PART_SIZES for size in sizes[:-1]):
            raise errors.LayerPartTooSmall("Layer parts must be at least 5 MiB in size.")
        digest = sha256(data)
        if digest not in self.parameters["layerDigests"]:
            raise errors.InvalidLayer(
                f"Digest mismatch: client provided {self.parameters['layerDigests']}, registry computed {digest}"
            )
        del uploads[upload_id]
        if digest in holding.contents.blobs:
            raise errors.LayerAlreadyExists(
                f"The image layer '{digest}' already exists in the '{holding.repository}' repository."
            )
        STORE.put_blob(holding.namespace, holding.repository, data)
        return ActionResult(
            {
                "registryId": holding.registry_id,
                "repositoryName": holding.repository,
                "uploadId": upload_id,
                "layerDigest": digest,
            }
        )

    def batch_check_layer_availability(self) -> ActionResult:
        """Which layers the repository holds."""
        held = self.holding.contents.blobs
        layers, failures = [], []
        for digest in self.parameters["layerDigests"]:
            if digest in held:
                layers.append(
                    {
                        "layerDigest": digest,
                        "layerAvailability": "AVAILABLE",
                        "layerSize": len(STORE.blob(digest)),
                        "mediaType": _LAYER,
                    }
                )
            else:
                reason = f"Layer digest '{digest}' could not be found"
                failures.append({"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": reason})
        return ActionResult({"layers": layers, "failures": failures})

    def get_download_url_for_layer(self) -> ActionResult:  # type: ignore[override]  # moto has it raise
        """A signed address that gives the layer to anyone for an hour. Raises LayersNotFoundException."""
        holding, digest = self.holding, self.parameters["layerDigest"]
        if digest not in holding.contents.blobs:
            raise errors.LayersNotFound(
                f"Layer with digest '{digest}' does not exist in the repository with name "
                f"'{holding.repository}' in the registry with id '{holding.registry_id}'"
            )
        url = self.normalized_request.host_url.rstrip("/") + layer_path(digest)
        return ActionResult({"downloadUrl": url, "layerDigest": digest})

    def put_account_setting(self) -> ActionResult:
        """Set BLOB_MOUNTING and its like for the account and region. Raises InvalidParameterException."""
        name, value = self.parameters["name"], self.parameters["value"]
        if value not in _SETTING_VALUES.get(name, ()):
            raise InvalidParameterException(f"Invalid parameter at 'value': '{value}' is no value of '{name}'")
        _SETTINGS[self.registry_id, self.region, name] = value
        return ActionResult({"name": name, "value": value})

    def get_account_setting(self) -> ActionResult:
        """The setting, or its first value where it was not set. Raises InvalidParameterException."""
        name = self.parameters["name"]
        if name not in _SETTING_VALUES:
            raise InvalidParameterException(f"Invalid parameter at 'name': there is no setting '{name}'")
        value = _SETTINGS.get((self.registry_id, self.region, name), _SETTING_VALUES[name][0])
        return ActionResult({"name": name, "value": value})
