"""New releases of base streams: POST /_sandbox/releases publishes one, so that a fleet can be watched going stale."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from types import EllipsisType

from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Request

from sandbox import clock
from sandbox.core import admin
from sandbox.fleet import golden
from sandbox.images.bases import ARCHITECTURES, STREAMS, BaseRelease, BaseStream, next_release, stream
from sandbox.store.content_store import PUBLIC, STORE

_LOCK = threading.Lock()


def install() -> None:
    """Serve /_sandbox/releases."""
    admin.add("GET", "releases", lambda _request: _listing())
    admin.add("POST", "releases", _publish_over_http)


def _listing() -> dict[str, list[str]]:
    listed = {known.name: published(known) for known in STREAMS}
    return {**listed, golden.NAME: versions} if (versions := golden.published()) else listed


def published(known: BaseStream) -> list[str]:
    """The dated tags of a stream's releases, oldest first."""
    if not STORE.has_repository(PUBLIC, known.repository):
        return []
    dated = re.compile(re.escape(known.tag) + r"\.\d{4}\.\d{2}\.\d{2}\.\d{2}")
    return sorted(tag for tag in list(STORE.contents(PUBLIC, known.repository).tags) if dated.fullmatch(tag))


def publish(
    name: str, created: datetime, *, built: datetime | EllipsisType | None = ..., again: str = ""
) -> BaseRelease:
    """Build and push the next release of a stream: an image per platform, the index, and the moving tags to them.

    `built` is what its configs tell: `created` unless given, None for nothing. `again` names a release whose layers are
    released once more. Raises KeyError for an unknown stream, ValueError for an unknown release and unless `created` is
    in a later hour than the release before.
    """
    known = stream(name)
    with _LOCK:
        before = published(known)
        number = before.index(again) if again else len(before)
        release = next_release(name, number, created, created if built is ... else built)
        if before and release.version <= before[-1]:
            raise ValueError(
                f"{name} has the release {before[-1]} already, and a dated tag names the hour: give a later `created`"
            )
        for image, tags in release.tagged(newest=True):
            STORE.push(PUBLIC, known.repository, image, tags, pushed_at=created)
    return release


def withdraw(name: str, version: str) -> str:
    """Point the moving tags of a stream back to an earlier release, as AWS does with one that breaks things.

    Gives the digest of that. What was withdrawn keeps its dated tag. Raises KeyError for an unknown stream or release.
    """
    known = stream(name)
    with _LOCK:
        for suffix in ("", *(f"-{architecture}" for architecture in ARCHITECTURES.values())):
            found = STORE.manifest(PUBLIC, known.repository, version + suffix)
            if found is None:
                raise KeyError(version + suffix)
            STORE.put_manifest(PUBLIC, known.repository, found.data, found.media_type, known.tag + suffix)
    index = STORE.manifest(PUBLIC, known.repository, version)
    return index.digest if index else ""


def _publish_over_http(request: Request) -> object:
    """Body: stream ("python:3.12", or the golden image's name); created (ISO 8601, or now).

    For Lambda's own also: built (what the configs tell instead; null: no time), again (a version whose layers come once
    more), back_to (no new release: a version that the moving tags go back to).
    """
    body = json.loads(request.get_data() or b"{}")
    if not isinstance(body, dict) or not isinstance(body.get("stream"), str):
        raise BadRequest('the body must be {"stream": "python:3.12"}; "created" may be added')
    if body["stream"] not in (names := _listing()):
        raise NotFound(f"no stream {body['stream']!r}; there are: {', '.join(names)}")
    created = (_moment(body["created"]) if "created" in body else clock.now()).replace(microsecond=0)
    if body["stream"] == golden.NAME:
        with _LOCK:
            version, image = golden.publish(created)
        images = {"amd64": image.digest}
        return {**body, "version": version, "created": created.isoformat(), "digest": image.digest, "images": images}
    if "back_to" in body:
        return {"stream": body["stream"], "digest": withdraw(body["stream"], str(body["back_to"]))}
    told: datetime | None = created
    if "built" in body:
        told = None if body["built"] is None else _moment(body["built"])
    release = publish(body["stream"], created, built=told, again=str(body.get("again", "")))
    return {
        "stream": release.stream.name,
        "version": release.version,
        "created": release.created.isoformat(),
        "digest": release.index.digest,
        "images": {architecture: image.digest for architecture, image in release.images.items()},
    }


def _moment(text: str) -> datetime:
    """A time; without a zone it is UTC, as all others here."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
