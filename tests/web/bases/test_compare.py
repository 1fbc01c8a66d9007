"""What changes between two releases: layers, config, packages and files, and what is said where nothing was read."""

import hashlib

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.domain.errors import Code, Problem
from functions_app.domain.layers.entries import FileEntry, FileKind, LayerContents
from functions_app.domain.layers.packing import pack
from functions_app.models import BaseRelease, BaseStream, LayerFiles, Run
from tests.factories import digest, make_release, make_stream

CONFIG = {
    "entrypoint": ["/lambda-entrypoint.sh"],
    "command": [],
    "working_directory": "/var/task",
    "env": [["LANG", "en_US.UTF-8"], ["PYTHON_VERSION", "3.12.6"]],
    "labels": {},
    "history": [["ADD rootfs", False], ["ADD python 3.12.6", False]],
}


@pytest.fixture
def stream(db: None) -> BaseStream:
    """A stream of two releases of two layers, the first layer in common, with other versions in their configs."""
    stream = make_stream()
    for tag, days_old, patch in (("old", 40, "6"), ("new", 2, "7")):
        release = make_release(stream, tag, days_old=days_old, current=tag == "new", layers=2)
        release.diff_ids = [digest("os"), digest(f"python {tag}")]
        release.layers = [{"digest": digest(f"blob {n}"), "size": n * 1_000_000, "media_type": "layer"} for n in (4, 2)]
        release.config = CONFIG | {
            "env": [["LANG", "en_US.UTF-8"], ["PYTHON_VERSION", f"3.12.{patch}"], ["DB_PASSWORD", f"hunter{patch}"]],
            "history": [["ADD rootfs", False], [f"ADD python 3.12.{patch}", False]],
        }
        release.save()
    return stream


def release(stream: BaseStream, tag: str) -> BaseRelease:
    """One of the stream's releases."""
    return stream.releases.get(tag=tag)


def entry(path: str, content: str = "", kind: FileKind = "file", **values: str | int) -> FileEntry:
    """A file of a layer; its digest follows its content."""
    facts = {"size": len(content), "digest": hashlib.sha256(content.encode()).hexdigest()} if kind == "file" else {}
    return FileEntry(path, kind, **{"mode": 0o644, **facts, **values})  # type: ignore[arg-type]


def read(diff_id: str, *entries: FileEntry, packages: list[dict[str, str]] | None = None) -> None:
    """Store what a layer holds, as the run that reads files does."""
    LayerFiles.objects.create(
        diff_id=diff_id,
        read_at=clock.now(),
        file_count=len(entries),
        files=pack(LayerContents(entries)),
        packages=packages or [],
    )


def read_all(stream: BaseStream) -> None:
    """Every layer of both releases was read."""
    read(digest("os"), entry("etc/os-release", "al2023"), entry("etc/gone", "x"), entry("lib", kind="dir"))
    rpm = {"kind": "rpm", "path": "var/lib/rpm/rpmdb.sqlite"}
    read(
        digest("python old"),
        entry("usr/bin/python", "3.12.6"),
        entry("var/lib/rpm/rpmdb.sqlite", "a"),
        packages=[{**rpm, "name": "openssl", "version": "3.0.8-1"}, {**rpm, "name": "lost", "version": "1"}],
    )
    read(
        digest("python new"),
        entry("usr/bin/python", "3.12.7 and longer"),
        entry("var/lib/rpm/rpmdb.sqlite", "b"),
        entry("etc/added", "new"),
        FileEntry("etc/gone", "whiteout"),
        packages=[{**rpm, "name": "openssl", "version": "3.0.9-1"}, {**rpm, "name": "fresh", "version": "2"}],
    )


def test_layers_are_kept_removed_and_added_with_their_sizes(person: Client, stream: BaseStream) -> None:
    answer = person.get(f"/bases/{stream.pk}/compare/")
    found, compared = answer.context["found"], answer.context["compared"]
    assert (compared.old.tag, compared.new.tag) == ("old", "new")
    assert [(line.change, line.diff_id, line.size_bytes) for line in found.layers] == [
        ("kept", digest("os"), 4_000_000),
        ("removed", digest("python old"), 2_000_000),
        ("added", digest("python new"), 2_000_000),
    ]
    assert "2.0 MB" in answer.content.decode()


def test_releases_whose_layer_sizes_were_not_kept_say_so(person: Client, stream: BaseStream) -> None:
    BaseRelease.objects.update(layers=[])
    assert "size not kept" in person.get(f"/bases/{stream.pk}/compare/").content.decode()


def test_config_shows_differences_alone_and_masks_secrets(person: Client, stream: BaseStream) -> None:
    answer = person.get(f"/bases/{stream.pk}/compare/")
    found = answer.context["found"]
    assert [(line.name, line.old, line.new) for line in found.config] == [("ENV PYTHON_VERSION", "3.12.6", "3.12.7")]
    assert [(line.change, line.text) for line in found.steps] == [
        ("kept", "ADD rootfs"),
        ("removed", "ADD python 3.12.6"),
        ("added", "ADD python 3.12.7"),
    ]
    assert "hunter" not in answer.content.decode()


def test_any_two_releases_can_be_compared(person: Client, stream: BaseStream) -> None:
    back = f"/bases/{stream.pk}/compare/?from={release(stream, 'new').pk}&to={release(stream, 'old').pk}"
    answer = person.get(back)
    assert [line.change for line in answer.context["found"].layers] == ["kept", "removed", "added"]
    assert "The first is newer than the second" in answer.content.decode()


