"""Verdicts on images: judged in batches by the releases known, stored where they changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from functions_app.domain.images.manifests import chain_ids
from functions_app.models import BaseRelease, BaseStream, FleetRevision, Image, Repository
from functions_app.services.bases import verdicts as base_verdicts
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.sync import run
from tests.factories import NOW, digest, make_account, make_image, make_repository, make_stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def repository() -> Repository:
    """A repository."""
    return make_repository(make_account())


def add_release(
    stream: BaseStream, number: int, *, platform: str = "linux/amd64", current: bool = False
) -> BaseRelease:
    """Release `number` of a stream: 10 days newer than the one before."""
    layers = [digest("shared os"), digest(f"{stream.name} {platform} {number}")]
    created = NOW - timedelta(days=100 - 10 * number)
    return BaseRelease.objects.create(
        stream=stream, platform=platform, chain_id=chain_ids(layers)[-1], diff_ids=layers, current=current,
        manifest_digest=digest((stream.name, number)), tag=f"3.12.{number}", created_at=created, first_seen_at=NOW,
    )  # fmt: skip


def releases(name: str = "python:3.12", count: int = 4, **values: Any) -> list[BaseRelease]:
    """A stream with so many releases, the last one current."""
    stream = make_stream(name, **values)
    return [add_release(stream, number, current=number == count) for number in range(1, count + 1)]


def image_on(repository: Repository, layers: Sequence[str], **values: Any) -> Image:
    """An image with a layer of its own on these, and no mark of a Lambda base in its settings."""
    return make_image(repository, diff_ids=[*layers, digest("own")], base_release=None, **{"settings": {}, **values})


def judged(image: Image) -> Image:
    """The image after all were judged."""
    judge_images(now=NOW, refresh=False)
    image.refresh_from_db()
    return image


def test_an_image_on_an_older_release_is_stale_with_evidence(repository: Repository) -> None:
    known = releases()

    image = judged(image_on(repository, known[0].diff_ids))

    assert (image.base_release, image.base_tier, image.freshness) == (known[0], "exact", "stale")
    assert (image.releases_behind, image.days_behind) == (3, 80)
    assert "first 2 of its 3 layers" in image.base_evidence[0]
    assert "3 releases behind python:3.12.4, stale for 80 days" in image.freshness_reason


def test_an_image_on_the_current_release_is_current(repository: Repository) -> None:
    assert judged(image_on(repository, releases()[-1].diff_ids)).freshness == "current"


def test_an_image_on_a_companys_old_copy_of_lambdas_base_is_stale_though_the_copy_is_current(
    repository: Repository,
) -> None:
    known = releases()
    copy = make_stream("base/python:3.12", own=True)
    BaseRelease.objects.create(
        stream=copy, platform="linux/amd64", chain_id=known[0].chain_id, diff_ids=known[0].diff_ids, current=True,
        manifest_digest=digest("copy"), created_at=known[0].created_at, first_seen_at=NOW,
    )  # fmt: skip

    image = judged(image_on(repository, known[0].diff_ids))

    assert (image.base_release, image.freshness, image.releases_behind) == (known[0], "stale", 3)
    assert any("a release of base/python:3.12 too" in text for text in image.base_evidence)


def test_an_image_on_a_runtime_past_its_end_is_end_of_life_whatever_its_release(repository: Repository) -> None:
    known = releases("python:3.9", deprecated_on=NOW.date())

    assert judged(image_on(repository, known[-1].diff_ids)).freshness == "end_of_life"


def test_end_of_life_comes_with_the_day_and_without_a_poll(repository: Repository) -> None:
    known = releases("python:3.9", deprecated_on=NOW.date() + timedelta(days=1))
    image = judged(image_on(repository, known[-1].diff_ids))
    assert image.freshness == "current"

    judge_images(now=NOW + timedelta(days=1), refresh=False)

    image.refresh_from_db()
    assert image.freshness == "end_of_life"


def test_a_shared_layer_alone_proves_nothing(repository: Repository) -> None:
    releases()
    releases("nodejs:22", 1)

    image = judged(image_on(repository, [digest("shared os"), digest("something else")]))

    assert (image.freshness, image.base_release) == ("unknown", None)
    reason = "Its 3 layers begin with no known release of the 2 base images watched."
    assert (image.freshness_reason, image.base_evidence[0]) == (reason, reason)
    assert "bases share layers" in image.base_evidence[1]


def test_platforms_are_judged_apart(repository: Repository) -> None:
    stream = make_stream("python:3.12")
    amd = add_release(stream, 1, current=True)
    arm = add_release(stream, 1, platform="linux/arm64")
    add_release(stream, 2, platform="linux/arm64", current=True)
    one = image_on(repository, amd.diff_ids)
    other = image_on(repository, arm.diff_ids, architecture="arm64", variant="v8")

    assert judged(one).freshness == "current"
    assert judged(other).freshness == "stale"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"is_index": True, "platforms": ["linux/amd64"], "diff_ids": []}, "an index (linux/amd64)"),
        ({"inspected_at": None}, "not been read yet"),
        ({"inspected_at": None, "gone_at": NOW}, "deleted from ECR"),
        ({"inspect_problem": {"message": "The config cannot be read: it is not JSON."}}, "it is not JSON"),
        ({"inspected_at": None, "inspect_problem": {"message": "ECR forbids it."}}, "ECR forbids it."),
    ],
)
def test_an_image_that_was_not_inspected_is_unknown_and_says_why(
    repository: Repository, values: dict[str, Any], reason: str
) -> None:
    known = releases()
    image = make_image(repository, **{"diff_ids": known[0].diff_ids, **values})

    assert judged(image).freshness == "unknown"
    assert reason in image.freshness_reason


def test_an_image_that_was_deleted_after_it_was_read_keeps_its_verdict(repository: Repository) -> None:
    assert judged(image_on(repository, releases()[0].diff_ids, gone_at=NOW)).freshness == "stale"


def test_every_level_beneath_an_image_is_stored_with_its_verdict(repository: Repository) -> None:
    known = releases()
    stream = make_stream("acme/golden:1", runtime="", reference="registry.acme.example/acme/golden:1")
    layers = [*known[2].diff_ids, digest("certificates")]
    golden = BaseRelease.objects.create(
        stream=stream, platform="linux/amd64", chain_id=chain_ids(layers)[-1], diff_ids=layers, current=True,
        manifest_digest=digest("golden"), tag="1.7", created_at=NOW, first_seen_at=NOW,
    )  # fmt: skip

    image = judged(image_on(repository, layers))

    assert (image.base_release, image.base_stream, image.freshness) == (golden, stream, "stale")
    assert [
        (level["release_id"], level["stream"], level["label"], level["layers"]) for level in image.base_lineage
    ] == [
        (golden.pk, "acme/golden:1", "acme/golden:1.7", 3),
        (known[2].pk, "python:3.12", "python:3.12.3", 2),
    ]
    assert [level["freshness"] for level in image.base_lineage] == ["current", "stale"]
    assert image.base_lineage[1]["newer"] == [f"{known[3].created_at:%F}"]
    assert image.stale_since == known[3].created_at
    assert "acme/golden:1.7, current, which stands on python:3.12.3: 1 release" in image.freshness_reason


def test_an_os_past_its_end_ends_a_companys_base_and_the_day_is_stored(repository: Repository) -> None:
    over = NOW.date() - timedelta(days=9)
    known = releases("acme/plain:2", own=True, runtime="", os="al2", os_end_of_life_on=over)

    image = judged(image_on(repository, known[-1].diff_ids))

    assert (image.freshness, image.end_of_life_on) == ("end_of_life", over)
    assert "Amazon Linux 2, the OS of acme/plain:2" in image.freshness_reason


@pytest.mark.parametrize(
    "name", ["java:8.al2", "java:11", "java:17", "python:3.10", "python:3.11", "provided:al2", "ruby:3.2"]
)
def test_lambdas_own_base_on_an_os_past_its_end_lives_until_its_runtimes_own_day(
    repository: Repository, name: str
) -> None:
    ends = NOW.date() + timedelta(days=300)
    over = NOW.date() - timedelta(days=9)
    known = releases(name, deprecated_on=ends, os="al2", os_end_of_life_on=over)

    image = judged(image_on(repository, known[-1].diff_ids))

    assert (image.freshness, image.end_of_life_on) == ("current", ends)
    judge_images(now=NOW + timedelta(days=300), refresh=False)
    image.refresh_from_db()
    assert image.freshness == "end_of_life"


def test_a_squashed_image_is_known_by_its_annotation_and_no_layer_counts_as_the_bases(repository: Repository) -> None:
    known = releases()
    named = {"org.opencontainers.image.base.digest": known[1].manifest_digest}

    image = judged(image_on(repository, [], annotations=named))

    assert (image.base_release, image.base_tier, image.freshness) == (known[1], "annotation", "stale")
    assert image.base_lineage[0]["layers"] == 0
    assert "do not confirm it" in image.base_evidence[1]


def test_layers_of_an_unknown_release_tell_the_stream_alone(repository: Repository) -> None:
    known = releases()

    image = judged(image_on(repository, [*known[0].diff_ids[:1], digest("a new layer"), *known[1].diff_ids[1:]]))

    assert (image.base_tier, image.base_release, image.freshness) == ("partial", None, "unknown")
    assert image.base_stream == known[0].stream
    assert image.base_lineage == []


def test_settings_and_history_are_read_where_the_layers_tell_nothing(repository: Repository) -> None:
    releases()
    settings = {"entrypoint": ["/lambda-entrypoint.sh"], "env_keys": ["PATH"], "working_directory": "/var/task"}
    history = [{"created_by": "RUN /var/lang/bin/python3.12 -m pip install x", "empty_layer": False, "created": None}]

    image = judged(image_on(repository, [], settings=settings, history=history))

    assert (image.base_tier, image.base_stream, image.freshness) == ("heuristic", None, "unknown")
    assert "probably of python 3.12" in image.freshness_reason


def test_a_new_release_makes_current_images_stale(repository: Repository) -> None:
    known = releases()
    image = judged(image_on(repository, known[-1].diff_ids))
    known[-1].stream.releases.update(current=False)
    add_release(known[-1].stream, 5, current=True)

    assert judged(image).freshness == "stale"
    assert image.releases_behind == 1


def test_a_stream_that_is_switched_off_gives_no_verdicts_and_is_named(repository: Repository) -> None:
    known = releases()
    image = judged(image_on(repository, known[0].diff_ids))
    BaseStream.objects.update(enabled=False)

    assert judged(image).freshness == "unknown"
    assert image.freshness_reason.startswith("Its layers are a release of python:3.12, which is switched off")
    assert "No base stream" in image.base_evidence[1]


def test_judging_again_changes_nothing_and_says_so(repository: Repository) -> None:
    known = releases()
    image_on(repository, known[0].diff_ids)

    assert judge_images(now=NOW, refresh=False) == 1
    assert judge_images(now=NOW, refresh=False) == 0


def test_a_sync_judges_what_was_judged_before_lineages_were_kept(repository: Repository) -> None:
    known = releases()
    image = image_on(repository, known[0].diff_ids, base_evidence=["of an older Drydock"])
    Image.objects.update(base_release=known[0])

    assert (run.judge([]), run.judge([])) == (1, 0)

    image.refresh_from_db()
    assert (image.base_stream, len(image.base_lineage)) == (known[0].stream, 1)


def test_only_the_images_asked_for_are_judged(repository: Repository) -> None:
    known = releases()
    one, other = (image_on(repository, known[0].diff_ids) for _ in range(2))

    assert judge_images([one.pk], now=NOW, refresh=False) == 1

    other.refresh_from_db()
    assert other.freshness == "unknown"


def test_a_release_that_comes_while_images_are_judged_counts(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = releases()
    image = image_on(repository, known[-1].diff_ids)
    prepare = base_verdicts.Bench.prepare

    def overtaken(now: datetime) -> base_verdicts.Bench:
        bench = prepare(now)
        if not BaseRelease.objects.filter(tag="3.12.5").exists():
            known[-1].stream.releases.update(current=False)
            add_release(known[-1].stream, 5, current=True)
        return bench

    # The moment between two queries can't be met from outside.
    monkeypatch.setattr(base_verdicts.Bench, "prepare", overtaken)

    assert judged(image).freshness == "stale"


def test_an_image_that_is_read_while_it_is_judged_is_judged_by_what_it_is(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = releases()
    image = image_on(repository, known[0].diff_ids, inspected_at=None)
    judge = base_verdicts.Bench.judge

    def overtaken(bench: base_verdicts.Bench, images: Sequence[base_verdicts.Facts]) -> list[tuple[Any, ...]]:
        verdicts = judge(bench, images)
        if Image.objects.filter(pk=image.pk, inspected_at=None).update(inspected_at=NOW):
            judge_images([image.pk], now=NOW, refresh=False)  # a sync that read it, beside a poll
        return verdicts

    # The moment between a query and what is written by it can't be met from outside.
    monkeypatch.setattr(base_verdicts.Bench, "judge", overtaken)

    assert judged(image).freshness == "stale"


def test_open_pages_are_told_once_and_only_where_something_changed(repository: Repository) -> None:
    known = releases()
    image_on(repository, known[0].diff_ids)

    judge_images(now=NOW, refresh=False)
    judge_images(now=NOW, refresh=False)

    assert FleetRevision.objects.get().revision == 1


def test_ten_thousand_new_images_are_judged_with_three_queries_a_batch(repository: Repository) -> None:
    known = [each for runtime in range(12) for each in releases(f"python:3.{runtime}", 20)]
    rows = []
    for number in range(10_000):
        layers = [*known[number % len(known)].diff_ids, digest(number), digest(-number)]
        rows.append(
            Image(
                repository=repository,
                digest=digest(f"many {number}"),
                media_type="m",
                synced_at=NOW,
                inspected_at=NOW,
                os="linux",
                architecture="amd64",
                diff_ids=layers,
            )
        )
    Image.objects.bulk_create(rows)

    with CaptureQueriesContext(connection) as queries:
        assert judge_images(now=NOW, refresh=False) == 10_000

    judging = [
        query["sql"]
        for query in queries.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE")) and "fleetrevision" not in query["sql"]
    ]
    batches = 10_000 // base_verdicts.BATCH
    assert len(judging) <= 4 + 3 * batches + 1
    assert Image.objects.filter(freshness="current").count() == pytest.approx(10_000 / 20, abs=12)
