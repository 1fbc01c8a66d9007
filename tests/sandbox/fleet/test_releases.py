"""POST /_sandbox/releases: a new release of a base stream, and a fleet that it makes stale."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.error import HTTPError

import httpx
import pytest

from functions_app import clock
from sandbox.images.bases import STREAMS
from tests.fixtures import REGION, Sandbox, login
from tests.sandbox.serving import serving

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
ACCOUNT = "111111111111"
GOLDEN = "platform/python-golden:3.12"


@pytest.fixture
def fleet() -> Iterator[Sandbox]:
    """A fleet of its own for each test: releases are seen by all accounts."""
    with serving("--fleet", "small") as sandbox:
        yield sandbox


def manifest(sandbox: Sandbox, repository: str, reference: str, **more: Any) -> httpx.Response:
    url = f"{sandbox.url}/v2/{repository}/manifests/{reference}"
    return httpx.get(url, headers={"Accept": MANIFESTS}, **more).raise_for_status()


def diff_ids(sandbox: Sandbox, repository: str, reference: str, **more: Any) -> list[str]:
    config = manifest(sandbox, repository, reference, **more).json()["config"]["digest"]
    url = f"{sandbox.url}/v2/{repository}/blobs/{config}"
    return list(httpx.get(url, follow_redirects=True, **more).raise_for_status().json()["rootfs"]["diff_ids"])


def publish(sandbox: Sandbox, stream: str = "python:3.12", **more: str | None) -> dict[str, Any]:
    answer: dict[str, Any] = sandbox.admin("POST", "releases", {"stream": stream, **more})
    return answer


def test_a_release_has_a_dated_tag_of_its_hour(fleet: Sandbox) -> None:
    release = publish(fleet, created="2031-02-03T04:05:06Z")
    assert release["version"] == "3.12.2031.02.03.04"
    found = manifest(fleet, "lambda/python", "3.12.2031.02.03.04").headers["Docker-Content-Digest"]
    assert found == release["digest"]


def test_a_release_without_a_date_is_of_now(fleet: Sandbox) -> None:
    created = datetime.fromisoformat(publish(fleet)["created"])
    assert abs((clock.now() - created).total_seconds()) < 60


def test_a_release_moves_the_moving_tags_of_all_platforms(fleet: Sandbox) -> None:
    version = publish(fleet)["version"]
    for suffix in ("", "-x86_64", "-arm64"):
        moving, dated = (manifest(fleet, "lambda/python", f"{name}{suffix}").content for name in ("3.12", version))
        assert moving == dated


def test_a_release_is_an_index_of_both_platforms(fleet: Sandbox) -> None:
    release = publish(fleet)
    members = manifest(fleet, "lambda/python", "3.12").json()["manifests"]
    assert {member["platform"]["architecture"]: member["digest"] for member in members} == release["images"]
    assert list(release["images"]) == ["amd64", "arm64"]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_release_puts_new_layers_on_the_shared_os_layer(fleet: Sandbox, stream: Any) -> None:
    before = diff_ids(fleet, stream.repository, f"{stream.tag}-x86_64")
    publish(fleet, stream.name)
    after = diff_ids(fleet, stream.repository, f"{stream.tag}-x86_64")
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_each_further_release_is_another_image(fleet: Sandbox) -> None:
    chains = []
    for day in ("03", "04", "05"):
        publish(fleet, created=f"2031-02-{day}T00:00:00Z")
        chains.append(tuple(diff_ids(fleet, "lambda/python", "3.12-x86_64")))
    assert len(set(chains)) == 3


def test_older_releases_keep_their_dated_tags(fleet: Sandbox) -> None:
    before = fleet.admin("GET", "releases")["python:3.12"]
    version = publish(fleet)["version"]
    assert fleet.admin("GET", "releases")["python:3.12"] == [*before, version]


def test_a_release_makes_a_fleet_stale(fleet: Sandbox) -> None:
    ecr = fleet.client("ecr", REGION, ACCOUNT)
    app = diff_ids(fleet, "fleet/app-000", "live", auth=login(ecr))
    before = diff_ids(fleet, "lambda/python", "3.12-x86_64")
    publish(fleet)
    after = diff_ids(fleet, "lambda/python", "3.12-x86_64")
    assert app[: len(before)] == before
    assert app[: len(after)] != after


def test_a_stream_begins_with_its_first_release_where_there_was_none() -> None:
    with serving() as sandbox:
        release = publish(sandbox, "nodejs:22")
        assert sandbox.admin("GET", "releases")["nodejs:22"] == [release["version"]]


@pytest.mark.parametrize("built", [None, "1980-01-01T00:00:00Z", "2130-01-01T00:00:00Z"])
def test_a_release_may_tell_another_time_than_that_of_its_push_or_none(fleet: Sandbox, built: str | None) -> None:
    release = publish(fleet, created="2031-02-03T04:05:06Z", built=built)

    assert release["version"] == "3.12.2031.02.03.04"
    digest = manifest(fleet, "lambda/python", "3.12-arm64").json()["config"]["digest"]
    config = httpx.get(f"{fleet.url}/v2/lambda/python/blobs/{digest}", follow_redirects=True).json()
    assert config.get("created") == built


def test_the_layers_of_a_release_may_be_released_again_as_another_image(fleet: Sandbox) -> None:
    first = fleet.admin("GET", "releases")["python:3.12"][0]
    before = manifest(fleet, "lambda/python", f"{first}-x86_64").headers["Docker-Content-Digest"]

    again = publish(fleet, again=first)

    assert again["images"]["amd64"] != before
    assert diff_ids(fleet, "lambda/python", "3.12-x86_64") == diff_ids(fleet, "lambda/python", f"{first}-x86_64")


def test_a_release_may_be_withdrawn_and_keeps_its_dated_tag(fleet: Sandbox) -> None:
    *_, before, newest = fleet.admin("GET", "releases")["python:3.12"]

    publish(fleet, back_to=before)

    for suffix in ("", "-x86_64", "-arm64"):
        moving = manifest(fleet, "lambda/python", f"3.12{suffix}").content
        assert moving == manifest(fleet, "lambda/python", f"{before}{suffix}").content
        assert moving != manifest(fleet, "lambda/python", f"{newest}{suffix}").content


@pytest.mark.parametrize("word", ["back_to", "again"])
def test_a_release_that_never_was_is_refused(fleet: Sandbox, word: str) -> None:
    with pytest.raises(HTTPError) as refusal:
        publish(fleet, **{word: "3.12.1999.01.01.01"})
    assert refusal.value.code == 400
    assert "3.12.1999.01.01.01" in json.load(refusal.value)["error"]


def test_a_second_release_of_the_same_hour_is_refused(fleet: Sandbox) -> None:
    publish(fleet, created="2031-02-03T04:05:06Z")
    with pytest.raises(HTTPError) as refusal:
        publish(fleet, created="2031-02-03T04:30:00Z")
    assert refusal.value.code == 400
    assert "give a later `created`" in json.load(refusal.value)["error"]


def test_the_demos_golden_image_is_released_on_what_awss_moving_tag_points_to_now() -> None:
    with serving("--fleet", "demo") as sandbox:
        ecr = sandbox.client("ecr", REGION, ACCOUNT)
        publish(sandbox)
        beneath = diff_ids(sandbox, "lambda/python", "3.12-x86_64")

        release = publish(sandbox, GOLDEN)

        assert sandbox.admin("GET", "releases")[GOLDEN][-1] == release["version"] == "1.6.0"
        moving, dated = (
            manifest(sandbox, "platform/python-golden", tag, auth=login(ecr)).headers["Docker-Content-Digest"]
            for tag in ("3.12", "3.12-1.6.0")
        )
        assert moving == dated == release["digest"]
        chain = diff_ids(sandbox, "platform/python-golden", "3.12", auth=login(ecr))
        assert (chain[:-2], len(chain)) == (beneath, len(beneath) + 2)


def test_a_fleet_without_a_golden_image_releases_none(fleet: Sandbox) -> None:
    assert GOLDEN not in fleet.admin("GET", "releases")
    with pytest.raises(HTTPError) as refusal:
        publish(fleet, GOLDEN)
    assert "no stream 'platform/python-golden:3.12'" in json.load(refusal.value)["error"]


def test_an_unknown_stream_is_refused_with_those_there_are(fleet: Sandbox) -> None:
    with pytest.raises(HTTPError) as refusal:
        publish(fleet, "perl:5")
    assert refusal.value.code == 404
    assert "python:3.12" in json.load(refusal.value)["error"]
