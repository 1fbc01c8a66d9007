"""What is printed for a change record: what pages say, dark on white, and nothing that is pressed."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.tour import address_of

PAPER = 688  # pixels between the margins of A4
PRESSED = ".rail, .top, .tabs, .btn, .cp, .help > summary"
OUTSIDE = """() => [...document.querySelectorAll("#main *")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || one.matches("pre") && one.scrollWidth > one.clientWidth + 1);
}).map(one => one.outerHTML.slice(0, 120))"""


def test_a_function_prints_whole_and_dark_on_white_whatever_the_screen_is_like(page: Page, demo: Demo) -> None:
    address = address_of(page, demo, "orders-api")
    page.set_viewport_size({"width": PAPER, "height": 900})
    page.emulate_media(media="print", color_scheme="dark")
    for tab in ("", "configuration/", "deploy/"):
        page.goto(f"{address}{tab}")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_css("color", "rgb(0, 0, 0)")
        expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
        expect(page.locator(PRESSED).filter(visible=True)).to_have_count(0)
        assert page.evaluate(OUTSIDE) == []
