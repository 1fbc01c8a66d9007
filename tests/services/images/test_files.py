"""The run that reads layers: from a real registry into LayerFiles, each layer once, and what becomes comparable."""

import gzip
import itertools
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.overlay import diff_files, overlay
from functions_app.domain.layers.packages import PackageDiff, diff_packages, overlay_packages
from functions_app.domain.layers.packing import pack
from functions_app.domain.runs import SignalKind, Status
from functions_app.models import AuditEntry, BaseRelease, BaseStream, Image, LayerFiles, Run
from functions_app.runlog import Logger
from functions_app.services.bases import polls
from functions_app.services.bases.streams import seed_streams
from functions_app.services.engine import signals, steps
from functions_app.services.engine.leases import Lease, LeaseLost
from functions_app.services.engine.steps import Cancelled, Context
from functions_app.services.images import files as layer_reading
from functions_app.services.images.files import layer_contents, submit_for_image, submit_for_releases, unread_layers
from functions_app.services.people.actor import Actor
from sandbox.images.bases import releases
from sandbox.images.elf import Elf, elf_bytes
from sandbox.images.making import Blob, Layer, make_image, make_layer, sha256_digest
from sandbox.images.making import Image as BuiltImage
from tests.domain.layers.test_packing import VERSION_1
from tests.factories import make_account, make_repository
from tests.fixtures import Push, Sandbox
from tests.publishing import NOW, dated, publish, unique_repository
from tests.services.changes.stage import carry_out, log_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

TODAY = date(2026, 11, 21)
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WORDS = (f"unique {number}" for number in itertools.count())


class Silent:
    """A log that nobody reads."""

    def info(self, text: str) -> None:
        """Not kept."""

    warning = info


def polled(sandbox: Sandbox, *images: BuiltImage) -> list[BaseRelease]:
    """Publish releases of a stream of their own, oldest first, and let Drydock find them."""
    repository = unique_repository()
    for image in images:
        publish(sandbox, repository, image, [dated("3.12", image), "3.12"])
    seed_streams([f"public.ecr.aws/{repository}:3.12"])
    stream = BaseStream.objects.get(name=f"{repository}:3.12")
    polls.poll(NOW, Silent(), [stream.pk])
    found = list(stream.releases.order_by("created_at"))
    assert [release.diff_ids for release in found] == [list(image.diff_ids) for image in images]
    return found


def small(*layers: Layer, days_old: int = 0) -> BuiltImage:
    """An image of these layers, or of three of its own."""
    own = layers or tuple(make_layer({f"etc/{number}": next(WORDS).encode()}) for number in range(3))
    return make_image(own, created=NOW - timedelta(days=days_old))


def read(images: list[BaseRelease], actor: Actor) -> Run:
    """Read the releases' layers, to the end of the run."""
    return carry_out(submit_for_releases([release.pk for release in images], actor))


def contents(diff_ids: list[str]) -> list[LayerContents]:
    """What is stored of layers that were all read."""
    found = layer_contents(diff_ids)
    return [layer for diff_id in diff_ids if (layer := found[diff_id]) is not None]


def packages_between(old: BaseRelease, new: BaseRelease) -> PackageDiff:
    """Which packages moved."""
    before, after = contents(old.diff_ids), contents(new.diff_ids)
    assert (len(before), len(after)) == (6, 6)
    return diff_packages(overlay_packages(before), overlay_packages(after))


def blobs_read(sandbox: Sandbox) -> int:
    """Blobs that anonymous readers fetched since the last reset."""
    counted: dict[str, int] = sandbox.admin("GET", "calls?account=public")
    return sum(count for name, count in counted.items() if name.endswith("GetBlob"))


def problem_of(call: Callable[[], object]) -> Problem:
    """What a call that must fail says."""
    with pytest.raises(DrydockError) as caught:
        call()
    return caught.value.problem


# From the registry to a comparison


