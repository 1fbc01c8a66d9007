"""Streams: Lambda's own as an upgrade brings them, and those that people add, change and switch."""

import dataclasses
from collections.abc import Callable
from datetime import date
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from pytest_django.fixtures import Settings

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import AuditEntry, BaseStream, Run
from functions_app.services.bases.runtime_facts import runtime_facts
from functions_app.services.bases.streams import add_stream, edit_stream, seed_streams, switch_stream
from functions_app.services.people.actor import Actor
from tests.factories import make_release, make_stream

pytestmark = pytest.mark.django_db
upgrade = import_module("functions_app.migrations.0021_streams_by_plain_hosts")
GOLDEN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/bases/golden:stable"


def code_of(error: pytest.ExceptionInfo[DrydockError]) -> Code:
    return error.value.problem.code


@pytest.mark.parametrize(
    ("name", "os", "ends"),
    [
        ("python:3.12", "al2023", date(2029, 6, 30)),
        ("python:3.11", "al2", date(2026, 6, 30)),
        ("nodejs:20", "al2023", date(2029, 6, 30)),
        ("java:17", "al2", date(2026, 6, 30)),
        ("java:21", "al2023", date(2029, 6, 30)),
        ("dotnet:8", "al2023", date(2029, 6, 30)),
        ("ruby:3.2", "al2", date(2026, 6, 30)),
        ("provided:al2", "al2", date(2026, 6, 30)),
    ],
)
def test_each_runtime_stands_on_an_os_with_an_end_of_its_own(name: str, os: str, ends: date) -> None:
    seed_streams()

    stream = BaseStream.objects.get(name=name)
    assert (stream.os, stream.os_end_of_life_on) == (os, ends)


def test_the_data_file_knows_the_os_of_every_runtime() -> None:
    assert all(facts.os for facts in runtime_facts().values())


NEVER_RED = ("java:17.al2023", "java:11.al2023", "java:8.al2023", "python:3.15", "nodejs:26")  # no date is told yet
OVER = {
    "nodejs:18": date(2025, 9, 1),
    "nodejs:16": date(2024, 6, 12),
    "nodejs:14": date(2023, 12, 4),
    "nodejs:12": date(2023, 3, 31),
    "python:3.8": date(2024, 10, 14),
    "python:3.7": date(2023, 12, 4),
    "python:3.6": date(2022, 7, 18),
    "dotnet:7": date(2024, 5, 14),
    "dotnet:6": date(2024, 12, 20),
    "dotnet:5.0": date(2022, 5, 10),
    "dotnet:core3.1": date(2023, 4, 3),
    "ruby:2.7": date(2023, 12, 7),
    "ruby:2.5": date(2021, 7, 30),
    "provided:alami": date(2024, 1, 8),
    "go:1": date(2024, 1, 8),
}


@pytest.mark.parametrize(("name", "ended"), [*OVER.items(), *((name, None) for name in NEVER_RED)])
def test_old_and_coming_runtimes_are_watched_with_the_day_they_end(name: str, ended: date | None) -> None:
    seed_streams()

    stream = BaseStream.objects.get(name=name)
    assert (stream.reference, stream.deprecated_on, stream.enabled) == (
        f"public.ecr.aws/lambda/{name}", ended, True,
    )  # fmt: skip


def test_an_upgrade_adds_runtimes_and_switches_nothing_on() -> None:
    seed_streams()
    BaseStream.objects.filter(name="python:3.14").delete()
    BaseStream.objects.filter(name="ruby:3.2").update(enabled=False, os="", os_end_of_life_on=None)

    assert seed_streams() == 1

    assert BaseStream.objects.get(name="python:3.14").enabled
    ruby = BaseStream.objects.get(name="ruby:3.2")
    assert (ruby.enabled, ruby.os) == (False, "al2")


def test_who_watches_a_choice_of_bases_is_given_no_others(settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, base_streams=("python:3.12", "nodejs:99"))

    assert seed_streams() == 2

    assert set(BaseStream.objects.values_list("reference", flat=True)) == {
        "public.ecr.aws/lambda/python:3.12",
        "public.ecr.aws/lambda/nodejs:99",
    }
    assert BaseStream.objects.get(name="nodejs:99").deprecated_on is None


