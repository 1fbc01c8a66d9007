"""What a facet's values are drawn as."""

from dataclasses import replace

from django.utils.safestring import SafeString

from functions_app.web.html.facet_values import FacetValue, facet_values

BOLD = FacetValue("facet-tag-a", "<b>red</b>", 3, False, "?tag=a&page=2")


def test_a_label_is_escaped_also_where_markup_of_the_same_letters_was_drawn() -> None:
    markup = facet_values([replace(BOLD, label=SafeString(BOLD.label))])
    assert "<b>red</b>" in markup
    assert "&lt;b&gt;red&lt;/b&gt;" in facet_values([BOLD])
    assert facet_values([replace(BOLD, label=SafeString(BOLD.label))]) == markup


def test_what_is_chosen_says_so_and_what_was_not_counted_has_no_number() -> None:
    assert 'class="on" aria-current="true"' in facet_values([replace(BOLD, chosen=True)])
    assert '<span class="n">3</span>' in facet_values([BOLD])
    assert '<span class="n"></span>' in facet_values([replace(BOLD, count=None)])
