"""Pushing to ECR, as the sandbox has it: mounted where that can be, copied where not, again and again the same."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions_app.domain.errors import Code
from functions_app.domain.images.registry_login import Login
from functions_app.registry.client import Registry
from functions_app.registry.pushing import Progress, push
from functions_app.registry.referrers import attach
from functions_app.registry.uploads import Source
from sandbox.images.making import Image
from tests.fixtures import REGION, ClientFactory, Push, Sandbox, login
from tests.publishing import publish, unique_repository
from tests.registry.ecr import APP, NEW_BASE, RESULT, Ecr, opened, refused
from tests.registry.pushes import TAG, app, base, held, pulled, rebased, referrer


def test_the_bases_layers_are_mounted_and_only_the_config_is_sent(ecr: Ecr) -> None:
    pushed = push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG)

    assert pulled(ecr.registry, "team/app", TAG) == held(RESULT)
    assert (pushed.digest, pushed.mounted, pushed.existing, pushed.copied) == (RESULT.digest, 3, 2, 0)
    assert pushed.copied_bytes == len(RESULT.config.data)


def test_a_push_with_mounts_costs_few_requests_and_moves_little(
    sandbox: Sandbox, account: str, client: ClientFactory, push: Push
) -> None:
    # A base of 11 layers as the study had it; nothing here depends on how large they are.
    large = base(11)
    image = app(large, 4)
    push("team/app", app(base(11, "older"), 4), ["v1"])
    push("platform/base", large, ["3.12"])
    with opened(sandbox, account, client("ecr")) as ecr:
        ecr.mount("ENABLED")
        before = sum(ecr.calls().values())

        pushed = pushing(ecr, image, large)

        assert pushed.requests == sum(ecr.calls().values()) - before
        assert pushed.requests <= 21
        assert pushed.copied_bytes < 100_000
        before = sum(ecr.calls().values())
        attached = attach(ecr.registry, "team/app", *referrer(image, "statement"))
        assert attached.requests == sum(ecr.calls().values()) - before
        assert attached.requests <= 6


def pushing(ecr: Ecr, image: Image, on: Image) -> Any:
    return push(ecr.registry, "team/app", rebased(image, on, ecr.base), TAG)


def test_where_nothing_is_mounted_layers_are_copied_in_the_session_that_was_opened(ecr: Ecr) -> None:
    ecr.mount("DISABLED")
    before = ecr.calls()

    pushed = push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG)

    assert pulled(ecr.registry, "team/app", TAG) == held(RESULT)
    assert (pushed.mounted, pushed.existing, pushed.copied) == (0, 2, 3)
    sent = [len(layer.blob.data) for layer in NEW_BASE.layers]
    assert pushed.copied_bytes == sum(sent) + len(RESULT.config.data)
    assert ecr.calls()["StartUpload"] - before.get("StartUpload", 0) == 3 + 1  # and the config's


def test_what_was_pushed_before_is_found_again_by_one_request(ecr: Ecr) -> None:
    image = rebased(RESULT, NEW_BASE, ecr.base)
    push(ecr.registry, "team/app", image, TAG)

    again = push(ecr.registry, "team/app", image, TAG)

    assert (again.digest, again.existing, again.copied_bytes, again.requests) == (RESULT.digest, 5, 0, 1)


def test_layers_of_a_registry_elsewhere_are_copied_once(ecr: Ecr, aws: Sandbox) -> None:
    repository = unique_repository()
    publish(aws, repository, NEW_BASE, ["3.12"])
    with Registry.open("public.ecr.aws") as public:
        image = rebased(RESULT, NEW_BASE, Source(public, repository))
        first = push(ecr.registry, "team/app", image, TAG)
        second = push(ecr.registry, "team/app", image, "another-tag")

    assert pulled(ecr.registry, "team/app", TAG) == held(RESULT)
    assert (first.copied, second.copied, second.existing) == (3, 0, 5)


def test_other_names_of_ecrs_registry_are_the_same_registry(ecr: Ecr) -> None:
    host = f"{ecr.account}.dkr-ecr.{REGION}.on.aws"  # dual-stack
    with Registry(host, ecr.sandbox.url, Login(*login(ecr.api))) as source:
        image = rebased(RESULT, NEW_BASE, Source(source, "platform/base"))
        assert push(ecr.registry, "team/app", image, TAG).mounted == 3


@pytest.mark.parametrize("mode", ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"])
def test_a_tag_that_names_another_image_is_never_moved(ecr: Ecr, mode: str) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "v*"}] if mode.endswith("EXCLUSION") else None
    more = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    ecr.api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability=mode, **more)

    error = refused(ecr, "v1")

    assert error.problem.code is Code.PREFLIGHT
    assert APP.digest in str(error)
    assert ecr.tags() == {"v1": APP.digest}


@pytest.mark.parametrize("mode", ["MUTABLE", "IMMUTABLE"])
def test_two_who_push_the_same_image_at_once_both_succeed(ecr: Ecr, mode: str) -> None:
    ecr.api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability=mode)
    image = rebased(RESULT, NEW_BASE, ecr.base)

    with ThreadPoolExecutor(4) as pool:
        pushed = list(pool.map(lambda _: push(ecr.registry, "team/app", image, TAG).digest, range(4)))

    assert pushed == [RESULT.digest] * 4
    assert ecr.tags()[TAG] == RESULT.digest


def test_a_push_tells_how_far_it_is(ecr: Ecr) -> None:
    ecr.mount("DISABLED")
    told: list[Progress] = []

    pushed = push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG, progress=told.append)

    assert told[-1] == Progress(5, 5, pushed.copied_bytes)
    assert [each.layers for each in told] == sorted(each.layers for each in told)