def test_a_diff_of_two_python_releases_names_the_packages_that_moved(aws: Sandbox, operator: Actor) -> None:
    old, new = polled(aws, *(release.images["amd64"] for release in releases("python:3.12", TODAY)[-2:]))

    run = read([old, new], operator)

    assert run.status == Status.SUCCEEDED, log_of(run)
    moved = {change.name: (change.old, change.new) for change in packages_between(old, new).changed}
    assert moved["openssl-libs"] == (("1:3.2.2-1.amzn2023.0.21",), ("1:3.2.2-1.amzn2023.0.22",))
    assert moved["curl-minimal"] == (("8.11.1-1.amzn2023.0.3",), ("8.15.0-1.amzn2023.0.4",))
    assert moved["boto3"] == (("1.42.4",), ("1.43.4",))
    assert "glibc" not in moved
    assert "zlib" not in moved


def test_the_berkeley_database_of_amazon_linux_2_is_compared_too(aws: Sandbox, operator: Actor) -> None:
    old, new = polled(aws, *(release.images["amd64"] for release in releases("python:3.9", TODAY)[:2]))

    read([old, new], operator)

    moved = {change.name: change.new for change in packages_between(old, new).changed if change.kind == "rpm"}
    assert moved["openssl-libs"] == ("1:1.0.2k-24.amzn2.0.15",)
    assert moved["curl"] == ("8.3.0-1.amzn2.0.9",)


def test_the_files_of_a_release_are_those_of_its_image(aws: Sandbox, operator: Actor) -> None:
    image = releases("python:3.12", TODAY)[-1].images["arm64"]
    (release,) = polled(aws, image)

    read([release], operator)

    files = overlay([layer.entries for layer in contents(release.diff_ids)])
    assert files["lambda-entrypoint.sh"].mode == 0o755
    assert (files["var/lang/bin/python"].kind, files["var/lang/bin/python"].link) == ("symlink", "python3")
    assert files["usr/local/bin/aws-lambda-rie"].size == 110 * 1024
    assert diff_files(files, files).changed == ()


def test_an_image_in_ecr_is_read_with_the_accounts_own_login(
    aws: Sandbox, push: Push, account: str, operator: Actor
) -> None:
    built = small(make_layer({"var/task/app.py": b"x = 1\n", "var/task/tenacity-9.1.2.dist-info/METADATA": META}))
    push("team/app", built)
    image = image_row(account, built)

    run = carry_out(submit_for_image(image, operator))

    assert run.status == Status.SUCCEEDED, log_of(run)
    (layer,) = contents(image.diff_ids)
    assert {entry.path for entry in layer.entries} >= {"var/task/app.py"}
    assert [(package.name, package.version) for package in layer.packages] == [("tenacity", "9.1.2")]
    row = LayerFiles.objects.get(diff_id=image.diff_ids[0])
    assert (row.file_count, row.size_bytes, row.problem) == (2, 6 + len(META), None)


META = b"Metadata-Version: 2.4\nName: tenacity\nVersion: 9.1.2\n\nVersion: of another thing\n"


def image_row(account: str, built: BuiltImage, **values: Any) -> Image:
    """The image as a sync would have stored it."""
    role = f"arn:aws:iam::{account}:role/Drydock"
    repository = make_repository(make_account(account_id=account, role_arn=role))
    described = [
        {"digest": layer.digest, "size": layer.blob.size, "media_type": layer.blob.media_type} for layer in built.layers
    ]
    facts = {"layers": described, "diff_ids": list(built.diff_ids), "synced_at": NOW, **values}
    return Image.objects.create(repository=repository, digest=built.digest, **facts)


# Once per layer


def test_a_layer_that_was_read_is_never_read_again(aws: Sandbox, operator: Actor) -> None:
    shared = make_layer({"etc/shared": next(WORDS).encode()})
    first, second = polled(
        aws,
        small(shared, make_layer({"a": next(WORDS).encode()}), days_old=9),
        small(shared, make_layer({"b": next(WORDS).encode()})),
    )
    read([first], operator)
    aws.admin("DELETE", "calls")

    run = read([second], operator)

    assert blobs_read(aws) == 1
    assert run.result["layers"] == {"read": 1, "known before": 1}


