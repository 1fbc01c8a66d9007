"""Functions that are ticked in the list by mouse and keyboard, and what is taken then."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo


def test_rows_are_ticked_several_at_once_and_by_x_and_exactly_those_are_taken(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/?sort=name")
    boxes = page.get_by_role("checkbox", name=re.compile("^Select "))
    names = page.locator("#rows .name").all_inner_texts()
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    take = page.locator("#take-ticked")
    expect(take).to_have_text("Select the 3 ticked")
    page.keyboard.press("j")  # from the row of the last box to the next
    page.keyboard.press("x")
    expect(take).to_have_text("Select the 4 ticked")
    page.keyboard.press("x")
    expect(take).to_have_text("Select the 3 ticked")
    take.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 functions selected")
    assert page.locator("tbody .name").all_inner_texts() == names[:3]
