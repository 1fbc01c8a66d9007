"""Detection against an oracle that compares every prefix with every release, over random releases and images."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from functions_app.domain.bases.claims import BASE_DIGEST
from functions_app.domain.bases.detection import Detection, ImageShape, Tier, detect
from functions_app.domain.bases.known_releases import KnownReleases
from functions_app.domain.bases.lineage import KnownRelease
from functions_app.domain.images.manifests import Manifest, chain_ids, parse_config, parse_manifest
from sandbox.images.making import Image, make_image, make_layer
from tests.domain.bases.releases_at_random import (
    FOLLOWED,
    LAYERS,
    PLATFORMS,
    STREAMS,
    WHEN,
    claims,
    digest_of,
    histories,
    images,
)
from tests.image_kinds.recast import recompressed, zstd


def look(shape: ImageShape, releases: Sequence[KnownRelease]) -> Detection:
    return detect(shape, KnownReleases(releases, FOLLOWED))


def prefixes(shape: ImageShape, releases: Sequence[KnownRelease]) -> list[int]:
    """The oracle: how many layers have the releases that are, layer by layer, what the image begins with."""
    return sorted(
        {
            len(release.diff_ids)
            for release in releases
            for count in range(1, len(shape.diff_ids) + 1)
            if release.platform == shape.platform and release.diff_ids == shape.diff_ids[:count]
        },
        reverse=True,
    )


@given(images(), histories())
def test_the_longest_prefix_that_is_a_whole_release_is_the_base_and_nothing_else_is_exact(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    expected, found = prefixes(shape, releases), look(shape, releases)

    assert (found.tier is Tier.EXACT) == bool(expected)
    if expected:
        (base,) = [release for release in releases if release.id == found.release_id]
        assert (base.platform, base.diff_ids) == (shape.platform, shape.diff_ids[: expected[0]])
        assert found.stream == base.stream


@given(images(), histories())
def test_the_lineage_is_every_whole_release_beneath_the_nearest_first(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    expected, found = prefixes(shape, releases), look(shape, releases)

    if found.tier is Tier.EXACT:
        assert [level.layers for level in found.levels] == expected
    for level in found.levels:
        assert level.release.platform == shape.platform
        assert len(level.release.diff_ids) == level.layers
    if found.levels:
        nearest = found.levels[0].release.diff_ids
        assert found.release_id == found.lineage[0]
        assert all(level.release.diff_ids == nearest[: level.layers] for level in found.levels)


@given(images(), histories())
def test_releases_with_the_same_layers_are_all_named_at_their_level(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    for level in look(shape, releases).levels:
        same = {
            each.stream
            for each in releases
            if (each.platform, each.diff_ids) == (shape.platform, level.release.diff_ids)
        }
        assert set(level.streams) == same


@given(images(), histories(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    shape: ImageShape, releases: tuple[KnownRelease, ...], random: object
) -> None:
    shuffled = list(releases)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert look(shape, shuffled) == look(shape, releases)


@given(st.permutations(range(6)))
def test_ties_are_decided_alike_in_any_order(order: list[int]) -> None:
    # One image, released at one time in three streams and for both platforms: nothing but the row tells them apart.
    layers = LAYERS[:2]
    releases = [
        KnownRelease(
            number, stream, platform, chain_ids(layers)[-1], layers, WHEN, current=False, tag="1.1",
            manifest_digest=digest_of("manifest"), index_digest=digest_of("index"),
        )
        for number, (stream, platform) in enumerate((s, p) for s in STREAMS for p in PLATFORMS)
    ]  # fmt: skip
    shapes = [
        ImageShape.of(LAYERS[2:], PLATFORMS[0], annotations={BASE_DIGEST: digest_of("index")}),
        ImageShape.of(LAYERS[2:], "linux/riscv64", annotations={BASE_DIGEST: digest_of("manifest")}),
        ImageShape.of(layers, "linux/riscv64"),
    ]

    for shape in shapes:
        assert look(shape, [releases[number] for number in order]) == look(shape, releases)


@given(images(), histories(), claims(), claims())
def test_what_an_image_says_never_beats_its_layers(
    shape: ImageShape, releases: tuple[KnownRelease, ...], annotations: dict[str, str], labels: dict[str, str]
) -> None:
    mute = look(ImageShape.of(shape.diff_ids, shape.platform), releases)
    loud = look(ImageShape.of(shape.diff_ids, shape.platform, annotations=annotations, labels=labels), releases)

    assert (mute.tier is Tier.EXACT) == (loud.tier is Tier.EXACT)
    if mute.tier is Tier.EXACT:
        # Of two streams with the very same layers it may choose; of layers never.
        assert [(level.layers, set(level.streams)) for level in loud.levels] == [
            (level.layers, set(level.streams)) for level in mute.levels
        ]


@given(images(), histories())
def test_a_release_for_another_platform_is_never_the_base(
    shape: ImageShape, releases: tuple[KnownRelease, ...]
) -> None:
    foreign = [release for release in releases if release.platform != shape.platform]

    assert look(shape, foreign).release_id is None


@given(images(), histories(), st.integers(0, 9))
def test_a_release_more_never_makes_the_base_shorter(
    shape: ImageShape, releases: tuple[KnownRelease, ...], which: int
) -> None:
    fewer = [release for number, release in enumerate(releases) if number != which]

    without, found = look(shape, fewer), look(shape, releases)

    if without.tier is Tier.EXACT:
        assert found.tier is Tier.EXACT
        assert found.levels[0].layers >= without.levels[0].layers


@given(images(), histories())
def test_there_is_always_evidence(shape: ImageShape, releases: tuple[KnownRelease, ...]) -> None:
    assert all(look(shape, releases).evidence)
    assert look(shape, releases).evidence


@st.composite
def real_images(draw: st.DrawFn) -> tuple[Image, int]:
    """A real image of a few layers, and how many of them are its base's."""
    words = draw(st.lists(st.binary(min_size=1, max_size=4), min_size=2, max_size=5))
    image = make_image([make_layer({"file": word}) for word in words], created=WHEN)
    return image, draw(st.integers(1, len(words) - 1))


@settings(max_examples=40)
@given(real_images(), st.integers(0, 9))
def test_compression_changes_nothing(made: tuple[Image, int], level: int) -> None:
    image, count = made
    base = KnownRelease(
        1, "ours:1", "linux/amd64", chain_ids(image.diff_ids[:count])[-1], image.diff_ids[:count], WHEN, current=True
    )

    found = [look(shape_of(form), [base]) for form in (image, recompressed(image, level), zstd(image))]

    assert {each.release_id for each in found} == {1}
    assert found[0] == found[1] == found[2]


def shape_of(image: Image) -> ImageShape:
    """The shape of an image as it is read from a registry."""
    manifest, config = parse_manifest(image.manifest.data), parse_config(image.config.data)
    assert isinstance(manifest, Manifest)
    assert len(manifest.layers) == len(config.diff_ids)
    return ImageShape.of(config.diff_ids, config.platform, annotations=manifest.annotations, labels=config.labels)
