"""Icons of the sprite."""

from functools import lru_cache

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString


@lru_cache(maxsize=256, typed=True)
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; without a label it is decoration and hidden from screen readers."""
    sprite = static("vendor/tabler-icons/icons.svg")
    if label:
        picture = '<svg class="i" role="img" aria-label="{}"><use href="{}#{}"/></svg>'
        return format_html(picture, label, sprite, name)
    return format_html('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)
