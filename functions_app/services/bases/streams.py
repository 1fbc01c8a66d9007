"""The base streams Drydock watches: Lambda's own from functions_app/data/base-streams.json, and those people add.

Nothing here deletes: a stream is switched off, its releases are kept for ever, since images stand on them.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Literal

from django.conf import settings
from django.db import IntegrityError, transaction

from functions_app.domain.bases import tag_patterns
from functions_app.domain.bases.history import AGAIN
from functions_app.domain.bases.stream_names import Followed
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.platforms import wanted
from functions_app.domain.redaction import NOT_KEPT, holds_secret
from functions_app.domain.refs import ImageRef
from functions_app.models import BaseStream
from functions_app.services.bases import poll_schedule
from functions_app.services.bases.runtime_facts import FAMILY, HOST, RuntimeFacts, lambda_references, runtime_facts
from functions_app.services.images.registries import allowed_host
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

ANEW = {"tag_digest": "", "history": AGAIN.as_json()}  # read this stream's whole history once more
NAME_LIMIT, REFERENCE_LIMIT, PLATFORMS_LIMIT = 120, 400, 16
_PLATFORM = re.compile(r"[a-z0-9]{1,20}/[a-z0-9_]{1,20}(?:/[a-z0-9.]{1,20})?")


def watched_references() -> tuple[str, ...]:
    """Lambda's streams that this installation watches: all, or those that DRYDOCK_BASE_STREAMS names."""
    chosen = settings.ENV.base_streams
    return tuple(f"{HOST}/{FAMILY}{name}" for name in chosen) if chosen else lambda_references()


@transaction.atomic
def seed_streams(references: Iterable[str] | None = None) -> int:
    """Make a row for each stream (None: those this installation watches), bring its facts up to date; how many are new.

    A stream that is there keeps its switch and its releases: an upgrade adds what it knows more, and switches nothing
    on. A stream of people's keeps its name. Raises INVALID for what is no HOST/REPOSITORY:TAG.
    """
    created = 0
    for reference in watched_references() if references is None else references:
        ref = _moving_tag(reference)
        name, runtime = _names(ref)
        facts = runtime_facts().get((runtime, ref.tag), RuntimeFacts())
        values = {
            "runtime": runtime,
            "runtime_version": ref.tag if runtime else "",
            "deprecated_on": facts.deprecated_on,
            "updates_blocked_on": facts.updates_blocked_on,
            "os": facts.os,
            "os_end_of_life_on": facts.os_end_of_life_on,
        }
        if BaseStream.objects.filter(reference=str(ref)).update(**values):
            continue
        if BaseStream.objects.filter(name=name, own=True).exists():
            name = str(ref)[:NAME_LIMIT]  # somebody gave this name to a stream of their own
        created += BaseStream.objects.update_or_create(name=name, defaults={"reference": str(ref), **values})[1]
    return created


def add_stream(
    reference: str,
    platforms: Sequence[str],
    actor: Actor,
    *,
    name: str = "",
    deprecated_on: date | None = None,
    tag_pattern: str = "",
) -> BaseStream:
    """Watch a company's own base from now on; it is read at once. `platforms` empty: all that its index has.

    Raises DENIED for others than operators and for hosts that may not be asked, INVALID for what cannot be a stream.
    """
    access.require_operator(actor, "stream.add", reference[:REFERENCE_LIMIT])
    ref = _reference(reference)
    values: dict[str, Any] = {
        "name": _name(name or _names(ref)[0]),
        "reference": str(ref),
        "platforms": _platforms(platforms),
        "deprecated_on": deprecated_on,
        "tag_pattern": _pattern(tag_pattern),
    }
    _free(values["name"], values["reference"], None)
    try:
        with transaction.atomic():
            stream = BaseStream.objects.create(own=True, **values)
            access.audit(actor, "stream.add", str(ref), _audited(stream), f"{stream.name} is watched")
            poll_schedule.ask(actor, stream.pk)
    except IntegrityError:
        raise _taken(values["name"]) from None
    return stream


def edit_stream(
    stream: BaseStream,
    actor: Actor,
    *,
    name: str | None = None,
    reference: str | None = None,
    platforms: Sequence[str] | None = None,
    deprecated_on: date | Literal["kept"] | None = "kept",
    tag_pattern: str | None = None,
) -> BaseStream:
    """Change a company's own stream, what is given of it; it is read anew at once.

    The reference can be changed until the first release is known: releases of two bases under one name would make
    nonsense of "releases behind". Raises DENIED, INVALID, PREFLIGHT.
    """
    access.require_operator(actor, "stream.edit", stream.reference)
    if not stream.own:
        raise DrydockError(
            Code.PREFLIGHT,
            f"{stream.name} is one of Lambda's own bases: it can be switched off, not changed.",
            next_step="Add a stream of your own instead.",
        )
    ref = stream.reference if reference is None else _new_reference(stream, reference)
    values: dict[str, Any] = {
        "name": stream.name if name is None else _name(name),
        "reference": ref,
        "platforms": stream.platforms if platforms is None else _platforms(platforms),
        "deprecated_on": stream.deprecated_on if deprecated_on == "kept" else deprecated_on,
        "tag_pattern": stream.tag_pattern if tag_pattern is None else _pattern(tag_pattern),
    }
    _free(values["name"], values["reference"], stream)
    before = _audited(stream)
    try:
        with transaction.atomic():
            BaseStream.objects.filter(pk=stream.pk).update(**values, **ANEW, next_poll_at=None, problem=None)
            stream.refresh_from_db()
            # What is no longer polled must not go on being called current.
            dropped = [row.pk for row in stream.releases.filter(current=True) if not fits(row.platform, stream)]
            stream.releases.filter(pk__in=dropped).update(current=False)
            access.audit(
                actor, "stream.edit", ref, {"before": before, "after": _audited(stream)}, f"{stream.name} changed"
            )
    except IntegrityError:
        raise _taken(values["name"]) from None
    return stream


