"""What an operator does all day, in a real browser against the whole demo."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo, sign_in

DIGEST = re.compile(r"^[0-9a-f]{12}$")


def wait_until(reached: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until it holds, and say what did not."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def open_function(page: Page, demo: Demo, name: str) -> None:
    """Search for it and follow its link; staging has functions of the same names."""
    page.goto(f"{demo.url}/functions/?account=production&search={name}")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def digest_of(page: Page, alias: str) -> str:
    """The digest that the function's page shows for an alias."""
    lane = (
        page.get_by_role("region", name="From alias to base")
        .get_by_role("list")
        .filter(has_text=re.compile(rf"Alias\s*{alias}"))
    )
    digest = lane.get_by_role("button", name="copy digest").first.inner_text().strip()
    assert DIGEST.match(digest), digest
    return digest


def mark(page: Page) -> None:
    """Leave something in the page that a reload would lose."""
    page.evaluate("window.notReloaded = true")


def assert_not_reloaded(page: Page) -> None:
    """The page is still the one that was marked."""
    assert page.evaluate("window.notReloaded === true"), "the page was loaded again"


def log_numbers(page: Page) -> list[int]:
    """The numbers of the log lines on the page, in their order."""
    numbers = page.locator("#log-rows li[data-n]").evaluate_all("rows => rows.map(row => Number(row.dataset.n))")
    return [int(number) for number in numbers]


def invoke(page: Page, demo: Demo, name: str, payload: str = "{}") -> None:
    """Fill in the invoke form of a function and send it."""
    open_function(page, demo, name)
    page.get_by_role("link", name="Invoke").click()
    page.get_by_label("Payload (JSON)").fill(payload)
    page.get_by_role("button", name="Invoke once").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))


def test_two_keys_lead_from_the_form_to_the_plan(page: Page, demo: Demo) -> None:
    open_function(page, demo, "orders-api")
    page.get_by_role("link", name="Deploy", exact=True).click()
    expect(page.get_by_label("Tag or digest")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Deploy to live")).to_be_visible()


def test_an_operator_finds_a_stale_function_and_deploys_a_newer_image_to_its_alias(page: Page, demo: Demo) -> None:
    page.get_by_role("link", name=re.compile(r"^Stale")).click()
    page.wait_for_url(re.compile("freshness=stale"))
    expect(page.locator("td.base").filter(has_text="Stale")).not_to_have_count(0)
    expect(page.locator("td.base").filter(has_text="Current")).to_have_count(0)
    in_production = page.locator("#rows tr").filter(has_text="production")
    in_production.get_by_role("link", name="cart-api", exact=True).click()

    before = {alias: digest_of(page, alias) for alias in ("live", "canary")}

    page.get_by_role("link", name="Deploy", exact=True).click()
    page.get_by_label("Tag or digest").fill("1.9.0-rc1")
    page.get_by_label("Alias to point to it").select_option("live")
    page.get_by_role("button", name="Plan the deployment").click()
    expect(page.get_by_role("heading", name="Deploy to live")).to_be_visible()
    page.get_by_label(re.compile("to confirm")).fill("live")
    page.locator("form.confirm button[type=submit]").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    mark(page)

    expect(page.locator("#run-status")).to_contain_text("Succeeded", timeout=60_000)
    assert_not_reloaded(page)
    lines = log_numbers(page)
    assert lines == list(range(1, len(lines) + 1))
    expect(page.locator("#run-steps")).not_to_contain_text(re.compile("Pending|Running|Waiting"))
    open_function(page, demo, "cart-api")
    expect(page.get_by_text("1.9.0-rc1").first).to_be_visible()
    assert digest_of(page, "live") not in before.values()
    assert digest_of(page, "canary") == before["canary"]


def test_the_log_of_a_chatty_function_arrives_while_it_runs(page: Page, demo: Demo) -> None:
    invoke(page, demo, "log-chatter")
    mark(page)
    wait_until(lambda: len(log_numbers(page)) > 40, "forty lines")
    seen_at = time.monotonic()
    assert page.locator("[data-ended]").count() == 0
    expect(page.locator("#run-status")).to_contain_text("Succeeded", timeout=60_000)
    assert time.monotonic() - seen_at >= 5
    assert_not_reloaded(page)
    lines = log_numbers(page)
    assert len(lines) > 200
    assert lines == list(range(1, len(lines) + 1))


def test_a_dropped_connection_loses_and_doubles_no_line(page: Page, demo: Demo) -> None:
    invoke(page, demo, "log-chatter")
    mark(page)
    wait_until(lambda: len(log_numbers(page)) > 30, "thirty lines")
    demo.proxy.cut()
    expect(page.locator("#log-lost")).to_be_visible(timeout=15_000)
    before = len(log_numbers(page))
    page.wait_for_timeout(3_000)
    assert len(log_numbers(page)) == before
    demo.proxy.mend()
    expect(page.locator("#log-lost")).to_be_hidden(timeout=20_000)
    expect(page.locator("#run-status")).to_contain_text("Succeeded", timeout=60_000)
    assert_not_reloaded(page)
    lines = log_numbers(page)
    assert lines == list(range(1, len(lines) + 1))
    chatter = page.locator("#log-rows li").filter(has_text="of 200: shard")
    assert chatter.count() == 200


def test_a_viewer_sees_everything_and_changes_nothing(page: Page, demo: Demo) -> None:
    page.context.clear_cookies()
    sign_in(page, demo, "viewer")
    open_function(page, demo, "orders-api")
    page.get_by_role("link", name="Deploy", exact=True).click()
    expect(page.get_by_role("button", name="Plan the deployment")).to_be_disabled()
    page.goto(page.url.replace("/deploy/", "/invoke/"))
    expect(page.get_by_role("button", name="Invoke once")).to_be_disabled()
