"""Whole syncs of functions in every state: only what is ready is ever told to be well."""

import json

import pytest

from functions_app.models import Account, Function, Image, Version
from functions_app.services.inventory.fleet.advice import advise
from functions_app.services.snapshot.function_summaries import refresh_summaries
from tests.sandbox.functions import Functions
from tests.services.changes.aws_between import Answer, Between
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"State": "Deactivated"}, "Deactivated: it is out of service"),
        ({"State": "Deleting"}, "Deleting: Lambda is deleting it"),
        ({"State": "Hibernating"}, "Hibernating: Drydock does not know this state"),
        ({"State": None}, "AWS does not tell its state"),
        ({"LastUpdateStatus": "Postponed"}, "Last update Postponed: Drydock does not know"),
        ({"LastUpdateStatus": None}, "AWS does not tell how the last update ended"),
    ],
)
def test_a_state_that_is_not_ready_is_never_well_on_the_newest_base(
    ours: Account, between: Between, log: Lines, functions: Functions, members: dict[str, str | None], says: str
) -> None:
    functions.deploy()
    functions.publish("app")
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")

    def detail(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        told["Configuration"] |= members
        return Answer(answer.status, answer.headers, json.dumps(told).encode())

    between.rules["GET /functions/app"] = detail
    run_once(log)
    Image.objects.update(freshness="current", freshness_reason="Its base is the newest.")
    refresh_summaries()
    row = Function.objects.get()
    assert row.freshness == "current"
    assert says in row.problem
    assert advise(row, None).level in ("calm", "warn", "bad")
    assert not advise(row, None).button  # nothing to deploy before it is known how it stands
    between.rules.clear()
    Version.objects.update(detailed_at=None)
    run_once(log)
    Image.objects.update(freshness="current")
    refresh_summaries()
    assert advise(Function.objects.get(), None).text == "All is well."
