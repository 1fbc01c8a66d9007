"""Clocks: each process's is compared with Redis's, told to the others and to the log while it is off."""

import dataclasses
import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.services.engine import clocks
from functions_app.services.engine.clocks import Clocks, Skew, keep_measuring, measure, read
from tests.conftest import Valkey
from tests.processes import beat, eventually, web, worker

HERE = socket.gethostname()
NAMES = clocks.NAMES


@pytest.fixture(autouse=True)
def _nothing_known(valkey: Valkey) -> None:
    valkey.flush()


def ahead(seconds: float) -> Callable[[], datetime]:
    """A host's clock that is wrong."""
    return lambda: clock.now() + timedelta(seconds=seconds)


def tell(valkey: Valkey, field: str | bytes, value: str | bytes) -> None:
    """An entry that a process wrote, or somebody else."""
    with valkey.client as client:
        client.hset(NAMES, field, value)


def redis_time(valkey: Valkey) -> int:
    with valkey.client as client:
        return cast(tuple[int, int], client.time())[0]


def told() -> dict[str, str]:
    return {one.what: one.words for one in read().off}


class Test_a_measure:
    def test_of_a_right_clock_is_small_and_not_told(self, caplog: pytest.LogCaptureFixture) -> None:
        skew = measure("web")

        assert skew is not None
        assert abs(skew.seconds) < 0.5
        assert [one.what for one in read().skews] == ["web"]
        assert told() == {}
        assert caplog.records == []

    def test_of_one_ahead_and_one_behind_is_told_to_all_and_to_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        measure("worker changes", ahead(3.1))
        measure("beat", ahead(-40.2))
        measure("web", ahead(1.5))

        assert [(one.what, one.host, one.words) for one in read().off] == [
            ("beat", HERE, "40.2 s behind"),
            ("worker changes", HERE, "3.1 s ahead"),
        ]
        assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
        assert "This process's clock is 3.1 s ahead of Redis's: runs may start late. Set" in caplog.messages[0]
        assert "is 40.2 s behind Redis's" in caplog.messages[1]
        assert all("(NTP)" in message for message in caplog.messages)

    def test_does_not_take_the_day_of_a_demo_for_skew(self, settings: Settings) -> None:
        settings.ENV = dataclasses.replace(django_settings.ENV, clock_ahead=timedelta(days=400))

        skew = measure("web")

        assert skew is not None
        assert abs(skew.seconds) < 0.5

    def test_replaces_the_one_before(self) -> None:
        measure("web", ahead(9))
        measure("web")

        assert [one.off for one in read().skews] == [False]

    def test_that_takes_too_long_is_none(self, valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clocks, "QUICK", 0.0)

        assert measure("web", ahead(9)) is None
        assert read() == Clocks()

    def test_clears_away_who_is_gone_and_what_is_no_entry(self, valkey: Valkey) -> None:
        now = redis_time(valkey)
        tell(valkey, "beat@old:7", f"9000 {now - clocks.OLD - 1}")
        tell(valkey, "worker reading@there:7", f"9000 {now - clocks.OLD + 60}")
        tell(valkey, b"\xff\xfe", b"\x00")
        assert told() == {"worker reading": "9.0 s ahead"}

        measure("web")

        with valkey.client as client:
            fields = cast(dict[bytes, bytes], client.hgetall(NAMES))
            assert 0 < cast(int, client.ttl(NAMES)) <= clocks.OLD
        assert sorted(fields) == [f"web@{HERE}:{os.getpid()}".encode(), b"worker reading@there:7"]