def test_an_upgrade_takes_no_name_from_a_stream_of_peoples(operator: Actor) -> None:
    own = add_stream(GOLDEN, [], operator, name="python:3.14")

    seed_streams()

    own.refresh_from_db()
    assert (own.name, own.reference) == ("python:3.14", GOLDEN)
    lambdas = BaseStream.objects.get(reference="public.ecr.aws/lambda/python:3.14")
    assert lambdas.name == "public.ecr.aws/lambda/python:3.14"
    assert seed_streams() == 0


def test_people_add_their_golden_image(operator: Actor) -> None:
    stream = add_stream(GOLDEN, ["linux/amd64", " linux/arm64/v8", "linux/amd64", ""], operator)

    assert (stream.name, stream.reference, stream.own) == ("bases/golden:stable", GOLDEN, True)
    assert stream.platforms == ["linux/amd64", "linux/arm64"]
    assert (stream.enabled, stream.next_poll_at) == (True, None)
    entry = AuditEntry.objects.get(action="stream.add")
    assert (entry.actor_name, entry.action, entry.target) == ("olga", "stream.add", GOLDEN)


@pytest.mark.parametrize(
    ("reference", "values", "code"),
    [
        ("golden:stable", {}, Code.INVALID),
        ("public.ecr.aws/bases/golden", {}, Code.INVALID),
        (f"public.ecr.aws/bases/golden@sha256:{'a' * 64}", {}, Code.INVALID),
        ("public.ecr.aws/Bases/golden:stable", {}, Code.INVALID),
        ("169.254.169.254/latest/meta-data:x", {}, Code.DENIED),
        ("localhost:6379/a:b", {}, Code.DENIED),
        ("registry.internal.example/bases/golden:stable", {}, Code.DENIED),
        (GOLDEN, {"platforms": ["amd64"]}, Code.INVALID),
        (GOLDEN, {"platforms": ["linux/amd64'; --"]}, Code.INVALID),
        (GOLDEN, {"platforms": [f"linux/a{number}" for number in range(17)]}, Code.INVALID),
        (GOLDEN, {"name": "n" * 121}, Code.INVALID),
        (GOLDEN, {"name": "a\x00b"}, Code.INVALID),
        ("", {}, Code.INVALID),
        ("x" * 10_000, {}, Code.INVALID),
    ],
)
def test_what_cannot_be_a_stream_is_refused_with_the_reason(
    reference: str, values: dict[str, Any], code: Code, operator: Actor
) -> None:
    with pytest.raises(DrydockError) as caught:
        add_stream(reference, values.get("platforms", []), operator, name=values.get("name", ""))

    assert code_of(caught) is code
    assert not BaseStream.objects.exists()


def test_a_stream_is_watched_once_and_its_name_is_its_own(operator: Actor) -> None:
    add_stream(GOLDEN, [], operator)
    with pytest.raises(DrydockError, match="is watched already: its name is bases/golden:stable"):
        add_stream(GOLDEN, [], operator, name="another")
    with pytest.raises(DrydockError, match="another stream named bases/golden:stable"):
        add_stream(GOLDEN.replace("eu-west-1", "us-east-1"), [], operator)


def test_viewers_add_change_and_switch_nothing(viewer: Actor) -> None:
    stream = make_stream("golden", own=True)
    attempts: list[Callable[[], object]] = [
        lambda: add_stream(GOLDEN, [], viewer),
        lambda: edit_stream(stream, viewer, name="mine"),
        lambda: switch_stream(stream, False, viewer),
    ]
    for attempt in attempts:
        with pytest.raises(DrydockError) as caught:
            attempt()
        assert code_of(caught) is Code.DENIED
    assert AuditEntry.objects.filter(result="refused: not an operator").count() == 3
    assert list(BaseStream.objects.values_list("name", "enabled")) == [("golden", True)]


def test_a_changed_stream_is_read_anew_and_forgets_no_release(operator: Actor) -> None:
    stream = add_stream(GOLDEN, [], operator)
    BaseStream.objects.update(tag_digest="sha256:x", next_poll_at="2030-01-01T00:00Z")
    make_release(stream, "1.0.0", current=True)

    edit_stream(stream, operator, name="golden", platforms=["linux/arm64"], deprecated_on=date(2027, 1, 1))

    assert (stream.name, stream.platforms) == ("golden", ["linux/arm64"])
    assert (stream.tag_digest, stream.history["again"], stream.next_poll_at) == ("", True, None)
    assert stream.deprecated_on == date(2027, 1, 1)
    release = stream.releases.get()
    assert (release.platform, release.current) == ("linux/amd64", False)
    assert AuditEntry.objects.filter(action="stream.edit").count() == 1


