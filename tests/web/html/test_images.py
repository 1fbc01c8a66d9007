"""Checks, links to images, and who uses one."""

import pytest

from functions_app.domain.images.lambda_rules import Check
from functions_app.services.inventory.images.repositories import Use
from functions_app.web.html.images import check_line, image_link, uses
from tests.factories import digest
from tests.web.html.hostile import ATTACK, harmless


@pytest.mark.parametrize(
    ("check", "colour", "word"),
    [
        (Check("Platform", True, "It fits."), "good", "Fine"),
        (Check("Platform", False, "It does not."), "bad", "Broken"),
        (Check("Platform", None, "Who knows."), "calm", "Not certain"),
        (Check("Size", False, "It is large.", "advice"), "warn", "Could be better"),
        (Check("Size", None, "Who knows.", "hint"), "calm", "To know"),
    ],
)
def test_a_rule_forbids_and_advice_only_minds(check: Check, colour: str, word: str) -> None:
    line = check_line(check)
    assert f'<span class="{colour}">' in line
    assert f'aria-label="{word}"' in line
    assert f"<b>{check.name}.</b> {check.text}" in line


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
        check_line(Check(ATTACK, False, ATTACK)),
        image_link(7, ATTACK),
        uses([Use(3, ATTACK, versions=(ATTACK,) * 6, aliases=(ATTACK,))]),
    ):
        assert harmless(html)
