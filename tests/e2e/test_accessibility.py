"""What axe-core finds on each page, wide and narrow, light and dark: nothing. And no page loses its shape, however long
the names are that it shows.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e import hostile
from tests.e2e.conftest import Demo, sign_in
from tests.e2e.tour import address_of, every_page
from tests.every_route import ROUTES

HERE = Path(__file__).parent
AXE = (HERE / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
MISSHAPEN = (HERE / "misshapen.js").read_text(encoding="utf-8")
PARTS = 8
WIDTHS = (1440, 1024, 390, 320)
AXED = (1440, 1024, 320)
BY_COLOUR = ("color-contrast", "link-in-text-block")  # what a page in dark may break that is whole in light
WIDE: ViewportSize = {"width": 1440, "height": 900}
FOUND = """async (only) => (await axe.run(document, {resultTypes: ["violations"], ...only})).violations.flatMap(rule =>
    rule.nodes.map(node => `${rule.impact} ${rule.id}: ${node.target.join(' ')} (${node.html.slice(0, 160)})`))"""
NO_PAGES = {"login", "healthz", "run-log", "base-plan-csv", "base-plan-json"}  # files; the sign-in has its own test
pytestmark = pytest.mark.timeout(400)  # the first makes every page there is


def violations(page: Page, *rules: str) -> list[str]:
    """Everything axe finds on the page as it stands, or by these rules alone."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)  # evaluated by the browser's debugger, which the content security policy does not bind
    found: list[str] = page.evaluate(FOUND, {"runOnly": rules} if rules else {})
    return [f"{page.url}: {one}" for one in found]


def misshapen(page: Page) -> list[str]:
    """What of the page as it stands is cut off, hangs out or is broken."""
    found: list[str] = page.evaluate(MISSHAPEN)
    return [f"{page.url}: {one}" for one in found]


@pytest.fixture(scope="module")
def administrator(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A tab of the administrator, who may see every page."""
    # without motion: a colour on its way from light to dark is neither
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    sign_in(page, demo, "admin")
    yield page
    context.close()


@pytest.fixture(scope="module")
def addresses(administrator: Page, demo: Demo) -> Sequence[str]:
    """Every page of the demo, made once for all tests here."""
    return every_page(administrator, demo)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_sign_in_page(browser: Browser, demo: Demo, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(viewport=WIDE, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{demo.url}/login/")
    found = violations(page)
    context.close()
    assert not found, "\n".join(found)


def test_every_page_of_the_tour_answers(administrator: Page, addresses: Sequence[str]) -> None:
    statuses = {url: administrator.request.get(url).status for url in addresses}

    assert {url: status for url, status in statuses.items() if status != 200} == {
        url: 404 for url in addresses if url.endswith("/nowhere/")
    }


def test_every_page_of_the_router_is_walked(addresses: Sequence[str]) -> None:
    pages = {name for name, route in ROUTES.items() if 200 in route.get} - NO_PAGES
    walked = {resolve(urlsplit(url).path).url_name for url in addresses if not url.endswith("/nowhere/")}

    assert sorted(pages - walked) == [], "tests/e2e/tour.py leads to none of these"


# In parts, so that no test takes long where the machine has much else to do; each page is loaded once, and resized.
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_keeps_its_shape_and_axe_finds_nothing_at_any_width_light_or_dark(
    administrator: Page, addresses: Sequence[str], part: int
) -> None:
    found = []
    for url in addresses[part::PARTS]:
        administrator.set_viewport_size(WIDE)
        administrator.goto(url)
        for width in WIDTHS:
            administrator.set_viewport_size({"width": width, "height": 900})
            seen = misshapen(administrator)
            if width in AXED:
                seen += violations(administrator)
                administrator.emulate_media(color_scheme="dark")
                seen += violations(administrator, *BY_COLOUR)
                administrator.emulate_media(color_scheme="light")
            found += [f"at {width} px, {one}" for one in seen]
    assert not found, "\n".join(dict.fromkeys(found))


def test_axe_finds_nothing_in_what_opens_and_in_a_refused_form(page: Page, demo: Demo) -> None:
    page.locator(".person summary").click()
    found = violations(page)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    found += violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("orders")
    expect(page.locator("#box [role=option]").first).to_be_visible()
    found += violations(page)
    page.goto(f"{address_of(page, demo, 'orders-api')}deploy/")
    page.get_by_label("Tag or digest").fill("no-such-tag")
    page.get_by_label("Alias to point to it").select_option("previous")
    page.get_by_role("button", name="Plan the deployment").click()
    expect(page.get_by_role("alert")).to_contain_text("no-such-tag")
    expect(page.get_by_label("Tag or digest")).to_have_value("no-such-tag")
    found += violations(page)
    assert not found, "\n".join(found)


def test_links_and_buttons_of_the_fullest_tables_are_far_enough_apart_to_be_hit(
    administrator: Page, addresses: Sequence[str], demo: Demo
) -> None:
    found = []
    administrator.set_viewport_size({"width": 1350, "height": 900})
    for url in (f"{demo.url}/functions/", address_of(administrator, demo, hostile.FUNCTION)):
        administrator.goto(url)
        found += violations(administrator, "target-size")
    assert not found, "\n".join(found)


def test_the_list_of_functions_shows_every_column_at_its_usual_width(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/")
    hidden = page.locator(".table-side").evaluate("side => side.scrollWidth - side.clientWidth")
    assert hidden == 0
    for column in ("Function", "Account", "Alias", "Digest", "Base", "State", "Deployed", "Owner"):
        expect(page.get_by_role("columnheader", name=column)).to_be_in_viewport()


def test_fifty_lines_of_the_list_fit_two_screens_however_long_names_are(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/")
    names = page.locator("#rows :is(.name, .al, span.owner, .base-name)")
    names.evaluate_all("all => { for (const name of all) name.textContent = 'x'.repeat(128); }")
    lines = page.locator("#rows tr:not(.two)")
    heights = lines.evaluate_all("all => all.map(line => line.getBoundingClientRect().height)")
    assert max(heights) < 34
    assert page.locator(".table-side").evaluate("side => side.scrollWidth - side.clientWidth") == 0
    for column in ("Digest", "Owner"):
        expect(page.get_by_role("columnheader", name=column)).to_be_in_viewport()
    wrapped = "all => all.filter(chip => chip.getClientRects().length > 1 || chip.offsetHeight > 24).length"
    assert page.locator(".functions .dg").evaluate_all(wrapped) == 0


def test_the_reasons_of_a_function_open_by_the_keyboard(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/?freshness=stale")
    first = page.locator("#rows tr").first
    expect(first.locator(".says")).to_be_hidden()
    first.locator(".name").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(first.locator(".says")).to_be_visible()
    uncovered = """row => {
        const [says, base] = [".says", "td.base"].map(part => row.querySelector(part).getBoundingClientRect());
        const there = document.elementFromPoint(base.left + base.width / 2, says.top + says.height / 2);
        return row.querySelector(".says").contains(there); }"""
    assert first.evaluate(uncovered)
