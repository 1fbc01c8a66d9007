"""Patching what is live where $LATEST is something else: what forbids it, what it does next, what it says. Pure.

$LATEST is published for safekeeping, given the patched image and the configuration of what is live, published, and
given back what it was. Of the time in between it is known by image and configuration, field by field: what is neither
the one nor the other was made by somebody else, and is left alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from functions_app.domain.changes.configurations import Difference
from functions_app.domain.changes.deployments import short
from functions_app.domain.changes.judgements import Tick
from functions_app.domain.changes.planned_ways_back import Held, ImageNow
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.images.lambda_rules import Check

NAME = "$LATEST"


@dataclass(frozen=True)
class LatestKept:
    """That $LATEST is left as it was: `live_version` has the configuration that the patch is published with.

    `image` is HOST/NAME@DIGEST that $LATEST runs and is given back; `by_alias` are aliases that point to $LATEST.
    """

    live_version: str
    image: str
    by_alias: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "LatestKept":
        """Read what `dataclasses.asdict` made of it."""
        return cls(**{**value, "by_alias": tuple(value["by_alias"])})


@dataclass(frozen=True)
class Settable:
    """Whether $LATEST can be given the configuration of a live version and be given back its own.

    `unread`: what AWS could not tell, in sentences. `fixed`: settings that differ and that no run sets. `unlike`: live
    versions that are configured otherwise than the first. `roles`: those that differ.
    """

    unread: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    managed: bool = False


class Goal(StrEnum):
    """What $LATEST is to be."""

    PATCHED = "patched"  # the patched image as what is live is configured
    KEPT = "kept"  # what it was


class Next(StrEnum):
    """What is to be done with $LATEST."""

    NOTHING = "nothing"  # it is what it is to be
    UPDATE = "update"  # its image
    CONFIGURE = "configure"
    LEAVE = "leave"  # somebody else changed it


@dataclass(frozen=True)
class Seen:
    """What $LATEST is: its image, and which of the two configurations it has, field by field."""

    digest: str
    like_kept: bool
    like_live: bool


def next_change(seen: Seen, kept_digest: str, patched_digest: str, goal: Goal) -> Next:
    """One call, after which is looked anew; the image first, since that is what Lambda is likelier to refuse."""
    if seen.digest not in (kept_digest, patched_digest) or not (seen.like_kept or seen.like_live):
        return Next.LEAVE
    if seen.digest != (patched_digest if goal is Goal.PATCHED else kept_digest):
        return Next.UPDATE
    return Next.NOTHING if (seen.like_live if goal is Goal.PATCHED else seen.like_kept) else Next.CONFIGURE


def rows(live_digest: str, latest_digest: str, settings: Iterable[Difference]) -> tuple[Difference, ...]:
    """What $LATEST has otherwise than what is live, each once: the image first."""
    image = Difference("Image", short(live_digest), short(latest_digest))
    return tuple(dict.fromkeys((*((image,) if live_digest != latest_digest else ()), *settings)))


def own_check(latest_digest: str, digest: str, differing: Sequence[str], aliases: Sequence[str]) -> Check:
    """Whether $LATEST is what `aliases` run and what is to be patched: `digest`, configured without a difference."""
    stop = "Deploy what is meant to be live first."
    who = f"{'alias' if len(aliases) == 1 else 'aliases'} {' and '.join(aliases)}"
    if aliases:
        stop = f"Plan it so that {NAME} is left as it is, or deploy what is meant for {who} first."
    if latest_digest != digest:
        whose = f", which {who} {'runs' if len(aliases) == 1 else 'run'}," if aliases else ""
        text = f"{NAME} runs {short(latest_digest)}; {short(digest)}{whose} is what would be patched."
        return Check(NAME, False, f"{text} A version is published from {NAME}: the wrong image. {stop}")
    if not differing:
        return Check(NAME, True, f"{NAME} is what is patched: same image, same configuration.")
    text = f"{NAME} is configured otherwise than what {who if aliases else 'is live'}"
    text += "" if not aliases else (" runs" if len(aliases) == 1 else " run")
    return Check(NAME, False, f"{text} ({', '.join(differing)}): that would be shipped too. {stop}")


def may_be_kept(
    checks: Iterable[Check], differs: Sequence[Difference], aliases: Sequence[Any], kept: LatestKept | None
) -> bool:
    """Whether a patch that can't be planned as it is could be so that $LATEST stays: nothing else forbids it."""
    forbidden = [check.name for check in checks if check.ok is False]
    return bool(set(forbidden) == {NAME} and differs and aliases and kept is None)


