"""What axe-core finds on each page, light and dark: nothing. And no page is wider than a narrow screen."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.conftest import Demo, sign_in
from tests.e2e.tour import address_of, every_page

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
PARTS = 4
WIDE: ViewportSize = {"width": 1440, "height": 900}
FOUND = """async () => (await axe.run(document)).violations.flatMap(rule =>
    rule.nodes.map(node => `${rule.impact} ${rule.id}: ${node.target.join(' ')} (${node.html.slice(0, 160)})`))"""


def violations(page: Page) -> list[str]:
    """Everything axe finds on the page as it stands."""
    page.evaluate(AXE)  # evaluated by the browser's debugger, which the content security policy does not bind
    found: list[str] = page.evaluate(FOUND)
    return [f"{page.url}: {one}" for one in found]


@pytest.fixture(scope="module")
def administrator(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A tab of the administrator, who may see every page."""
    context = browser.new_context(viewport=WIDE)
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


# in parts, so that no test takes long where the machine has much else to do
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    administrator: Page, addresses: Sequence[str], scheme: Literal["light", "dark"], part: int
) -> None:
    administrator.emulate_media(color_scheme=scheme)
    found = []
    for url in addresses[part::PARTS]:
        administrator.goto(url)
        found += violations(administrator)
    assert not found, "\n".join(sorted(set(found)))


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


def test_no_page_scrolls_sideways_on_a_narrow_screen(page: Page, addresses: Sequence[str]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    wide = []
    for url in addresses:
        page.goto(url)
        width = page.evaluate("document.documentElement.scrollWidth")
        wide += [f"{url}: {width}"] if width > 360 else []
    assert not wide, "\n".join(wide)


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
