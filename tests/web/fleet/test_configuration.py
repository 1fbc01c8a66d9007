"""The tab Configuration: by the snapshot, and with what AWS says at that moment of two versions."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.triggers import Part, Trigger, Triggers
from functions_app.models import Function, FunctionTriggers, Image, Version
from functions_app.services.inventory.fleet.configuration import function_configuration
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.factories import (
    make_account,
    make_alias,
    make_function,
    make_image,
    make_repository,
    make_stream,
    make_version,
)
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage
from tests.web.unbroken import unbroken

PLAIN = {
    "memory_mb": 512,
    "timeout_s": 30,
    "ephemeral_mb": 512,
    "architecture": "x86_64",
    "role_arn": "arn:aws:iam::1:role/app",
}
BEFORE = {"Variables": {"KEY": "hunter2-one", "SAME": "x"}}
AFTER = {"Variables": {"KEY": "hunter2-two", "SAME": "x", "NEW": "y"}}


@pytest.fixture
def function(db: None) -> Function:
    """A function whose alias live runs version 7, before which there was 6; 8 is published since."""
    image = make_image(make_repository(make_account()))
    function = make_function(image.repository.account, "orders")
    make_version(function, "$LATEST", image, configuration=PLAIN)
    make_version(function, 6, image, configuration={**PLAIN, "env_keys": ["OLD", "TABLE"], "command": ["a.handler"]})
    make_version(function, 7, image, configuration={**PLAIN, "memory_mb": 1024, "env_keys": ["TABLE", "TOPIC"]})
    make_version(function, 8, image)
    make_alias(function, "live", 7)
    return function


def shown(client: Client, function: Function, query: str = "") -> str:
    """The page."""
    return client.get(f"/functions/{function.pk}/configuration/{query}").content.decode()


def test_it_opens_on_what_is_live_against_the_version_before(person: Client, function: Function) -> None:
    text = shown(person, function)
    assert "<title>orders: configuration - Drydock</title>" in text
    assert "Settings of version 7" in text
    assert "version 7 is live under live" in text
    assert "1,024 MB" in text
    assert "From version 6 to 7" in text


def test_names_that_came_and_went_and_settings_that_differ_are_told(person: Client, function: Function) -> None:
    difference = person.get(f"/functions/{function.pk}/configuration/").context["found"].difference
    assert (difference.added, difference.removed) == (("TOPIC",), ("OLD",))
    assert ("Memory", "512 MB", "1,024 MB") in difference.settings


def test_any_two_versions_are_compared(person: Client, function: Function) -> None:
    found = person.get(f"/functions/{function.pk}/configuration/?version=6&against=$LATEST").context["found"]
    assert (found.shown.number, found.against, found.difference.added) == ("6", "$LATEST", ("OLD", "TABLE"))


def test_what_the_image_says_stands_beside_what_the_function_overrides(person: Client, function: Function) -> None:
    start = person.get(f"/functions/{function.pk}/configuration/?version=6").context["found"].shown.start
    command = next(line for line in start if line.name == "CMD")
    assert (command.image, command.function) == ("app.handler", "a.handler")


def test_a_version_that_no_listing_told_says_so(person: Client, function: Function) -> None:
    assert "How version 8 is configured is not known" in shown(person, function, "?version=8")


def test_a_version_that_is_not_there_is_said(person: Client, function: Function) -> None:
    answer = person.get(f"/functions/{function.pk}/configuration/?version=99")
    assert answer.status_code == 404
    assert "Drydock knows no version 99 of it." in answer.content.decode()


def test_a_version_of_more_digits_than_python_reads_is_none_that_is_there(function: Function) -> None:
    with pytest.raises(DrydockError, match="Drydock knows no version 99999999999999999999 of it"):
        function_configuration(function.pk, "9" * 5_000)


def test_an_environment_that_aws_could_not_tell_is_not_called_empty(person: Client, function: Function) -> None:
    Version.objects.filter(number="7").update(configuration={**PLAIN, "unread": ["environment"]})
    text = shown(person, function)
    assert "Which variables came and went is not known" in text
    assert "KMS key" in text


def test_a_function_whose_versions_were_not_read_has_a_page(person: Client, function: Function) -> None:
    function.versions.all().delete()
    assert "is not known" in shown(person, function)


def test_who_may_only_look_has_no_button_to_ask_aws(person: Client, function: Function) -> None:
    assert "Compare values in AWS" not in shown(person, function)


def test_the_commands_start_what_is_shown_by_its_digest_and_can_be_copied(person: Client, function: Function) -> None:
    image = function.versions.get(number="6").image
    assert image
    text = shown(person, function, "?version=6")
    assert f"{image.repository.uri}@{image.digest} a.handler</pre>" in text
    assert "docker run --rm -p 9000:8080 --platform linux/amd64 -e OLD -e TABLE" in text
    assert "http://localhost:9000/2015-03-31/functions/function/invocations" in text
    assert text.count("data-copy=") >= 2


def test_the_pages_of_awss_console_are_linked(person: Client, function: Function) -> None:
    Version.objects.filter(number="7").update(configuration={**PLAIN, "log_group": "/shared/orders"})
    text = shown(person, function)
    for words in ("lambda/home?region=eu-west-1#/functions/orders", "$252Fshared$252Forders", "logs-insights"):
        assert words in text


@pytest.mark.parametrize(("own", "says"), [(False, "one of AWS&#x27;s own"), (True, "none of AWS&#x27;s own")])
def test_whether_its_base_is_kept_on_lambdas_hosts_is_told_by_its_lineage(
    person: Client, function: Function, own: bool, says: str
) -> None:
    make_stream("python:3.12", own=own)
    Image.objects.update(base_tier="exact", base_lineage=[{"stream": "python:3.12"}])
    assert says in shown(person, function)


def test_the_page_costs_the_same_however_many_versions(
    person: Client, function: Function, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(9, 60):
        make_version(function, number, configuration=PLAIN)
    with django_assert_max_num_queries(13):
        shown(person, function)


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey, client: Client) -> Stage:
    """The function app, whose variable KEY has another value in version 2 than in version 1; read by a sync."""
    stage = make_stage(functions, Actor(operator), Environment=BEFORE)
    stage.functions.configure(stage.name, Environment=AFTER)
    stage.functions.publish(stage.name)
    stage.sync()
    client.force_login(operator)
    return stage


def kept(stage: Stage) -> dict[str, Any]:
    """What is stored of each version's configuration."""
    return {row.number: row.configuration for row in stage.function.versions.all()}