def kept_checks(
    latest: FunctionDetail, versions: Sequence[str], settable: Settable, image: ImageNow
) -> tuple[Check, ...]:
    """What forbids leaving $LATEST as it was; `versions` are those that are live, `image` what $LATEST runs."""
    return (*_of_state(latest), *_of_settings(versions, settable), *_of_image(latest, image))


def _of_state(latest: FunctionDetail) -> Iterable[Check]:
    words = latest.state or "in no known state", latest.last_update_status or "not told"
    if words != ("Active", "Successful"):
        text = f"{NAME} is {words[0]}, its last update {words[1]}: it could not be given back as it is."
        yield Check(NAME, False, f"{text} Wait until it is Active and its update Successful, then plan again.")


def _of_settings(versions: Sequence[str], settable: Settable) -> Iterable[Check]:
    if settable.managed:
        text = "It runs on Managed Instances, where calls reach $LATEST.PUBLISHED: $LATEST can't be lent to a patch."
        yield Check(NAME, False, f"{text} Deploy what is meant to be live first, then patch.")
    for sentence in settable.unread:
        yield Check(NAME, False, f"{sentence} What can't be read can't be given back.")
    if settable.fixed:
        text = f"$LATEST differs from what is live in what no update sets back ({', '.join(settable.fixed)})."
        yield Check(NAME, False, f"{text} Deploy what is meant to be live first, then patch.")
    if settable.unlike:
        others = ", ".join(settable.unlike)
        text = f"Versions {versions[0]} and {others} are live with this image and configured otherwise than each other"
        yield Check(NAME, False, f"{text}: one patch can't have both. Point all its aliases to one of them first.")
    if settable.roles:
        text = f"Its role differs: for the time in between {NAME} gets another"
        yield Check("Role", None, f"{text}. Drydock needs iam:PassRole for {' and '.join(settable.roles)}.")


def _of_image(latest: FunctionDetail, image: ImageNow) -> Iterable[Check]:
    digest = short(latest.fact.latest.digest)
    if image.held is Held.THERE:
        yield Check(NAME, True, f"{NAME} is left as it was: ECR has its image {digest}, to be given back.")
    else:
        lost = image.held is not Held.UNKNOWN
        why = f"The image of {NAME} could not be given back." if lost else f"Whether {NAME} can get it back is open."
        yield Check(NAME, False if lost else None, f"{image.why} {why}".strip())


def callers(name: str, kept: LatestKept) -> str:
    """Who is shifted while the run has $LATEST, as far as anybody can know."""
    by_alias = f", or by {' or '.join(kept.by_alias)}, which points to $LATEST," if kept.by_alias else ""
    return (
        f"While the run has $LATEST, whoever calls {name} without version or alias{by_alias} gets the patched image "
        f"with the configuration of version {kept.live_version}. Who does so is not known to Drydock: nothing "
        "that it reads of a function names its callers."
    )


def callers_tick(name: str, kept: LatestKept) -> Tick:
    """What is ticked for those callers."""
    return Tick("latest", f"{callers(name, kept)} I accept that.")


def lend(name: str, kept: LatestKept, patched: str) -> tuple[str, str]:
    """The steps that make $LATEST what is patched, in words."""
    return (
        "Publish $LATEST as it is, for safekeeping, and try whether it can be given back: set it to what it is.",
        f"Give $LATEST the image {short(patched)} and the configuration of version {kept.live_version}, and wait until "
        f"Lambda has taken each: calls of {name} without version or alias run that from now on.",
    )


GIVE_BACK = (
    "Give $LATEST back its image and its configuration from the safekept version. If somebody else has changed it "
    "meanwhile, leave it and say so."
)
