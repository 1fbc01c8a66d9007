"""What becomes of each kind of image that detection knows, on the base that was found in it."""

from collections.abc import Mapping

import pytest

from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.rebase import Rebase
from functions_app.domain.rebase.refusals import Reason, Refusal
from sandbox.images.making import Image, Index
from tests.domain.rebase.images import APP, attempt, config_of
from tests.domain.rebase.test_kinds import essence
from tests.image_kinds import apps, published
from tests.image_kinds.apps import KINDS, november, october

# How many layers of its own it keeps, or why it is refused. On Python's October release, unless told otherwise.
OUTCOMES: Mapping[str, int | Reason] = {
    "oci, gzip": 2,
    "docker schema 2": 1,
    "oci, zstd": 2,
    "oci, uncompressed": 2,
    "no history": 2,
    "package database changed": 2,  # by its files it is not safe: another question
    "pinned boto3": 2,
    "opaque directory and whiteouts": 2,
    "changed entrypoint": 1,
    "other architecture": Reason.PLATFORM,
    "unrelated base": Reason.OTHER_BASE,
    "multi-arch index": Reason.INDEX,
    "index with attestation": Reason.INDEX,
    "the attestation itself": Reason.NOT_AN_IMAGE,
    "recompressed": 2,
    "squashed": Reason.SQUASHED,
    "squashed, index annotated": Reason.SQUASHED,
    "squashed, base labelled": Reason.SQUASHED,
    "wrong annotation": 2,
    "golden image, itself behind": 4,
    "unknown release of a known stream": Reason.OTHER_BASE,
    "the base and nothing else": Reason.OTHER_BASE,
    "current": Reason.OTHER_BASE,
    "built in 1970": 1,
    "no time of creation": 2,
    "empty and doubled layers": 5,
    "signature": Reason.NOT_AN_IMAGE,
}


# By its files it is built anew, and then has what no rebase gives it: another question (safety/test_kinds_of_image.py).
BUILT_ANEW = "package database changed"


@pytest.mark.parametrize("kind", OUTCOMES)
def test_each_kind_has_its_outcome(kind: str) -> None:
    made = outcome(kind, october(), november())

    assert (made.reason if isinstance(made, Refusal) else made.kept_layers) == OUTCOMES[kind]


@pytest.mark.parametrize(
    "kind", [kind for kind, kept in OUTCOMES.items() if isinstance(kept, int) and kind != BUILT_ANEW]
)
def test_what_is_accepted_equals_a_true_rebuild(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = published.golden(2)
    on_golden = kind.startswith("golden image")
    made = outcome(kind, published.golden(1), golden) if on_golden else outcome(kind, october(), november())
    # The same application once more, built on the new base: it is our own table that is told of another one.
    monkeypatch.setattr(apps, "october", november)
    monkeypatch.setattr(published, "golden", lambda number: golden)
    rebuilt = KINDS[kind]()

    assert isinstance(made, Rebase)
    assert isinstance(rebuilt, Image)
    assert essence(config_of(made)) == essence(rebuilt.document)


def test_on_a_golden_image_all_below_the_app_is_its_base() -> None:
    made = outcome("golden image, itself behind", published.golden(1), published.golden(2))

    assert isinstance(made, Rebase)
    assert (made.base_layers, made.kept_layers) == (8, 2)


def test_the_other_architecture_goes_to_its_own_release() -> None:
    made = outcome("other architecture", published.aws(published.PYTHON, 2, "arm64"), november("arm64"))

    assert isinstance(made, Rebase)
    assert made.kept_layers == 2


def outcome(kind: str, old: Image, new: Image) -> Rebase | Refusal:
    """What becomes of a kind on this base."""
    image = KINDS[kind]()
    config = b"" if isinstance(image, Index) else image.config.data
    read = HeldImage.read(APP, image.manifest.data, config, image.manifest.media_type)
    if isinstance(read, Refusal):
        return read
    assert isinstance(image, Image)
    return attempt(image, old, new)
