"""The main job in a browser that runs no JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Demo, sign_in


@pytest.fixture
def plain(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A tab without JavaScript, signed in as the operator."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, demo, "operator")
    yield page
    context.close()


def open_function(page: Page, name: str) -> None:
    """Search with the form of the top bar, then follow the link."""
    page.get_by_role("searchbox", name="Search everything").fill(name)
    page.get_by_role("searchbox", name="Search everything").press("Enter")
    page.wait_for_url(re.compile("/search/"))
    page.get_by_role("link", name=re.compile(f"^{name} production")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_filters_are_links(plain: Page) -> None:
    plain.get_by_role("link", name=re.compile("^Stale")).click()
    plain.wait_for_url(re.compile("freshness=stale"))
    expect(plain.get_by_role("row").filter(has_text="cart-api")).not_to_have_count(0)
    expect(plain.locator("td.base").filter(has_text="Current")).to_have_count(0)
    plain.get_by_role("link", name="Clear all").click()
    expect(plain.locator("td.base").filter(has_text="Current")).not_to_have_count(0)


def test_functions_are_chosen_by_checkboxes(plain: Page) -> None:
    plain.get_by_role("link", name="Functions", exact=True).click()
    for name in ("orders-api", "returns-api"):
        plain.get_by_role("checkbox", name=f"Select {name}", exact=True).first.check()
    plain.get_by_role("button", name="Select those ticked").click()
    expect(plain.get_by_role("heading", level=1)).to_contain_text("2 functions selected")


def test_a_deployment_is_planned_confirmed_and_followed_to_its_end(plain: Page) -> None:
    open_function(plain, "returns-api")
    plain.get_by_role("link", name="Deploy", exact=True).click()
    plain.get_by_label("Tag or digest").fill("1.7.2")
    plain.get_by_label("Alias to point to it").select_option("canary")
    plain.get_by_role("button", name="Plan the deployment").click()
    expect(plain.get_by_role("heading", name="Deploy to canary")).to_be_visible()
    if plain.locator("#confirm").count():
        plain.locator("#confirm").fill("canary")
    plain.locator("form.confirm button[type=submit]").click()
    plain.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(plain.locator("#run-status")).to_contain_text("Succeeded", timeout=60_000)
    expect(plain.locator("#log-rows li").last).to_contain_text("Succeeded")


def test_a_run_page_reloads_itself_until_the_run_has_ended(plain: Page) -> None:
    open_function(plain, "log-chatter")
    plain.get_by_role("link", name="Invoke").click()
    plain.get_by_role("button", name="Invoke once").click()
    plain.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(plain.locator("#run-status")).to_contain_text(re.compile("Queued|Running"))
    expect(plain.locator("#run-status")).to_contain_text("Succeeded", timeout=60_000)
    expect(plain.locator("#log-rows li").filter(has_text="of 200: shard")).to_have_count(200)


def test_a_refused_deployment_comes_back_with_what_was_typed(plain: Page) -> None:
    open_function(plain, "orders-api")
    plain.get_by_role("link", name="Deploy", exact=True).click()
    plain.get_by_label("Tag or digest").fill("no-such-tag")
    plain.get_by_label("Alias to point to it").select_option("previous")
    plain.get_by_role("button", name="Plan the deployment").click()
    expect(plain.get_by_role("alert")).to_contain_text("no-such-tag")
    expect(plain.get_by_label("Tag or digest")).to_have_value("no-such-tag")
    expect(plain.get_by_label("Alias to point to it")).to_have_value("previous")
