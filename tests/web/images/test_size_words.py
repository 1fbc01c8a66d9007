"""How big an image is, in words."""

from dataclasses import replace

import pytest

from functions_app.models import Image
from functions_app.services.inventory.images.contents import Contents
from functions_app.services.inventory.images.image import ImageFacts
from functions_app.services.inventory.images.levels import Layer
from functions_app.web.images.size_words import layer_words, size_words
from tests.factories import digest

LAYER = Layer(1, digest("layer"), digest("files"), 70, "", "", owner="", own_base=False, share=1.0)
UNREAD = Contents({}, 1, None, None, None, None, 0, None, None, base_read=False, problem="")


@pytest.fixture
def facts() -> ImageFacts:
    """An image of one layer of 70 bytes, of which nothing else is known."""
    return ImageFacts(
        image=Image(size_bytes=70),
        levels=(),
        layers=(LAYER,),
        base_bytes=0,
        own_bytes=70,
        tags=(),
        versions=(),
        checks=(),
        advice=(),
        labels=(),
        annotations=(),
        contents=UNREAD,
    )


def test_an_image_on_no_known_base_has_one_size(facts: ImageFacts) -> None:
    assert size_words(facts) == "70 B compressed"


def test_a_base_has_a_part_of_it(facts: ImageFacts) -> None:
    assert size_words(replace(facts, base_bytes=50, own_bytes=20)) == "70 B compressed: 50 B base, 20 B the app's own"


def test_layers_are_counted(facts: ImageFacts) -> None:
    assert layer_words(facts) == "1 layer from the bottom up, 70 B compressed."
    assert layer_words(replace(facts, layers=(LAYER, LAYER))).startswith("2 layers from the bottom up")


def test_layers_that_were_read_have_an_uncompressed_size(facts: ImageFacts) -> None:
    read = replace(facts, contents=replace(UNREAD, total_bytes=300))
    assert layer_words(read) == "1 layer from the bottom up, 70 B compressed; 300 B uncompressed."
