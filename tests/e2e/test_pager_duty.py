"""What somebody does who was woken at three: each job takes as many clicks and keys as were promised, and no more."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_main_job import invoke, open_function

LONG = 180_000  # ms: to read layers, or for a run to end, on a slow machine
# Each press of a button of the mouse, and each Enter, wherever the tab has gone since; what is typed is no step.
COUNTS = """
const step = (event) => event.isTrusted && sessionStorage.setItem("steps", Number(sessionStorage.getItem("steps")) + 1);
addEventListener("pointerdown", step, true);
addEventListener("keydown", (event) => event.key === "Enter" && step(event), true);
"""
Steps = Callable[[], int]


@pytest.fixture
def steps(page: Page) -> Steps:
    """How many steps were taken since this was asked last."""
    page.add_init_script(COUNTS)
    page.reload()

    def taken() -> int:
        count = int(page.evaluate("sessionStorage.getItem('steps')") or 0)
        page.evaluate("sessionStorage.removeItem('steps')")
        return count

    return taken


def test_which_aliases_of_production_are_stale_is_one_click_away(page: Page, demo: Demo, steps: Steps) -> None:
    page.goto(f"{demo.url}/")
    steps()
    page.get_by_role("link", name=re.compile("^Production aliases: Stale")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Functions")
    assert steps() == 1
    lines = page.locator("#rows tr")
    expect(lines.locator(".base").filter(has_text="Stale")).to_have_count(lines.count())
    expect(page.locator("#rows .alias").filter(has_text="live")).not_to_have_count(0)
    expect(page.locator("#rows .alias").filter(has_text=re.compile("previous|canary"))).to_have_count(0)


def test_from_a_pasted_log_group_to_the_function_is_one_key(page: Page, demo: Demo, steps: Steps) -> None:
    page.goto(f"{demo.url}/")
    page.wait_for_function("window.drydock?.box")
    steps()
    page.keyboard.press("/")
    page.keyboard.insert_text("/aws/lambda/receipt-archive")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("receipt-archive")
    assert steps() == 1


def test_a_patch_is_planned_from_its_row_by_one_click(page: Page, demo: Demo, steps: Steps) -> None:
    page.goto(f"{demo.url}/functions/?account=production&search=exif-strip")
    steps()
    page.get_by_role("button", name="Plan the patch of exif-strip").click()
    page.wait_for_url(re.compile("/plans/"), timeout=LONG)
    assert steps() == 1
    expect(page.locator("article.plan .verdict")).to_contain_text("forward")


def test_a_finished_deployment_is_rolled_back_by_two_clicks(page: Page, demo: Demo, steps: Steps) -> None:
    open_function(page, demo, "echo")
    page.get_by_role("link", name="Deploy", exact=True).click()
    page.get_by_label("Tag or digest").fill("1.0.1")
    page.get_by_label("Alias to point to it").select_option("live")
    page.get_by_role("button", name="Plan the deployment").click()
    page.get_by_label(re.compile("to confirm")).fill("live")
    page.locator("form.confirm button[type=submit]").click()
    expect(page.locator("#run-status")).to_contain_text("Succeeded", timeout=LONG)

    steps()
    page.get_by_role("button", name=re.compile("^Roll .*back")).click()
    page.get_by_label(re.compile("to confirm")).fill("live")
    page.locator("form.confirm button[type=submit]").click()
    expect(page.locator("#run-status")).to_contain_text("Succeeded", timeout=LONG)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("roll", re.IGNORECASE))
    assert steps() == 2


def test_the_filled_form_of_invoke_again_is_one_click_from_the_run(page: Page, demo: Demo, steps: Steps) -> None:
    invoke(page, demo, "orders-api", '{"order": 7}')
    expect(page.locator("#run-status [data-ended]")).to_be_visible(timeout=LONG)
    steps()
    page.get_by_role("link", name="Invoke again").click()
    expect(page.get_by_label("Payload (JSON)")).to_have_value(re.compile(r'"order":\s*7'))
    expect(page.get_by_role("button", name="Invoke once")).to_be_enabled()
    assert steps() == 1
