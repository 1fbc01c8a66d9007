"""What an image says of its base is true after a rebase too."""

import json

import pytest

from sandbox.images.making import Image
from tests.domain.rebase.images import INDEX_DIGEST, config_of, manifest_of, rebased
from tests.image_kinds.apps import BASE_DIGEST, BASE_NAME
from tests.image_kinds.assembly import BASE, new_base, old_base
from tests.image_kinds.builders import BUILDPACKS, buildkit, buildpacks
from tests.image_kinds.recast import annotated, with_config

CLAIMS = {BASE_NAME: BASE, BASE_DIGEST: INDEX_DIGEST}
STALE = {BASE_NAME: "old", BASE_DIGEST: "old"}


def labelled(image: Image, labels: dict[str, str]) -> Image:
    """The image with these labels more."""
    settings = image.document["config"]
    return with_config(image, config={**settings, "Labels": {**settings["Labels"], **labels}})


def test_annotations_name_the_new_base_by_its_index() -> None:
    image = annotated(buildkit(old_base()), {"org.opencontainers.image.revision": "5f5f", **STALE})

    assert manifest_of(rebased(image))["annotations"] == {"org.opencontainers.image.revision": "5f5f", **CLAIMS}


def test_annotations_that_a_builder_took_from_the_base_follow_it() -> None:
    inherited = {"vendor.release": "1", "gone": "1"}
    new = annotated(new_base(), {"vendor.release": "2", "not.taken": "1"})

    made = rebased(annotated(buildkit(old_base()), {**inherited, "own": ""}), annotated(old_base(), inherited), new)

    assert manifest_of(made)["annotations"] == {"vendor.release": "2", "own": "", **CLAIMS}


def test_labels_that_name_the_base_name_the_new_one() -> None:
    labels = config_of(rebased(labelled(buildkit(old_base()), {**STALE, "own": "1"})))["config"]["Labels"]

    assert labels == {**new_base().document["config"]["Labels"], "own": "1", **CLAIMS}


def test_what_was_said_of_the_old_base_goes_where_the_new_one_has_no_name() -> None:
    image = annotated(labelled(buildkit(old_base()), {**STALE, "own": "1"}), {**STALE, "own": "1"})

    made = rebased(image, base_digest="", base_name="")

    assert manifest_of(made)["annotations"] == {"own": "1"}
    assert config_of(made)["config"]["Labels"].keys() == {"vendor", "release", "own"}


def test_an_image_without_such_labels_gets_none() -> None:
    labels = config_of(rebased(buildkit(old_base())))["config"]["Labels"]

    assert labels.keys() == {"vendor", "release"}


def test_buildpacks_find_the_new_base_again() -> None:
    labels = config_of(rebased(buildpacks(old_base())))["config"]["Labels"]

    said = json.loads(labels[BUILDPACKS])
    assert said["app"] == [{"sha": "sha256:5f"}]
    assert said["runImage"] == {
        "topLayer": new_base().diff_ids[-1],
        "reference": f"{BASE}@{INDEX_DIGEST}",
        "image": BASE,
    }


@pytest.mark.parametrize(
    "label", ["", "{", "[]", '{"runImage": []}', '{"runImage": {"topLayer": "sha256:0"}}', "[" * 9999]
)
def test_a_label_of_buildpacks_that_is_about_another_base_stays(label: str) -> None:
    made = rebased(labelled(buildkit(old_base()), {BUILDPACKS: label}))

    assert config_of(made)["config"]["Labels"][BUILDPACKS] == label
