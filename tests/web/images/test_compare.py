"""What changes between two images of any repositories; and how the other one is chosen."""

import html
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.domain.images.scans import Finding, FindingPlace
from functions_app.domain.layers.entries import FileEntry, LayerContents
from functions_app.domain.layers.packing import pack
from functions_app.models import Image, ImageScan, LayerFiles, Repository
from functions_app.web.images.compare import shared_words
from tests.factories import (
    NOW,
    digest,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)


def make_pair(repository: Repository) -> tuple[Image, Image]:
    """Two builds of an app, the second on the release after the next, with another command, variables and labels."""
    stream = make_stream()
    releases = [make_release(stream, f"3.12.{day}", days_old=day) for day in (41, 20, 1)]
    old, new = (
        make_image(repository, word, tags=[word], base_release=release, base_stream=stream)
        for word, release in (("old", releases[0]), ("new", releases[2]))
    )
    for image, release in ((old, releases[0]), (new, releases[2])):
        image.base_lineage = [
            {"release_id": release.pk, "stream": stream.name, "label": release.tag, "layers": 3, "freshness": "stale"}
        ]
    new.settings = {"entrypoint": ["/lambda-entrypoint.sh"], "command": ["app.other"], "env_keys": ["PATH", "TOKEN"]}
    new.labels = {"org.opencontainers.image.revision": "9e8d7c6"}
    new.diff_ids = [*old.diff_ids[:1], *new.diff_ids[1:]]
    new.size_bytes = 250_000_000
    for image in (old, new):
        image.save()
    return old, new


def compared(person: Client, old: Image, query: str) -> Any:
    """The answer to an address of the comparison."""
    answer = person.get(f"/images/{old.pk}/compare/{query}")
    assert answer.status_code == 200
    return answer


def words(answer: Any) -> str:
    """What the page says, as one line."""
    return " ".join(html.unescape(answer.content.decode()).split())


def read(diff_id: str, *entries: FileEntry, version: str = "") -> None:
    """Store what a layer holds, as the run that reads files does."""
    package = {"kind": "python", "path": "a/METADATA", "name": "requests", "version": version}
    LayerFiles.objects.create(
        diff_id=diff_id, read_at=clock.now(), files=pack(LayerContents(entries)), packages=[package] if version else []
    )


def scanned(image: Image, *names: str, severity: str = "HIGH") -> None:
    """ECR scanned it, with these findings."""
    findings = [Finding(name, severity, places=(FindingPlace(f"lib{name}", "1.0"),)).as_json() for name in names]
    counts = {severity: len(names)} if names else {}
    ImageScan.objects.create(image=image, status="COMPLETE", read_at=NOW, findings=findings, severities=counts)


def test_config_layers_base_and_size_of_two_images(person: Client, repository: Repository) -> None:
    old, new = make_pair(repository)
    answer = compared(person, old, f"?to={new.pk}")
    found = answer.context["found"]
    assert [(line.name, line.old, line.new) for line in found.config] == [
        ("Command", "app.handler", "app.other"),
        ("ENV TOKEN", None, "set"),
        ("Label org.opencontainers.image.revision", "4f2a1c9", "9e8d7c6"),
    ]
    assert (found.shared, [line.change for line in found.layers].count("kept")) == (1, 1)
    text = words(answer)
    assert "The lowest layer is the same, byte for byte, of 5 and 5." in text
    assert "The second stands on a newer release of python:3.12: 2 releases, 40 days." in text
    assert f"?from={old.base_release_id}&to={new.base_release_id}" in text
    assert "213.4 MB compressed" in text
    assert "250.0 MB compressed" in text
    assert "whether a value changed is not known" in text


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((3, 3, 3, 3), "All 3 layers are the same, byte for byte: the config alone differs."),
        ((3, 3, 5, 6), "The lowest 3 layers are the same, byte for byte, of 5 and 6."),
        ((1, 2, 5, 6), "The lowest layer is the same, byte for byte, of 5 and 6; 1 further up is, too."),
        ((0, 3, 8, 8), "From the bottom up no layer of 8 and 8 is the same; 3 further up are."),
        ((0, 0, 8, 9), "From the bottom up no layer of 8 and 9 is the same."),
    ],
)
def test_how_far_up_the_layers_are_the_same(counts: tuple[int, int, int, int], said: str) -> None:
    assert shared_words(*counts) == said