class Test_whatever_happens_to_Redis:
    def test_away_nothing_is_measured_nor_shown(self, valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
        measure("web", ahead(9))
        caplog.clear()
        valkey.stop()
        try:
            assert measure("web", ahead(9)) is None
            assert read() == Clocks()
        finally:
            valkey.start()
        assert caplog.records == []

    def test_wiped_it_knows_again_with_the_next_measure(self, valkey: Valkey) -> None:
        measure("web", ahead(9))
        valkey.flush()
        assert read() == Clocks()

        measure("web", ahead(9))

        assert told() == {"web": "9.0 s ahead"}

    def test_another_kind_of_value_in_its_place_is_no_failure(self, valkey: Valkey) -> None:
        with valkey.client as client:
            client.set(NAMES, "garbage")

        assert measure("web", ahead(9)) is None
        assert read() == Clocks()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("beat", "9000 {now}"),
            ("@host:1", "9000 {now}"),
            ("beat@host:x", "9000 {now}"),
            ("beat@host:١", "9000 {now}"),
            ("beat@host:1", ""),
            ("beat@host:1", "nan {now}"),
            ("beat@host:1", "1e999 {now}"),
            ("beat@host:1", "9000 {now} more"),
            ("beat@host:1", "9000 -{now}"),
            ("beat@host:1", "9000 9{now}"),
            ("beat@host:1", "9" * 5000 + " {now}"),
            (b"\xff\xfe@host\x00:1", b"\xff"),
        ],
    )
    def test_garbage_is_passed_over(self, valkey: Valkey, field: str | bytes, value: str | bytes) -> None:
        now = redis_time(valkey)
        tell(valkey, field, value.replace("{now}", str(now)) if isinstance(value, str) else value)
        tell(valkey, "web@host:2", f"-9000 {now}")

        assert told() == {"web": "9.0 s behind"}

    def test_a_hostile_name_stays_one_short_line(self, valkey: Valkey) -> None:
        name = b"wo\nrker\x1b[31m@<b>&\r\n\xe2\x80\xae@\xff" + b"x" * 10_000 + b":1"
        tell(valkey, name, f"9000 {redis_time(valkey)}")

        (one,) = read().off

        assert one.what.isprintable()
        assert one.host.isprintable()
        assert one.host.startswith("<b>&‹U+000D›‹U+000A›‹U+202E›@")
        assert len(one.host) <= clocks.NAME_LENGTH


class Test_all_clocks:
    def test_are_told_by_host_the_worst_first(self) -> None:
        one = (Skew("worker changes", "one", 3.1), Skew("beat", "one", 3.2), Skew("web", "one", 0.1))
        found = Clocks((*one, Skew("web", "two", -60.0), Skew("web", "three", 0.1)))

        assert [(one.host, one.what, one.compared) for one in found.hosts] == [
            ("two", "web", "60.0 s behind Redis's"),
            ("one", "beat, worker changes", "3.2 s ahead of Redis's"),
        ]
        assert not found.agree

    def test_agree_where_only_that_of_Redis_is_another(self) -> None:
        assert Clocks((Skew("web", "one", 9.1), Skew("beat", "two", 8.9))).agree
        assert not Clocks((Skew("web", "one", 9.1),)).agree  # nobody is known who could differ
        assert not Clocks((Skew("web", "one", 9.1), Skew("beat", "two", 0.0))).agree

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(2.04, "2.0 s ahead"), (-119, "119.0 s behind"), (3600, "60 min ahead"), (-7200, "2 h behind"),
         (400 * 86_400, "400 d ahead")],
    )  # fmt: skip
    def test_are_told_in_words_of_their_size(self, seconds: float, words: str) -> None:
        assert Skew("web", "one", seconds).words == words


def test_it_is_measured_at_once_and_again_after_Redis_was_away(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "AGAIN", 0.05)
    valkey.stop()
    stop = keep_measuring("beat", ahead(9))
    try:
        time.sleep(0.2)
        valkey.start()
        eventually(lambda: told() == {"beat": "9.0 s ahead"}, "it is measured")
    finally:
        stop.set()


@pytest.mark.django_db(transaction=True)
def test_every_process_measures_its_clock_without_taking_a_message(
    process_environment: dict[str, str], tmp_path: Path
) -> None:
    def known() -> set[str]:
        return {one.what for one in read().skews}

    with web(process_environment, tmp_path), worker(process_environment, tmp_path, "changes"):
        eventually(lambda: known() == {"web", "worker changes"}, "web server and worker are known")
        with beat(process_environment, tmp_path):
            eventually(lambda: known() == {"web", "worker changes", "beat"}, "beat is known")
    assert all(abs(one.seconds) < 1 for one in read().skews)
