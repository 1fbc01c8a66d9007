"""What is offered instead of a patch that is unsafe: the FROM line and the commands that build the image anew."""

import re
from dataclasses import dataclass, replace
from shlex import quote

from functions_app.domain.changes.patching.base_moves import BaseMove, RebasePlan
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.rebase.safety.findings import Offer
from functions_app.domain.rebase.tags import LONGEST, UNTAGGED

_EARLIER = re.compile(r"(?:-(?:base|rebuilt)-[0-9]{8}(?:-[0-9a-f]{8})?)+$")


@dataclass(frozen=True)
class RebuildOffer:
    """To copy: the line of the Dockerfile, and the commands. `move`: to another system, so that more is to change.

    `golden`: the golden image that is built so, '' for the function's own.
    """

    from_line: str
    commands: str
    move: bool
    golden: str = ""


def rebuild_offers(plan: PatchPlan) -> tuple[RebuildOffer, ...]:
    """What is built instead of an unsafe patch, in this order; none where it may go on, or a base must not be used.

    A function on golden images is built on what their owners' tags name once those were built anew.
    """
    offer = plan.safety.offer
    if offer in (None, Offer.NOTHING):
        return ()
    first = [replace(_offer(one, offer), golden=one.name) for one in plan.golden]
    own = _offer(plan, offer)
    if plan.golden:
        own = replace(own, from_line=f"FROM {plan.golden[-1].moving}")
    above = [replace(one, from_line=f"FROM {below.moving}") for one, below in zip(first[1:], plan.golden, strict=False)]
    return *first[:1], *above, own


def _offer(rebase: RebasePlan, offer: Offer | None) -> RebuildOffer:
    image = f"{rebase.app_image.partition('@')[0]}:{_tag(rebase.app_tag, f'{rebase.base.released:%Y%m%d}')}"
    platform, name = quote(rebase.base.platform), quote(image)  # a base calls its platform what it likes
    build = f"docker build --pull --provenance=false --platform {platform} -t {name} ."
    return RebuildOffer(from_line(rebase.base), f"{build}\ndocker push {name}", offer is Offer.MOVE)


def from_line(base: BaseMove) -> str:
    """The Dockerfile's line for the release that a base moves to, by its index where it is in one."""
    return f"FROM {base.to_name}@{base.index_digest or base.to_reference.partition('@')[2]}"


def _tag(tag: str, day: str) -> str:
    """A new one: the present one may be a moving tag, or one that may not move."""
    end = f"-rebuilt-{day}"
    return (_EARLIER.sub("", tag) or UNTAGGED)[: LONGEST - len(end)] + end