def test_packages_and_files_once_the_layers_of_both_were_read(person: Client, repository: Repository) -> None:
    old, new = make_image(repository, "old"), make_image(repository, "new")
    for image, version in ((old, "2.31"), (new, "2.32")):
        app, package = (
            FileEntry(path, "file", size=9, digest=digest(f"{path} {of}")[7:])
            for path, of in (("var/task/app.py", version), ("a/METADATA", "both"))
        )
        read(image.diff_ids[0], app)
        read(image.diff_ids[1], package, version=version)
    found = compared(person, old, f"?to={new.pk}").context["found"]
    assert [(change.name, change.old, change.new) for change in found.packages[0].changed] == [
        ("requests", ("2.31",), ("2.32",))
    ]
    assert [change.path for change in found.files.changed] == ["var/task/app.py"]
    narrowed = compared(person, old, f"?to={new.pk}&path=nothing").context["found"]
    assert sum(narrowed.files.totals.values()) == 0


def test_what_was_not_read_can_be_read_of_each_image(client: Client, operator: User, repository: Repository) -> None:
    client.force_login(operator)
    old, new = make_image(repository, "old"), make_image(repository, "new")
    for diff_id in old.diff_ids:
        read(diff_id)
    answer = compared(client, old, f"?to={new.pk}")
    assert [action for action, _, _ in answer.context["reads"]] == [f"/images/{new.pk}/read-files/"]
    assert "Not read yet: 2 layers of these two images." in words(answer)


def test_findings_that_came_and_went(person: Client, repository: Repository) -> None:
    old, new = make_image(repository, "old"), make_image(repository, "new")
    scanned(old, "CVE-1", "CVE-2")
    assert "Findings are compared where the scans of both tell them." in words(compared(person, old, f"?to={new.pk}"))
    scanned(new, "CVE-2", "CVE-3", "CVE-4")
    answer = compared(person, old, f"?to={new.pk}")
    pair = answer.context["compared"].scans
    assert [(row.severity, row.before, row.after) for row in pair.rows] == [("HIGH", 2, 3)]
    assert [(change, finding.name) for change, finding in pair.shown] == [
        ("added", "CVE-3"),
        ("added", "CVE-4"),
        ("removed", "CVE-1"),
    ]
    assert "libCVE-3 1.0" in words(answer)


def test_of_findings_that_are_not_all_kept_nobody_says_which_came(person: Client, repository: Repository) -> None:
    old, new = make_image(repository, "old"), make_image(repository, "new")
    scanned(old, "CVE-1")
    scanned(new, "CVE-2")
    ImageScan.objects.filter(image=new).update(severities={"HIGH": 1200})
    answer = compared(person, old, f"?to={new.pk}")
    assert answer.context["compared"].scans.shown == ()
    assert "Which of them came or went is not known" in words(answer)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"inspected_at": None}, "has not been read yet. Sync its account"),
        ({"inspected_at": None, "gone_at": NOW}, "was deleted before Drydock read it"),
        ({"is_index": True, "role": "index"}, "is an index of images for several platforms"),
        ({"role": "signature"}, "is no image but what is kept beside one"),
    ],
)
def test_what_can_not_be_compared_is_said(
    person: Client, repository: Repository, values: dict[str, Any], said: str
) -> None:
    old, odd = make_image(repository, "old"), make_image(repository, "odd", **values)
    for answer in (compared(person, old, f"?to={odd.pk}"), compared(person, odd, f"?to={old.pk}")):
        assert said in words(answer).replace('<span class="next">', "")
        assert "found" not in answer.context


def test_an_image_compared_with_itself_and_one_of_another_platform(person: Client, repository: Repository) -> None:
    old, arm = make_image(repository, "old"), make_image(repository, "arm", architecture="arm64")
    assert "This is the image itself" in words(compared(person, old, f"?to={old.pk}"))
    other = compared(person, old, f"?to={arm.pk}")
    assert "They are of different platforms, linux/amd64 and linux/arm64" in words(other)
    assert other.context["found"].layers


def test_of_an_index_the_images_in_it_are_offered(person: Client, repository: Repository) -> None:
    old, part = make_image(repository, "old"), make_image(repository, "part", role="part")
    entries = [{"digest": part.digest, "platform": "linux/amd64"}]
    index = make_image(repository, "index", role="index", is_index=True, entries=entries)
    assert f'<a href="?to={part.pk}">linux/amd64</a>' in words(compared(person, old, f"?to={index.pk}"))
    back = words(compared(person, index, f"?to={old.pk}"))
    assert f'<a href="/images/{part.pk}/compare/?to={old.pk}">linux/amd64</a>' in back