def test_an_old_release_alone_is_compared_with_the_current_one_of_its_platform(
    person: Client, stream: BaseStream
) -> None:
    arm = make_release(stream, "arm", current=True)
    BaseRelease.objects.filter(pk=arm.pk).update(platform="linux/arm64")
    found = person.get(f"/bases/{stream.pk}/compare/?from={release(stream, 'old').pk}").context["compared"]
    assert (found.old.tag, found.new.tag) == ("old", "new")


def test_another_platform_is_said(person: Client, stream: BaseStream) -> None:
    BaseRelease.objects.filter(tag="old").update(platform="linux/arm64")
    old, new = release(stream, "old"), release(stream, "new")
    answer = person.get(f"/bases/{stream.pk}/compare/?from={old.pk}&to={new.pk}")
    assert "different platforms" in answer.content.decode()


def test_packages_and_files_that_differ(person: Client, stream: BaseStream) -> None:
    read_all(stream)
    found = person.get(f"/bases/{stream.pk}/compare/").context["found"]
    (group,) = found.packages
    assert group.kind == "RPM"
    assert [(change.name, change.old, change.new) for change in group.changed] == [
        ("openssl", ("3.0.8-1",), ("3.0.9-1",))
    ]
    assert [package.name for package in group.added] == ["fresh"]
    assert [package.name for package in group.removed] == ["lost"]
    assert [each.path for each in found.files.added] == ["etc/added"]
    assert [each.path for each in found.files.removed] == ["etc/gone"]
    assert [each.path for each in found.files.changed] == ["usr/bin/python", "var/lib/rpm/rpmdb.sqlite"]


def test_files_are_filtered_by_path(person: Client, stream: BaseStream) -> None:
    read_all(stream)
    found = person.get(f"/bases/{stream.pk}/compare/?path=BIN/").context["found"]
    assert found.files.totals == {"added": 0, "removed": 0, "changed": 1}


def test_a_thousand_files_are_counted_and_five_hundred_shown(person: Client, stream: BaseStream) -> None:
    read(digest("os"))
    read(digest("python old"))
    read(digest("python new"), *(entry(f"opt/{number:04d}", "x") for number in range(1000)))
    answer = person.get(f"/bases/{stream.pk}/compare/")
    found = answer.context["found"]
    assert (len(found.files.added), found.files.totals["added"]) == (500, 1001)  # and the directory they lie in
    assert "The first 500 of each kind are shown" in answer.content.decode()


def test_what_was_not_read_is_said_and_an_operator_may_have_it_read(
    client: Client, operator: User, stream: BaseStream, valkey: object
) -> None:
    read(digest("os"))
    client.force_login(operator)
    answer = client.get(f"/bases/{stream.pk}/compare/")
    assert (len(answer.context["found"].unread), answer.context["found"].files) == (2, None)
    assert "Read the files" in answer.content.decode()
    form = {"from": release(stream, "old").pk, "to": release(stream, "new").pk}
    started = client.post(f"/bases/{stream.pk}/read-files/", form)
    run = Run.objects.get()
    assert started.headers["Location"] == f"/runs/{run.pk}/"
    assert f"Run {run.pk}</a> reads layers now" in client.get(f"/bases/{stream.pk}/compare/").content.decode()


def test_a_viewer_has_no_button_to_read(person: Client, stream: BaseStream) -> None:
    text = person.get(f"/bases/{stream.pk}/compare/").content.decode()
    assert "Not read yet" in text
    assert "Read the files" not in text


def test_a_layer_that_could_not_be_read_says_why(person: Client, stream: BaseStream) -> None:
    problem = Problem(Code.FAILED, "The layer is no gzip.", "Push it again.").as_json()
    LayerFiles.objects.create(diff_id=digest("os"), read_at=clock.now(), problem=problem)
    text = person.get(f"/bases/{stream.pk}/compare/").content.decode()
    assert "The layer is no gzip." in text


def test_names_of_files_and_packages_are_escaped(person: Client, stream: BaseStream) -> None:
    read(digest("os"))
    read(digest("python old"))
    hostile = [{"kind": "npm", "name": "<b>pkg", "version": "<i>1", "path": "<u>file"}]
    read(digest("python new"), entry("<u>file", "x"), entry("ln", kind="symlink", link="<s>x"), packages=hostile)
    text = person.get(f"/bases/{stream.pk}/compare/").content.decode()
    for tag in ("<b>pkg", "<i>1", "<u>file", "<s>x"):
        assert tag not in text


@pytest.mark.parametrize("query", ["from=404404", "to=404404&from=1"])
def test_a_release_that_is_not_there_is_a_404(person: Client, stream: BaseStream, query: str) -> None:
    assert person.get(f"/bases/{stream.pk}/compare/?{query}").status_code == 404


def test_a_stream_without_releases_says_so(person: Client) -> None:
    assert person.get(f"/bases/{make_stream('java:21').pk}/compare/").status_code == 404


def test_it_costs_the_same_however_many(
    person: Client, stream: BaseStream, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    read_all(stream)
    for number in range(30):
        make_release(stream, f"r{number}", days_old=100 + number)
    with django_assert_max_num_queries(9):
        person.get(f"/bases/{stream.pk}/compare/")