@pytest.mark.django_db(transaction=True)
def test_a_sync_keeps_how_each_version_is_configured_without_values(stage: Stage, client: Client) -> None:
    found = kept(stage)
    assert found["1"]["env_keys"] == ["KEY", "SAME"]
    assert found["2"]["env_keys"] == found["$LATEST"]["env_keys"] == ["KEY", "NEW", "SAME"]
    assert "hunter2" not in str(found)
    stage.functions.configure(stage.name, MemorySize=640)
    stage.sync()
    assert kept(stage)["$LATEST"]["memory_mb"] == 640
    assert kept(stage)["2"] == found["2"]


@pytest.mark.django_db(transaction=True)
def test_what_an_older_drydock_did_not_keep_is_kept_by_the_next_sync(stage: Stage) -> None:
    stage.function.versions.update(configuration=None)
    stage.sync()
    assert not stage.function.versions.filter(configuration__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_values_are_compared_in_aws_and_only_names_come_back(stage: Stage, client: Client) -> None:
    address = f"/functions/{stage.function.pk}/configuration/"
    answer = client.post(address, {"version": "2", "against": "1"})
    text = answer.content.decode()
    told = {row.name: row.after for row in answer.context["compared"].differences}
    assert told == {"Variable KEY": "changed", "Variable NEW": "set"}
    assert "hunter2" not in text
    stage.api.delete_function(FunctionName=stage.name, Qualifier="2")
    gone = client.post(address, {"version": "2", "against": "1"})
    assert gone.status_code == 404
    assert "AWS has no version 2 of app any more." in gone.content.decode()


GATEWAY = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}


@pytest.mark.django_db(transaction=True)
def test_triggers_are_read_by_a_button_and_those_past_the_aliases_stand_out(stage: Stage, client: Client) -> None:
    address = f"/functions/{stage.function.pk}/configuration/"
    stage.api.add_permission(FunctionName=stage.name, StatementId="gateway", **GATEWAY)
    assert "was not read yet" in client.get(address).content.decode()

    answer = client.post(f"/functions/{stage.function.pk}/triggers/")

    assert answer["Location"] == f"{address}#triggers"
    text = unbroken(client.get(address).content.decode())
    for words in ("apigateway.amazonaws.com", "Past aliases", "it reaches $LATEST", "without statusCode"):
        assert words in text


def test_triggers_that_could_not_be_read_are_told_as_they_were_known_and_since_when(
    person: Client, function: Function
) -> None:
    refused = Triggers.refused(Problem(Code.DENIED, "May not."))
    known = Triggers((Trigger(Part.URLS, "", "https://orders"),), reserved=7)

    def shown(found: Triggers) -> str:
        FunctionTriggers.objects.update_or_create(
            function=function, defaults={"read_at": clock.now(), "found": found.as_json()}
        )
        text = person.get(f"/functions/{function.pk}/configuration/").content.decode()
        return " ".join(strip_tags(text[text.index('id="triggers"') :]).split())

    assert "Reserved not known Provisioned not known" in shown(refused)
    assert "What is told of that here" not in shown(refused)
    older = shown(refused.beside(known, clock.now() - timedelta(days=3)))
    assert "May not. What is told of that here was read 3 d ago." in older
    assert "https://orders" in older
    assert "Reserved 7 at once Provisioned none" in older
