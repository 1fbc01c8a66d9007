"""What is settled of a base: a stream changed or switched off; and its files read.

Nothing is taken away: a stream is switched off, and its releases stay, since images stand on them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from ninja import Field, Router
from pydantic import StrictBool

from functions_app.api import matching
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, followed
from functions_app.api.shapes import Answer, Body, Id, Told, given, link
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import BaseRelease, BaseStream
from functions_app.services.bases import stream_form
from functions_app.services.bases.stream_form import StreamDraft
from functions_app.services.bases.streams import NAME_LIMIT, PLATFORMS_LIMIT, REFERENCE_LIMIT
from functions_app.services.images import files
from functions_app.services.people import access

router = Router(tags=["bases"])


class StreamBody(Body):
    """What can be settled of a stream; of Lambda's own only `enabled`."""

    name: str = Field("", max_length=NAME_LIMIT, description="empty: its repository and tag")
    reference: str = Field(
        "", max_length=REFERENCE_LIMIT, description="HOST/REPOSITORY:TAG, the tag that releases move"
    )
    platforms: list[str] = Field([], max_length=PLATFORMS_LIMIT, description="linux/amd64; none: all of its index")
    deprecated_on: date | None = Field(None, description="from when it gets no patches")
    tag_pattern: str = Field("", max_length=200, description="3.12-{timestamp}; empty: found by rule")
    enabled: StrictBool = True


class StreamAnswer(Told):
    """What is settled of a stream; its ETag is what a change names in If-Match."""

    id: int
    name: str
    reference: str
    own: bool
    platforms: list[str]
    deprecated_on: date | None
    tag_pattern: str
    enabled: bool


class Releases(Body):
    """Two releases of the base, as they are to be compared."""

    releases: list[Id] = Field(min_length=1, max_length=files.RELEASES, description="ids")


@router.get("/bases/{int:pk}/settings", response=StreamAnswer)
def get_base_settings(request: ApiRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """What is settled of a base: what is watched of it, and until when it gets patches."""
    access.require_reach(request.actor, None)
    return stream_told(request, response, _found(pk))


@router.patch("/bases/{int:pk}/settings", response=StreamAnswer)
def change_base(request: ApiRequest, response: HttpResponse, pk: int, body: StreamBody) -> dict[str, Any]:
    """Change what is sent of a base's settings; off, it is polled no more and finds no bases."""
    access.require_setter(request.actor, "stream.edit", _found(pk).reference)
    with matching.locked(BaseStream.objects.filter(pk=pk), request, _facts) as stream:
        sent = set(given(body))
        if not stream.own and sent - {"enabled"}:
            raise DrydockError(
                Code.PREFLIGHT,
                f"{stream.name} is one of Lambda's own bases: of it only enabled can change.",
                next_step="Add a base of your own instead.",
            )
        stream = stream_form.save(drafted(StreamDraft.of(stream), body), request.actor, stream)
    return stream_told(request, response, stream)


@router.post("/bases/{int:pk}/file-reads", response={202: Started})
def read_release_files(request: ApiRequest, response: HttpResponse, pk: int, body: Releases) -> Answer:
    """Read what the layers of releases of this base hold, so that they can be compared down to files."""
    stream = _found(pk)
    access.require_operator(request.actor, files.ACTION, stream.reference)
    access.require_reach(request.actor, None)
    known = BaseRelease.objects.filter(stream=stream, pk__in=body.releases).values_list("pk", flat=True)
    if set(known) != set(body.releases):
        raise DrydockError(Code.NOT_FOUND, f"{stream.name} has no such release.", next_step=f"Ask for /bases/{pk}.")
    return followed(request, response, files.submit_for_releases(body.releases, request.actor))


def _found(pk: int) -> BaseStream:
    stream = BaseStream.objects.filter(pk=pk).first()
    if stream is None:
        raise DrydockError(Code.NOT_FOUND, "There is no such base.", next_step="Look for it in the list of bases.")
    return stream


def drafted(before: StreamDraft, body: StreamBody) -> StreamDraft:
    """A draft with what was sent in the place of what was before."""
    values = given(body)
    if "platforms" in values:
        values["platforms"] = tuple(dict.fromkeys(word.strip().lower() for word in values["platforms"]))
    if "deprecated_on" in values:
        values["deprecated_on"] = values["deprecated_on"].isoformat() if values["deprecated_on"] else ""
    return replace(before, **values)


def _facts(stream: BaseStream) -> Mapping[str, Any]:
    names = (name for name in StreamAnswer.model_fields if name not in ("id", "text", "url"))
    return {"id": stream.pk, **{name: getattr(stream, name) for name in names}}


def stream_told(request: ApiRequest, response: HttpResponse, stream: BaseStream) -> dict[str, Any]:
    """A stream as it is settled, with its ETag."""
    facts = _facts(stream)
    matching.tell(response, facts)
    told = f"{stream.name} ({stream.reference}) is {'watched' if stream.enabled else 'switched off'}."
    return {"text": told, "url": link(request, reverse("base", args=[stream.pk])), **facts}