def test_a_run_with_nothing_to_read_asks_no_registry(aws: Sandbox, operator: Actor) -> None:
    found = polled(aws, small())
    read(found, operator)
    aws.admin("DELETE", "calls")

    run = read(found, operator)

    assert [step.note for step in run.steps.all()] == ["all 3 layers were read before"]
    assert blobs_read(aws) == 0


def test_a_release_stored_without_its_layers_gets_them_from_its_manifest(aws: Sandbox, operator: Actor) -> None:
    (release,) = polled(aws, small())
    kept = release.layers
    BaseRelease.objects.filter(pk=release.pk).update(layers=[])

    run = read([release], operator)

    assert run.status == Status.SUCCEEDED, log_of(run)
    release.refresh_from_db()
    assert release.layers == kept


# When it cannot go to the end


@dataclass
class Watching:
    """A log that does something when the first layer is done."""

    logger: Logger
    then: Callable[[], object]

    def info(self, text: str) -> None:
        """Tell, then do it."""
        self.logger.info(text)
        if text.startswith("layer 1 of"):
            self.then()

    warning = error = info


Begin = Callable[[Run, Callable[[Lease], object]], Context]


@pytest.fixture
def begun() -> Iterator[Begin]:
    """The context of a worker that has just claimed the run, and what happens when it has read a layer."""
    loggers: list[Logger] = []

    def begin(run: Run, then: Callable[[Lease], object]) -> Context:
        claimed = Lease.claim(run.pk, "first worker")
        assert claimed is not None
        lease, run = claimed
        loggers.append(Logger(run.pk, "first worker"))
        log: Any = Watching(loggers[-1], lambda: then(lease))
        return Context(run, log, lease, run.plan, {}, {}, run.steps.all()[0])

    yield begin
    for logger in loggers:
        logger.close()  # else its lines are stored when the test is over, and there is no database any more


def test_another_worker_goes_on_after_the_layers_that_a_lost_one_stored(
    aws: Sandbox, operator: Actor, begun: Begin
) -> None:
    layers = [make_layer({f"layer-{number}": next(WORDS).encode()}) for number in range(8)]
    found = polled(aws, small(*layers))
    run = submit_for_releases([found[0].pk], operator)

    def taken_away(lease: Lease) -> None:
        Run.objects.filter(pk=run.pk).update(lease_owner="nobody", lease_until=clock.now() - timedelta(seconds=1))
        lease.renew()

    with pytest.raises(LeaseLost):
        layer_reading.STEPS[0].action(begun(run, taken_away))
    stored = LayerFiles.objects.filter(diff_id__in=found[0].diff_ids).count()

    run = carry_out(run)

    assert 1 <= stored < 8
    assert run.status == Status.SUCCEEDED, log_of(run)
    assert run.result["layers"] == {"read": 8 - stored, "known before": stored}


def test_a_run_that_is_cancelled_keeps_the_layers_read_so_far(
    aws: Sandbox, operator: Actor, begun: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "ASK_EVERY", 0.0)  # eight small layers take less than the second between two looks
    found = polled(aws, small(*(make_layer({f"layer-{number}": next(WORDS).encode()}) for number in range(8))))
    run = submit_for_releases([found[0].pk], operator)

    with pytest.raises(Cancelled, match=r"^layers read: [12] of 8$"):
        layer_reading.STEPS[0].action(begun(run, lambda _: signals.give(run, SignalKind.CANCEL, operator)))

    assert 1 <= LayerFiles.objects.filter(diff_id__in=found[0].diff_ids).count() <= 2


def hole(size: int) -> bytes:
    """A tar of one file that is packed in nothing, and has so many bytes."""
    member = tarfile.TarInfo("hole")
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": next(WORDS),
                          "GNU.sparse.size": str(size), "GNU.sparse.map": "0,0"}  # fmt: skip
    return member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def test_a_cancel_is_heard_while_a_layer_keeps_its_reader_busy_without_bringing_a_byte(
    aws: Sandbox, operator: Actor, begun: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "ASK_EVERY", 0.0)
    (release,) = polled(aws, small(make_layer({"small": next(WORDS).encode()}), hostile(hole(9 * 1024**3))))
    run = submit_for_releases([release.pk], operator)
    cancelled = list[float]()

    def cancel(_: Lease) -> None:
        signals.give(run, SignalKind.CANCEL, operator)
        cancelled.append(time.monotonic())

    with pytest.raises(Cancelled, match=r"^layers read: 1 of 2$"):
        layer_reading.STEPS[0].action(begun(run, cancel))

    assert time.monotonic() - cancelled[0] < 2


