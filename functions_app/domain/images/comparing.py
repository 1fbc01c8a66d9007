"""Whether two images can be compared, and what is worth knowing of that before anybody reads the differences."""

from dataclasses import dataclass

from functions_app.domain.errors import Problem
from functions_app.domain.images.roles import DEPLOYABLE, Role


@dataclass(frozen=True)
class Compared:
    """An image, as far as that decides. `read`: its config and layers are known; `gone`: ECR has it no longer."""

    pk: int
    name: str
    digest: str
    platform: str
    role: str
    is_index: bool
    read: bool
    gone: bool
    problem: Problem | None = None


@dataclass(frozen=True)
class Remark:
    """A sentence about the two, with what to do next; `stops`: so nothing can be compared."""

    text: str
    next_step: str = ""
    stops: bool = False


def remarks(old: Compared, new: Compared) -> tuple[Remark, ...]:
    """What is said of the two, that which stops the comparison first."""
    if old.digest == new.digest:
        return (_same(old, new),)
    found = [remark for each in (old, new) if (remark := _of(each))]
    if not any(remark.stops for remark in found) and old.platform != new.platform:
        found.append(
            Remark(
                f"They are of different platforms, {old.platform} and {new.platform}: nearly everything differs.",
                "To see what a build changed, compare images of one platform.",
            )
        )
    return tuple(sorted(found, key=lambda remark: not remark.stops))


def _same(old: Compared, new: Compared) -> Remark:
    if old.pk == new.pk:
        return Remark("This is the image itself: nothing differs.", "Choose another image.", stops=True)
    return Remark(
        f"{old.name} and {new.name} have the same digest: they are one image, byte for byte, in two places.",
        "Choose an image with another digest.",
        stops=True,
    )


def _of(image: Compared) -> Remark | None:
    """What is to be said of one of them."""
    if image.is_index:
        text = f"{image.name} is an index of images for several platforms: it has no layers and no config of its own."
        return Remark(text, "Compare the image of one platform.", stops=True)
    if image.role not in (*DEPLOYABLE, Role.PART):
        text = f"{image.name} is no image but what is kept beside one ({image.role})."
        return Remark(text, "Choose an image.", stops=True)
    if image.read:
        return Remark(f"ECR no longer has {image.name}: this is what was read before.") if image.gone else None
    if image.gone:
        text = f"{image.name} was deleted before Drydock read it, so nothing of it is known."
        return Remark(text, "Choose an image that ECR still has.", stops=True)
    if image.problem:
        step = image.problem.next_step or "Sync its account again."
        return Remark(f"{image.name} could not be read: {image.problem.message}", step, stops=True)
    return Remark(f"{image.name} has not been read yet.", "Sync its account: a sync reads it once.", stops=True)
