"""Look-ups among known releases: by the names people give them, by digest, by layer."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from functions_app.domain.bases.known_releases import EMPTY_LAYER, KnownReleases
from functions_app.domain.bases.lineage import KnownRelease, Named, find_levels
from functions_app.domain.bases.stream_names import Followed, FoundName, StreamNames
from functions_app.domain.images.manifests import chain_ids

AMD64, ARM64 = "linux/amd64", "linux/arm64"
_REFERENCES = {
    "python:3.12": "public.ecr.aws/lambda/python:3.12",
    "library/python:3.12": "docker.io/library/python:3.12",
    "acme/golden:1": "registry.acme.example:5000/acme/golden:1",
    "acme/newest:latest": "registry.acme.example:5000/acme/newest:latest",
    "broken": "not a reference",
}
REFERENCES = {name: Followed(reference) for name, reference in _REFERENCES.items()}


def release(
    number: int, layers: Sequence[str], stream: str = "python:3.12", platform: str = AMD64, tag: str = ""
) -> KnownRelease:
    return KnownRelease(
        number, stream, platform, chain_ids(layers)[-1], tuple(layers), datetime(2026, 1, 1, tzinfo=UTC), False, tag,
        f"manifest {number}", "index",
    )  # fmt: skip


DATED = (release(1, ["a"], tag="3.12.2026.01.01.10"), release(2, ["b"], platform=ARM64, tag="3.12.2026.01.01.10"))
KNOWN = KnownReleases(DATED, REFERENCES)


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("public.ecr.aws/lambda/python:3.12", "python:3.12"),
        ("public.ecr.aws/lambda/python:3.12-arm64", "python:3.12"),
        ("public.ecr.aws/lambda/python:3.12-x86_64", "python:3.12"),
        (" public.ecr.aws/lambda/python:3.12 ", "python:3.12"),
        ("public.ecr.aws/lambda/python:3.13", ""),
        ("mirror.example/lambda/python:3.12", ""),
        ("python:3.12", "library/python:3.12"),
        ("library/python:3.12", "library/python:3.12"),
        ("docker.io/python:3.12", "library/python:3.12"),
        ("index.docker.io/library/python:3.12", "library/python:3.12"),
        ("registry.acme.example:5000/acme/golden:1", "acme/golden:1"),
        ("registry.acme.example:5000/acme/newest", "acme/newest:latest"),
        ("registry.acme.example:5000/acme/golden", ""),
        ("", ""),
        ("://", ""),
        ("scratch", ""),
    ],
)
def test_a_stream_is_known_by_any_name_that_leads_to_it(name: str, stream: str) -> None:
    assert KNOWN.by_reference(name) == Named(stream)


def test_a_dated_tag_names_its_releases_for_every_platform() -> None:
    named = KNOWN.by_reference("public.ecr.aws/lambda/python:3.12.2026.01.01.10-arm64")

    assert named == Named("python:3.12", DATED)


def test_a_digest_may_be_that_of_the_manifest_or_of_the_index() -> None:
    assert KNOWN.by_digest("manifest 2") == DATED[1:]
    assert KNOWN.by_digest("index") == DATED
    assert KNOWN.by_digest("") == KNOWN.by_digest("another") == ()


def test_layers_belong_to_the_stream_that_brought_them_in() -> None:
    known = KnownReleases([release(1, ["os", "python"]), release(2, ["os", "python", "ca"], "acme/golden:1")])

    found = known.sharing(["os", "python", "ca", "app"], AMD64)

    assert found["python:3.12"].layers == found["python:3.12"].own == {"os", "python"}
    assert found["acme/golden:1"].layers == {"os", "python", "ca"}
    assert found["acme/golden:1"].own == {"ca"}


def test_layers_that_two_streams_brought_in_belong_to_neither() -> None:
    known = KnownReleases([release(1, ["os", "python"]), release(2, ["os", "node"], "nodejs:22")])

    assert known.sharing(["os", "node"], AMD64)["nodejs:22"].own == {"node"}
    assert known.sharing(["os"], AMD64)["python:3.12"].own == set()


def test_layers_are_looked_for_on_one_platform_and_the_empty_one_never() -> None:
    known = KnownReleases([release(1, ["os", EMPTY_LAYER])])

    assert known.sharing(["os", EMPTY_LAYER], AMD64)["python:3.12"].layers == {"os"}
    assert known.sharing(["os", EMPTY_LAYER], ARM64) == {}


def test_streams_are_counted_by_their_releases() -> None:
    assert KNOWN.streams_watched == 1
    assert KnownReleases([], REFERENCES).streams_watched == 0


def test_levels_are_found_for_the_platform_asked_for() -> None:
    chains = chain_ids(["os", "python"])
    known = KnownReleases([release(1, ["os"]), release(2, ["os", "python"], platform=ARM64)])

    assert [level.release.id for level in find_levels(chains, AMD64, known.by_chain(chains))] == [1]
    assert [level.release.id for level in find_levels(chains, ARM64, known.by_chain(chains))] == [2]


PLAIN, DUAL, FIPS = (
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr-ecr.eu-west-1.on.aws",
    "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
)


@pytest.mark.parametrize(
    ("watched", "claimed", "found"),
    [
        (PLAIN, PLAIN, True),
        (PLAIN, DUAL, True),
        (DUAL, PLAIN, True),
        (DUAL, DUAL, True),
        (PLAIN, PLAIN.upper(), True),
        (FIPS, FIPS.replace("ecr-fips", "ecr"), True),
        (PLAIN, FIPS, False),
        (PLAIN, DUAL.replace("123456789012", "210987654321"), False),
        (PLAIN, DUAL.replace("on.aws", "on.aws.example"), False),
    ],
)
def test_a_stream_in_ecr_is_found_by_every_name_of_its_registry(watched: str, claimed: str, found: bool) -> None:
    names = StreamNames({"golden": Followed(f"{watched}/golden:latest", own=True)})

    assert names.find(f"{claimed}/golden:latest") == (FoundName("golden") if found else None)
    assert names.find(f"{claimed}/golden:1.4.0") == (FoundName("golden", "1.4.0") if found else None)