def hostile(data: bytes, diff_id: str = "") -> Layer:
    """A layer of these uncompressed bytes, whatever they are."""
    return Layer(Blob(GZIP_LAYER, gzip.compress(data, mtime=0)), diff_id or sha256_digest(data))


@pytest.mark.parametrize(
    ("layer", "code", "says"),
    [
        (hostile(b"no tar at all " * 400), Code.INVALID, "no tar that can be read"),
        (hostile(make_layer({"a": b"1" * 2000}).tar[:1024]), Code.INVALID, "unexpected end"),
        (hostile(make_layer({"b": b"2"}).tar, "sha256:" + "5" * 64), Code.FAILED, "not the diff id"),
    ],
)
def test_a_hostile_layer_fails_the_run_and_spares_the_others(
    layer: Layer, code: Code, says: str, aws: Sandbox, operator: Actor
) -> None:
    good = make_layer({"good": next(WORDS).encode()})
    (release,) = polled(aws, small(layer, good))

    run = read([release], operator)

    assert run.status == Status.FAILED
    assert run.problem is not None
    assert run.problem["message"].startswith("1 of 2 layers could not be read. ")
    row = LayerFiles.objects.get(diff_id=layer.diff_id)
    assert row.problem is not None
    problem = Problem.from_json(row.problem)
    assert (problem.code, says in problem.message) == (code, True), problem.message
    assert layer_contents([layer.diff_id, good.diff_id])[layer.diff_id] is None
    assert len(contents([good.diff_id])) == 1


def test_a_layer_that_failed_is_read_again_when_asked(aws: Sandbox, operator: Actor) -> None:
    found = polled(aws, small())
    for diff_id in found[0].diff_ids:
        failed = Problem(Code.UNREACHABLE, "No answer.", retryable=True).as_json()
        LayerFiles.objects.create(diff_id=diff_id, read_at=NOW, problem=failed)

    assert layer_contents(found[0].diff_ids) == dict.fromkeys(found[0].diff_ids)
    assert read(found, operator).status == Status.SUCCEEDED
    assert LayerFiles.objects.filter(diff_id__in=found[0].diff_ids, problem__isnull=True).count() == 3


def read_by_an_earlier_drydock(*layers: Layer) -> None:
    """Rows as they were before what code needs was kept."""
    for layer in layers:
        LayerFiles.objects.create(diff_id=layer.diff_id, read_at=NOW, files=VERSION_1)


def test_layers_that_an_earlier_drydock_read_are_shown_as_they_are_until_they_are_read_again(
    aws: Sandbox, operator: Actor
) -> None:
    needs = Elf(needed={"libc.so.6": ["GLIBC_2.17"]}, contents=next(WORDS).encode())
    known, fresh = make_layer({"native.so": elf_bytes(needs)}), make_layer({"text": next(WORDS).encode()})
    (release,) = polled(aws, small(known, fresh))
    read_by_an_earlier_drydock(known)

    before = layer_contents([known.diff_id])[known.diff_id]
    assert before is not None
    assert not before.facts_read
    assert unread_layers(release.diff_ids) == {known.diff_id, fresh.diff_id}
    assert read([release], operator).result["layers"] == {"read": 2, "known before": 0}
    assert unread_layers(release.diff_ids) == set()
    assert [version.name for version in contents([known.diff_id])[0].elves[0].versions] == ["GLIBC_2.17"]


