"""Base detection: the longest prefix that is a whole known release, and reasons where there is none."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases import Detection, KnownRelease, Tier, detect, not_read
from functions_app.domain.images import ImageConfig, Platform, chain_ids, parse_config
from sandbox import bases
from sandbox.images import make_image, make_layer

AMD64 = "linux/amd64"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
digests = st.integers(0, 3).map(lambda number: "sha256:" + hashlib.sha256(bytes([number])).hexdigest())
stacks = st.lists(digests, min_size=1, max_size=6)


def release(
    number: int, layers: Sequence[str], stream: str = "python:3.12", platform: str = AMD64, *, current: bool = False
) -> KnownRelease:
    return KnownRelease(number, stream, platform, chain_ids(layers)[-1], tuple(layers), WHEN, current)


def look(layers: Sequence[str], known: Sequence[KnownRelease], platform: str = AMD64, **hints: str) -> Detection:
    def lookup(chains: Sequence[str]) -> Mapping[str, tuple[KnownRelease, ...]]:
        return {chain: tuple(each for each in known if each.chain_id == chain) for chain in chains}

    annotations = {f"org.opencontainers.image.base.{name}": value for name, value in hints.items()}
    streams = len({each.stream for each in known})
    return detect(chain_ids(layers), platform, annotations, lookup, streams_watched=streams)


@given(stacks, st.lists(stacks, max_size=6))
def test_the_longest_whole_release_that_the_image_begins_with_is_its_base(
    layers: list[str], stacks_known: list[list[str]]
) -> None:
    known = [release(number, stack) for number, stack in enumerate(stacks_known)]
    fitting = [each for each in known if list(each.diff_ids) == layers[: len(each.diff_ids)]]

    found = look(layers, known)

    assert (found.release_id is None) == (not fitting)
    if fitting:
        (base,) = [each for each in known if each.id == found.release_id]
        assert len(base.diff_ids) == max(len(each.diff_ids) for each in fitting)
        assert found.tier is Tier.EXACT
    assert found.evidence


@given(stacks, stacks)
def test_a_release_is_found_beneath_whatever_was_built_on_it(base: list[str], app: list[str]) -> None:
    assert look(base + app, [release(1, base)]).release_id == 1


@given(stacks.filter(lambda layers: len(layers) > 1))
def test_a_part_of_a_release_proves_nothing(layers: list[str]) -> None:
    assert look(layers[:-1], [release(1, layers)]).tier is Tier.UNKNOWN


def test_a_release_for_another_platform_is_no_base_but_is_told() -> None:
    found = look(["a", "b"], [release(1, ["a"], platform="linux/arm64")])

    assert found.release_id is None
    assert "linux/arm64" in found.evidence[1]


def test_among_streams_with_the_same_layers_the_current_release_is_taken_and_the_other_named() -> None:
    found = look(["a", "b"], [release(1, ["a"], "ours:1"), release(2, ["a"], "python:3.12", current=True)])

    assert found.release_id == 2
    assert "ours:1" in found.evidence[-1]


def test_an_unknown_says_what_was_looked_at() -> None:
    known = [release(1, ["x"]), release(2, ["y"], "nodejs:22")]

    assert look(["a", "b", "c", "d", "e"], known).evidence == (
        "None of its 5 layers' chain ids is a known release of the 2 streams watched.",
    )
    assert "nothing to compare" in look(["a"], []).evidence[0]
    assert "no layers" in look([], known).evidence[0]


def test_what_an_image_says_of_its_base_is_shown_but_is_no_proof() -> None:
    found = look(["a"], [release(1, ["x"])], name="public.ecr.aws/lambda/python:3.12")

    assert found.tier is Tier.UNKNOWN
    assert "public.ecr.aws/lambda/python:3.12" in found.evidence[1]


def test_an_image_that_was_not_inspected_says_why() -> None:
    assert "index (linux/amd64, linux/arm64)" in not_read(
        platforms=["linux/amd64", "linux/arm64"], gone=False, problem=""
    )
    assert "deleted" in not_read(platforms=None, gone=True, problem="")
    assert "it is not JSON" in not_read(platforms=None, gone=False, problem="it is not JSON")
    assert "not been read yet" in not_read(platforms=None, gone=False, problem="")


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
