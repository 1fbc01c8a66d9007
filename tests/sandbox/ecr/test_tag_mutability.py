"""ECR's four modes of tags, by the API and by /v2."""

from contextlib import suppress

import httpx
import pytest

from tests.fixtures import ClientFactory, Push
from tests.sandbox.fixtures import small_image

# By mode: may a tag `v1` be moved, and `latest-eu`, which the filter `latest*` names?
MODES = [
    ("MUTABLE", True, True),
    ("IMMUTABLE", False, False),
    ("MUTABLE_WITH_EXCLUSION", True, False),
    ("IMMUTABLE_WITH_EXCLUSION", False, True),
]


@pytest.mark.parametrize("by_api", [True, False], ids=["API", "v2"])
@pytest.mark.parametrize(("mode", "version_moves", "latest_moves"), MODES)
def test_each_mode_of_tags_is_enforced(
    client: ClientFactory, push: Push, mode: str, version_moves: bool, latest_moves: bool, by_api: bool
) -> None:
    ecr = client("ecr")
    filters = [{"filterType": "WILDCARD", "filter": "latest*"}] if mode.endswith("EXCLUSION") else None
    more = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    ecr.create_repository(repositoryName="team/app", imageTagMutability=mode, **more)
    (kept,) = ecr.describe_repositories()["repositories"]
    assert (kept["imageTagMutability"], kept.get("imageTagMutabilityExclusionFilters")) == (mode, filters)
    push("team/app", small_image("one"), ["v1", "latest-eu"])
    other = push("team/app", small_image("two"))
    (image,) = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageDigest": other}])["images"]

    def moves(tag: str) -> bool:
        if by_api:
            with suppress(ecr.exceptions.ImageTagAlreadyExistsException):
                ecr.put_image(repositoryName="team/app", imageManifest=image["imageManifest"], imageTag=tag)
        else:
            with suppress(httpx.HTTPStatusError):
                push("team/app", small_image("two"), [tag])
        (named,) = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": tag}])["imageDetails"]
        return bool(named["imageDigest"] == other)

    assert (moves("v1"), moves("latest-eu")) == (version_moves, latest_moves)
