"""Base detection: layers first, then what the image says, some of its layers, its settings; always with evidence."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions_app.domain.bases.claims import BASE_DIGEST, BASE_NAME
from functions_app.domain.bases.detection import Detection, ImageShape, Tier, detect, not_read
from functions_app.domain.bases.known_releases import EMPTY_LAYER, KnownReleases
from functions_app.domain.bases.lineage import KnownRelease
from functions_app.domain.bases.stream_names import Followed
from functions_app.domain.images.manifests import HistoryEntry, ImageConfig, Platform, chain_ids, parse_config
from sandbox.images import bases
from sandbox.images.making import make_image, make_layer

AMD64, ARM64 = "linux/amd64", "linux/arm64"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
REFERENCES = {
    "python:3.12": "public.ecr.aws/lambda/python:3.12",
    "nodejs:22": "public.ecr.aws/lambda/nodejs:22",
    "acme/golden:1": "registry.acme.example/acme/golden:1",
}
FOLLOWED = {name: Followed(reference) for name, reference in REFERENCES.items()}
PYTHON = ("os", "emulator", "python")
NODE = ("os", "emulator", "node")
LAMBDA: dict[str, Any] = {
    "entrypoint": ("/lambda-entrypoint.sh",),
    "env_keys": ("PATH", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    "working_directory": "/var/task",
}


def sha(word: str) -> str:
    return "sha256:" + hashlib.sha256(word.encode()).hexdigest()


def release(
    number: int,
    layers: Sequence[str],
    stream: str = "python:3.12",
    platform: str = AMD64,
    *,
    current: bool = False,
    days: int = 0,
    tag: str = "",
) -> KnownRelease:
    return KnownRelease(
        number,
        stream,
        platform,
        chain_ids(layers)[-1],
        tuple(layers),
        WHEN + timedelta(days=days),
        current,
        tag,
        sha(f"manifest {number}"),
        sha(f"index {number}"),
    )


def look(layers: Sequence[str], known: Sequence[KnownRelease], platform: str = AMD64, **values: Any) -> Detection:
    return detect(ImageShape.of(layers, platform, **values), KnownReleases(known, FOLLOWED))


def says(name: str = "", digest: str = "") -> dict[str, Any]:
    return {"annotations": {key: text for key, text in ((BASE_NAME, name), (BASE_DIGEST, digest)) if text}}


def told(found: Detection) -> str:
    return " ".join(found.evidence)


# exact


def test_the_longest_whole_release_that_the_image_begins_with_is_its_base() -> None:
    found = look([*PYTHON, "app"], [release(1, PYTHON[:2]), release(2, PYTHON)])

    assert (found.tier, found.release_id, found.stream) == (Tier.EXACT, 2, "python:3.12")
    assert found.tier.confidence == "certain"
    assert "The first 3 of its 4 layers are, whole and in order, the release" in found.evidence[0]


def test_the_base_itself_is_all_of_its_layers() -> None:
    assert "All 3 of its layers" in look(PYTHON, [release(1, PYTHON)]).evidence[0]


def test_the_same_layers_in_another_order_are_no_base() -> None:
    assert look(["python", "emulator", "os"], [release(1, PYTHON)]).tier is not Tier.EXACT


def test_every_level_is_found_the_nearest_first() -> None:
    golden = release(2, [*PYTHON, "ca", "agent"], "acme/golden:1", current=True)

    found = look([*PYTHON, "ca", "agent", "app"], [release(1, PYTHON), golden])

    assert (found.release_id, found.lineage, found.stream) == (2, (2, 1), "acme/golden:1")
    assert [level.layers for level in found.levels] == [5, 3]
    assert "first 5 of its 6" in found.evidence[0]
    assert "first 3 of its 6" in found.evidence[1]


def test_streams_with_the_same_layers_are_one_level_of_which_the_current_is_taken_and_the_other_named() -> None:
    found = look(["a", "b"], [release(1, ["a"], "ours:1", days=9), release(2, ["a"], current=True)])

    assert found.lineage == (2,)
    assert found.levels[0].streams == ("python:3.12", "ours:1")
    assert "The same layers are a release of ours:1 too." in found.evidence


def test_a_copy_of_one_of_lambdas_bases_is_as_old_as_the_original() -> None:
    copy = replace(release(1, PYTHON, "ours:1", current=True), own=True)
    known = [copy, release(2, PYTHON), release(3, ["os 2", "python 2"], current=True, days=9)]

    assert look([*PYTHON, "app"], known, **says("registry.example/ours:1")).release_id == 2
    assert look([*PYTHON, "app"], [copy]).release_id == 1


def test_a_copy_does_not_hide_whose_layers_those_of_an_unknown_release_are() -> None:
    copy = replace(release(1, PYTHON, "ours:1", current=True), own=True)

    found = look([*PYTHON[:2], "newer", "app"], [copy, release(2, PYTHON)])

    assert (found.tier, found.stream) == (Tier.PARTIAL, "python:3.12")


def test_of_streams_with_the_same_layers_and_none_current_the_newest_is_taken() -> None:
    assert look(["a", "b"], [release(1, ["a"], "ours:1", days=9), release(2, ["a"])]).release_id == 1


def test_of_streams_with_the_same_layers_the_one_that_the_image_names_is_taken() -> None:
    known = [release(1, PYTHON, "acme/golden:1"), release(2, PYTHON, current=True)]

    found = look([*PYTHON, "app"], known, **says("registry.acme.example/acme/golden:1"))

    assert (found.release_id, found.stream) == (1, "acme/golden:1")


def test_a_release_for_another_platform_is_no_base_but_is_told() -> None:
    found = look(["a", "b"], [release(1, ["a"], platform=ARM64)])

    assert (found.tier, found.release_id) == (Tier.UNKNOWN, None)
    assert "linux/arm64, but it says linux/amd64" in told(found)


def test_the_variant_of_arm64_makes_no_difference() -> None:
    assert look(["a", "b"], [release(1, ["a"], platform=ARM64)], str(Platform("linux", "arm64", "v8"))).release_id == 1


def test_layers_of_a_golden_image_above_the_base_found_are_told() -> None:
    known = [release(1, PYTHON), release(2, [*PYTHON, "ca", "agent 2"], "acme/golden:1")]

    found = look([*PYTHON, "ca", "agent 1", "app"], known)

    assert (found.tier, found.lineage) == (Tier.EXACT, (1,))
    assert "Of the layers above it, 1 of 3 is of acme/golden:1 and no other stream" in found.evidence[-1]


# what an image says, where its layers tell the base


def test_an_annotation_that_agrees_is_told() -> None:
    base = release(1, PYTHON)

    assert (
        "Its annotation names the same release."
        in look([*PYTHON, "app"], [base], **says(digest=base.index_digest)).evidence
    )
    assert "Its annotation names the same stream." in told(
        look([*PYTHON, "app"], [base], **says(REFERENCES["python:3.12"]))
    )


def test_an_annotation_of_a_lower_level_agrees_too() -> None:
    base = release(1, PYTHON)
    known = [base, release(2, [*PYTHON, "ca"], "acme/golden:1")]

    found = look([*PYTHON, "ca", "app"], known, **says(REFERENCES["python:3.12"], base.manifest_digest))

    assert "Its annotation names the same release." in found.evidence


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("", sha("index 2")),  # another release of the stream
        ("", sha("manifest 3")),  # a release of another stream
        (REFERENCES["nodejs:22"], ""),
        (REFERENCES["python:3.12"], sha("nobody knows it")),
        ("docker.io/library/python:3.12-slim", ""),
        ("public.ecr.aws/lambda/python:3.12.2", ""),  # the tag of the other release
    ],
)
def test_layers_win_over_an_annotation_and_the_disagreement_is_told(name: str, digest: str) -> None:
    known = [release(1, PYTHON), release(2, ["os", "new"], tag="3.12.2"), release(3, NODE, "nodejs:22")]

    found = look([*PYTHON, "app"], known, **says(name, digest))

    assert (found.tier, found.release_id) == (Tier.EXACT, 1)
    assert "disagree" in found.evidence[-1] or "does not agree" in found.evidence[-1]
    assert "the layers decide" in found.evidence[-1]


def test_an_annotation_that_names_the_release_for_another_platform_disagrees() -> None:
    known = [release(1, PYTHON), release(2, ["arm"], platform=ARM64)]

    found = look([*PYTHON, "app"], known, **says(digest=known[1].manifest_digest))

    assert "for linux/arm64: that disagrees" in found.evidence[-1]


# annotation


def test_a_squashed_image_has_the_base_that_its_annotation_names_by_digest() -> None:
    base = release(1, PYTHON, tag="3.12.2026.01.01")

    for digest in (base.manifest_digest, base.index_digest):
        found = look(["squashed"], [base], **says(REFERENCES["python:3.12"], digest))

        assert (found.tier, found.release_id, found.stream) == (Tier.ANNOTATION, 1, "python:3.12")
        assert "python:3.12.2026.01.01 for linux/amd64" in found.evidence[0]
        assert "Its layers do not confirm it: it has 1 layer where that release alone has 3" in found.evidence[1]


def test_the_base_named_brings_the_levels_beneath_it() -> None:
    golden = release(2, [*PYTHON, "ca"], "acme/golden:1")

    assert look(["squashed"], [release(1, PYTHON), golden], **says(digest=golden.manifest_digest)).lineage == (2, 1)


def test_a_label_will_do_where_there_is_no_annotation() -> None:
    base = release(1, PYTHON)

    found = look(["squashed"], [base], labels={BASE_DIGEST: base.index_digest})

    assert (found.tier, found.release_id) == (Tier.ANNOTATION, 1)
    assert "Its label says" in found.evidence[0]


def test_an_annotation_comes_before_a_label() -> None:
    known = [release(1, PYTHON), release(2, NODE, "nodejs:22")]

    found = look(["x"], known, **says(digest=sha("index 1")), labels={BASE_DIGEST: sha("index 2")})

    assert found.release_id == 1


def test_the_digest_may_stand_in_the_name() -> None:
    base = release(1, PYTHON)

    assert look(["x"], [base], **says(f"{REFERENCES['python:3.12']}@{base.index_digest}")).release_id == 1


def test_a_dated_tag_without_a_digest_names_a_release() -> None:
    known = [release(1, PYTHON, tag="3.12.2026.01.01.10"), release(2, ["os", "new"])]

    assert look(["x"], known, **says("public.ecr.aws/lambda/python:3.12.2026.01.01.10-x86_64")).release_id == 1


def test_an_index_digest_means_the_release_for_the_images_platform() -> None:
    one, other = release(1, PYTHON), release(2, ["arm"], platform=ARM64)
    shared = [each.__class__(**{**each.__dict__, "index_digest": sha("both")}) for each in (one, other)]

    assert look(["x"], shared, ARM64, **says(digest=sha("both"))).release_id == 2


def test_a_digest_for_another_platform_is_not_believed() -> None:
    found = look(["x"], [release(1, PYTHON, platform=ARM64)], **says(digest=sha("manifest 1")))

    assert (found.tier, found.release_id, found.stream) == (Tier.UNKNOWN, None, "")
    assert "a release for linux/arm64 while the image is for linux/amd64" in told(found)


def test_an_unknown_digest_with_a_watched_name_tells_the_stream_alone() -> None:
    found = look(["x"], [release(1, PYTHON)], **says(REFERENCES["python:3.12"], sha("rebuilt since")))

    assert (found.tier, found.release_id, found.stream) == (Tier.ANNOTATION, None, "python:3.12")
    assert "that digest is of none of its known releases" in found.evidence[0]
    assert "Which release it is, nothing tells." in found.evidence


def test_a_name_that_is_not_watched_proves_nothing() -> None:
    found = look(["x"], [release(1, PYTHON)], **says("docker.io/library/debian:12"))

    assert found.tier is Tier.UNKNOWN
    assert "docker.io/library/debian:12" in told(found)


@pytest.mark.parametrize("name", ["", "@", "::", "x" * 5000, "python:3.12\x1b[31m", "HTTP://X", "a/b@sha256:zz"])
def test_what_an_image_says_may_be_anything(name: str) -> None:
    found = look(["x"], [release(1, PYTHON)], annotations={BASE_NAME: name, BASE_DIGEST: name})

    assert found.release_id is None
    assert all(len(text) < 400 and "\x1b" not in text for text in found.evidence)


def test_layers_of_another_stream_win_over_an_annotation() -> None:
    known = [release(1, PYTHON), release(2, NODE, "nodejs:22")]

    found = look(["emulator", "python", "app"], known, **says(REFERENCES["nodejs:22"], sha("index 2")))

    assert (found.tier, found.stream) == (Tier.PARTIAL, "python:3.12")
    assert "disagrees with its layers" in found.evidence[-1]


def test_a_release_that_lacks_layers_of_its_stream_is_not_believed() -> None:
    known = [release(1, ["os", "e1", "p1"]), release(2, ["os", "e2", "p2"])]

    found = look(["os", "e1", "new"], known, **says(digest=sha("index 2")))

    assert (found.tier, found.release_id, found.stream) == (Tier.PARTIAL, None, "python:3.12")


def test_a_release_of_which_the_lowest_layers_are_left_is_believed() -> None:
    found = look(["os", "emulator", "squashed"], [release(1, PYTHON)], **says(digest=sha("index 1")))

    assert (found.tier, found.release_id) == (Tier.ANNOTATION, 1)
    assert "only the first 2 of that release's 3 layers are in it" in found.evidence[1]


# partial


def test_layers_that_only_one_stream_has_tell_an_unknown_release_of_it() -> None:
    found = look(["os", "emulator", "python", "patched", "own", "app"], [release(1, [*PYTHON, "entry"])])

    assert (found.tier, found.release_id, found.stream) == (Tier.PARTIAL, None, "python:3.12")
    assert found.evidence[0].startswith("An unknown release of python:3.12: 3 of its 6 layers are those of known")


def test_a_part_of_a_release_is_not_that_release() -> None:
    assert look(PYTHON[:2], [release(1, PYTHON)]).tier is Tier.PARTIAL


def test_one_shared_layer_proves_nothing() -> None:
    assert look(["python", "app"], [release(1, PYTHON)]).tier is Tier.UNKNOWN


def test_layers_that_several_streams_have_prove_nothing() -> None:
    found = look(["os", "emulator", "app"], [release(1, PYTHON), release(2, NODE, "nodejs:22")])

    assert (found.tier, found.stream) == (Tier.UNKNOWN, "")
    assert "2 of its 3 layers are also in releases of nodejs:22, python:3.12" in told(found)


def test_layers_for_another_platform_do_not_count() -> None:
    assert look(PYTHON[:2], [release(1, PYTHON, platform=ARM64)]).tier is Tier.UNKNOWN


def test_the_empty_layer_is_everybodys() -> None:
    assert look([EMPTY_LAYER, "python", "app"], [release(1, ["os", EMPTY_LAYER, "python"])]).tier is Tier.UNKNOWN


def test_what_a_golden_image_inherited_speaks_for_the_base_beneath_it() -> None:
    known = [release(1, PYTHON), release(2, [*PYTHON, "ca", "agent"], "acme/golden:1")]

    assert look(["new os", "emulator", "python"], known).stream == "python:3.12"


def test_what_a_golden_image_brought_in_speaks_for_it() -> None:
    known = [release(1, PYTHON), release(2, [*PYTHON, "ca", "agent"], "acme/golden:1")]

    assert look(["new os", "emulator", "python", "ca"], known).stream == "acme/golden:1"


def test_layers_of_two_streams_are_told_and_none_is_chosen() -> None:
    known = [release(1, ["os", "a", "b"]), release(2, ["os", "c", "d"], "nodejs:22")]

    found = look(["a", "b", "c", "d"], known)

    assert (found.tier, found.stream) == (Tier.PARTIAL, "")
    assert "layers of nodejs:22 and of python:3.12: its base can't be told" in found.evidence[0]


# heuristic


def test_the_marks_of_a_lambda_base_are_a_guess() -> None:
    found = look(["squashed"], [release(1, PYTHON)], **LAMBDA)

    assert (found.tier, found.release_id, found.stream) == (Tier.HEURISTIC, None, "")
    assert "it starts /lambda-entrypoint.sh, it sets LAMBDA_TASK_ROOT and LAMBDA_RUNTIME_DIR" in found.evidence[0]
    assert "of a runtime that nothing shows" in found.evidence[0]


@pytest.mark.parametrize(
    ("step", "runtime"),
    [
        ("RUN /var/lang/bin/python3.12 -m pip install -r requirements.txt", "python 3.12"),
        ("FROM public.ecr.aws/lambda/nodejs:22", "nodejs 22"),
        ("RUN dnf install -y java21", "java 21"),
        ("RUN tar xf Python-3.12.7.tgz && ./configure", "python 3.12"),
        ("COPY --from=public.ecr.aws/lambda/python:3.12.2026.10.03.13 / /", "python 3.12"),
        ("RUN python3 -m venv x && python3.13 -m pip install y", "python 3.13"),
    ],
)
def test_the_history_may_show_the_runtime(step: str, runtime: str) -> None:
    found = look(["squashed"], [release(1, PYTHON)], history=(HistoryEntry(step, False, None),), **LAMBDA)

    assert f"probably of {runtime}" in found.evidence[0]


def test_a_history_that_speaks_of_two_runtimes_shows_none() -> None:
    steps = tuple(HistoryEntry(step, False, None) for step in ("python3.12 -m build", "COPY --from=node:22"))

    assert "nothing shows" in look(["x"], [release(1, PYTHON)], history=steps, **LAMBDA).evidence[0]


def test_a_variable_may_show_the_runtime() -> None:
    found = look(["x"], [release(1, PYTHON)], **{**LAMBDA, "env_keys": (*LAMBDA["env_keys"], "DOTNET_VERSION")})

    assert "probably of dotnet:" in found.evidence[0]


def test_the_working_directory_alone_is_no_mark() -> None:
    assert look(["x"], [release(1, PYTHON)], working_directory="/var/task").tier is Tier.UNKNOWN


# unknown


def test_an_unknown_says_what_was_looked_at() -> None:
    known = [release(1, ["x"]), release(2, ["y"], "nodejs:22")]

    assert look(["a", "b", "c", "d", "e"], known).evidence == (
        "Its 5 layers begin with no known release of the 2 base images watched.",
    )
    assert "nothing to compare" in look(["a"], []).evidence[0]
    assert "no layers" in look([], known).evidence[0]


def test_an_attestation_is_no_image() -> None:
    assert "attestation" in look(["sbom"], [release(1, PYTHON)], "unknown/unknown").evidence[0]


def test_an_image_without_history_is_known_by_its_layers() -> None:
    assert look([*PYTHON, "app"], [release(1, PYTHON)], history=()).release_id == 1


def test_an_image_that_was_not_inspected_says_why() -> None:
    assert "index (linux/amd64, linux/arm64)" in not_read(
        platforms=["linux/amd64", "linux/arm64"], gone=False, problem=""
    )
    assert "deleted" in not_read(platforms=None, gone=True, problem="")
    assert "it is not JSON" in not_read(platforms=None, gone=False, problem="it is not JSON")
    assert "not been read yet" in not_read(platforms=None, gone=False, problem="")


def test_confidence_falls_with_each_tier() -> None:
    assert [tier.confidence for tier in Tier] == ["certain", "high", "medium", "low", "none"]


def test_real_images_are_told_apart_although_their_bases_share_layers() -> None:
    today = date(2026, 11, 1)
    known: list[KnownRelease] = []
    apps: dict[int, ImageConfig] = {}
    for stream in bases.all_releases(today):
        for each in stream:
            for image in each.images.values():
                config = parse_config(image.config.data)
                known.append(release(len(known), config.diff_ids, each.stream.name, str(config.platform)))
                app = make_image(
                    [make_layer({"var/task/app.py": b"pass"})],
                    base=image,
                    created=each.created,
                    architecture=config.platform.architecture,
                )
                apps[len(known) - 1] = parse_config(app.config.data)

    for number, config in apps.items():
        platform = str(Platform("linux", config.platform.architecture))
        assert look(config.diff_ids, known, platform).release_id == number
