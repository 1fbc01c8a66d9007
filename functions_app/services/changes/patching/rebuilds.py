"""A team's own pipeline is told to build an image anew: signed, once for each function, image and base release."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db.models import Q

from functions_app import clock
from functions_app.domain.changes.patching.rebuild_offers import from_line
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import redact
from functions_app.domain.text import storable
from functions_app.models import Function, RebuildRequest
from functions_app.registry import webhook
from functions_app.services.changes.patching.base_releases import base_move
from functions_app.services.changes.patching.golden import Golden
from functions_app.services.changes.patching.targets import PatchTarget, target_of_digest
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

ACTION = "patch.rebuild"
LOST = timedelta(minutes=1)  # after that, who was sending is taken for dead
State = RebuildRequest.State


def pipeline() -> str:
    """The host of the pipeline that is told; '' where none is set."""
    return urlsplit(settings.ENV.rebuild_webhook_url).hostname or ""


@dataclass(frozen=True)
class _Order:
    """What is asked for, and its id: the same function, image and release of the base have the same."""

    key: UUID
    digest: str
    document: Mapping[str, Any]


def asked(function: Function, targets: Iterable[PatchTarget]) -> dict[str, RebuildRequest]:
    """What the pipeline was told before of these images, by digest. One query."""
    keys = {_key(function, target): target.digest for target in targets}
    return {keys[row.key]: row for row in RebuildRequest.objects.filter(key__in=keys)}


def ask(function: Function, digest: str, actor: Actor) -> RebuildRequest:
    """Tell the pipeline; the row says what it answered. The audit has each attempt.

    Raises DENIED, PREFLIGHT (no pipeline is set, or nothing is behind), INVALID where it took the message before.
    """
    access.require_operator(actor, ACTION, function.arn)
    if not pipeline():
        raise DrydockError(
            Code.PREFLIGHT,
            "No pipeline is set that could be told.",
            next_step="Set DRYDOCK_REBUILD_WEBHOOK_URL and DRYDOCK_REBUILD_WEBHOOK_SECRET where Drydock runs.",
        )
    order = _order(function, target_of_digest(function, digest))
    _claim(order, function, actor)
    try:
        status = webhook.send(
            settings.ENV.rebuild_webhook_url, settings.ENV.rebuild_webhook_secret, str(order.key), order.document
        )
        state, answer = (State.TAKEN if 200 <= status < 300 else State.FAILED), f"HTTP {status}"
    except DrydockError as error:
        state, answer = State.FAILED, storable(redact(str(error)), 300)
    RebuildRequest.objects.filter(pk=order.key).update(state=state, answer=answer)
    access.audit(actor, ACTION, function.arn, dict(order.document), f"{state}: {answer}")
    return RebuildRequest.objects.get(pk=order.key)


def _claim(order: _Order, function: Function, actor: Actor) -> None:
    """Of two who press at once one sends. Raises INVALID for the other, and where the pipeline took it before."""
    now = clock.now()
    fresh = {"state": State.SENDING, "answer": "", "asked_at": now, "asked_by": actor.name[:150]}
    _, made = RebuildRequest.objects.get_or_create(
        key=order.key, defaults={"function": function, "digest": order.digest, **fresh}
    )
    may = Q(state=State.FAILED) | Q(state=State.SENDING, asked_at__lt=now - LOST)
    if not made and not RebuildRequest.objects.filter(may, pk=order.key).update(**fresh):
        raise DrydockError(
            Code.INVALID,
            "The pipeline was told before to build this image anew on this release.",
            next_step="Look into the pipeline: it was told once, with the id " + str(order.key) + ".",
        )


def _key(function: Function, target: PatchTarget) -> UUID:
    return uuid5(NAMESPACE_URL, f"{function.arn} {target.digest} {_onto(target)}")


def _onto(target: PatchTarget) -> str:
    """The release that it is to be built on, where that is known; else the stream. Those of golden images before it."""
    if target.base:
        return " ".join((*(one.onto.manifest_digest for one in target.golden), target.base.to_reference))
    return target.image.base_stream.reference if target.image.base_stream else ""


def _order(function: Function, target: PatchTarget) -> _Order:
    image, key, base = target.image, _key(function, target), None if target.golden else target.base
    tags = image.repository.tags.filter(digest=image.digest).order_by("-since", "-name")
    document = {
        "id": str(key),
        "event": "rebuild",
        "function": function.arn,
        "aliases": list(target.aliases),
        "image": f"{image.repository.uri}@{image.digest}",
        "tags": list(tags.values_list("name", flat=True)[:20]),
        "platform": base.platform if base else "/".join(filter(None, (image.os, image.architecture, image.variant))),
        "stream": image.base_stream.reference if image.base_stream else "",
        "from": base.from_reference if base else "",
        "onto": base.to_reference if base else "",
        "dockerfile_from": from_line(base) if base else _on_golden(target),
        "golden_first": [_golden(one) for one in target.golden],
    }
    return _Order(key, image.digest, document)


def _on_golden(target: PatchTarget) -> str:
    """By its owner's tag, which then names what was built before."""
    return f"FROM {target.golden[-1].release.stream.reference}" if target.golden else ""


def _golden(golden: Golden) -> dict[str, str]:
    """A golden image that is to be built anew before: what it is, and the release of its own base to build it on."""
    onto = base_move(golden.beneath, golden.onto)
    return {
        "stream": golden.release.stream.reference,
        "onto": onto.to_reference,
        "dockerfile_from": from_line(onto),
    }
