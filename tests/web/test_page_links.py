"""The links under a list."""

from functions_app.web.page_links import page_links


def test_page_links_show_first_last_and_neighbours() -> None:
    links = page_links(6, 200, lambda number: f"?page={number}")
    assert [link.number for link in links.links] == [1, 0, 4, 5, 6, 7, 8, 0, 200]
    assert (links.before, links.after) == ("?page=5", "?page=7")


def test_a_single_page_has_no_way_on() -> None:
    links = page_links(1, 1, str)
    assert (links.before, links.after, len(links.links)) == ("", "", 1)
