"""ECR's errors that moto lacks, in AWS's words."""

from moto.core.exceptions import ServiceException


class ImageTagAlreadyExists(ServiceException):
    """An IMMUTABLE tag is taken."""

    code = "ImageTagAlreadyExistsException"

    def __init__(self, tag: str, repository: str) -> None:
        super().__init__(immutable_tag_text(tag, repository))


def immutable_tag_text(tag: str, repository: str) -> str:
    """What ECR says, by API and by /v2, when an immutable tag is pushed again."""
    return (
        f"The image tag '{tag}' already exists in the '{repository}' repository "
        "and cannot be overwritten because the tag is immutable."
    )


class LayersNotFound(ServiceException):
    """Layers were asked for, or named by a manifest, that the repository does not hold."""

    code = "LayersNotFoundException"


class ReferencedImagesNotFound(ServiceException):
    """An index names images that the repository does not hold."""

    code = "ReferencedImagesNotFoundException"


class ImageDigestDoesNotMatch(ServiceException):
    """The digest given is not the manifest's."""

    code = "ImageDigestDoesNotMatchException"


class InvalidLayer(ServiceException):
    """The layer's bytes do not have the digest given."""

    code = "InvalidLayerException"


class EmptyUpload(ServiceException):
    """An upload is to be completed that no part was sent to."""

    code = "EmptyUploadException"


class LayerPartTooSmall(ServiceException):
    """A part that is not the last has less than 5 MiB."""

    code = "LayerPartTooSmallException"


class LayerAlreadyExists(ServiceException):
    """The repository holds the layer."""

    code = "LayerAlreadyExistsException"


class RepositoryFull(ServiceException):
    """The repository holds as many images as it may."""

    code = "LimitExceededException"


class LifecyclePolicyPreviewNotFound(ServiceException):
    """No preview was started."""

    code = "LifecyclePolicyPreviewNotFoundException"


class StorageClassUpdateNotSupported(ServiceException):
    """The image can't go to that storage class from where it is."""

    code = "ImageStorageClassUpdateNotSupportedException"


class AccessDenied(ServiceException):
    """A repository policy denies the action, or none allows it to another account."""

    code = "AccessDeniedException"

    def __init__(self, caller: str, action: str, resource: str, *, explicit: bool) -> None:
        reason = (
            "with an explicit deny in a resource-based policy"
            if explicit
            else f"because no resource-based policy allows the {action} action"
        )
        super().__init__(f"User: {caller} is not authorized to perform: {action} on resource: {resource} {reason}")
