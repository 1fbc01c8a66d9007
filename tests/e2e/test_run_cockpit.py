"""A run's page while it goes on and ends: nothing jumps, the tab tells, and what comes next is a click away."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.jumps import MOST, MOVES, moved
from tests.e2e.test_main_job import invoke

WATCH = """
window.notified = [];
window.Notification = class { constructor(title) { window.notified.push(title); } };
window.Notification.permission = "default";
window.Notification.requestPermission = async () => (window.Notification.permission = "granted");
"""
INTO_THE_LOG = """() => {
    document.getElementById("log").scrollIntoView({ behavior: "instant" });
    scrollBy({ top: 400, behavior: "instant" });
}"""
LOG_IN_SIGHT = """() => {
    const below = document.getElementById("run-status").getBoundingClientRect().bottom + 12;
    const log = document.getElementById("log");
    return [below, innerHeight - 20].every(y => log.contains(document.elementFromPoint(innerWidth / 2, y)));
}"""

HIDDEN = """() => [...document.querySelectorAll(".outcome-told > *, .answer .figures, .answer .facts")]
    .filter(each => each.getBoundingClientRect().bottom > each.parentElement.getBoundingClientRect().bottom + 1)
    .map(each => each.innerText).join("; ")"""


def test_the_state_of_a_run_stays_in_sight_below_its_log_on_a_narrow_screen_and_covers_none_of_it(
    page: Page, demo: Demo
) -> None:
    page.goto(f"{demo.url}/runs/?kind=sync&by=everybody")
    page.locator("main tbody a.name").last.click()
    expect(page.locator("#run-status [data-ended]")).to_be_visible(timeout=60_000)
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate("document.getElementById('log').style = 'height: 200rem; max-height: none'")  # of very many lines
        page.evaluate(INTO_THE_LOG)
        expect(page.locator("#run-status .bdg").first).to_be_in_viewport(ratio=1)
        assert page.evaluate(LOG_IN_SIGHT), f"the log is covered at {width} px"


def test_why_a_call_failed_and_what_it_took_are_in_sight_at_its_end_and_ever_after(page: Page, demo: Demo) -> None:
    invoke(page, demo, "payment-retry")
    expect(page.locator("#run-status [data-ended]")).to_be_visible(timeout=60_000)
    expect(page.locator(".outcome-told .problem")).to_contain_text("request id")
    assert hidden_of(page) == ""
    page.reload()
    for width in (1440, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert hidden_of(page) == "", f"at {width} px"


def hidden_of(page: Page) -> str:
    """Which of a run's outcome and an answer's figures must be scrolled for, in the boxes that have them."""
    found: str = page.evaluate(HIDDEN)
    return found


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_jumps_when_a_run_ends_and_the_tab_tells_it(page: Page, demo: Demo, width: int) -> None:
    page.add_init_script(MOVES + WATCH)
    page.set_viewport_size({"width": width, "height": 900})
    invoke(page, demo, "log-chatter")
    expect(page).to_have_title(re.compile("^(Queued|Running): run"))
    page.get_by_role("button", name="Tell me when it ends").click()
    expect(page.get_by_role("button", name="Tell me when it ends")).to_have_attribute("aria-pressed", "true")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    expect(page.locator("#run-status [data-ended]")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Invoke again")).to_be_visible()
    expect(page.locator("#log-complete")).to_be_visible()
    assert moved(page) <= MOST
    expect(page).to_have_title(re.compile("^Succeeded: run"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("good"))
    (told,) = page.evaluate("window.notified")
    assert told.startswith("Succeeded: Run ")
