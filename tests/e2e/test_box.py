"""The box that finds anything, by the keyboard alone: opened, typed into, chosen from, left again."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo

LOGS = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group"


@pytest.fixture
def overview(page: Page, demo: Demo) -> Page:
    """The overview, whose scripts have run."""
    page.goto(f"{demo.url}/")
    page.wait_for_function("window.drydock?.box")
    return page


def chosen(page: Page) -> str:
    """The text of the option that Enter would take."""
    return page.locator("#box [aria-selected=true]").inner_text()


def test_from_a_pasted_log_group_to_its_function_by_enter_alone(overview: Page) -> None:
    overview.keyboard.press("Control+k")
    overview.keyboard.insert_text(f"{LOGS}/$252Faws$252Flambda$252Forders-api")
    overview.keyboard.press("Enter")  # before the answer is there
    expect(overview.get_by_role("heading", level=1)).to_have_text("orders-api")


def test_arrows_choose_and_the_field_says_which_is_chosen(overview: Page) -> None:
    overview.keyboard.press("/")
    field = overview.get_by_role("combobox", name="Find anything")
    expect(field).to_be_focused()
    overview.keyboard.type("orders")
    expect(overview.locator("#box [role=option]").nth(1)).to_be_visible()
    expect(field).to_have_attribute("aria-activedescendant", "box-option-0")
    first = chosen(overview)
    overview.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "box-option-1")
    assert chosen(overview) != first
    overview.keyboard.press("ArrowUp")
    overview.keyboard.press("ArrowUp")
    last = overview.locator("#box [role=option]").count() - 1
    expect(field).to_have_attribute("aria-activedescendant", f"box-option-{last}")
    expect(overview.locator("#box-told")).to_contain_text("Functions")


def test_the_focus_stays_in_the_box_and_is_given_back(overview: Page) -> None:
    link = overview.get_by_role("link", name="Functions", exact=True)
    link.focus()
    overview.keyboard.press("Control+k")
    for _ in range(3):
        overview.keyboard.press("Tab")
        assert overview.evaluate("document.getElementById('box').contains(document.activeElement)")
    overview.keyboard.press("Escape")
    expect(overview.locator("#box")).to_be_hidden()
    expect(link).to_be_focused()


def test_a_dot_says_what_can_be_done_with_the_row(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/?search=orders-api&account=production")
    page.wait_for_function("window.drydock?.box")
    page.keyboard.press("j")
    page.keyboard.press(".")
    invoke = page.locator("#box").get_by_role("option", name="Invoke")
    expect(invoke).to_be_visible()
    invoke.click()
    expect(page).to_have_url(re.compile(r"/functions/\d+/invoke/"))


def test_the_current_tab_of_settings_is_in_sight_on_a_narrow_screen(page: Page, demo: Demo) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{demo.url}/settings/password/")
    expect(page.get_by_label("Settings").get_by_role("link", name="Password")).to_be_in_viewport(ratio=0.9)
