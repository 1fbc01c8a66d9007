"""The overview of the demo: it leads to what it names, and follows the fleet."""

import json
import urllib.request

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo


def test_the_first_page_names_what_is_broken_and_leads_there(page: Page, demo: Demo) -> None:
    broken = page.locator(".finding").filter(has_text="broken")
    broken.get_by_role("link", name="receipt-archive").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("receipt-archive")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(f"{demo.url}/")


def test_every_finding_leads_to_as_many_functions_as_it_counts(page: Page, demo: Demo) -> None:
    links = page.locator(".finding h3 a").evaluate_all("all => all.map(a => [a.textContent, a.href])")
    counted = [(int(text.split()[0]), href) for text, href in links if "function" in text and "end of life" not in text]
    assert counted
    for count, href in counted:
        page.goto(href)
        expect(page.locator(".sum b")).to_have_text(str(count))


def test_a_release_shows_in_the_bar_without_a_reload(page: Page, demo: Demo) -> None:
    stale = page.locator(".fresh-words a").filter(has_text="Stale").locator("b")
    before = stale.inner_text()
    page.evaluate("window.sameDocument = true")
    body = json.dumps({"stream": "provided:al2023"}).encode()
    address = f"http://127.0.0.1:{demo.sandbox_port}/_sandbox/releases"
    with urllib.request.urlopen(urllib.request.Request(address, data=body, method="POST"), timeout=10) as answer:
        assert answer.status == 200
    expect(stale).not_to_have_text(before, timeout=90_000)
    assert page.evaluate("window.sameDocument")
