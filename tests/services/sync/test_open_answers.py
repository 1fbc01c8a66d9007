"""Whole syncs with odd entries, errors inside answers and functions of newer kinds: each costs itself alone."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from functions_app.domain.errors import Problem
from functions_app.domain.fleet.parts import Part
from functions_app.models import Account, Function, Image, Repository, Scope, Version
from functions_app.services.changes import deploy as deployments
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.missed_parts import part_ages
from functions_app.services.sync.refresh import refresh_function
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.sandbox.lambda_.test_open_answers import DENIED, MANAGED, OTHERS
from tests.services.changes.aws_between import Answer, Between, Rule
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = ("Environment", "ImageConfigResponse", "Code", "TagsError")
TAGS = {"owner": "payments", "managed-by": "terraform"}


def in_listing(name: str, number: str = "$LATEST", **members: Any) -> Rule:
    """What ListFunctions tells of one version of a function, with these members; None takes one away."""

    def changed(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        for entry in told.get("Functions", []):
            if (entry["FunctionName"], entry["Version"]) == (name, number):
                entry.update({key: value for key, value in members.items() if value is not None})
                for key in [key for key, value in members.items() if value is None]:
                    del entry[key]
        return Answer(answer.status, answer.headers, json.dumps(told).encode())

    return changed


@pytest.fixture
def two(ours: Account, functions: Functions, between: Between, log: Lines) -> None:
    """Two functions with a version each, read once."""
    functions.push()
    for name in ("app", "other"):
        functions.create(name, Environment={"Variables": {"TOKEN": "secret"}}, Tags=TAGS)
        functions.settled(name)
        functions.publish(name)
    run_once(log)


def known(name: str) -> Function:
    return Function.objects.get(name=name)


def ages(name: str) -> dict[Part, Any]:
    return {part.part: part for part in part_ages(known(name))}


def set_errors(aws: Sandbox, functions: Functions, *parts: str, name: str = "app") -> None:
    where = {"account": functions.account, "region": REGION, "name": name}
    aws.admin("POST", "function-errors", where | {"errors": dict.fromkeys(parts, DENIED)})


@pytest.mark.parametrize(
    "members",
    [
        {"LastModified": None},
        {"LastModified": "soon"},
        {"Version": "$LIVE"},
        {"Version": None},
        {"FunctionArn": None},
        {"PackageType": "Wasm"},
        {"PackageType": None},
    ],
)
def test_one_odd_function_keeps_what_was_known_and_the_others_are_fresh(
    two: None, between: Between, log: Lines, members: dict[str, Any]
) -> None:
    before = known("app"), known("other")
    between.rules["GET /functions"] = in_listing("app", **members)
    run_once(log)
    after = known("app"), known("other")
    assert [row.gone_at for row in after] == [None, None]
    assert after[0].synced_at == before[0].synced_at
    assert after[1].synced_at > before[1].synced_at
    assert {(version.function.name, version.number) for version in Version.objects.all()} == {
        (name, number) for name in ("app", "other") for number in ("$LATEST", "1")
    }
    assert Scope.objects.get().problem is None
    assert [line for line in log.lines if "app" in line and "can't be understood" in line]


def test_what_is_odd_about_a_function_stands_on_its_page_and_in_the_list(
    two: None, between: Between, log: Lines
) -> None:
    between.rules["GET /functions"] = in_listing("app", LastModified=None)
    run_once(log)
    assert "has no LastModified" in ages("app")[Part.SETTINGS].problem.message
    assert known("app").problem.startswith("Settings could not be read again:")
    between.rules.clear()
    run_once(log)
    assert ages("app")[Part.SETTINGS].problem is None


@pytest.mark.parametrize(("first", "second"), [("Wasm", "Zip"), (None, "Zip"), ("Wasm", "Wasm")])
def test_one_odd_entry_does_not_close_a_region_without_image_functions(
    ours: Account, functions: Functions, between: Between, log: Lines, first: str | None, second: str
) -> None:
    functions.push()
    for name in ("app", "other"):
        functions.create(name)
    odd, other = in_listing("app", PackageType=first), in_listing("other", PackageType=second)
    between.rules["GET /functions"] = lambda answer: other(odd(answer))
    run_once(log)
    scope = Scope.objects.get()
    assert scope.problem is None
    assert scope.synced_at is not None
    assert [line for line in log.lines if "app" in line and "its package type is not one that Drydock knows" in line]


def test_a_region_in_which_no_entry_can_be_understood_was_not_read(
    ours: Account, functions: Functions, between: Between, log: Lines
) -> None:
    functions.deploy()
    between.rules["GET /functions"] = in_listing("app", LastModified=None)
    run_once(log)
    scope = Scope.objects.get()
    assert scope.problem
    assert scope.synced_at is None


def test_an_entry_that_names_nobody_makes_nothing_gone(two: None, between: Between, log: Lines) -> None:
    between.rules["GET /functions"] = in_listing("app", FunctionName=None)
    run_once(log)
    assert Function.objects.filter(gone_at__isnull=False).count() == 0
    between.rules["GET /functions"] = lambda answer: Answer(answer.status, answer.headers, b"{}")
    run_once(log)
    assert Function.objects.filter(gone_at__isnull=False).count() == 0
    problem = Scope.objects.get().problem
    assert problem
    assert "no list of Functions" in Problem.from_json(problem).message


def test_an_odd_version_stays_and_the_function_is_read(two: None, between: Between, log: Lines) -> None:
    before = known("app").synced_at
    between.rules["GET /functions"] = in_listing("app", "1", LastModified=None)
    run_once(log)
    assert known("app").synced_at > before
    assert Version.objects.filter(function__name="app", number="1").exists()
    assert [line for line in log.lines if "app:1" in line]


def test_words_that_nobody_knows_are_kept_and_make_nothing_green(
    two: None, between: Between, log: Lines, functions: Functions
) -> None:
    strange: dict[str, Any] = {
        "Architectures": ["riscv128"],
        "TracingConfig": {"Mode": "Wild"},
        "NewMember": {"Very": ["new"]},
    }
    functions.configure("app", MemorySize=256)
    between.rules["GET /functions"] = in_listing("app", **strange)

    def detail(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        told["Configuration"] |= {"State": "Hibernating", "StateReasonCode": "TooCold", **strange}
        return Answer(answer.status, answer.headers, json.dumps(told).encode())

    between.rules["GET /functions/app"] = detail
    run_once(log)
    row = known("app")
    assert (row.architecture, row.state, row.state_reason_code) == ("riscv128", "Hibernating", "TooCold")
    assert row.problem_rank > 0
    assert Scope.objects.get().problem is None


@pytest.mark.parametrize("empty", [b"{}", b'{"Configuration": null}', b'{"Configuration": {}}', b"null", b"[]"])
def test_a_function_whose_detail_is_empty_keeps_its_own(two: None, between: Between, log: Lines, empty: bytes) -> None:
    before = known("app")
    between.rules["GET /functions/app"] = lambda answer: Answer(answer.status, answer.headers, empty)
    run_once(log)
    row = known("app")
    assert (row.state, row.tags, row.detailed_at) == (before.state, before.tags, before.detailed_at)
    assert ages("app")[Part.DETAILS].problem is not None
    assert ages("other")[Part.DETAILS].problem is None


def test_what_aws_cant_tell_stays_as_it_was_known_with_its_age(
    two: None, aws: Sandbox, functions: Functions, log: Lines
) -> None:
    before = known("app")
    set_errors(aws, functions, *PARTS)
    run_once(log)
    row = known("app")
    assert row.env_keys == ["TOKEN"]
    assert (row.tags, row.owner, row.managed_by) == (TAGS, "payments", "terraform")
    assert row.image_uri == before.image_uri
    found = ages("app")
    for part, at in [(Part.ENVIRONMENT, before.synced_at), (Part.TAGS, before.detailed_at)]:
        assert found[part].read_at == at
        assert "KMS access was denied" in found[part].problem.message
        assert found[part].problem.next_step
    run_once(log)
    assert ages("app")[Part.ENVIRONMENT].read_at == before.synced_at
    assert (row.partly_read, row.problem_rank > 0) == (True, True)
    set_errors(aws, functions)
    functions.api.tag_resource(Resource=known("app").arn, Tags={"owner": "ada"})
    run_once(log)
    row = known("app")
    assert (row.missed, row.partly_read, row.owner) == ({}, False, "ada")


def test_a_new_function_of_which_parts_cant_be_told_has_none_of_them_known(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, viewer: Actor
) -> None:
    functions.deploy(Environment={"Variables": {"TOKEN": "secret"}}, Tags=TAGS)
    set_errors(aws, functions, *(part for part in PARTS if not part.startswith("Code")))
    run_once(log)
    assert ages("app")[Part.ENVIRONMENT].read_at is None
    assert ages("app")[Part.TAGS].read_at is None
    client = Client()
    assert viewer.person
    client.force_login(viewer.person)
    page = client.get(f"/functions/{known('app').pk}/image/").content.decode()
    assert page.count("not known") >= 2
    assert "KMS access was denied" in page
    assert "Environment: never read." in " ".join(page.replace("\n", " ").split())


def test_a_new_function_whose_image_uri_cant_be_told_has_no_image_that_is_known(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, viewer: Actor
) -> None:
    functions.deploy()
    set_errors(aws, functions, *(part for part in PARTS if part.startswith("Code")))
    run_once(log)
    assert known("app").versions.get().image is None
    client = Client()
    assert viewer.person
    client.force_login(viewer.person)
    assert "Its image is not known" in client.get(f"/functions/{known('app').pk}/image/").content.decode()


def test_a_plan_says_that_who_manages_it_cant_be_known_and_what_was(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, operator: Actor
) -> None:
    functions.deploy(Tags=TAGS)
    functions.api.create_alias(FunctionName="app", Name="staging", FunctionVersion=functions.publish())
    functions.push(reference="app:2")
    run_once(log)
    told = deployments.plan(known("app"), "2", "staging", operator).plan
    set_errors(aws, functions, "TagsError")
    refresh_function(known("app"))
    made = deployments.plan(known("app"), "2", "staging", operator).plan
    (check,) = [check for check in made.checks if check.name == "Ownership"]
    assert check.ok is None
    for words in ("can't be known", "terraform manages it", "owner payments"):
        assert words in check.text
    assert (made.managed_by, made.owner) == (told.managed_by, told.owner) == ("terraform", "payments")


def test_what_only_some_functions_have_is_stored_and_shown(
    ours: Account, functions: Functions, log: Lines, viewer: Actor
) -> None:
    functions.push()
    functions.create("durable", **OTHERS)
    functions.create("managed", **MANAGED)
    functions.create("plain")
    run_once(log)
    assert known("plain").features == {}
    assert known("durable").features["durable_timeout_s"] == 86_400
    client = Client()
    assert viewer.person
    client.force_login(viewer.person)
    for name, words in [
        (
            "durable",
            ["executions up to 24 h, history kept 14 days", "has to name its tenant", "24 GB or more"],
        ),
        ("managed", ["capacity provider large, up to 16 calls at once per environment, 4 GiB per vCPU"]),
    ]:
        page = " ".join(client.get(f"/functions/{known(name).pk}/image/").content.decode().split())
        for each in words:
            assert each in page


def test_features_of_functions_that_did_not_change_are_stored_after_an_upgrade(
    ours: Account, functions: Functions, log: Lines
) -> None:
    functions.deploy(**OTHERS)
    run_once(log)
    Function.objects.update(features={})
    run_once(log, person=False)
    assert known("app").features["gpu"] is True


def test_what_managed_instances_published_last_is_what_calls_reach(
    ours: Account, functions: Functions, log: Lines, clock: Any
) -> None:
    with clock(create=0, update=0):
        functions.push()
        functions.create("app", **MANAGED)
        functions.api.publish_version(FunctionName="app", PublishTo="LATEST_PUBLISHED")
        functions.publish("app")
    run_once(log)
    numbers = Version.objects.order_by("ordinal").values_list("number", flat=True)
    assert list(numbers) == ["$LATEST.PUBLISHED", "$LATEST", "1"]
    assert Scope.objects.get().problem is None
    assert known("app").problem.startswith("$LATEST.PUBLISHED: ") or known("app").problem_rank == 0
    refresh_function(known("app"))
    assert Version.objects.count() == 3


def in_ecr(listing: str, **members: Any) -> Rule:
    """What an ECR listing tells of its first entry, with these members; None takes one away."""

    def changed(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        entry = told[listing][0]
        for key, value in members.items():
            entry.update({key: value})
            if value is None:
                del entry[key]
        return Answer(answer.status, answer.headers, json.dumps(told).encode())

    return changed


@pytest.mark.parametrize("members", [{"repositoryUri": None}, {"repositoryName": None}])
def test_an_odd_repository_keeps_what_was_known(
    two: None, functions: Functions, between: Between, log: Lines, members: dict[str, Any]
) -> None:
    functions.push(reference="zebra:1")
    run_once(log)
    between.rules["ecr.DescribeRepositories"] = in_ecr("repositories", **members)
    run_once(log)
    assert set(Repository.objects.filter(gone_at=None).values_list("name", flat=True)) == {"app", "zebra"}
    assert Image.objects.filter(gone_at=None).count() == 2
    assert [line for line in log.lines if "can't be understood" in line]
    assert Scope.objects.get().problem is None


@pytest.mark.parametrize("members", [{"imageDigest": None}, {"imageDigest": "latest"}])
def test_images_of_a_repository_are_listed_all_or_none(
    two: None, between: Between, log: Lines, members: dict[str, Any]
) -> None:
    between.rules["ecr.DescribeImages"] = in_ecr("imageDetails", **members)
    run_once(log)
    assert Image.objects.get().gone_at is None
    problem = Repository.objects.get().images_problem
    assert problem
    assert problem["message"].startswith("DescribeImages of app")


def test_image_members_that_are_missing_or_new_make_nothing_gone(two: None, between: Between, log: Lines) -> None:
    odd = {"imageStatus": "FROZEN", "imageSizeInBytes": None, "imageManifestMediaType": None, "imagePushedAt": None}
    between.rules["ecr.DescribeImages"] = in_ecr("imageDetails", **odd)
    run_once(log)
    image = Image.objects.get()
    assert (image.gone_at, image.status) == (None, "FROZEN")
    assert known("app").problem_rank > 0


def test_a_caller_that_nobody_names_is_told(ours: Account, between: Between, log: Lines) -> None:
    between.rules["sts.AssumeRole"] = lambda answer: Answer(
        answer.status, answer.headers, re.sub(rb"<Expiration>.*?</Expiration>", b"", answer.body)
    )
    run_once(log)
    problem = Scope.objects.get().problem
    assert problem
    assert "when the credentials expire" in problem["message"]
