"""Every text that is stored has a line that says how it was made safe: a new column without one fails."""

import dataclasses
import json
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import CharField, JSONField, TextField
from django.test import Client
from pytest_django.fixtures import Settings

from functions_app.domain.images.scan_answers import read_enhanced, read_finding
from functions_app.models import Account, Repository
from functions_app.services.images import forecasts
from functions_app.services.people import access
from functions_app.services.people.actor import Actor
from tests.asking import told
from tests.conftest import Valkey
from tests.every_route import Places, furnish, taking
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.stage import carry_out, make_stage

OURS = "chosen from our own words, or counted"
CHECKED = "of a strict form: digests, ARNs, ids, regions, versions, platforms, names that AWS restricts"
STORABLE = "a short word or name of AWS's or a registry's, made storable"
TYPED = "typed by people, made storable where it enters, checked by its form and refused where it holds a secret"
REDACTED = "from outside: redacted and made storable"
DERIVED = "made of columns that are in this table themselves"
MACHINE = "Django's own, or read by Drydock alone"

TEXTS: dict[str, dict[str, str]] = {
    "Account": {
        TYPED: "name production_aliases", CHECKED: "account_id regions role_arn external_id", OURS: "colour approval",
    },
    "Alias": {CHECKED: "name version second_version", STORABLE: "revision_id", REDACTED: "description"},
    "AliasMove": {CHECKED: "alias version second_version"},
    "AliasStanding": {DERIVED: "alias region state freshness base_name runtime"},
    "ApiToken": {
        TYPED: "name", CHECKED: "accounts functions networks used_from created_by", OURS: "scopes beginning",
        MACHINE: "secret_hash",
    },
    "AuditEntry": {OURS: "via action", CHECKED: "actor_name", REDACTED: "target plan result"},
    "BaseRelease": {
        CHECKED: "chain_id diff_ids manifest_digest index_digest", STORABLE: "platform layers tag", REDACTED: "config",
    },
    "BaseStream": {
        TYPED: "name reference platforms tag_pattern", OURS: "runtime runtime_version os", CHECKED: "tag_digest",
        REDACTED: "problem", DERIVED: "history",
    },
    "BaseUse": {CHECKED: "name region alias version", DERIVED: "owner"},
    "BrowserSession": {MACHINE: "session_key session_data", CHECKED: "address", OURS: "browser"},
    "ChatLink": {TYPED: "chat_user"},
    "Event": {OURS: "kind", CHECKED: "arn", REDACTED: "text facts"},
    "FreshnessDay": {DERIVED: "base_name"},
    "FreshnessPolicy": {TYPED: "tag_key tag_value"},
    "Function": {
        CHECKED: "region name arn role_arn log_group digest", REDACTED: "description tags state_reason "
        "last_update_reason missed image_settings", STORABLE: "architecture revision_id detailed_revision image_uri "
        "state state_reason_code last_update_status last_update_reason_code env_keys features",
        OURS: "freshness managed_by",
        DERIVED: "search_text freshness_reason base_name runtime problem alias_chips owner",
    },
    "FunctionCount": {DERIVED: "what name"},
    "FunctionSearch": {DERIVED: "search_text region state freshness base_name name owner managed_by runtime"},
    "FunctionTag": {DERIVED: "name region state freshness base_name"},
    "FunctionTriggers": {REDACTED: "found"},
    "GridChoice": {OURS: "columns density"},
    "Image": {
        CHECKED: "digest subject part_of diff_ids", STORABLE: "media_type status artifact_type os architecture variant "
        "layers platforms entries", REDACTED: "inspect_problem history settings labels annotations",
        OURS: "role base_tier freshness", DERIVED: "base_lineage base_evidence freshness_reason",
    },
    "ImageScan": {STORABLE: "status severities", REDACTED: "description findings problem"},
    "KeptAnswer": {OURS: "path headers", MACHINE: "key_hash body_hash", DERIVED: "content"},
    "LayerFiles": {CHECKED: "diff_id", STORABLE: "packages", REDACTED: "problem"},
    "LifecycleForecast": {CHECKED: "expiring", REDACTED: "policy problem"},
    "LinkCode": {MACHINE: "code_hash"},
    "LogLine": {OURS: "level source", REDACTED: "text"},
    "Plan": {
        OURS: "kind ticks via", CHECKED: "decided_by", REDACTED: "reason",
        DERIVED: "title target lock confirmation body",
    },
    "PlanCode": {OURS: "code"},
    "PushRule": {
        OURS: "mode via scopes", CHECKED: "alias tag digest person_name accounts functions confirmed", REDACTED: "told",
    },
    "RebuildRequest": {OURS: "state", CHECKED: "digest asked_by", REDACTED: "answer"},
    "Repository": {CHECKED: "region name arn uri", STORABLE: "tag_mutability tag_filters", REDACTED: "images_problem"},
    "Run": {
        OURS: "kind status via waits_for progress_unit", CHECKED: "actor_name", REDACTED: "result problem",
        DERIVED: "title plan child_key lock", MACHINE: "memory lease_owner",
    },
    "RunStep": {OURS: "name title status", REDACTED: "note", MACHINE: "memory"},
    "SavedView": {TYPED: "name query"},
    "Scope": {CHECKED: "region", REDACTED: "problem"},
    "Selection": {DERIVED: "functions"},
    "Signal": {OURS: "kind via", CHECKED: "actor_name", REDACTED: "reason"},
    "SmokeTest": {TYPED: "body", CHECKED: "changed_by"},
    "Tag": {CHECKED: "name digest"},
    "TagMove": {CHECKED: "tag from_digest to_digest"},
    "Version": {
        CHECKED: "number digest", REDACTED: "description state_reason last_update_reason detail_problem configuration",
        STORABLE: "image_uri deployed_tag state state_reason_code last_update_status last_update_reason_code",
    },
}  # fmt: skip

