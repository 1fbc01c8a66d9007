"""Somebody who is signed in, and a run to watch."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from functions_app import clock
from functions_app.domain.runs import Kind, Status, StepStatus
from functions_app.models import Function, LogLine, Run, RunStep
from functions_app.services.people import access


def session_cookie() -> str:
    """The Cookie header of a signed-in operator."""
    user, created = get_user_model().objects.get_or_create(username="bench")
    if created:
        user.groups.add(Group.objects.get(name=access.OPERATOR))
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def active_run() -> Run:
    """A run that no worker will touch: it is claimed, and its lease is far away."""
    now = clock.now()
    return Run.objects.create(
        kind=Kind.SYNC,
        status=Status.RUNNING,
        title="A run to watch",
        actor_name="bench",
        created_at=now,
        started_at=now,
        lease_owner="bench",
        lease_until=now + timedelta(hours=1),
    )


def logged_run(function: Function) -> Run:
    """A deployment that has ended, with six steps and 5,000 lines of log, among 500 older runs."""
    now = clock.now()
    facts = {"kind": Kind.DEPLOYMENT, "status": Status.SUCCEEDED, "actor_name": "bench", "function": function}
    times = {"created_at": now, "started_at": now, "ended_at": now}
    Run.objects.bulk_create(Run(title=f"Deploy build-{number} to live", **facts, **times) for number in range(500))
    run = Run.objects.create(title="Deploy build-500 to live", line_count=5_000, **facts, **times)
    RunStep.objects.bulk_create(
        RunStep(run=run, position=number, name=f"step_{number}", title=f"Step {number}", status=StepStatus.DONE)
        for number in range(6)
    )
    lines = (
        LogLine(run=run, sequence=number, at=now, text=f"line {number}: the function still answers as it did before")
        for number in range(1, run.line_count + 1)
    )
    LogLine.objects.bulk_create(lines, batch_size=1000)
    return run
