"""Why ECR does not give an image: BatchGetImage's failure codes in words, with what to do. One table.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.statuses import RESTORE
from functions_app.domain.refs import ImageRef


@dataclass(frozen=True)
class PullFailure:
    """One code; `text` completes "image X in REPOSITORY ...", with `{what}` and `{where}`."""

    code: Code
    text: str
    next_step: str


_ANY = PullFailure(
    Code.PREFLIGHT, "ECR does not give {what} in {where} ({failure}).", "Look at the image in ECR's console."
)
_MISSING = PullFailure(Code.NOT_FOUND, "There is no {what} in {where}.", "Choose one from the list, or push it first.")
_MALFORMED = PullFailure(Code.INVALID, "ECR does not take {what} in {where} as a name.", "Choose one from the list.")
TABLE: Mapping[str, PullFailure] = {
    "": _MISSING,
    "ImageNotFound": _MISSING,
    "ImageInaccessible": PullFailure(
        Code.PREFLIGHT, "The {what} in {where} is archived, or is just being restored: ECR can't serve it.", RESTORE
    ),
    "ImageTagDoesNotMatchDigest": PullFailure(
        Code.NOT_FOUND,
        "The tag and the digest of the {what} in {where} do not belong together.",
        "Name only one of them.",
    ),
    "InvalidImageDigest": _MALFORMED,
    "InvalidImageTag": _MALFORMED,
    "MissingDigestAndTag": _MALFORMED,
    "KmsError": PullFailure(
        Code.DENIED,
        "ECR can't decrypt the {what} in {where}: it may not use the repository's KMS key.",
        "Is the key enabled, and does its policy let ECR use it?",
    ),
    "UpstreamAccessDenied": PullFailure(
        Code.DENIED,
        "The registry that {where} is a pull-through cache of refuses the {what}.",
        "Check the credentials of the pull-through cache rule.",
    ),
    "UpstreamTooManyRequests": PullFailure(
        Code.THROTTLED,
        "The registry that {where} is a pull-through cache of asks to slow down: no {what} yet.",
        "Try again later.",
    ),
    "UpstreamUnavailable": PullFailure(
        Code.UNREACHABLE,
        "The registry that {where} is a pull-through cache of does not answer: no {what} yet.",
        "Try again later.",
    ),
}


def not_given(reference: ImageRef, failure: str) -> DrydockError:
    """The error for an image that ECR did not give, by its failure code ('': it named none)."""
    told = TABLE.get(failure, _ANY)
    return DrydockError(
        told.code, f"{_text(told, reference, failure)} Nothing was changed.", next_step=told.next_step,
        aws_code=failure, retryable=told.code in (Code.THROTTLED, Code.UNREACHABLE),
    )  # fmt: skip


def why_not_given(reference: ImageRef, failure: str) -> str:
    """In sentences why ECR does not give an image that it lists: the cause with ECR's code, and what to do."""
    told = TABLE.get(failure, _ANY)
    told = _ANY if told is _MISSING else told
    text = _text(told, reference, failure or "no reason told")
    code = "" if failure in text else f" ({failure})"
    return f"{text.removesuffix('.')}{code}. {told.next_step}"


def _text(told: PullFailure, reference: ImageRef, failure: str) -> str:
    what = f"image {reference.digest[:19]}" if reference.digest else f"tag {reference.tag!r}"
    return told.text.format(what=what, where=reference.name, failure=failure)