def test_what_an_earlier_drydock_read_stays_where_it_can_not_be_read_again(aws: Sandbox, operator: Actor) -> None:
    broken = hostile(next(WORDS).encode() * 500)
    (release,) = polled(aws, small(broken))
    read_by_an_earlier_drydock(broken)

    assert read([release], operator).status == Status.FAILED
    assert len(contents([broken.diff_id])) == 1
    assert unread_layers([broken.diff_id]) == {broken.diff_id}


def test_what_another_run_could_read_meanwhile_is_not_overwritten_by_a_failure(
    aws: Sandbox, operator: Actor, begun: Begin
) -> None:
    broken = hostile(next(WORDS).encode() * 500)
    good = [make_layer({f"layer-{number}": next(WORDS).encode()}) for number in range(6)]
    (release,) = polled(aws, small(*good, broken))
    run = submit_for_releases([release.pk], operator)

    def read_elsewhere(_: Lease) -> None:
        LayerFiles.objects.create(diff_id=broken.diff_id, read_at=NOW, files=pack(LayerContents(())))

    assert "no tar" in problem_of(lambda: layer_reading.STEPS[0].action(begun(run, read_elsewhere))).message
    assert layer_contents([broken.diff_id]) == {broken.diff_id: LayerContents(())}
    assert LayerFiles.objects.get(diff_id=broken.diff_id).problem is None


def test_a_package_database_that_cannot_be_read_is_told_and_its_files_are_kept(aws: Sandbox, operator: Actor) -> None:
    layer = make_layer({"var/lib/rpm/rpmdb.sqlite": b"SQLite format 3\0" + next(WORDS).encode()})
    (release,) = polled(aws, small(layer))

    run = read([release], operator)

    assert run.status == Status.SUCCEEDED
    (stored,) = contents(release.diff_ids)
    assert [entry.path for entry in stored.entries][-1] == "var/lib/rpm/rpmdb.sqlite"
    assert "The rpm database cannot be read" in stored.notes[0]
    assert any("The rpm database cannot be read" in line for line in log_of(run))


# Who may, and when


def test_only_operators_may_have_layers_read_and_the_refusal_is_on_record(viewer: Actor) -> None:
    image = image_row("123456789012", small())

    assert problem_of(lambda: submit_for_releases([1], viewer)).code is Code.DENIED
    assert problem_of(lambda: submit_for_image(image, viewer)).code is Code.DENIED
    assert AuditEntry.objects.filter(action="read_files.submit", result__startswith="refused").count() == 2
    assert not Run.objects.exists()


def test_one_reading_of_the_same_releases_is_under_way_at_a_time(aws: Sandbox, operator: Actor) -> None:
    first, second = polled(aws, small(days_old=3), small())
    submit_for_releases([first.pk, second.pk], operator)

    assert problem_of(lambda: submit_for_releases([second.pk, first.pk], operator)).code is Code.BUSY
    submit_for_releases([second.pk], operator)


@pytest.mark.parametrize(
    ("ids", "code"), [([], Code.INVALID), (range(1, 22), Code.INVALID), ([999_999], Code.NOT_FOUND)]
)
def test_releases_must_be_known_and_not_too_many(ids: list[int], code: Code, operator: Actor) -> None:
    assert problem_of(lambda: submit_for_releases(ids, operator)).code is code


@pytest.mark.parametrize(
    ("values", "says"),
    [({"is_index": True}, "index of images"), ({"diff_ids": []}, "does not know"), ({"layers": []}, "does not know")],
)
def test_an_image_without_layers_of_its_own_is_refused(values: dict[str, Any], says: str, operator: Actor) -> None:
    image = image_row("123456789012", small(), **values)

    problem = problem_of(lambda: submit_for_image(image, operator))

    assert (problem.code, says in problem.message) == (Code.PREFLIGHT, True)


def test_pages_get_the_contents_of_all_layers_in_one_query(aws: Sandbox, operator: Actor) -> None:
    (release,) = polled(aws, small())
    read([release], operator)
    unknown = sha256_digest(b"unknown")

    with CaptureQueriesContext(connection) as queries:
        found = layer_contents([*release.diff_ids, unknown])

    assert len(queries) == 1
    assert list(found) == [*release.diff_ids, unknown]
    assert found[unknown] is None
