"""What axe-core finds on each page, light and dark: nothing. And no page is wider than a narrow screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Demo, sign_in
from tests.e2e.tour import address_of, every_page

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
FOUND = """async () => (await axe.run(document)).violations.flatMap(rule =>
    rule.nodes.map(node => `${rule.impact} ${rule.id}: ${node.target.join(' ')} (${node.html.slice(0, 160)})`))"""


def violations(page: Page) -> list[str]:
    """Everything axe finds on the page as it stands."""
    page.evaluate(AXE)  # evaluated by the browser's debugger, which the content security policy does not bind
    found: list[str] = page.evaluate(FOUND)
    return [f"{page.url}: {one}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser: Browser, demo: Demo, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{demo.url}/login/")
    found = violations(page)
    sign_in(page, demo, "admin")
    for url in every_page(page, demo):
        page.goto(url)
        found += violations(page)
    context.close()
    assert not found, "\n".join(sorted(set(found)))


def test_axe_finds_nothing_in_what_opens_and_in_a_refused_form(page: Page, demo: Demo) -> None:
    page.locator(".person summary").click()
    found = violations(page)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    found += violations(page)
    page.goto(f"{address_of(page, demo, 'orders-api')}deploy/")
    page.get_by_label("Or type a tag").fill("no-such-tag")
    page.get_by_label("Alias to point to it").select_option("previous")
    page.get_by_role("button", name="Plan the deployment").click()
    expect(page.get_by_role("alert")).to_contain_text("no-such-tag")
    expect(page.get_by_label("Or type a tag")).to_have_value("no-such-tag")
    found += violations(page)
    assert not found, "\n".join(found)


def test_no_page_scrolls_sideways_on_a_narrow_screen(page: Page, demo: Demo) -> None:
    addresses = every_page(page, demo)
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
    for column in ("Function", "Aliases", "Base", "State", "Changed", "Owner"):
        expect(page.get_by_role("columnheader", name=column)).to_be_in_viewport()
