"""AWS releases a base image while somebody looks at the functions page."""

import json
import urllib.request

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_main_job import assert_not_reloaded, mark

ONE_POLL = 30 * 1.15  # seconds: the demo's DRYDOCK_BASE_POLL_EVERY, and the most that jitter adds
WORK = 15  # seconds for the poll's own work on a slow machine


def release(demo: Demo, stream: str) -> None:
    """Have the sandbox publish a new release of a base stream."""
    body = json.dumps({"stream": stream}).encode()
    headers = {"Content-Type": "application/json"}
    address = f"http://127.0.0.1:{demo.sandbox_port}/_sandbox/releases"
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
        assert answer.status < 300


def base_with_current_functions(page: Page, demo: Demo) -> str:
    """A base that has not reached its end of life on the demo's day; the page shows the functions current on it."""
    for base in ("nodejs:22", "python:3.12"):
        page.goto(f"{demo.url}/functions/?base={base}&freshness=current&sort=name")
        if page.locator("#rows tr").filter(has_text="Current").count():
            return base
    raise AssertionError("no function of the demo is current: its bases have all reached their end of life")


def test_a_release_turns_functions_stale_on_open_pages_within_one_poll_and_without_reload(
    page: Page, context: BrowserContext, demo: Demo
) -> None:
    base = base_with_current_functions(page, demo)
    link = page.locator("#rows a.name").first
    name, address = link.inner_text(), link.get_attribute("href")
    count = page.locator("#rows [data-row]").count()
    mark(page)
    everything = context.new_page()
    everything.goto(f"{demo.url}/functions/?base={base}&sort=name")
    row = everything.locator("#rows tr").filter(has=everything.locator(f"a.name[href='{address}']"))
    expect(row).to_contain_text("Current")
    row.get_by_role("link", name=name, exact=True).focus()
    mark(everything)

    release(demo, base)

    expect(row).to_contain_text("Stale", timeout=1000 * (ONE_POLL + WORK))
    expect(row).not_to_contain_text("Current")
    assert_not_reloaded(everything)
    expect(row.get_by_role("link", name=name, exact=True)).to_be_focused()

    # Rows that the filter no longer finds keep their place, and the page says so.
    news = page.locator("#list-news")
    expect(news).to_contain_text(f"{count} no longer here", timeout=10_000)
    expect(page.locator("#rows [data-row]")).to_have_count(count)
    assert_not_reloaded(page)
    news.get_by_role("link", name="Show the list as it is now").click()
    expect(page.get_by_role("heading", name="No function matches")).to_be_visible()
