"""How big an image is, in words."""

from functions_app.domain.text import counted
from functions_app.services.inventory.images.image import ImageFacts
from functions_app.web.html.amounts import size


def size_words(facts: ImageFacts) -> str:
    """The compressed bytes, and whose they are where a base is known."""
    whose = f": {size(facts.base_bytes)} base, {size(facts.own_bytes)} the app's own" if facts.base_bytes else ""
    return f"{size(facts.image.size_bytes)} compressed{whose}"


def layer_words(facts: ImageFacts) -> str:
    """What stands above the table of layers."""
    count, unpacked = len(facts.layers), facts.contents.total_bytes
    more = "" if unpacked is None else f"; {size(unpacked)} uncompressed"
    return f"{counted(count, 'layer')} from the bottom up, {size_words(facts)}{more}."
