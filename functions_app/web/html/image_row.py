"""A row of a repository's images. Fifty rows of nine variables would be half of the page's time in a template."""

from collections.abc import Iterable, Iterator

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.domain.images.roles import Role
from functions_app.domain.text import counted
from functions_app.models import BaseStream, Image
from functions_app.services.inventory.images.repository import ImageRow
from functions_app.web.html.addresses import address
from functions_app.web.html.amounts import size
from functions_app.web.html.badges import badge, doomed_image, freshness, image_role, image_status
from functions_app.web.html.chips import short, tags
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.images import image_link, uses
from functions_app.web.html.times import ago

ROW = (
    '<tr data-row><th scope="row"><span class="nb">{link}</span>{marks}</th>'
    '<td data-h="Tags">{tags}</td><td data-h="Used by">{uses}{release}</td>'
    '<td data-h="Base" class="base">{base}</td><td data-h="Platform">{platform}</td>'
    '<td data-h="Size" class="r nb">{size}</td><td data-h="Pushed" class="nb">{pushed}</td></tr>'
)
SUB = '<span class="sub">{}</span>'
MUTED = '<span class="muted">{}</span>'
MORE = '{} <a class="fine" href="{}#users-title">and {} more</a>'
RELEASE = '<a href="{}">base image {}</a> <span class="sub">{} on it</span>'
BASE = '{} <span class="sub">{}</span>'


def image_rows(rows: Iterable[ImageRow]) -> SafeString:
    """The images of a page, a row each."""
    return SafeString("".join(map(_row, rows)))


def _row(row: ImageRow) -> SafeString:
    image = row.image
    return format_html(
        ROW,
        link=image_link(image.pk, image.digest),
        marks=_together(_marks(row)),
        tags=tags(row.tags) if row.tags else _muted("untagged"),
        uses=_uses(row),
        release=_release(row.release_of, row.standing) if row.release_of else NOTHING,
        base=_base(image),
        platform=_platform(image),
        size=known(size(image.size_bytes)) if image.size_bytes else NOTHING,
        pushed=ago(image.pushed_at),
    )


def _together(marks: Iterable[SafeString]) -> SafeString:
    together = NOTHING
    for mark in marks:
        together += format_html(" {}", mark)
    return together


def _marks(row: ImageRow) -> Iterator[SafeString]:
    """What is worth a word beside the digest."""
    image = row.image
    if image.gone_at:
        yield badge("Deleted", "photo-off", "bad", "ECR no longer has it; a version still points to it")
    if status := image_status(image.status):
        yield status
    if image.is_index:
        yield image_role(Role.INDEX)
    if row.rule is not None:
        yield doomed_image(row.rule, row.live)
    if row.belongings:
        yield format_html(SUB, f"with {row.belongings}")
    if image.part_of:
        yield format_html(SUB, f"in index {short(image.part_of)}, too")


def _uses(row: ImageRow) -> SafeString:
    if not row.uses:
        return NOTHING if row.release_of else _muted("nothing")
    named = uses(row.uses)
    return format_html(MORE, named, address("image", row.image.pk), row.more_uses) if row.more_uses else named


def _release(stream: BaseStream, standing: int) -> SafeString:
    functions = counted(standing, "function") if standing else "no functions"
    return format_html(RELEASE, address("base", stream.pk), stream.name, functions)


def _base(image: Image) -> SafeString:
    if image.is_index:
        return _muted("none of its own")
    verdict = freshness(image.freshness, image.freshness_reason, image.releases_behind, image.days_behind)
    return format_html(BASE, verdict, known(image.base_release.stream.name)) if image.base_release else verdict


def _platform(image: Image) -> SafeString:
    if image.is_index:
        return known(", ".join(image.platforms))
    return known(f"{image.os}/{image.architecture}") if image.architecture else _muted("not read")


def _muted(text: str) -> SafeString:
    return format_html(MUTED, text)