SECRET = "AKIA" + "IOSFODNN7EXAMPLE"
WORD = "hunter2 hunter2"  # a secret by what stands before it alone
NEVER = (SECRET, WORD, "\u202e", "\\u202e", "\0", "\\x00")


def test_every_column_of_text_has_a_line_and_every_line_a_column() -> None:
    stored = {
        model.__name__: sorted(
            column.name for column in model._meta.fields if isinstance(column, CharField | TextField | JSONField)
        )
        for model in apps.get_app_config("functions_app").get_models()
    }
    told = {name: sorted(" ".join(lines.values()).split()) for name, lines in TEXTS.items()}
    assert told == {name: columns for name, columns in stored.items() if columns}


@pytest.mark.parametrize("text", [SECRET, "password=hunter2hunter2", "ghp_" + "a1B2" * 9])
def test_nothing_secret_stays_in_the_audit_whatever_it_is_told(db: None, operator: User, text: str) -> None:
    said = f"refused: no version {text} \u202e\x1b"
    entry = access.audit(Actor(operator), "deployment.plan", f"function {text}\u202e", {"asked": text}, said)
    entry.refresh_from_db()
    for stored in (entry.target, entry.result, str(entry.plan)):
        assert text not in stored
        assert "\u202e" not in stored


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_aws_tells_is_stored_nowhere(
    functions: Functions, operator: User, aws: Sandbox, valkey: Valkey
) -> None:
    """In descriptions, tags and the command of a function, in a lifecycle policy, in an image's config."""
    said, told = f"key {SECRET} \u202eend", f"key {SECRET}"
    command = ["app.handler", f"--api-key={SECRET}", told, "--password", WORD, "-u", f"olga:{WORD}"]
    image = python_image(Labels={"note": said}, Env=[f"NOTE={said}"], Cmd=command, Entrypoint=command)
    stage = make_stage(functions, Actor(operator), Description=told, Tags={"note": told})
    functions.configure(stage.name, ImageConfig={"Command": [*command, said], "EntryPoint": command})
    functions.api.publish_version(FunctionName=stage.name, Description=told)
    functions.api.update_alias(FunctionName=stage.name, Name=stage.alias, Description=told)
    functions.push(image, f"{stage.name}:told")
    keep_one = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9}
    rule = {"rulePriority": 1, "description": said, "selection": keep_one, "action": {"type": "expire"}}
    functions.ecr.put_lifecycle_policy(repositoryName=stage.name, lifecyclePolicyText=json.dumps({"rules": [rule]}))

    stage.sync_all()
    forecast = carry_out(forecasts.submit(stage.actor, Repository.objects.get()))

    assert forecast.status == "succeeded"
    assert told_in() == set()


