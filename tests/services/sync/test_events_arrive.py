"""From `docker push` to the verdict with nobody's help: a real beat and worker, the sandbox's EventBridge and SQS."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from functions_app.models import Account, BaseStream, Function
from functions_app.services.bases import streams
from functions_app.services.people.actor import Actor
from sandbox.images.making import make_image
from tests.conftest import Valkey
from tests.fixtures import REGION, ClientFactory, Push, Sandbox
from tests.processes import beat, eventually, worker
from tests.publishing import NOW, base
from tests.sandbox.functions import Functions, python_image
from tests.services.sync.events_stage import GOLDEN, Events

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
# Of its own: the sandbox serves other tests too, and what one of them published as Lambda's base would count as that.
BEFORE, AFTER = base(1, name=GOLDEN), base(2, name=GOLDEN)
SETTINGS = {"Entrypoint": ["/lambda-entrypoint.sh"], "Cmd": ["app.handler"], "WorkingDir": "/var/task"}


def test_a_golden_image_that_is_pushed_makes_its_functions_stale_long_before_the_next_poll(
    aws: Sandbox,
    valkey: Valkey,
    ours: Account,
    client: ClientFactory,
    push: Push,
    functions: Functions,
    operator: Actor,
    settings: Settings,
    process_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    queue = Events(client, ours.account_id, settings)
    push(GOLDEN, BEFORE, ["stable"])
    host = f"{ours.account_id}.dkr.ecr.{REGION}.amazonaws.com"
    stream = streams.add_stream(f"{host}/{GOLDEN}:stable", [], operator)
    functions.deploy(make_image(python_image().layers, base=BEFORE, created=NOW, config=SETTINGS))
    environment = {
        **process_environment,
        "PROCESS_SETTINGS": "tests.survive_settings",
        "AWS_ENDPOINT_URL": aws.url,
        "DRYDOCK_REGISTRY_MIRRORS": f"public.ecr.aws={aws.url},*.amazonaws.com={aws.url}",
        "DRYDOCK_BASE_STREAMS": "python:3.12",
        "DRYDOCK_EVENT_QUEUES": queue.arn,
    }

    def stands(freshness: str) -> bool:
        return Function.objects.filter(name="app", freshness=freshness).exists()

    with beat(environment, tmp_path), worker(environment, tmp_path, "one"):
        eventually(lambda: stands("current"), "the function is current")
        eventually(lambda: queue.left() == 0, "the first events were taken")
        push(GOLDEN, AFTER, ["stable"])
        eventually(lambda: stands("stale"), "the function is stale", within=120)

    assert stream.releases.get(current=True).manifest_digest == AFTER.digest
    # Its turn would have come in an hour; and the upgrade's streams are there, as they were chosen.
    assert set(BaseStream.objects.values_list("name", flat=True)) == {stream.name, "python:3.12"}
