"""Every kind of image gets the right base, tier and freshness, and evidence that names what is telling."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from typing import NamedTuple

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.overlay import FileDiff, diff_files, overlay
from functions_app.domain.layers.packages import PackageChange, diff_packages, overlay_packages
from functions_app.models import Account, Image
from tests.fixtures import Push
from tests.image_kinds import tools
from tests.image_kinds.apps import CODE, KINDS, SITE_PACKAGES
from tests.image_kinds.published import GOLDEN, NODE, NOW, OLD_PYTHON, PYTHON, REPRODUCIBLE, TOOLS, dated, golden, label
from tests.image_kinds.published import tools as tools_base
from tests.image_kinds.stage import MEMBERS, Judged, facts_of, judge, read_in_place, read_layers, stage
from tests.image_kinds.tools import Workshop
from tests.packages import require
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db

BASE = 6  # layers of each of AWS's releases
BASES = {
    "": "",
    "python Oct": label(PYTHON, 2),
    "python Nov": label(PYTHON, 3),
    "py3.9 Mar": label(OLD_PYTHON, 3),
    "node Oct": label(NODE, 2),
    "node Nov": label(NODE, 3),
    "golden 1": dated(GOLDEN, golden(1)),
    "golden 2": dated(GOLDEN, golden(2)),
    "tools 1": dated(TOOLS, tools_base(1)),
    "tools 2": dated(TOOLS, tools_base(2)),
    "seen first": f"{REPRODUCIBLE} of {NOW - timedelta(days=1):%F}",
    "seen next": f"{REPRODUCIBLE} of {NOW:%F}",
}

# n: releases behind. The evidence is what people read, the verdict's reason with it.
TABLE = """
kind                              | base       | tier       | freshness   | n | the evidence says
oci, gzip                         | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
oci, zstd                         | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
oci, uncompressed                 | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
docker schema 2                   | python Oct | exact      | stale       | 1 | first 6 of its 7 layers are, whole
recompressed                      | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
no history                        | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
empty and doubled layers          | python Oct | exact      | stale       | 1 | first 6 of its 11 layers are, whole
the base and nothing else         | python Nov | exact      | current     | 0 | All 6 of its layers are, whole
current                           | python Nov | exact      | current     | 0 | the current release of python:3.12

package database changed          | python Oct | exact      | stale       | 1 | release behind python:3.12.2026.11.11
pinned boto3                      | python Oct | exact      | stale       | 1 | release behind python:3.12.2026.11.11
opaque directory and whiteouts    | python Oct | exact      | stale       | 1 | release behind python:3.12.2026.11.11
changed entrypoint                | python Oct | exact      | stale       | 1 | release behind python:3.12.2026.11.11