def told_in() -> set[str]:
    """The columns that hold what nobody may read."""
    return {name for name, text in stored_texts() if any(each in text for each in NEVER)}


def stored_texts() -> Iterator[tuple[str, str]]:
    """Every text of every row, with the name of its column."""
    for model in apps.get_app_config("functions_app").get_models():
        for name in " ".join(TEXTS.get(model.__name__, {}).values()).split():
            values = model._default_manager.values_list(name, flat=True)
            yield from ((f"{model.__name__}.{name}", str(value)) for value in values)


@pytest.fixture
def places(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Places:
    """Something of everything, planned by an operator."""
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    return furnish(stage, operator)


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_is_typed_in_any_field_of_any_form_is_stored_nowhere(
    places: Places, client: Client, operator: User
) -> None:
    operator.is_superuser = True
    operator.save()
    client.force_login(operator)
    cookies = client.cookies.output(header="", sep=";").strip()
    wrong = set()
    for name in taking("post"):
        for field in places.fields(name, cookies) - {"external_id"}:  # AWS is told it word for word
            for text in (SECRET, f"key {SECRET} \u202eend"):
                with transaction.atomic():
                    client.cookies.load(cookies)
                    client.post(places.address(name), {**places.form(name), field: text})
                    wrong |= {f"{name}, {field}: {column}" for column in told_in()}
                    transaction.set_rollback(True)
    assert told(wrong) == ""


@pytest.mark.django_db(transaction=True)
def test_a_secret_in_an_event_is_stored_nowhere(places: Places, settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, hook_token="a token that is long enough")
    where = {"account": Account.objects.get().account_id, "region": "eu-west-1"}
    good = {"repository-name": "app", "image-tag": "2", "action-type": "PUSH", "result": "SUCCESS"}
    good["image-digest"] = "sha256:" + "a" * 64
    statuses = set()
    for field in good:
        for text in (good[field], SECRET, SECRET.lower(), f"key {SECRET}\u202e\0"):
            event = {"source": "aws.ecr", "detail-type": "ECR Image Action", **where, "detail": {**good, field: text}}
            headers = {"X-Drydock-Token": settings.ENV.hook_token}
            address = places.address("hook-ecr")
            answer = Client().post(address, event, content_type="application/json", headers=headers)
            statuses.add(answer.status_code)
    assert 202 in statuses
    assert statuses <= {202, 400}
    assert told_in() == set()


def test_a_secret_in_the_findings_of_a_scan_is_not_kept() -> None:
    said = f"key {SECRET} \u202e\0end"
    basic = {"name": said, "description": said, "uri": "https://a.example", "severity": "HIGH"}
    attributes = [{"key": key, "value": said} for key in ("package_name", "package_version", "patched_version")]
    package = dict.fromkeys(("name", "version", "release", "fixedInVersion", "filePath", "sourceLayerHash"), said)
    details = {"vulnerabilityId": said, "vulnerablePackages": [package], "sourceUrl": f"https://a.example/{SECRET}"}
    enhanced = {"title": said, "description": said, "packageVulnerabilityDetails": details}
    kept = f"{read_finding({**basic, 'attributes': attributes})} {read_enhanced(enhanced)}"
    assert [each for each in NEVER if each in kept] == []
