"""Links to images, and the functions that use one."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from functions_app.services.inventory.images.image_use import Use
from functions_app.web.html.addresses import address
from functions_app.web.html.chips import COPY, copy_parts, short
from functions_app.web.html.escaped import NOTHING, known

SHOWN_VERSIONS = 4
IMAGE_LINK = '<a class="name mono" href="{href}" title="{value}">{brief}</a>' + COPY
USE = '<li><a href="{}">{}</a> <span class="sub"{}>{}</span>{}</li>'
ALIAS = ' <span class="live-alias">{}</span>'


def image_link(pk: int, digest: str) -> SafeString:
    """An image by its short digest, as a link to its page, and a button that copies the whole."""
    brief = known(short(digest))
    parts = copy_parts(digest, "digest")
    return format_html(IMAGE_LINK, href=address("image", pk), brief=brief, **parts)


def uses(found: Sequence[Use]) -> SafeString:
    """Functions that use an image, each with its versions with that image and the aliases that point to one."""
    return format_html('<ul class="uses">{}</ul>', format_html_join("", USE, map(_use, found)))


def _use(use: Use) -> tuple[SafeString, ...]:
    brief = numbers = ", ".join(use.versions)
    hover = aliases = NOTHING
    if len(use.versions) > SHOWN_VERSIONS:
        brief = f"{', '.join(use.versions[:SHOWN_VERSIONS])} …"
        hover = format_html(' title="{}"', numbers)
    if use.aliases:
        aliases = format_html_join("", ALIAS, ((known(alias),) for alias in use.aliases))
    return address("function", use.function_id), known(use.name), hover, known(brief), aliases