other architecture                | python Oct | exact      | stale       | 1 | for linux/arm64
current, other architecture       | python Nov | exact      | current     | 0 | for linux/arm64
base moved for amd64: on amd64    | tools 1    | exact      | stale       | 1 | release behind harbour/tools:1.2026.10
base moved for amd64: on arm64    | tools 2    | exact      | current     | 0 | the current release of harbour/tools:1
multi-arch index                  |            | unknown    | unknown     | 0 | an index (linux/amd64, linux/arm64)
multi-arch index, linux/amd64     | python Oct | exact      | stale       | 1 | for linux/amd64
multi-arch index, linux/arm64     | python Oct | exact      | stale       | 1 | for linux/arm64
index with attestation            |            | unknown    | unknown     | 0 | an index (linux/amd64), not an image
index with attestation, its image | python Oct | exact      | stale       | 1 | for linux/amd64
the attestation itself            |            | unknown    | unknown     | 0 | This is an attestation (provenance or
signature                         |            | unknown    | unknown     | 0 | an artifact of type application/vnd

golden image, itself current      | golden 2   | exact      | stale       | 1 | which stands on python:3.12.2026.10.18
golden image, itself behind       | golden 1   | exact      | stale       | 1 | itself 1 release behind, which stands on
withdrawn release                 | node Nov   | exact      | stale       | 0 | withdrawn: nodejs:22 is back at nodejs
release that is current again     | node Oct   | exact      | current     | 0 | the current release of nodejs:22
end of life                       | py3.9 Mar  | exact      | end_of_life | 0 | reached its end of life on 2025-12-15
built in 1970                     | python Oct | exact      | stale       | 1 | release behind python:3.12.2026.11.11
no time of creation               | python Oct | exact      | stale       | 1 | release behind python:3.12.2026.11.11
on a base built in 1970           | seen first | exact      | stale       | 1 | 1 release
on the newest base built in 1970  | seen next  | exact      | current     | 0 | the current release of harbour

wrong annotation                  | python Oct | exact      | stale       | 1 | nodejs:22.2026.08.17.15: that disagrees
squashed, index annotated         | python Oct | annotation | stale       | 1 | Its layers do not confirm it
squashed, manifest annotated      | python Oct | annotation | stale       | 1 | Its annotation says that it was built on
squashed, base labelled           | python Oct | annotation | stale       | 1 | Its label says that it was built on
squashed, name annotated          | of python  | annotation | unknown     | 0 | Which release it is, nothing tells
squashed, unknown digest          | of python  | annotation | unknown     | 0 | that digest is of none of its known
unknown release of a known stream | of python  | partial    | unknown     | 0 | 3 of its 8 layers are those of known
unknown release, shared layers    |            | heuristic  | unknown     | 0 | 3 of its 8 layers are also in releases
squashed                          |            | heuristic  | unknown     | 0 | it starts /lambda-entrypoint.sh
unrelated base                    |            | unknown    | unknown     | 0 | Its 4 layers begin with no known

made by umoci                     | python Oct | exact      | stale       | 1 | first 6 of its 7 layers are, whole
made by buildah                   | python Oct | exact      | stale       | 1 | Its annotation names the same release
made by buildah, squashed         | python Oct | annotation | stale       | 1 | Its layers do not confirm it
saved and loaded by skopeo        | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
oci to docker by skopeo           | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
docker to oci by skopeo           | python Oct | exact      | stale       | 1 | first 6 of its 7 layers are, whole
gzip to zstd by skopeo            | python Oct | exact      | stale       | 1 | first 6 of its 8 layers are, whole
"""


class Expected(NamedTuple):
    """A line of the table. A base "of python" is no release: only the stream is known."""

    kind: str
    base: str
    tier: str
    freshness: str
    behind: str
    says: str


LINES = [Expected(*(cell.strip() for cell in line.split("|"))) for line in TABLE.strip().splitlines()[1:] if line]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A registry with every kind in it."""
    with stage(tmp_path_factory.mktemp("kinds")) as built:
        yield built


@pytest.fixture(scope="session")
def judged(shop: Workshop, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Mapping[str, Judged]:
    """Every kind, read and judged once; the rows are gone again."""
    with read_in_place(shop), django_db_blocker.unblock(), transaction.atomic():
        verdicts = judge(shop)
        transaction.set_rollback(True)
    return verdicts


@pytest.fixture(scope="session")
def layers(shop: Workshop) -> Callable[[str], tuple[LayerContents, ...]]:
    """What the layers of a kind hold, each kind read once."""
    return cache(partial(read_layers, shop))


@pytest.mark.parametrize("line", LINES, ids=[line.kind for line in LINES])
def test_each_kind_gets_its_base_tier_and_freshness(judged: Mapping[str, Judged], line: Expected) -> None:
    installed(line.kind)
    found = judged[line.kind]
    stream_only = line.base == "of python"

    assert (found.base, found.tier, found.freshness, found.releases_behind) == (
        "" if stream_only else BASES[line.base],
        line.tier,
        line.freshness,
        int(line.behind),
    ), found.evidence
    assert line.says in found.evidence
    if stream_only:
        assert found.stream == PYTHON


def installed(*kinds: str) -> None:
    """Kinds that tools make need those tools."""
    for kind in kinds:
        for program in tools.programs(kind):
            require(program)


def test_no_kind_is_left_out_of_the_table() -> None:
    members = (member for names in MEMBERS.values() for member in names)
    assert sorted([*KINDS, *tools.KINDS, *members]) == sorted(line.kind for line in LINES)


def test_a_golden_image_shows_its_whole_lineage_the_nearest_first(judged: Mapping[str, Judged]) -> None:
    found = judged["golden image, itself current"]

    assert [(level["label"], level["layers"], level["freshness"]) for level in found.lineage] == [
        (BASES["golden 2"], 8, "current"),
        (BASES["python Oct"], 6, "stale"),
    ]


def test_the_kinds_are_what_their_names_say(judged: Mapping[str, Judged]) -> None:
    installed(*tools.KINDS)

    def forms(kind: str) -> set[str]:
        return {str(layer["media_type"]).rpartition(".")[2] for layer in judged[kind].layers}

    def blobs(kind: str) -> set[object]:
        return {layer["digest"] for layer in judged[kind].layers}

    assert forms("oci, gzip") == forms("docker to oci by skopeo") == forms("made by umoci") == {"tar+gzip"}
    assert forms("oci, zstd") == forms("gzip to zstd by skopeo") == {"tar+zstd"}
    assert forms("docker schema 2") == forms("oci to docker by skopeo") == {"gzip"}
    assert forms("oci, uncompressed") == {"tar"}
    for kind in ("recompressed", "saved and loaded by skopeo", "gzip to zstd by skopeo", "oci, zstd"):
        assert judged[kind].diff_ids == judged["oci, gzip"].diff_ids
        assert blobs(kind).isdisjoint(blobs("oci, gzip"))
    assert judged["no history"].steps == 0 < judged["oci, gzip"].steps
    assert [len(judged[kind].diff_ids) for kind in ("squashed", "made by buildah, squashed")] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_ecr_tells_the_same_of_every_kind(judged: Mapping[str, Judged], ours: Account, push: Push, log: Lines) -> None:
    for number, build in enumerate(KINDS.values()):
        push("team/kinds", build(), [f"kind-{number}"])

    run_once(log)

    made = {found.digest: found.facts for kind, found in judged.items() if kind not in tools.KINDS}
    assert {image.digest: facts_of(image) for image in Image.objects.all()} == made


Layers = Callable[[str], tuple[LayerContents, ...]]


def shown(layers: Sequence[LayerContents]) -> dict[str, FileEntry]:
    """The files that a container would see."""
    return overlay([layer.entries for layer in layers])


@pytest.mark.parametrize(
    "kind", ["oci, zstd", "oci, uncompressed", "recompressed", "gzip to zstd by skopeo", "saved and loaded by skopeo"]
)
def test_what_layers_hold_is_the_same_however_they_are_packed(layers: Layers, kind: str) -> None:
    installed(kind)

    assert layers(kind) == layers("oci, gzip")


def test_a_squashed_image_shows_the_files_of_all_its_layers(layers: Layers) -> None:
    assert diff_files(shown(layers("oci, gzip")), shown(layers("squashed"))) == FileDiff((), (), ())


@pytest.mark.parametrize("kind", ["made by umoci", "made by buildah", "made by buildah, squashed", "docker schema 2"])
def test_an_application_adds_its_code_to_its_base_whoever_built_it(layers: Layers, kind: str) -> None:
    installed(kind)

    base, whole = shown(layers("oci, gzip")[:BASE]), shown(layers(kind))

    found = diff_files(base, whole)

    assert [entry.path for entry in found.added if entry.kind == "file"] == list(CODE)
    assert found.removed == ()
    assert [change for change in found.changed if change.new.kind != "dir"] == []


def test_packages_that_an_application_installed_or_pinned_are_told_from_its_bases(layers: Layers) -> None:
    installed, pinned = layers("package database changed"), layers("pinned boto3")

    more = diff_packages(overlay_packages(installed[:BASE]), overlay_packages(installed))
    other = diff_packages(overlay_packages(pinned[:BASE]), overlay_packages(pinned))

    assert [(package.kind, package.name) for package in more.added] == [("rpm", "libxml2")]
    assert (more.removed, more.changed) == ((), ())
    assert other.changed == (PackageChange("python", "boto3", ("1.42.4",), ("1.34.0",)),)


def test_what_an_application_hides_of_its_base_is_seen(layers: Layers) -> None:
    stack = layers("opaque directory and whiteouts")

    removed = {entry.path for entry in diff_files(shown(stack[:BASE]), shown(stack)).removed}

    assert removed == {"etc/localtime", f"{SITE_PACKAGES}/urllib3/__init__.py"}
