"""How much of a page moved by itself: what the browser tells of layout shift that no click nor key has caused."""

from playwright.sync_api import Page

MOST = 0.02  # of layout shift: nobody sees less
MOVES = """
window.moved = 0;
window.movedBy = (entries) => entries.forEach((one) => { window.moved += one.hadRecentInput ? 0 : one.value; });
window.watching = new PerformanceObserver((list) => window.movedBy(list.getEntries()));
window.watching.observe({ type: "layout-shift", buffered: true });
"""


def moved(page: Page) -> float:
    """The sum of all shifts since the page was loaded, with MOVES as its first script."""
    page.screenshot()  # the page is drawn as it stands
    return float(page.evaluate("window.movedBy(window.watching.takeRecords()), window.moved"))
