"""Pages that follow the fleet, when there is nothing more to follow: they stay as they are and ask no more."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Demo
from tests.e2e.jumps import MOST, MOVES, moved

LIVE = "drydock-live"


def tell(page: Page, revision: int, troubles: int = 0) -> None:
    """What the stream tells a page: the fleet has this revision, and so many parts of Drydock are away."""
    data = json.dumps({"revision": revision, "running": 0, "troubles": troubles})
    page.evaluate("data => document.dispatchEvent(new CustomEvent('fleet', {detail: {data}}))", data)


@pytest.fixture
def readings(page: Page, demo: Demo) -> list[str]:
    """The overview is open, its own stream is cut off, and its clock is the test's; its readings from then on."""
    page.clock.install()
    page.route("**/events/**", lambda route: route.abort())
    page.goto(f"{demo.url}/")
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if LIVE in request.headers else None)
    return found


def test_a_page_whose_session_ended_stays_and_is_not_read_again_and_again(
    page: Page, demo: Demo, readings: list[str]
) -> None:
    heading = page.get_by_role("heading", level=1).inner_text()
    page.context.clear_cookies()
    with page.expect_response(lambda response: "/login/" in response.url):
        tell(page, 1_000_000)
        page.clock.run_for(2_000)
    for _ in range(20):
        page.clock.run_for(2_000)
    assert readings.count(f"{demo.url}/") == 1
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.url == f"{demo.url}/"


def test_a_page_that_the_server_cannot_give_is_asked_for_more_and_more_seldom(
    page: Page, demo: Demo, readings: list[str]
) -> None:
    def fail(route: Route) -> None:
        if LIVE in route.request.headers:
            route.fulfill(status=503, body="")
        else:
            route.fallback()

    page.route(f"{demo.url}/", fail)
    tell(page, 1_000_000)
    for _ in range(60):
        page.clock.run_for(2_000)
        page.evaluate("0")
    assert 2 <= len(readings) <= 7


def test_what_is_ticked_stays_so_when_its_row_changes(page: Page, demo: Demo, readings: list[str]) -> None:
    def renamed(route: Route) -> None:
        if LIVE in route.request.headers:
            body = route.fetch().text().replace('<a class="name"', '<a data-fresh class="name"')
            route.fulfill(status=200, content_type="text/html", body=body)
        else:
            route.fallback()

    address = f"{demo.url}/functions/?sort=name"
    page.goto(address)
    boxes = page.get_by_role("checkbox", name=re.compile("^Select "))
    boxes.nth(1).check()
    page.route(address, renamed)
    tell(page, 1_000_000)
    page.clock.run_for(2_000)
    expect(page.locator("#rows [data-row]").nth(1).locator("a[data-fresh]")).to_be_visible()
    expect(boxes.nth(1)).to_be_checked()
    expect(boxes.nth(0)).not_to_be_checked()


@pytest.mark.parametrize("width", [1350, 390])
def test_nothing_jumps_while_a_page_loads(page: Page, demo: Demo, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script(MOVES)
    shifts = {}
    for path in ("/", "/functions/", "/functions/1/", "/runs/1/", "/bases/"):
        page.goto(f"{demo.url}{path}")
        shifts[path] = moved(page)
    assert max(shifts.values()) <= MOST, shifts


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_jumps_when_a_list_updates_and_what_came_and_went_is_announced(
    page: Page, demo: Demo, readings: list[str], width: int
) -> None:
    def moved_on(route: Route) -> None:
        if LIVE in route.request.headers:
            other = re.sub('<tr data-row id="f', r"\g<0>9000", route.fetch().text(), count=1)
            route.fulfill(status=200, content_type="text/html", body=other.replace("Active", "Pending"))
        else:
            route.fallback()

    address = f"{demo.url}/functions/?sort=name"
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script(MOVES)
    page.goto(address)
    page.route(address, moved_on)
    tell(page, 1_000_000)
    page.clock.run_for(2_000)
    expect(page.locator("#list-news")).to_contain_text("1 more here now, 1 no longer here")
    expect(page.locator("#list-news")).to_be_in_viewport(ratio=1)
    assert moved(page) <= MOST


def test_an_open_page_shows_that_workers_went_away_and_that_they_are_back(
    page: Page, demo: Demo, readings: list[str]
) -> None:
    note = "<p>No worker has looked at queue changes for 3 minutes</p>"

    def without_workers(route: Route) -> None:
        if LIVE in route.request.headers:
            whole = re.sub(r'(<div id="engine"[^>]*>)', rf"\1{note}", route.fetch().text())
            route.fulfill(status=200, content_type="text/html", body=whole.replace('troubles="0"', 'troubles="1"'))
        else:
            route.fallback()

    shown = int(page.locator("#fleet").get_attribute("data-revision") or 0)
    page.route(f"{demo.url}/", without_workers)
    tell(page, shown, troubles=1)
    page.clock.run_for(2_000)
    expect(page.locator("#engine")).to_contain_text("No worker has looked at queue changes")
    page.unroute(f"{demo.url}/", without_workers)
    tell(page, shown, troubles=0)
    page.clock.run_for(4_000)
    expect(page.locator("#engine")).to_be_empty()