def _new_reference(stream: BaseStream, text: str) -> str:
    ref = str(_reference(text))
    if ref != stream.reference and stream.releases.exists():
        raise DrydockError(
            Code.PREFLIGHT,
            f"{stream.name} has releases of {stream.reference}: these would be mixed with those of {ref}.",
            next_step="Switch this stream off and add another for the new reference.",
        )
    return ref


def switch_stream(stream: BaseStream, enabled: bool, actor: Actor) -> BaseStream:
    """Switch a stream on or off: off, it is not polled and finds no bases; its releases stay.

    Images are judged anew at once. Raises DENIED.
    """
    access.require_operator(actor, "stream.switch", stream.reference)
    word = "on" if enabled else "off"
    with transaction.atomic():
        if BaseStream.objects.filter(pk=stream.pk).exclude(enabled=enabled).update(enabled=enabled, next_poll_at=None):
            access.audit(actor, "stream.switch", stream.reference, {"enabled": enabled}, f"{stream.name} is {word}")
            poll_schedule.ask(actor, stream.pk)
    stream.refresh_from_db()
    return stream


def followed(stream: BaseStream) -> Followed:
    """What a stream follows, for finding it by names that images claim."""
    return Followed(stream.reference, stream.own, stream.tag_pattern)


def fits(platform: str, stream: BaseStream) -> bool:
    """Whether a stream is wanted for this platform; `linux/arm` takes any of its variants."""
    return not stream.platforms or any(f"{platform}/".startswith(f"{wanted}/") for wanted in stream.platforms)


def _audited(stream: BaseStream) -> dict[str, Any]:
    day = stream.deprecated_on
    return {
        "name": stream.name,
        "reference": stream.reference,
        "platforms": list(stream.platforms),
        "deprecated_on": day.isoformat() if day else "",
        "tag_pattern": stream.tag_pattern,
    }


def _moving_tag(reference: str) -> ImageRef:
    """The reference, of ECR by the plain host: so repositories, events and images name it."""
    ref = ImageRef.parse(reference).canonical
    if not ref.tag or ref.digest:
        raise DrydockError(
            Code.INVALID,
            f"{reference[:200]!r} is no base stream: a stream is a moving tag.",
            next_step="Write HOST/REPOSITORY:TAG, with the tag that each release moves, and no digest.",
        )
    return ref


def _reference(text: str) -> ImageRef:
    ref = _moving_tag(text)
    if len(str(ref)) > REFERENCE_LIMIT:
        raise DrydockError(Code.INVALID, f"A stream's reference may have {REFERENCE_LIMIT} characters.")
    allowed_host(ref.registry)
    return ref


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise DrydockError(Code.INVALID, f"A stream's name has 1 to {NAME_LIMIT} characters that can be printed.")
    if holds_secret(name):
        raise DrydockError(Code.INVALID, f"A stream's name: {NOT_KEPT}")
    return name


def _pattern(text: str) -> str:
    try:
        if text:
            tag_patterns.check(text)
    except ValueError as error:
        raise DrydockError(
            Code.INVALID,
            f"{text[:60]!r} is no pattern of tags. {error}",
            next_step="Write it as in 3.12-{timestamp} or {number}.{number}-r{number}.",
        ) from error
    return text


def _platforms(given: Sequence[str]) -> list[str]:
    platforms = list(dict.fromkeys(wanted(word.strip()) for word in given if word.strip()))
    for platform in platforms:
        if not _PLATFORM.fullmatch(platform):
            raise DrydockError(
                Code.INVALID,
                f"{platform[:60]!r} is no platform.",
                next_step="Write OS/ARCHITECTURE, as in linux/amd64 or linux/arm64.",
            )
    if len(platforms) > PLATFORMS_LIMIT:
        raise DrydockError(Code.INVALID, f"A stream has at most {PLATFORMS_LIMIT} platforms.")
    return platforms


def _free(name: str, reference: str, own: BaseStream | None) -> None:
    others = BaseStream.objects.exclude(pk=own.pk) if own else BaseStream.objects.all()
    if twin := others.filter(reference=reference).first():
        off = "" if twin.enabled else ", and is switched off"
        raise DrydockError(Code.INVALID, f"{reference} is watched already: its name is {twin.name}{off}.")
    if others.filter(name=name).exists():
        raise _taken(name)


def _taken(name: str) -> DrydockError:
    return DrydockError(
        Code.INVALID, f"There is another stream named {name}.", next_step="Give this one a name of its own."
    )


def _names(ref: ImageRef) -> tuple[str, str]:
    """The stream's name and its runtime; a team's own base keeps its whole repository as name and has no runtime."""
    runtime = ref.repository.removeprefix(FAMILY)
    is_lambda = ref.registry == HOST and ref.repository.startswith(FAMILY)
    return (f"{runtime}:{ref.tag}", runtime) if is_lambda else (f"{ref.repository}:{ref.tag}"[:NAME_LIMIT], "")
