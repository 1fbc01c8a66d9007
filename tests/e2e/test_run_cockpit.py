"""A run's page while it goes on and ends: nothing jumps, the tab tells, and what comes next is a click away."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_main_job import invoke

WATCH = """
window.moved = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.moved.push(entry.value);
  }
}).observe({ type: "layout-shift", buffered: true });
window.notified = [];
window.Notification = class { constructor(title) { window.notified.push(title); } };
window.Notification.permission = "default";
window.Notification.requestPermission = async () => (window.Notification.permission = "granted");
"""
MOST = 0.02  # of layout shift: nobody sees less


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_jumps_when_a_run_ends_and_the_tab_tells_it(page: Page, demo: Demo, width: int) -> None:
    page.add_init_script(WATCH)
    page.set_viewport_size({"width": width, "height": 900})
    invoke(page, demo, "log-chatter")
    expect(page).to_have_title(re.compile("^(Queued|Running): run"))
    page.get_by_role("button", name="Tell me when it ends").click()
    expect(page.get_by_role("button", name="Tell me when it ends")).to_have_attribute("aria-pressed", "true")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    expect(page.locator("#run-status [data-ended]")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Invoke again")).to_be_visible()
    expect(page.locator("#log-complete")).to_be_visible()
    assert sum(page.evaluate("window.moved")) <= MOST
    expect(page).to_have_title(re.compile("^Succeeded: run"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("good"))
    (told,) = page.evaluate("window.notified")
    assert told.startswith("Succeeded: Run ")
