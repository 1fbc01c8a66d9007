"""The run that polls base streams: read them, then judge images by the releases known.

A poll that could read no stream at all has failed, which its end says after images were judged: days go by meanwhile.
"""

from functions_app.domain.errors import DrydockError, Problem
from functions_app.domain.runs import Done, Outcome
from functions_app.models import BaseStream
from functions_app.services.bases import poll_schedule
from functions_app.services.bases.daily_counts import count_day
from functions_app.services.bases.poll_schedule import due_streams
from functions_app.services.bases.polls import poll
from functions_app.services.bases.repository_releases import find_releases
from functions_app.services.bases.streams import seed_streams
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.engine.steps import Context, StepSpec
from functions_app.services.snapshot.function_summaries import refresh_summaries


def _poll_step(context: Context) -> Outcome:
    if "streams" not in context.memory:
        # Kept before the first is read: whoever takes over after a crash reads the same ones, due or not by then.
        context.memory["streams"] = _chosen(context)
        context.save()

    def progress(done: int, total: int) -> None:
        context.progress(done, total, "base streams")

    polled = poll(context.now, context.log, context.memory["streams"], progress)
    changed, unread, partly = len(polled.changed), len(polled.unread), len(polled.partly)
    counts = {"read": polled.asked - unread, "changed": changed, "unread": unread, "partly": partly}
    context.result["streams"] = counts
    context.result["warnings"] = _warnings(polled.asked, unread, partly)
    context.shared["unread"] = polled.unread[0].as_json() if unread and unread == polled.asked else None
    told = f"streams with news: {changed}; not readable: {unread}"
    return Done(told + (f"; only in part: {partly}" if partly else ""))


def _warnings(asked: int, unread: int, partly: int) -> list[str]:
    """What is to be known of a poll that did not read everything; a poll that read nothing has failed instead."""
    found = []
    if 0 < unread < asked:
        found.append(f"{unread} of {asked} base images could not be read: what is new of them is not known.")
    if partly:
        found.append(f"{partly} could be read only in part: releases may be missing until the next poll.")
    return found


def _chosen(context: Context) -> list[int]:
    if not BaseStream.objects.exists():  # a new installation
        context.log.info(f"watching Lambda's own bases: {seed_streams()} streams")
    if context.plan.get("streams") is not None:
        return [int(pk) for pk in context.plan["streams"]]
    if context.plan.get("due"):
        return due_streams(context.now)
    return list(BaseStream.objects.filter(enabled=True).values_list("pk", flat=True))


def _judge_step(context: Context) -> Outcome:
    poll_schedule.judging_begins(context.now)
    if found := find_releases(context.now):
        context.log.info(f"releases found in repositories: {found}")
    changed = judge_images(None, now=context.now)
    if context.lease.taken_over:
        refresh_summaries(now=context.now)  # whoever died may have stored verdicts that no summary knows of
    context.result["images_changed"] = changed
    count_day(context.now)
    _require_one(context)
    return Done(f"images with another verdict: {changed}")


def _require_one(context: Context) -> None:
    """Raise what went wrong where not one stream could be read: nobody knows then what is current."""
    if not context.shared.get("unread"):
        return
    told = Problem.from_json(context.shared["unread"])
    count = context.result["streams"]["unread"]
    which = "The base image could not be read." if count == 1 else f"None of the {count} base images could be read."
    raise DrydockError(
        told.code,
        f"{which} {told.message}",
        next_step=told.next_step,
        aws_code=told.aws_code,
        request_id=told.request_id,
        retryable=told.retryable,
    )


STEPS = (
    StepSpec("poll", "Read the base streams", _poll_step),
    StepSpec("judge", "Judge images by the releases known", _judge_step),
)
