"""Repositories and their images, and who uses each."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.models import Repository, Scope
from tests.factories import (
    NOW,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_user,
    make_version,
)


def test_the_list_counts_images_what_is_used_and_what_has_no_tag(person: Client, repository: Repository) -> None:
    used = make_image(repository, tags=["v1", "v2"])
    make_image(repository)
    make_image(repository, gone_at=NOW)
    make_version(make_function(repository.account), 1, used)
    row = person.get("/repositories/").context["rows"][0]
    assert (row.name, row.sums.images, row.in_use, row.sums.untagged) == ("team/app", 2, 1, 1)
    assert row.sums.size_bytes == 426_800_000


def test_counts_and_list_of_images_follow_one_rule(person: Client, repository: Repository) -> None:
    amd, arm, loose = (make_image(repository, word, role="part") for word in ("amd", "arm", "loose"))
    index = make_image(repository, "index", tags=["1.4"], role="index", is_index=True, size_bytes=213_400_000)
    for part in (amd, arm):
        part.part_of = index.digest
        part.save()
    loose.role = "image"
    loose.save()
    for role in ("signature", "sbom", "attestation"):
        make_image(repository, role, tags=[f"sha256-{role}.sig"], role=role, part_of=arm.digest, size_bytes=10)
    gone = make_image(repository, "gone", gone_at=NOW)
    for number, image in enumerate([amd, arm, gone]):
        make_version(make_function(repository.account, f"user-{number}"), 1, image)
    row = person.get("/repositories/").context["rows"][0]
    assert (row.sums.images, row.in_use, row.sums.untagged, row.sums.artifacts) == (2, 1, 1, 3)
    assert row.sums.size_bytes == 3 * 213_400_000 + 30
    page = person.get(f"/repositories/{repository.pk}/")
    head, rows = page.context["head"], {row.image.digest: row for row in page.context["rows"]}
    assert (head.sums.images, head.sums.in_use, head.gone) == (2, 1, 1)
    assert set(rows) == {index.digest, loose.digest, gone.digest}
    assert [use.name for use in rows[index.digest].uses] == ["user-0", "user-1"]
    assert rows[index.digest].belongings == "2 images, 1 attestation, 1 signature, 1 SBOM"
    assert page.context["artifacts"] == ()
    assert "untagged" in page.content.decode()


def test_what_is_in_use_is_never_more_than_there_is(person: Client, repository: Repository) -> None:
    function = make_function(repository.account)
    for number in range(4):
        make_version(function, number + 1, make_image(repository))
    make_version(function, 9, make_image(repository, gone_at=NOW))
    row = person.get("/repositories/").context["rows"][0]
    assert (row.sums.images, row.in_use) == (4, 4)


def test_a_golden_image_that_functions_stand_on_is_in_use(person: Client, repository: Repository) -> None:
    stream = make_stream("acme/golden:1", reference=f"{repository.uri}:1")
    release = make_release(stream, "1.4.0")
    make_image(repository, "acme/golden:1 1.4.0", tags=["1.4.0"])
    make_image(repository, "acme/golden:1 1.3.0", tags=["1.3.0"])
    apps = make_repository(repository.account, "apps")
    for number in range(4):
        make_user(repository.account, release, f"user-{number}")
    counts = {row.name: row.in_use for row in person.get("/repositories/").context["rows"]}
    assert counts["team/app"] >= 1
    page = person.get(f"/repositories/{repository.pk}/")
    assert "4 functions on it" in page.content.decode()
    assert apps.pk in {row.pk for row in person.get("/repositories/").context["rows"]}


def test_charts_and_artifacts_of_images_that_are_not_there_are_told_apart(
    person: Client, repository: Repository
) -> None:
    make_image(repository, "app", tags=["v1"])
    make_image(repository, "chart", tags=["1.2.3"], role="chart")
    make_image(repository, "lost", role="signature", part_of="sha256:" + "0" * 64)
    page = person.get(f"/repositories/{repository.pk}/")
    assert [row.tags for row in page.context["rows"]] == [("v1",)]
    assert {artifact.image.role for artifact in page.context["artifacts"]} == {"chart", "signature"}
    text = page.content.decode()
    for words in ("Other artifacts", "Helm chart", "Signature", "of 000000000000, which is not here"):
        assert words in text


def test_the_page_of_an_artifact_says_what_it_is_about_and_claims_nothing_of_an_image(
    person: Client, repository: Repository
) -> None:
    image = make_image(repository, "app", tags=["v1"])
    problem = {"code": "invalid", "message": "It is an artifact of type x, not a container image."}
    signature = make_image(repository, "sig", role="signature", part_of=image.digest, inspect_problem=problem)
    text = " ".join(person.get(f"/images/{signature.pk}/").content.decode().split())
    assert "It is about the image" in text
    assert f'href="/images/{image.pk}/"' in text
    for words in ("image rules", "Scan findings", "could not be read", "Entry point"):
        assert words not in text
    assert f'href="/images/{signature.pk}/"' in person.get(f"/images/{image.pk}/").content.decode()
    part = make_image(repository, "part", role="part", part_of=image.digest)
    assert "Part of an index</span>" in person.get(f"/images/{part.pk}/").content.decode()


@pytest.mark.parametrize(("live", "colour"), [(True, "bad"), (False, "calm")])
def test_a_rule_that_will_take_an_image_away_is_flagged_where_one_looks(
    person: Client, repository: Repository, live: bool, colour: str
) -> None:
    image = make_image(repository, tags=["v1"], expiry_rule=3)
    function = make_function(repository.account)
    make_version(function, 1, image)
    make_version(function, 2, make_image(repository, tags=["v2"]))
    make_alias(function, "live", 1 if live else 2)
    row = person.get("/repositories/").context["rows"][0]
    assert row.endangered == int(live)
    assert ("Rule takes a live image" in person.get("/repositories/").content.decode()) is live
    text = person.get(f"/repositories/{repository.pk}/").content.decode()
    assert "Rule 3 takes it" in text
    rows = {row.tags: row for row in person.get(f"/repositories/{repository.pk}/").context["rows"]}
    assert (rows["v1",].rule, rows["v1",].live) == (3, live)
    assert f'class="bdg {colour}" title="By the last forecast lifecycle rule 3' in text
    assert "lifecycle rule 3 will take it away" in person.get(f"/images/{image.pk}/").content.decode()


def test_an_archived_image_is_told_as_that_on_every_page(person: Client, repository: Repository) -> None:
    image = make_image(repository, tags=["v1"], status="ARCHIVED")
    strange = make_image(repository, tags=["v2"], status="DEEP_FROZEN")
    assert "1 archived" in person.get("/repositories/").content.decode()
    text = person.get(f"/repositories/{repository.pk}/").content.decode()
    for words in ("Archived</span>", "DEEP_FROZEN</span>", "1 archived"):
        assert words in text
    page = person.get(f"/images/{image.pk}/").content.decode()
    assert "archived in ECR: it can&#x27;t be pulled until it is restored" in page
    assert "Restore it in ECR first" in page
    assert "no longer has" not in page
    assert "which Drydock does not know" in person.get(f"/images/{strange.pk}/").content.decode()


@pytest.mark.parametrize(
    ("mode", "word", "sentence"),
    [
        ("MUTABLE", "Can move", "Tags can be moved to another image."),
        ("IMMUTABLE", "Immutable", "A tag, once pushed, can&#x27;t be moved."),
        ("MUTABLE_WITH_EXCLUSION", "Can mostly move", "but not latest*."),
        ("IMMUTABLE_WITH_EXCLUSION", "Mostly immutable", "except latest*."),
        ("FROZEN", "Not known", "ECR says FROZEN, which Drydock does not know."),
        ("", "Not known", "ECR did not tell, or was not asked yet."),
    ],
)
def test_each_mode_of_tags_has_its_words(
    person: Client, repository: Repository, mode: str, word: str, sentence: str
) -> None:
    repository.tag_mutability = mode
    repository.tag_filters = [{"kind": "WILDCARD", "pattern": "latest*"}] if "EXCL" in mode else []
    repository.save()
    listed = person.get("/repositories/").content.decode()
    assert f"{word}</span>" in listed
    assert sentence in listed
    assert person.get(f"/repositories/{repository.pk}/").content.decode().count(sentence) == 1


@pytest.mark.parametrize(
    "pasted",
    [
        "{uri}",
        "https://{uri}:release-7",
        "{arn}",
        "team/app:release-7",
        "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/{account}/team/app?region=eu-west-1",
    ],
)
def test_what_names_a_repository_finds_it(person: Client, repository: Repository, pasted: str) -> None:
    make_repository(make_account(), "team/app-next")
    account = repository.account.account_id
    text = pasted.format(uri=repository.uri, arn=repository.arn, account=account)
    page = person.get("/repositories/", {"search": text})
    assert [row.name for row in page.context["rows"]] == ["team/app"]


def test_the_list_is_searched_by_name_and_account(person: Client, repository: Repository) -> None:
    make_repository(make_account("staging"), "other")
    for word in ("team", "production"):
        assert [row.name for row in person.get(f"/repositories/?search={word}").context["rows"]] == ["team/app"]


def test_an_image_is_found_by_the_beginning_of_its_digest_and_by_its_tag(
    person: Client, repository: Repository
) -> None:
    image = make_image(repository, "one", tags=["release-7", "live"])
    elsewhere = make_repository(make_account("staging"), "other")
    make_image(elsewhere, "two", tags=["release-8"])
    for search in (image.digest, image.digest[7:19], image.digest[:20], "release-7"):
        page = person.get("/repositories/", {"search": search})
        assert [found.pk for found in page.context["images"]] == [image.pk]
        assert f'href="/images/{image.pk}/"' in page.content.decode()
    for search in ("release", "release-7 live", "abc", ""):
        assert person.get("/repositories/", {"search": search}).context["images"] == ()


def test_a_tag_of_the_same_digest_elsewhere_finds_only_where_the_tag_is(person: Client, repository: Repository) -> None:
    here = make_image(repository, "one", tags=["release-7"])
    make_image(make_repository(repository.account, "mirror"), "one", tags=["other"])
    page = person.get("/repositories/", {"search": "release-7"})
    assert [found.pk for found in page.context["images"]] == [here.pk]


def test_the_list_costs_the_same_however_many(
    person: Client, repository: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        make_image(make_repository(repository.account, f"team/{number}"), tags=["v1"])
    with django_assert_max_num_queries(11):
        person.get("/repositories/")


def test_an_image_names_the_functions_versions_and_aliases_that_use_it(person: Client, repository: Repository) -> None:
    image = make_image(repository, tags=["v1"])
    orders, idle = make_function(repository.account, "orders"), make_function(repository.account, "idle")
    make_version(orders, 7, image)
    make_version(orders, 6, image)
    make_version(idle, 1, image)
    make_alias(orders, "live", 5, second=7, weight=0.1)
    row = person.get(f"/repositories/{repository.pk}/").context["rows"][0]
    assert [(use.name, use.versions, use.aliases) for use in row.uses] == [
        ("orders", ("7", "6"), ("live",)),
        ("idle", ("1",), ()),
    ]


def test_an_image_of_many_functions_leads_to_its_page_that_names_every_one_of_them(
    person: Client, repository: Repository
) -> None:
    image = make_image(repository, tags=["v1"])
    for number in range(9):
        make_version(make_function(repository.account, f"worker-{number}"), 1, image)
    text = person.get(f"/repositories/{repository.pk}/").content.decode()
    assert f'href="/images/{image.pk}/#users-title">and 3 more</a>' in text
    page = person.get(f"/images/{image.pk}/").content.decode()
    for number in range(9):
        assert f">worker-{number}</a>" in page


def test_a_release_of_a_base_image_leads_to_who_stands_on_it(person: Client, repository: Repository) -> None:
    stream = make_stream("acme/golden:1", reference=f"{repository.uri}:1")
    make_release(stream, "1.4.0")
    image = make_image(repository, "acme/golden:1 1.4.0", tags=["1", "1.4.0"])
    for address in (f"/repositories/{repository.pk}/", f"/images/{image.pk}/"):
        text = person.get(address).content.decode()
        assert f'<a href="/bases/{stream.pk}/">' in text
        assert "acme/golden:1</a>" in text
        assert ">nothing<" not in text


def test_gone_untagged_and_index_are_said(person: Client, repository: Repository) -> None:
    make_image(repository, gone_at=NOW)
    make_image(repository, is_index=True, platforms=["linux/amd64", "linux/arm64"])
    text = person.get(f"/repositories/{repository.pk}/").content.decode()
    for words in (
        "Deleted</span>",
        "Index</span>",
        "untagged",
        "linux/amd64, linux/arm64",
    ):
        assert words in text


def test_fifty_images_a_page_at_the_same_cost(
    person: Client, repository: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    function = make_function(repository.account)
    for number in range(60):
        make_version(function, number + 1, make_image(repository, tags=[f"v{number}"]))
    with django_assert_max_num_queries(17):
        answer = person.get(f"/repositories/{repository.pk}/")
    assert len(answer.context["rows"]) == 50
    assert len(person.get(f"/repositories/{repository.pk}/?page=2").context["rows"]) == 10


def test_an_unknown_repository_is_a_404_page(person: Client) -> None:
    assert person.get("/repositories/404404/").status_code == 404


def test_what_uses_it_is_not_known_before_functions_were_read(person: Client) -> None:
    account = make_account("fresh")
    make_repository(account)
    assert person.get("/repositories/").context["rows"][0].in_use == 0
    Scope.objects.filter(account=account).update(synced_at=None)
    answer = person.get("/repositories/")
    assert answer.context["rows"][0].in_use is None
    assert "not known" in answer.content.decode()


def test_a_repository_whose_images_were_not_listed_says_so(person: Client) -> None:
    problem = {"code": "denied", "message": "The permission ecr:DescribeImages is missing."}
    make_repository(make_account("fresh"), images_synced_at=None, images_problem=problem)
    text = person.get("/repositories/").content.decode()
    assert "not read" in text
    assert "The permission ecr:DescribeImages is missing." in text
