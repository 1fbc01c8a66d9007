"""A company's golden image on AWS's base: functions go stale by either, and a new release is seen by itself."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_base_release import ONE_POLL, WORK, release
from tests.e2e.test_main_job import assert_not_reloaded, mark
from tests.e2e.test_patch import LONG, confirm, succeeded
from tests.e2e.tour import address_of

GOLDEN = "platform/python-golden:3.12"


def aliases_on(page: Page, demo: Demo) -> dict[str, int]:
    """How many aliases run each release of the golden image, by its page; "patched" are those that patches made."""
    page.goto(f"{demo.url}/bases/")
    page.get_by_role("link", name=GOLDEN, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(GOLDEN)
    found: dict[str, int] = {}
    for row in page.locator("#releases tr").all():
        made = "made by a patch" in row.inner_text()
        name = "patched" if made else row.locator("a.name").inner_text().strip()
        found[name] = found.get(name, 0) + int(row.locator("td[data-h=Aliases]").inner_text())
    return found


def test_a_function_is_stale_by_what_its_golden_image_stands_on(page: Page, demo: Demo) -> None:
    page.goto(f"{address_of(page, demo, 'catalog-feed')}image/")

    base = page.get_by_role("region", name="Base")
    expect(base).to_contain_text("Stale")
    expect(base).to_contain_text(
        re.compile(r"golden:3\.12-1\.5\.0, .+, which stands on python:3\.12\.20.+ behind python")
    )
    owners = page.get_by_role("region", name="Layers").locator("tbody tr")
    expect(owners.nth(0)).to_contain_text("python:3.12.")
    expect(owners.nth(7)).to_contain_text(f"{GOLDEN}-1.5.0")
    expect(owners.last).to_contain_text("app")


def test_a_function_on_it_is_patched_after_the_golden_image_itself_and_taken_back(page: Page, demo: Demo) -> None:
    before = aliases_on(page, demo)
    page.goto(f"{address_of(page, demo, 'catalog-feed')}patch/")
    page.get_by_role("button", name="Plan the patch").click()
    page.wait_for_url(re.compile("/plans/"), timeout=LONG)
    headings = page.locator("article.plan").get_by_role("heading", level=3).all_inner_texts()
    assert headings.index(f"First the golden image {GOLDEN}") < headings.index("Then this function")
    page.get_by_role("checkbox").check()
    confirm(page, "Patch")
    succeeded(page)
    titles = page.locator("#run-steps").inner_text()
    golden = titles.index(f"Push the result: golden image {GOLDEN}")
    assert golden < titles.index(f"Take it for the newest release of {GOLDEN}") < titles.index("Push the result\n")
    patched = page.url
    assert aliases_on(page, demo) == {**before, "patched": 1, "3.12-1.5.0": before["3.12-1.5.0"] - 1}

    page.goto(patched)
    page.get_by_role("button", name="Undo").click()
    confirm(page, "Undo the patch")
    succeeded(page)
    assert aliases_on(page, demo) == {**before, "patched": 0}


def test_a_golden_image_that_is_pushed_is_seen_within_one_poll_and_without_reload(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/?search=catalog-feed")
    row = page.locator("#rows tr").first
    expect(row).to_contain_text("3.12-1.5.0")
    newer = re.search(r"itself (\d+) release", row.text_content() or "")  # a patch of it may have come before
    behind = int(newer[1]) + 1 if newer else 1
    mark(page)

    release(demo, GOLDEN)

    expect(row).to_contain_text(f"3.12-1.5.0, itself {behind} release", timeout=1000 * (ONE_POLL + WORK))
    assert_not_reloaded(page)
