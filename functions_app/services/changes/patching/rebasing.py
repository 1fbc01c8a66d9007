"""An image is rebased in memory and judged, for a plan: the function's, and golden images beneath it."""

from dataclasses import dataclass

from functions_app.aws.session import Target
from functions_app.domain.changes.patching.base_moves import PACKAGES, BaseMove, RebasePlan
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.refs import ImageRef
from functions_app.models import Image
from functions_app.services.changes.patching import safety
from functions_app.services.images import rebases
from functions_app.services.images.rebases import Images


@dataclass(frozen=True)
class Rebased:
    """What a plan keeps of a rebase, and the images."""

    plan: RebasePlan
    images: Images


def rebased(image: Image, move: BaseMove, owner: Target, tag: str = "", new_base: HeldImage | None = None) -> Rebased:
    """Rebase an image of a repository under a tag that is free, and judge it. Nothing is pushed.

    `tag`: what names it, where that is not the newest of its tags. `owner`, `new_base`: `rebases.put_together`. Raises
    PREFLIGHT for one that can't be rebased.
    """
    app = ImageRef.parse(f"{image.repository.uri}@{image.digest}")
    if not tag:
        newest = image.repository.tags.filter(digest=image.digest).order_by("-since", "-name").first()
        tag = newest.name if newest else ""
    images = rebases.tagged_freely(rebases.put_together(app, tag, move, owner, new_base), app, owner)
    verdict, packages = safety.judged(images, image, move)
    result = images.result
    plan = RebasePlan(
        app_image=str(app),
        app_tag=tag,
        image_uri=str(app.with_digest(result.digest)),
        to_digest=result.digest,
        tag=result.tag,
        base=move,
        kept_layers=result.kept_layers,
        base_layers=result.base_layers,
        verdict=verdict,
        notes=tuple(note.text for note in result.notes),
        packages=tuple(packages[:PACKAGES]),
        more_packages=max(0, len(packages) - PACKAGES),
    )
    return Rebased(plan, images)
