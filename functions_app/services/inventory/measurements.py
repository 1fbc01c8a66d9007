"""The figures of `/metrics` that are the installation's and not one process's: from the database and Redis.

A constant number of queries, each from an index; nothing names a person, and nothing a function.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import Error
from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from functions_app.aws import quota
from functions_app.models import Run, Scope
from functions_app.services.engine import backlog, clocks, health, pulses


def measure(now: datetime) -> Iterator[Metric]:
    """All of them, as families of prometheus_client. Where database or Redis is away, what they know is left out."""
    database, broker = health.database() == "ok", health.broker() == "ok"
    yield GaugeMetricFamily("drydock_database_up", "1 where the database answers and takes writes.", float(database))
    yield GaugeMetricFamily("drydock_redis_up", "1 where Redis answers.", float(broker))
    if broker:
        yield from _signs_of_life()
        yield _clocks()
        yield _quota_waits()
    if database:
        try:
            # Read as a whole before anything of it is told.
            yield from [_runs(), *_waiting(now), *_syncs(now)]
        except Error:
            return


def _gauge(name: str, means: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"drydock_{name}", means, labels=labels)


def _signs_of_life() -> Iterator[Metric]:
    known = pulses.known(pulses.read() or {})
    looked = _gauge("worker_age_seconds", "Since a worker of the queue gave a sign of life.", "queue")
    took = _gauge("message_taken_age_seconds", "Since a worker of the queue took a message.", "queue")
    for queue, age in known.looked.items():
        looked.add_metric([queue], age)
    for queue, age in known.took.items():
        took.add_metric([queue], age)
    yield from (looked, took)
    if known.ticked is not None:
        yield GaugeMetricFamily("drydock_tick_age_seconds", "Since a tick handed out what is due.", known.ticked)


def _clocks() -> Metric:
    skew = _gauge("clock_skew_seconds", "How far a process's clock is ahead of Redis's; the worst by name.", "process")
    worst: dict[str, float] = {}
    for one in clocks.read().skews:
        worst[one.what] = max(worst.get(one.what, 0.0), one.seconds, key=abs)
    for what, seconds in worst.items():
        skew.add_metric([what], seconds)
    return skew


def _quota_waits() -> Metric:
    means = "Seconds that calls waited for AWS's quotas."
    waited = CounterMetricFamily("drydock_quota_waited_seconds", means, labels=["account", "region", "api"])
    for one in quota.waits():
        waited.add_metric([one.account_id, one.region, one.family], one.seconds)
    return waited


def _runs() -> Metric:
    runs = _gauge("runs", "Runs that are stored, by kind and status.", "kind", "status")
    counted = Run.objects.order_by().values_list("kind", "status").annotate(count=Count("pk"))
    for kind, status, count in counted:
        runs.add_metric([kind, status], count)
    return runs


def _waiting(now: datetime) -> list[Metric]:
    due = _gauge("runs_due", "Runs that are due and that no worker has taken.", "queue")
    longest = _gauge("run_due_age_seconds", "For how long the longest of them has been due; 0 where none is.", "queue")
    messages = _gauge("queue_messages", "Messages that no worker has taken.", "queue")
    for queue, found in backlog.waiting(now).items():
        due.add_metric([queue], found.due)
        longest.add_metric([queue], found.longest)
        messages.add_metric([queue], found.messages)
    return [due, longest, messages]


def _syncs(now: datetime) -> list[Metric]:
    age = _gauge("sync_age_seconds", "Since the account was read in the region, all of it.", "account", "region")
    failing = _gauge("sync_failing", "1 where the last attempt at reading it failed.", "account", "region")
    scopes = Scope.objects.filter(account__enabled=True)
    for account, region, at, problem in scopes.values_list("account__account_id", "region", "synced_at", "problem"):
        if at is not None:
            age.add_metric([account, region], (now - at).total_seconds())
        failing.add_metric([account, region], float(problem is not None))
    return [age, failing]
