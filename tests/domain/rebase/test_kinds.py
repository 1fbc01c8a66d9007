"""What each builder makes is rebased to what the same builder would make on the new base."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from functions_app.domain.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.refusals import Reason, Refusal
from sandbox.images.making import Image, canonical_json
from tests.domain.rebase.images import APP, config_of, held, manifest_of, rebased, refused
from tests.image_kinds.assembly import new_base, old_base
from tests.image_kinds.builders import BUILDERS, buildkit, buildkit_index
from tests.image_kinds.recast import squashed

COMPARED = ("Env", "Entrypoint", "Cmd", "WorkingDir", "User", "Labels", "ExposedPorts", "Volumes", "StopSignal")


class Outcome(NamedTuple):
    """What must come of a kind: layers of base and app, the flavour, entries of history, notes."""

    base: int
    own: int
    media_type: str
    history: int
    notes: tuple[str, ...] = ()


# The new base has 3 layers and 11 entries of history.
OUTCOMES: Mapping[str, Outcome] = {
    "docker, classic": Outcome(3, 2, DOCKER_MANIFEST, 17),
    "buildkit": Outcome(3, 3, OCI_MANIFEST, 18),
    "buildah": Outcome(3, 2, OCI_MANIFEST, 15),
    "kaniko": Outcome(3, 2, DOCKER_MANIFEST, 16),
    "ko": Outcome(3, 2, OCI_MANIFEST, 13),
    "jib": Outcome(3, 3, DOCKER_MANIFEST, 14),
    "buildpacks": Outcome(3, 3, OCI_MANIFEST, 14),
    "nix": Outcome(3, 3, OCI_MANIFEST, 14, ("Labels release",)),
    "rules_oci": Outcome(3, 2, OCI_MANIFEST, 11),
    "no history": Outcome(3, 2, OCI_MANIFEST, 0),
    "buildkit, zstd": Outcome(3, 3, OCI_MANIFEST, 18),
    "buildkit, uncompressed": Outcome(3, 3, OCI_MANIFEST, 18),
    "no layers of its own": Outcome(3, 0, OCI_MANIFEST, 12),
    "100 layers of schema 2": Outcome(3, 98, DOCKER_MANIFEST, 11 + 98),
    "empty and doubled layers": Outcome(3, 4, OCI_MANIFEST, 15),
}


def test_every_kind_has_an_outcome() -> None:
    assert OUTCOMES.keys() == BUILDERS.keys()


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
@pytest.mark.parametrize("kind", BUILDERS)
def test_a_rebase_equals_a_true_rebuild(kind: str, architecture: str) -> None:
    build = BUILDERS[kind]
    old, new = old_base(architecture), new_base(architecture)

    made = rebased(build(old), old, new, new.digest)

    assert essence(config_of(made)) == essence(build(new).document)


@pytest.mark.parametrize("kind", BUILDERS)
def test_each_kind_has_its_outcome(kind: str) -> None:
    made = rebased(BUILDERS[kind](old_base()))

    history = len(config_of(made).get("history", []))
    notes = tuple(f"{note.member} {note.name}".strip() for note in made.notes)
    assert Outcome(made.base_layers, made.kept_layers, made.media_type, history, notes) == OUTCOMES[kind]


@pytest.mark.parametrize("kind", BUILDERS)
def test_the_result_is_an_image_again_and_stays_as_it_is_on_the_same_base(kind: str) -> None:
    app = BUILDERS[kind](old_base())

    made = rebased(app)

    again = HeldImage.read(APP, made.manifest, made.config, made.media_type)
    assert isinstance(again, HeldImage)
    assert again.manifest.digest == made.digest
    assert again.config.diff_ids == (*new_base().diff_ids, *app.diff_ids[len(old_base().diff_ids) :])
    types = {layer["mediaType"].partition("vnd.")[2].partition(".")[0] for layer in manifest_of(made)["layers"]}
    assert types == {"docker" if made.media_type == DOCKER_MANIFEST else "oci"}


def test_of_an_index_one_image_must_be_chosen_first() -> None:
    index = buildkit_index(old_base())

    found = HeldImage.read(APP, index.manifest.data, b"", index.manifest.media_type)

    assert isinstance(found, Refusal)
    assert found.reason is Reason.INDEX
    assert "linux/amd64" in found.text
    assert rebased(index.images[0]).kept_layers == 3


def test_platforms_of_an_index_can_be_shown_whatever_they_are() -> None:
    image = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "5f" * 32, "size": 1}
    entries = [{**image, "platform": {"os": "\u202elinux", "architecture": str(number)}} for number in range(1000)]

    found = HeldImage.read(APP, canonical_json({"manifests": entries}), b"")

    assert isinstance(found, Refusal)
    assert found.text.isprintable()
    assert len(found.text) < 300


def test_the_attestation_beside_an_image_is_none() -> None:
    statement = buildkit_index(old_base()).images[1]

    assert refused(statement).reason is Reason.NOT_AN_IMAGE


def test_what_was_squashed_over_the_base_is_refused() -> None:
    found = refused(squashed(buildkit(old_base())))

    assert found.reason is Reason.SQUASHED
    assert "squash" in found.next_step


def test_blobs_that_the_apps_repository_has_come_from_there() -> None:
    made = rebased(buildkit(old_base()))

    # Of the new base the lowest layer is the old one's too, which the app stands on.
    places = [(layer.from_base, layer.from_repository) for layer in made.layers]
    assert places == [
        (True, APP),
        (True, "registry.test/base"),
        (True, "registry.test/base"),
        *[(False, APP)] * 3,
    ]


def essence(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a rebuild decides: settings with variables in any order, layers, platform."""
    settings = document["config"]
    found = {name: settings.get(name) for name in COMPARED}
    return found | {
        "Env": sorted(settings.get("Env", [])),
        "Labels": settings.get("Labels") or None,
        "diff_ids": document["rootfs"]["diff_ids"],
        "architecture": document["architecture"],
        "variant": document.get("variant"),
    }


def test_what_held_gives_is_what_was_pushed() -> None:
    image: Image = buildkit(old_base())

    assert held(image).manifest.digest == image.digest