def test_what_is_not_given_stays_as_it_was(operator: Actor) -> None:
    stream = add_stream(GOLDEN, ["linux/amd64"], operator, deprecated_on=date(2027, 1, 1))

    edit_stream(stream, operator, name="golden")

    assert (stream.platforms, stream.deprecated_on) == (["linux/amd64"], date(2027, 1, 1))
    edit_stream(stream, operator, deprecated_on=None)
    assert stream.deprecated_on is None


def test_a_streams_reference_is_fixed_once_a_release_is_known(operator: Actor) -> None:
    stream = add_stream(GOLDEN, [], operator)
    other = GOLDEN.replace(":stable", ":latest")
    assert edit_stream(stream, operator, reference=other).reference == other
    make_release(stream, "1.0.0")

    with pytest.raises(DrydockError, match="would be mixed") as caught:
        edit_stream(stream, operator, reference=GOLDEN)
    assert code_of(caught) is Code.PREFLIGHT


def test_lambdas_own_streams_can_be_switched_and_not_changed(operator: Actor) -> None:
    stream = make_stream()

    with pytest.raises(DrydockError) as caught:
        edit_stream(stream, operator, name="mine")
    assert code_of(caught) is Code.PREFLIGHT
    assert not switch_stream(stream, False, operator).enabled
    assert switch_stream(stream, True, operator).enabled


def test_switching_off_keeps_every_release_and_is_told_once(operator: Actor) -> None:
    stream = make_stream()
    make_release(stream, "3.12.2026.10.03.13", current=True)

    switch_stream(stream, False, operator)
    switch_stream(stream, False, operator)

    assert stream.releases.count() == 1
    assert AuditEntry.objects.get(action="stream.switch").result == "python:3.12 is off"


def test_a_change_has_its_stream_read_and_all_images_judged_at_once(operator: Actor) -> None:
    stream = add_stream(GOLDEN, [], operator)
    assert Run.objects.get().plan == {"streams": [stream.pk]}
    Run.objects.update(status="succeeded")

    switch_stream(stream, False, operator)

    assert Run.objects.latest("pk").plan == {"streams": [stream.pk]}
    edit_stream(stream, operator, name="golden")  # while that run is under way
    assert Run.objects.count() == 2
    assert stream.next_poll_at is None


@pytest.mark.parametrize(
    "host", ["123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012.DKR.ecr-fips.eu-west-1.amazonaws.com"]
)
def test_a_stream_in_ecr_is_kept_by_the_plain_host_of_its_registry(host: str, operator: Actor) -> None:
    stream = add_stream(f"{host}/golden:latest", [], operator)

    assert stream.reference == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/golden:latest"
    with pytest.raises(DrydockError, match="is watched already"):
        add_stream(stream.reference, [], operator, name="another")
    assert edit_stream(stream, operator, reference=f"{host}/golden:stable").reference.endswith(
        ".amazonaws.com/golden:stable"
    )


def test_an_upgrade_keeps_streams_by_the_plain_host_and_one_of_two_for_a_tag_on() -> None:
    plain, dual = "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr-ecr.eu-west-1.on.aws"
    references = {
        "alone": f"{dual}/alone:1", "twin": f"{dual}/two:1", "plain": f"{plain}/two:1",
        "elsewhere": "registry.example/a:1", "long": f"{dual}/{'r' * 255}:{'t' * 102}", "broken": "no reference",
    }  # fmt: skip
    for name, reference in references.items():
        make_stream(name, own=True, reference=reference, tag_digest="kept")

    upgrade.by_plain_hosts(apps, connection.schema_editor())

    kept = {
        name: (reference, on) for name, reference, on in BaseStream.objects.values_list("name", "reference", "enabled")
    }
    assert kept == {
        **{name: (reference, True) for name, reference in references.items()},
        "alone": (f"{plain}/alone:1", True),
        "twin": (f"{plain}/two:1", False),
    }
    assert set(BaseStream.objects.filter(tag_digest="").values_list("name", flat=True)) == {"alone", "twin"}
