"""How safe a rebase is, by the files of its layers: those that were read before; which are still to be read."""

from collections.abc import Collection, Iterable

from functions_app import clock
from functions_app.domain.changes.patching.base_moves import BaseMove, PackageMove
from functions_app.domain.images.manifests import parse_config
from functions_app.domain.images.roles import Role
from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.packages import diff_packages
from functions_app.domain.rebase.safety.findings import Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles, Target
from functions_app.models import BaseRelease, Image
from functions_app.services.changes.patching.base_releases import is_withdrawn
from functions_app.services.images.files import layer_contents
from functions_app.services.images.rebases import Images


def layers_of(image: Image, release_ids: Collection[int]) -> set[str]:
    """The diff ids of all layers that a verdict looks into: the image's, and those of these releases of bases."""
    releases = BaseRelease.objects.filter(pk__in=release_ids)
    return {
        *image.diff_ids,
        *(diff_id for diff_ids in releases.values_list("diff_ids", flat=True) for diff_id in diff_ids),
    }


def judged(images: Images, image: Image, base: BaseMove) -> tuple[Verdict, list[PackageMove]]:
    """The verdict, and what becomes of the base's packages; all layers were read before. Three queries."""
    old, new, app = (one.config.diff_ids for one in (images.old, images.new, images.app))
    known = {key: one for key, one in layer_contents({*old, *new, *app}).items() if one is not None}
    stream = BaseRelease.objects.select_related("stream").get(pk=base.to_release_id).stream
    sides = [
        SideFiles(_contents(known, diff_ids), stream.runtime, stream.runtime_version, stream.os)
        for diff_ids in (old, new)
    ]
    verdict = judge(sides[0], sides[1], _app_side(images, image, known), _target(base))
    return verdict, _packages(sides[0], sides[1])


def _contents(known: dict[str, LayerContents], diff_ids: Iterable[str]) -> tuple[LayerContents, ...]:
    return tuple(known[diff_id] for diff_id in diff_ids)


def _app_side(images: Images, image: Image, known: dict[str, LayerContents]) -> AppSide:
    result, seam = parse_config(images.result.config), images.result.seam
    signatures, boms = (_beside(image, role) for role in (Role.SIGNATURE, Role.SBOM))
    return AppSide(
        layers=_contents(known, images.app.config.diff_ids[seam.layers :]),
        steps=tuple(step.created_by for step in images.app.config.history[seam.history :]),
        entrypoint=result.entrypoint,
        command=result.command,
        workdir=result.working_directory or "/",
        environment=dict(result.env),
        environment_before=dict(images.app.config.env),
        signatures=signatures,
        boms=boms,
    )


def _beside(image: Image, role: Role) -> tuple[str, ...]:
    """Artifacts about an image, by their digests."""
    rows = Image.objects.filter(repository=image.repository_id, part_of=image.digest, role=role.value, gone_at=None)
    return tuple(rows.order_by("digest").values_list("digest", flat=True))


def _target(base: BaseMove) -> Target:
    return Target(released=base.released, now=clock.now(), withdrawn=is_withdrawn(base))


def _packages(old: SideFiles, new: SideFiles) -> list[PackageMove]:
    diff = diff_packages(old.packages, new.packages)
    moves = [PackageMove(one.kind, one.name, ", ".join(one.old), ", ".join(one.new)) for one in diff.changed]
    moves += [PackageMove(one.kind, one.name, "", one.version) for one in diff.added]
    return moves + [PackageMove(one.kind, one.name, one.version, "") for one in diff.removed]
