"""Links to images, and who uses one."""

from functions_app.services.inventory.images.image_use import Use
from functions_app.web.html.images import image_link, uses
from tests.factories import digest
from tests.web.html.hostile import ATTACK, harmless


def test_an_image_is_a_link_with_its_whole_digest_to_copy() -> None:
    link = image_link(70, digest("a"))
    assert 'href="/images/70/"' in link
    assert f'data-copy="{digest("a")}"' in link


def test_a_use_of_many_versions_names_the_first_with_all_on_hover() -> None:
    shown = uses([Use(3, "orders", versions=tuple("123456"), aliases=("live",))])
    assert 'title="1, 2, 3, 4, 5, 6">1, 2, 3, 4 …</span>' in shown
    assert '<span class="live-alias">live</span>' in shown


def test_nothing_of_an_image_lets_markup_through() -> None:
    for html in (
        image_link(7, ATTACK),
        uses([Use(3, ATTACK, versions=(ATTACK,) * 6, aliases=(ATTACK,))]),
    ):
        assert harmless(html)
