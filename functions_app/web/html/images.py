"""Links to images, and the functions that use one."""

from collections.abc import Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from functions_app.services.inventory.images.image_use import Use
from functions_app.web.html.addresses import address
from functions_app.web.html.chips import copy_button, short
from functions_app.web.html.escaped import NOTHING

SHOWN_VERSIONS = 4
IMAGE_LINK = '<a class="name mono" href="{}" title="{}">{}</a>{}'
USE = '<li><a href="{}">{}</a> <span class="sub"{}>{}</span>{}</li>'


def image_link(pk: int, digest: str) -> SafeString:
    """An image by its short digest, as a link to its page, and a button that copies the whole."""
    return format_html(IMAGE_LINK, address("image", pk), digest, short(digest), copy_button(digest, "digest"))


def uses(found: Sequence[Use]) -> SafeString:
    """Functions that use an image, each with its versions with that image and the aliases that point to one."""
    return format_html('<ul class="uses">{}</ul>', format_html_join("", USE, _uses(found)))


def _uses(found: Sequence[Use]) -> Iterator[tuple[str, ...]]:
    for use in found:
        numbers = ", ".join(use.versions)
        brief = f"{', '.join(use.versions[:SHOWN_VERSIONS])} …" if len(use.versions) > SHOWN_VERSIONS else numbers
        hover = format_html(' title="{}"', numbers) if brief != numbers else NOTHING
        aliases = format_html_join("", ' <span class="live-alias">{}</span>', ((alias,) for alias in use.aliases))
        yield address("function", use.function_id), use.name, hover, brief, aliases