def test_what_is_live_the_one_before_and_the_newest_are_offered_first(person: Client, repository: Repository) -> None:
    names = ("first", "second", "third", "fourth")
    first, second, third, fourth = (
        make_image(repository, name, pushed_at=NOW.replace(day=day + 1)) for day, name in enumerate(names)
    )
    make_image(repository, "arm", architecture="arm64", pushed_at=NOW.replace(day=20))
    function = make_function(repository.account, "orders")
    make_version(function, 1, first)
    make_alias(function, "live", 1)
    offered = [(choice.pk, choice.why) for choice in compared(person, third, "").context["choices"]]
    assert offered == [
        (first.pk, ("live in 1 function",)),
        (second.pk, ("pushed before it",)),
        (fourth.pk, ("newest of the repository",)),
    ]
    both = compared(person, second, "").context["choices"]
    assert both[0].why == ("live in 1 function", "pushed before it")


@pytest.mark.parametrize("typed", ["{digest}", "{short}", "2.0", "team/app:2.0", "{uri}@{digest}"])
def test_another_image_is_typed_as_people_have_it(person: Client, repository: Repository, typed: str) -> None:
    old, new = make_image(repository, "old"), make_image(repository, "new", tags=["2.0"])
    make_image(make_repository(repository.account, "team/other"), "another", tags=["2.0"])
    text = typed.format(digest=new.digest, short=new.digest[7:19], uri=repository.uri)
    answer = person.get(f"/images/{old.pk}/compare/", {"find": text})
    assert answer.headers["Location"] == f"/images/{old.pk}/compare/?to={new.pk}"


def test_one_of_another_repository_is_found_and_several_are_listed(person: Client, repository: Repository) -> None:
    old = make_image(repository, "old")
    others = [
        make_image(make_repository(repository.account, name), name, tags=["shared"]) for name in ("team/a", "team/b")
    ]
    answer = person.get(f"/images/{old.pk}/compare/", {"find": others[0].digest[7:19]})
    assert answer.headers["Location"].endswith(f"?to={others[0].pk}")
    listed = compared(person, old, "?find=shared")
    assert {row.pk for row in listed.context["named"]} == {other.pk for other in others}


def test_what_nobody_knows_is_said_with_the_next_step(person: Client, repository: Repository) -> None:
    old = make_image(repository, "old")
    text = words(compared(person, old, "?find=%3Cb%3Enothing"))
    assert "Drydock knows no image called “<b>nothing”. " in text
    assert "sync if it was pushed just now" in text
    assert "Its repository holds no other image." in words(compared(person, old, ""))
    assert person.get(f"/images/{old.pk}/compare/?to=404404").status_code == 404


def test_a_plans_two_digests_lead_to_their_comparison(person: Client, repository: Repository) -> None:
    old, new = make_image(repository, "old"), make_image(repository, "new")
    answer = person.get("/images/compare/", {"from": old.digest, "to": new.digest}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/images/{old.pk}/compare/?to={new.pk}"


def test_an_image_and_a_functions_versions_lead_to_it(person: Client, repository: Repository) -> None:
    old, new = make_image(repository, "old"), make_image(repository, "new")
    function = make_function(repository.account, "orders")
    for number, image in ((1, old), (2, new)):
        make_version(function, number, image)
    for alias, number in (("canary", 2), ("live", 1)):
        make_alias(function, alias, number)
    assert f'href="/images/{old.pk}/compare/"' in words(person.get(f"/images/{old.pk}/"))
    link = f'href="/images/{old.pk}/compare/?to={new.pk}"'
    assert link in words(person.get(f"/functions/{function.pk}/"))
    assert link in words(person.get(f"/functions/{function.pk}/image/?version=2"))


def test_it_costs_the_same_however_much_differs(
    person: Client, repository: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    old, new = make_pair(repository)
    for number in range(20):
        make_image(repository, f"other {number}")
    for diff_id in {*old.diff_ids, *new.diff_ids}:
        read(diff_id)
    scanned(old, "CVE-1")
    scanned(new, "CVE-1")
    with django_assert_max_num_queries(20):
        compared(person, old, f"?to={new.pk}")


def test_what_is_left_out_of_a_long_config_and_history_is_counted(person: Client, repository: Repository) -> None:
    old, new = make_pair(repository)
    new.labels = {f"label {number}": "1" for number in range(300)}
    new.history = [{"created_by": f"RUN {number}"} for number in range(300)]
    new.save()
    text = words(compared(person, old, f"?to={new.pk}"))
    assert "103 more fields differ and are not shown." in text
    assert "100 more are not shown." in text
