"""Where a version's image came from, by the URI that AWS gives for that version: its repository, and its tag."""

from dataclasses import dataclass
from functools import lru_cache

from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import ImageRef


@dataclass(frozen=True)
class DeployedAs:
    """HOST/NAME of the repository, "" where it is not known; the tag, "" where it was a digest or is not known."""

    repository: str = ""
    tag: str = ""


@lru_cache(maxsize=4096)  # asked thrice for each version that is summarised
def deployed_as(image_uri: str, chosen_tag: str = "") -> DeployedAs:
    """Read a version's ImageUri; "" where GetFunction was not asked for that version yet.

    `chosen_tag`: what was chosen in Drydock, which gives Lambda the digest alone. A URI that Lambda took and we do not
    understand tells nothing.
    """
    try:
        ref = ImageRef.parse(image_uri).canonical
    except DrydockError:
        return DeployedAs()
    return DeployedAs(ref.name, chosen_tag if ref.digest else ref.deployed_tag)


def moved_tag(deployed: DeployedAs, digest: str, now: str) -> bool:
    """Whether the tag a version was deployed by points to another image `now` ("": there is no such tag, as far as is
    known).
    """
    return bool(deployed.tag and digest and now and now != digest)
