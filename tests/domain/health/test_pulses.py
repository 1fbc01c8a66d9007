"""Signs of life of workers and beat: what is concluded from a silence, and in which words."""

import pytest

from functions_app.domain.health import pulses
from functions_app.domain.health.pulses import SILENT, Pulses, lines, troubles
from functions_app.domain.runs import Queue

ALIVE = dict.fromkeys(Queue, 1.0)


def whats(known: Pulses) -> list[str]:
    return [one.what for one in troubles(known)]


def test_where_all_are_heard_of_there_is_no_trouble() -> None:
    assert whats(Pulses(ALIVE, {}, 1.0)) == []


@pytest.mark.parametrize("queue", [Queue.CHANGES, Queue.READING, Queue.INVOCATIONS])
def test_a_queue_that_no_worker_looks_at_is_named_with_what_waits_and_what_to_do(queue: Queue) -> None:
    (trouble,) = troubles(Pulses(ALIVE | {queue: 180.0}, {}, 1.0))

    assert trouble.sentence.startswith(f"No worker has looked at queue {queue} for 3 minutes: ")
    assert f"manage.py worker {queue}" in trouble.next_step


def test_a_worker_never_heard_of_is_no_better_than_one_that_is_silent() -> None:
    known = Pulses({queue: 1.0 for queue in Queue if queue is not Queue.CHANGES}, {}, 1.0)

    assert troubles(known)[0].sentence.startswith("No worker has looked at queue changes yet: ")


def test_a_silence_shorter_than_a_restart_takes_is_none() -> None:
    assert whats(Pulses(dict.fromkeys(Queue, SILENT), {}, SILENT)) == []


class Test_ticks_that_stay_away:
    def test_are_beats_fault_where_no_message_came_either(self) -> None:
        assert whats(Pulses(ALIVE, {Queue.TICK: 200.0}, 200.0)) == ["beat"]
        assert whats(Pulses(ALIVE, {}, None)) == ["beat"]

    def test_are_the_ticks_own_where_messages_came(self) -> None:
        assert whats(Pulses(ALIVE, {Queue.TICK: 1.0}, 200.0)) == ["tick"]

    def test_say_nothing_new_where_the_worker_that_does_them_is_away(self) -> None:
        assert whats(Pulses(ALIVE | {Queue.TICK: 200.0}, {}, 200.0)) == ["queue tick"]


def test_nothing_is_concluded_from_a_silence_that_redis_explains() -> None:
    assert whats(Pulses(redis_away=1.0)) == []
    assert whats(Pulses(redis_away=0.0)) == []
    assert whats(Pulses(redis_away=SILENT + 1)) == ["redis"]


def test_healthz_has_a_line_for_the_tick_and_each_queue_and_the_troubles_last() -> None:
    assert lines(Pulses(ALIVE | {Queue.CHANGES: 200.0}, {}, 2.0)) == [
        "tick 2 s ago",
        "worker changes 200 s ago",
        "worker reading 1 s ago",
        "worker invocations 1 s ago",
        "worker tick 1 s ago",
        "degraded: No worker has looked at queue changes for 3 minutes: deployments and rollbacks wait.",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(59.6, "60 s"), (180, "3 minutes"), (7300, "2 hours"), (3 * 86_400, "3 days")]
)
def test_a_span_has_the_unit_that_people_would_use(seconds: float, words: str) -> None:
    assert pulses.span(seconds) == words
