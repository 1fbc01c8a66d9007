"""Where a page is: the way to it from the rail, for pages that stand two levels deep."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

TRAIL = '<nav class="trail" aria-label="Where this is">{}</nav>'


def trail(*steps: str) -> SafeString:
    """The pages above this one, from the top: a name and its address each, one after the other."""
    pairs = zip(steps[::2], steps[1::2], strict=True)
    return format_html(TRAIL, format_html_join("", '<a href="{}">{}</a>', ((href, name) for name, href in pairs)))
