"""Where a page is, and what a word means."""

from django.template.loader import render_to_string

from functions_app.web.html.terms import TERMS
from functions_app.web.html.trails import trail
from tests.web.html.hostile import ATTACK, harmless


def test_a_trail_names_the_pages_above_from_the_top_each_with_its_address() -> None:
    links = '<a href="/bases/">Bases</a><a href="/bases/1/">python:3.12</a>'
    assert f">{links}</nav>" in trail("Bases", "/bases/", "python:3.12", "/bases/1/")
    assert harmless(trail(ATTACK, ATTACK))


def test_a_word_is_explained_beside_it_by_something_that_opens_without_a_script() -> None:
    for term in TERMS.values():
        text = render_to_string("_help.html", {"term": term})
        assert "<details" in text
        assert f"What does “{term.word}” mean?" in text
        assert len(term.meaning) < 200
