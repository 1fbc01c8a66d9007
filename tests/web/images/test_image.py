"""The page of an image: whose its layers are, who uses it, its tags, rules, files and scan."""

import html
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.domain.images.scans import Finding, FindingPlace, ScanState, Side
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.package_files import Package
from functions_app.domain.layers.packing import pack
from functions_app.domain.runs import Kind
from functions_app.models import Image, ImageScan, LayerFiles, Repository, Run, TagMove
from functions_app.services.inventory.images import contents as image_contents
from tests.factories import (
    NOW,
    digest,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.sync.sync_stage import add_account, run_once
from tests.web.unbroken import unbroken


@pytest.fixture
def image(repository: Repository) -> Image:
    """An image with three layers of its base and two of its own."""
    release = make_release(make_stream(), "3.12.2026.01.01.10", current=True)
    return make_image(repository, "one", tags=["live"], base_release=release, base_stream=release.stream)


def shown(person: Client, image: Image) -> str:
    """The page's text."""
    answer = person.get(f"/images/{image.pk}/")
    assert answer.status_code == 200
    return unbroken(html.unescape(answer.content.decode()))


def found(person: Client, image: Image) -> Any:
    """What the page is made from."""
    return person.get(f"/images/{image.pk}/").context["page"]


def read_layer(diff_id: str, *paths: str, packages: tuple[Package, ...] = (), size: int = 1000) -> None:
    """A layer whose files were read."""
    contents = LayerContents(tuple(FileEntry(path, "file", size, "0" * 64) for path in paths), packages, size)
    LayerFiles.objects.create(
        diff_id=diff_id,
        read_at=NOW,
        file_count=len(paths),
        size_bytes=size * len(paths),
        files=pack(contents),
        packages=[package.as_json() for package in packages],
    )


def scan(image: Image, *findings: Finding, status: str = "COMPLETE", **values: Any) -> ImageScan:
    """What ECR says of the image's scan."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + 1
    defaults = {"severities": counts, "read_at": NOW, "findings_at": NOW, "completed_at": NOW}
    rows = [finding.as_json() for finding in findings]
    return ImageScan.objects.create(image=image, status=status, findings=rows, **{**defaults, **values})


# What it is


def test_each_layer_tells_whose_it_is(person: Client, image: Image) -> None:
    layers = found(person, image).facts.layers
    assert [layer.owner for layer in layers] == ["python:3.12.2026.01.01.10"] * 3 + ["", ""]


def test_a_golden_image_on_lambdas_base_owns_the_layers_that_it_adds(person: Client, repository: Repository) -> None:
    lambdas = make_release(make_stream(), "3.12.2026.01.01.10", layers=2)
    golden = make_stream("golden", own=True)
    release = make_release(golden, "7", layers=3)
    image = make_image(
        repository,
        base_release=release,
        base_lineage=[
            {"release_id": release.pk, "stream": "golden", "label": "golden:7", "layers": 3, "freshness": "current",
             "reason": "Built on golden:7."},
            {"release_id": lambdas.pk, "stream": "python:3.12", "label": "python:3.12.x", "layers": 2,
             "freshness": "stale", "reason": "One release behind.", "releases_behind": 1},
        ],
    )  # fmt: skip
    page = found(person, image)
    owners = [(layer.owner, layer.own_base) for layer in page.facts.layers]
    assert owners == [("python:3.12.x", False)] * 2 + [("golden:7", True)] + [("", False)] * 2
    text = shown(person, image)
    assert f'href="/bases/{golden.pk}/?release={release.pk}"' in text
    assert "your own base" in text
    assert "One release behind." in text
    assert "it stands on golden:7, which holds more than the runtime" in text


def test_the_base_tells_its_evidence_and_how_sure_that_is(person: Client, image: Image) -> None:
    Image.objects.update(base_tier="partial", base_evidence=["Two layers are of python:3.12."])
    text = shown(person, image)
    assert "Two layers are of python:3.12." in text
    assert "confidence medium" in text


def test_a_base_that_is_only_guessed_owns_no_layer(person: Client, image: Image) -> None:
    Image.objects.update(base_tier="annotation")
    assert not any(layer.from_base for layer in found(person, image).facts.layers)


def test_an_image_of_a_reproducible_build_is_not_built_decades_ago(person: Client, image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(created_at=datetime(1980, 1, 1, tzinfo=UTC))

    text = shown(person, image)

    assert 'built <span class="muted">not told</span>' in text
    assert "1980" not in text


def test_an_index_links_the_images_in_it(person: Client, repository: Repository) -> None:
    one = make_image(repository, "amd64")
    entries = [
        {"digest": one.digest, "platform": "linux/amd64"},
        {"digest": digest("arm64"), "platform": "linux/arm64"},
        {"digest": digest("sbom"), "platform": ""},
    ]
    index = make_image(
        repository, "index", is_index=True, layers=[], diff_ids=[], platforms=["linux/amd64", "linux/arm64"],
        entries=entries,
    )  # fmt: skip
    text = shown(person, index)
    assert f'<a href="/images/{one.pk}/">linux/amd64</a>' in text
    assert "not known as an image of its own" in text
    assert "attestation" in text
    assert "Scan" not in text


def test_an_index_that_names_no_platforms_tells_those_of_its_images_configs(
    person: Client, repository: Repository
) -> None:
    one = make_image(repository, "amd64", architecture="x86_64")
    proof = make_image(repository, "proof", os="unknown", architecture="unknown")
    entries = [{"digest": each.digest, "platform": ""} for each in (one, proof)]
    index = make_image(repository, "index", is_index=True, layers=[], diff_ids=[], platforms=[], entries=entries)

    text = shown(person, index)

    assert f'<a href="/images/{one.pk}/">linux/amd64</a>' in text
    assert f'<a href="/images/{proof.pk}/">attestation</a>' in text


def test_an_index_read_before_its_entries_were_kept_still_names_its_platforms(
    person: Client, repository: Repository
) -> None:
    index = make_image(repository, is_index=True, layers=[], diff_ids=[], platforms=["linux/amd64"])
    assert "linux/amd64" in shown(person, index)


def test_an_image_that_was_never_read_or_is_gone_says_so(person: Client, repository: Repository) -> None:
    gone = make_image(
        repository, "gone", gone_at=NOW, inspected_at=None, layers=[], diff_ids=[], settings={}, labels={}
    )
    assert "ECR no longer has this image" in shown(person, gone)
    problem = {"code": "invalid", "message": "It is a chart.", "next_step": ""}
    chart = make_image(repository, "chart", inspect_problem=problem, layers=[], diff_ids=[])
    assert "It is a chart." in shown(person, chart)


def test_an_image_that_nobody_knows_is_not_found(person: Client) -> None:
    assert person.get("/images/999999/").status_code == 404


# Who uses it


def test_users_are_named_with_versions_aliases_and_account(person: Client, image: Image) -> None:
    staging = make_account("staging")
    mirror = make_image(make_repository(staging, "mirror/app"), "one")
    orders, other = make_function(image.repository.account, "orders"), make_function(staging, "other")
    gone = make_function(staging, "gone", gone_at=NOW)
    make_version(orders, 7, image)
    make_version(orders, "$LATEST", image)
    make_version(other, 1, mirror)
    make_version(gone, 1, image)
    make_alias(orders, "live", 6, second=7, weight=0.1)
    users = found(person, image).users
    assert [(user.name, user.account, user.versions, user.aliases, user.elsewhere) for user in users.shown] == [
        ("orders", "production", ("7", "$LATEST"), ("live 10 %",), ""),
        ("other", "staging", ("1",), (), mirror.repository.uri),
    ]
    assert (users.functions, users.versions, users.aliases, users.accounts) == (2, 3, 1, 2)
    assert "2 functions in 2 accounts: 1 alias, 3 versions." in shown(person, image)


def test_many_users_come_in_pages(person: Client, image: Image) -> None:
    for number in range(60):
        make_version(make_function(image.repository.account, f"worker-{number:02d}"), 1, image)
    first = person.get(f"/images/{image.pk}/").context["page"].users
    second = person.get(f"/images/{image.pk}/?page=2").context["page"].users
    assert (first.functions, first.pages, len(first.shown)) == (60, 2, 50)
    assert [user.name for user in second.shown] == [f"worker-{number}" for number in range(50, 60)]


def test_the_same_digest_in_other_repositories_is_linked(person: Client, image: Image) -> None:
    twin = make_image(make_repository(make_account("staging"), "mirror/app"), "one")
    text = shown(person, image)
    assert f'href="/images/{twin.pk}/"' in text
    assert twin.repository.uri in text


def test_the_rules_are_held_against_the_architecture_of_those_who_use_it(person: Client, image: Image) -> None:
    make_version(make_function(image.repository.account, "on-arm", architecture="arm64"), 1, image)
    (platform,) = (check for check in found(person, image).facts.checks if check.name == "Platform")
    assert platform.ok is False


# Tags


def test_tags_tell_when_they_came_and_went(person: Client, image: Image) -> None:
    def move(tag: str, before: str, after: str, days: int) -> None:
        TagMove.objects.create(
            repository=image.repository,
            tag=tag,
            from_digest=before,
            to_digest=after,
            seen_at=NOW - timedelta(days=days),
        )

    move("main", digest("zero"), image.digest, 9)
    move("main", image.digest, digest("two"), 5)
    move("old", image.digest, "", 7)
    spans = found(person, image).history
    assert [(span.tag, span.went is None, span.came is None, span.first_seen) for span in spans] == [
        ("live", True, False, True),
        ("main", False, False, False),
        ("old", False, True, False),
    ]
    text = shown(person, image)
    assert f"from {digest('zero')[7:19]}" in text
    assert f"to {digest('two')[7:19]}" in text
    assert "removed" in text


def test_each_tag_of_now_says_whether_it_can_be_moved(person: Client, image: Image) -> None:
    image.repository.tags.create(name="v1", digest=image.digest, since=NOW)
    TagMove.objects.create(repository=image.repository, tag="old", from_digest=image.digest, to_digest="", seen_at=NOW)
    filters = [{"kind": "WILDCARD", "pattern": "live*"}]
    Repository.objects.filter(pk=image.repository_id).update(
        tag_mutability="IMMUTABLE_WITH_EXCLUSION", tag_filters=filters
    )
    assert [(span.tag, span.can_move) for span in found(person, image).history] == [
        ("live", True),
        ("v1", False),
        ("old", None),
    ]
    text = shown(person, image)
    assert ("can be moved" in text, "can't be moved" in html.unescape(text)) == (True, True)
    Repository.objects.filter(pk=image.repository_id).update(tag_mutability="FROZEN")
    assert "not known whether it can be moved" in shown(person, image)


def test_a_tag_that_came_back_has_two_times(person: Client, image: Image) -> None:
    for days, (before, after) in enumerate([("one", "two"), ("two", "one"), ("one", "two")]):
        TagMove.objects.create(
            repository=image.repository,
            tag="main",
            from_digest=digest(before),
            to_digest=digest(after),
            seen_at=NOW + timedelta(days=days),
        )
    spans = [span for span in found(person, image).history if span.tag == "main"]
    assert [(span.came and (span.came - NOW).days, (span.went - NOW).days) for span in spans] == [(1, 2), (None, 0)]


# Files


def test_until_the_files_are_read_an_operator_is_offered_to_read_them(
    client: Client, image: Image, viewer: User, operator: User
) -> None:
    client.force_login(viewer)
    assert "An operator can have them read." in shown(client, image)
    client.force_login(operator)
    assert f'action="/images/{image.pk}/read-files/"' in shown(client, image)


def test_what_the_layers_hold_is_shown_once_they_were_read(person: Client, image: Image) -> None:
    boto = Package("python", "boto3", "1.40", "var/lang/boto3.dist-info/METADATA")
    newer = Package("python", "boto3", "1.42", "var/task/boto3.dist-info/METADATA")
    for number, diff_id in enumerate(image.diff_ids[:3]):
        read_layer(diff_id, f"usr/lib/{number}", packages=(boto,) if number == 0 else ())
    read_layer(image.diff_ids[3], "var/task/boto3.dist-info/METADATA", packages=(newer,))
    read_layer(image.diff_ids[4], "var/task/app.py", "var/task/.env", size=5_000_000)
    page = found(person, image)
    assert (page.facts.contents.unread, page.facts.contents.own_bytes) == (0, 10_001_000)
    assert [(one.name, one.version, one.instead_of) for one in page.facts.contents.packages] == [
        ("boto3", "1.42", "1.40")
    ]
    text = shown(person, image)
    assert "/var/task/.env: it may hold secrets" in text
    assert "instead of 1.40" in text
    assert "Read the files" not in text


def test_a_layer_that_could_not_be_read_says_why(person: Client, image: Image) -> None:
    problem = {"code": "failed", "message": "It grows to 11 GB.", "next_step": ""}
    LayerFiles.objects.create(diff_id=image.diff_ids[4], read_at=NOW, problem=problem)
    assert "It grows to 11 GB." in shown(person, image)


def test_more_files_than_a_page_looks_through_are_said(
    person: Client, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_contents, "LOOKED_AT", 2)
    for diff_id in image.diff_ids:
        read_layer(diff_id, "var/task/a", "var/task/b")
    text = shown(person, image)
    assert "The app's own layers hold 4 files; a page looks through 2 at most." in text


@pytest.mark.django_db(transaction=True)
def test_reading_the_files_is_a_run(client: Client, image: Image, operator: User, valkey: object) -> None:
    client.force_login(operator)
    answer = client.post(f"/images/{image.pk}/read-files/")
    run = Run.objects.get(kind=Kind.READ_FILES)
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert f"Run {run.pk}" in shown(client, image)


def test_a_viewer_may_neither_read_files_nor_ask_for_scans(person: Client, image: Image) -> None:
    for action in ("read-files", "scan"):
        assert person.post(f"/images/{image.pk}/{action}/").status_code == 403


# The scan


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("", "Drydock has not asked ECR"),
        ("NOT_SCANNED", "ECR has never scanned it"),
        ("SCAN_ELIGIBILITY_EXPIRED", "no longer keeps its findings up to date"),
        ("COMPLETE", "The scan found nothing"),
        ("FAILED", "ECR's scan failed"),
        ("PENDING", "ECR is at it"),
        ("UNSUPPORTED_IMAGE", "can't scan this kind"),
        ("NEXT_YEARS", "a scan status that Drydock does not know"),
    ],
)
def test_each_way_not_to_have_findings_has_its_own_words(person: Client, image: Image, status: str, words: str) -> None:
    if status:
        scan(image, status=status)
    assert words in shown(person, image)


def test_findings_are_split_into_base_and_app(person: Client, image: Image) -> None:
    base, own = image.layers[0]["digest"], image.layers[4]["digest"]
    scan(
        image,
        Finding("CVE-1", "CRITICAL", places=(FindingPlace("openssl", "3", layer=base),)),
        Finding("CVE-2", "HIGH", places=(FindingPlace("requests", "2", "2.32", "var/task/requests", own),)),
        Finding("CVE-3", "HIGH"),
    )
    facts = found(person, image).scan
    assert (facts.state, facts.base, facts.app, facts.unknown) == (ScanState.FOUND, 1, 1, 1)
    assert [placed.side for placed in facts.shown] == [Side.BASE, Side.APP, Side.UNKNOWN]
    assert "fixed in 2.32" in shown(person, image)


def test_what_the_base_holds_tells_findings_apart_that_name_only_packages(person: Client, image: Image) -> None:
    scan(
        image,
        Finding("CVE-1", "HIGH", places=(FindingPlace("openssl", "3.2"),)),
        Finding("CVE-2", "LOW", places=(FindingPlace("x"),)),
    )
    assert found(person, image).scan.unknown == 2
    held = Package("rpm", "openssl", "3.2", "var/lib/rpm/rpmdb.sqlite")
    for number, diff_id in enumerate(image.diff_ids[:3]):
        read_layer(diff_id, "var/lib/rpm/rpmdb.sqlite", packages=(held,) if number == 0 else ())
    facts = found(person, image).scan
    assert (facts.base, facts.app, facts.unknown) == (1, 1, 0)


def test_the_findings_of_a_scan_that_expired_are_shown_as_what_they_are(person: Client, image: Image) -> None:
    scan(image, Finding("CVE-1", "HIGH"), status="SCAN_ELIGIBILITY_EXPIRED")
    text = shown(person, image)
    assert "Scan expired" in text
    assert "It may not hold any more." in text
    assert "CVE-1" in text


def test_a_scan_that_may_not_be_read_names_the_permission(person: Client, image: Image) -> None:
    problem = {"code": "denied", "message": "The permission ecr:DescribeImageScanFindings is missing."}
    scan(image, status="", problem={**problem, "next_step": "Allow it."})
    assert "The permission ecr:DescribeImageScanFindings is missing." in shown(person, image)


def test_hostile_findings_stay_text_and_many_stay_bounded(person: Client, image: Image) -> None:
    evil = Finding("<script>alert(1)</script>", "CRITICAL", "<img src=x onerror=alert(1)>", "javascript:alert(1)")
    many = [Finding(f"CVE-{number}", "LOW") for number in range(999)]
    stored = scan(image, evil, *many)
    stored.severities = {"CRITICAL": 1, "LOW": 50_000}
    stored.save()
    content = person.get(f"/images/{image.pk}/").content.decode()
    assert "<script>alert(1)" not in content
    assert "<img src=x" not in content
    assert 'href="javascript' not in content
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    facts = found(person, image).scan
    assert (len(facts.shown), facts.total, facts.left_out) == (100, 50_001, 49_901)
    assert len(content) < 200_000


@pytest.mark.django_db(transaction=True)
def test_ecr_is_asked_at_once(
    client: Client, operator: User, aws: Sandbox, functions: Functions, valkey: object
) -> None:
    digest_of = functions.deploy()
    account = add_account(functions.account)
    run_once(_Silent())
    place = {"account": account.account_id, "region": "eu-west-1", "repository": "app", "image": "1"}
    aws.admin("POST", "findings", {**place, "findings": [{"name": "CVE-9", "severity": "HIGH"}]})
    client.force_login(operator)
    image = Image.objects.get(digest=digest_of)
    answer = client.post(f"/images/{image.pk}/scan/", follow=True)
    assert "CVE-9" in answer.content.decode()
    assert "ECR was asked" in answer.content.decode()


class _Silent:
    def info(self, text: str) -> None:
        """Not kept."""

    warning = info


# Cost


def test_an_image_that_is_huge_in_every_way_makes_a_page_that_is_not(person: Client, repository: Repository) -> None:
    many, long = range(5_000), "x" * 10_000
    layers = [{"digest": digest(number), "size": 1, "media_type": "layer"} for number in many]
    image = make_image(
        repository,
        "huge",
        tags=[f"t{number:04d}" for number in range(500)],
        layers=layers,
        diff_ids=[digest(f"diff {number}") for number in many],
        history=[{"created_by": f"RUN {long}", "empty_layer": False, "created": None} for _ in many],
        labels={f"label {number}": long for number in many},
        annotations={f"annotation {number}": long for number in many},
        settings={"entrypoint": [long], "command": [long] * 9, "env_keys": [f"KEY_{number}" for number in many]},
    )
    answer = person.get(f"/images/{image.pk}/")
    assert answer.status_code == 200
    assert len(answer.content) < 1_000_000


def test_the_page_costs_the_same_however_much_there_is(
    person: Client, repository: Repository, image: Image, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for diff_id in image.diff_ids:
        read_layer(diff_id, f"var/task/{diff_id[7:19]}")
    person.get(f"/images/{image.pk}/")
    scan(image, *[Finding(f"CVE-{number}", "LOW", places=(FindingPlace(path="usr/x"),)) for number in range(300)])
    for number in range(40):
        function = make_function(repository.account)
        make_version(function, 1, image)
        make_alias(function, "live", 1)
        make_image(make_repository(repository.account, f"mirror/{number}"), "one")
        TagMove.objects.create(
            repository=repository, tag=f"t{number}", from_digest=image.digest, to_digest="", seen_at=NOW
        )
    with django_assert_max_num_queries(22):
        person.get(f"/images/{image.pk}/")


def test_the_page_asks_no_registry_and_no_aws(
    person: Client, image: Image, aws: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    scan(image, Finding("CVE-1", "HIGH"))
    before = aws.admin("GET", "calls")
    shown(person, image)
    assert aws.admin("GET", "calls") == before
