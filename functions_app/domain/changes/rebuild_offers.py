"""What is offered instead of a patch that is unsafe: the FROM line and the commands that build the image anew."""

import re
from dataclasses import dataclass
from shlex import quote

from functions_app.domain.changes.patches import BaseMove
from functions_app.domain.rebase.safety.findings import Offer, Verdict
from functions_app.domain.rebase.tags import LONGEST, UNTAGGED

_EARLIER = re.compile(r"(?:-(?:base|rebuilt)-[0-9]{8}(?:-[0-9a-f]{8})?)+$")


@dataclass(frozen=True)
class RebuildOffer:
    """To copy: the line of the Dockerfile, and the commands. `move`: to another system, so that more is to change."""

    from_line: str
    commands: str
    move: bool


def rebuild_offer(verdict: Verdict, base: BaseMove, app_image: str, app_tag: str) -> RebuildOffer | None:
    """For an image (HOST/NAME@DIGEST) with this verdict; None where it may be patched, or the base must not be used."""
    if verdict.offer in (None, Offer.NOTHING):
        return None
    image = f"{app_image.partition('@')[0]}:{_tag(app_tag, f'{base.released:%Y%m%d}')}"
    platform, name = quote(base.platform), quote(image)  # a base calls its platform what it likes
    build = f"docker build --pull --provenance=false --platform {platform} -t {name} ."
    return RebuildOffer(from_line(base), f"{build}\ndocker push {name}", verdict.offer is Offer.MOVE)


def from_line(base: BaseMove) -> str:
    """The Dockerfile's line for the release that a base moves to, by its index where it is in one."""
    return f"FROM {base.to_name}@{base.index_digest or base.to_reference.partition('@')[2]}"


def _tag(tag: str, day: str) -> str:
    """A new one: the present one may be a moving tag, or one that may not move."""
    end = f"-rebuilt-{day}"
    return (_EARLIER.sub("", tag) or UNTAGGED)[: LONGEST - len(end)] + end
