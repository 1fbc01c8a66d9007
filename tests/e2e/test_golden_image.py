"""A company's golden image on AWS's base: functions go stale by either, and a new release is seen by itself."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_base_release import ONE_POLL, WORK, release
from tests.e2e.test_main_job import assert_not_reloaded, mark
from tests.e2e.tour import address_of

GOLDEN = "platform/python-golden:3.12"


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


def test_a_golden_image_that_is_pushed_is_seen_within_one_poll_and_without_reload(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/functions/?search=catalog-feed")
    row = page.locator("#rows tr").first
    expect(row).to_contain_text("3.12-1.5.0, current")
    mark(page)

    release(demo, GOLDEN)

    expect(row).to_contain_text("3.12-1.5.0, itself 1 release behind", timeout=1000 * (ONE_POLL + WORK))
    assert_not_reloaded(page)
