"""A public registry that throttles whoever reads it without a name, as public.ecr.aws and Docker Hub do."""

import httpx

from tests.fixtures import Sandbox, Throttle, registry_client
from tests.processes import eventually
from tests.publishing import LOGIN, publish, unique_repository
from tests.sandbox.fixtures import small_image


def test_a_public_registry_that_throttles_refuses_the_nameless_and_may_say_for_how_long(
    sandbox: Sandbox, throttle: Throttle
) -> None:
    repository, image = unique_repository(), small_image()
    publish(sandbox, repository, image, ["1"])
    address = f"{sandbox.url}/v2/{repository}/manifests/1"

    throttle(0.01, 2, retry_after=5)
    answers = [httpx.request(method, address) for method in ("HEAD", "GET", "GET")]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "5"
    assert answers[2].json()["errors"][0]["code"] == "TOOMANYREQUESTS"
    assert httpx.get(f"{sandbox.url}/v2/{repository}/tags/list").status_code == 200
    with registry_client(sandbox.url, LOGIN) as known:
        assert known.get(f"/v2/{repository}/manifests/1").status_code == 200
    throttle(0.01, 1)
    assert "retry-after" not in [httpx.get(address) for _ in range(2)][1].headers


def test_who_is_throttled_may_read_again_after_a_while(sandbox: Sandbox, throttle: Throttle) -> None:
    repository = unique_repository()
    publish(sandbox, repository, small_image(), ["1"])
    throttle(0.2, 1)

    def status() -> int:
        return httpx.get(f"{sandbox.url}/v2/{repository}/manifests/1").status_code

    assert [status(), status()] == [200, 429]
    eventually(lambda: status() == 200, "the registry answers again")
