"""ECR's calls for layers: the API's way to upload and download them.

moto has no address for a layer's download; AWS signs one that is good for an hour.
"""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.ecr.exceptions import InvalidParameterException, UploadNotFoundException

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
    "BLOB_MOUNTING": ("ENABLED", "DISABLED"),
}


def mounting_enabled(account: str, region: str) -> bool:
    """Whether /v2 mounts blobs across repositories (PutAccountSetting BLOB_MOUNTING; on until switched off)."""
    return _SETTINGS.get((account, region, "BLOB_MOUNTING"), "ENABLED") == "ENABLED"


class LayerActions(EcrCall):
    """Mixed into the ECR response class."""

    def complete_layer_upload(self) -> ActionResult:
        """Keep the uploaded parts as one blob. Raises UploadNotFoundException, InvalidLayerException."""
        holding, upload_id = self.holding, self.parameters["uploadId"]
        uploads = self.ecr_backend.repositories[holding.repository].uploads
        if upload_id not in uploads:
            raise UploadNotFoundException(upload_id, holding.repository, holding.registry_id)
        data = bytes(uploads[upload_id].layer_parts)
        digest = sha256(data)
        if digest not in self.parameters["layerDigests"]:
            raise errors.InvalidLayer(
                f"Digest mismatch: client provided {self.parameters['layerDigests']}, registry computed {digest}"
            )
        del uploads[upload_id]
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
