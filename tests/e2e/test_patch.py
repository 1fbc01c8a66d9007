"""A stale function is patched onto the newest release of its base, from the list to the undo, in a real browser."""

import json
import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo, sign_in
from tests.e2e.test_main_job import assert_not_reloaded, invoke, mark
from tests.e2e.tour import address_of

NAME = "stock-sync"  # its handler tells what /etc/os-release of its base says
LONG = 180_000  # ms: to read layers, or for a run to end, on a slow machine


def system_of(page: Page, demo: Demo) -> str:
    """Call it, and give the operating system's release that it ran on."""
    invoke(page, demo, NAME)
    succeeded(page)
    return str(json.loads(page.locator(".answer pre.payload").inner_text())["system"])


def succeeded(page: Page) -> None:
    """Watch the run that the page shows to its end."""
    expect(page.locator("#run-status")).to_contain_text("Succeeded", timeout=LONG)


def confirm(page: Page, words: str) -> None:
    """Type the name of the production alias, press the button, and be on the run's page."""
    page.get_by_label(re.compile("to confirm")).fill("live")
    page.get_by_role("button", name=words, exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    mark(page)


def test_a_stale_function_is_patched_from_the_list_and_taken_back(page: Page, demo: Demo) -> None:
    before = system_of(page, demo)

    page.goto(f"{demo.url}/functions/?account=production&freshness=stale&search={NAME}")
    page.get_by_role("button", name=f"Plan the patch of {NAME}").click()
    page.wait_for_url(re.compile("/plans/"), timeout=LONG)
    expect(page.locator("article.plan .verdict")).to_contain_text(re.compile(r"SAFE: python:3\.12 moves .+ forward"))
    confirm(page, "Patch")
    expect(page.locator("#run-steps")).to_contain_text("Push the result")
    succeeded(page)
    expect(page.get_by_role("link", name="Open the function")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert_not_reloaded(page)
    patched = page.url

    after = system_of(page, demo)
    assert before != after
    page.goto(address_of(page, demo, NAME))
    expect(page.locator("#verdict")).to_contain_text("All is well")

    page.get_by_role("button", name="Undo the patch").click()
    confirm(page, "Undo the patch")
    succeeded(page)
    assert_not_reloaded(page)
    assert system_of(page, demo) == before
    page.goto(patched)
    expect(page.locator("#run-outcome")).to_contain_text("It was undone.")


def test_whoever_may_only_look_sees_how_a_function_could_be_patched(page: Page, demo: Demo) -> None:
    page.context.clear_cookies()
    sign_in(page, demo, "viewer")
    page.goto(f"{demo.url}/functions/?account=production&search=exif-strip")
    page.get_by_role("link", name="Patch exif-strip").click()
    expect(page.get_by_role("heading", name="live", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Plan the patch")).to_be_disabled()
