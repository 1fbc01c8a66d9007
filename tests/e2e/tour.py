"""The pages of the demo that a test of every page visits."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.e2e import hostile
from tests.e2e.conftest import Demo

# paths below a function's address, for functions of the demo fleet that show something of their own
FUNCTION_PAGES = (
    ("orders-api", ""),
    ("orders-api", "image/"),
    ("orders-api", "deploy/"),
    ("orders-api", "invoke/"),
    ("orders-api", "configuration/"),
    ("orders-api", "activity/"),
    ("receipt-archive", ""),
    ("receipt-archive", "image/?version=2"),
    ("checkout-api", ""),
    ("geo-lookup", ""),
    ("invoice-pdf", ""),
    ("price-feed", ""),
    ("subtitle-burn", ""),
    ("catalog-search", ""),
    ("catalog-search", "image/"),
    ("season-archive", "invoke/"),
    ("exif-strip", "patch/"),
    ("catalog-feed", "patch/"),
)
LISTS = (
    "/",
    "/?account=staging&days=90",
    "/functions/",
    "/functions/?freshness=stale&state=Active",
    "/functions/?search=nothing-is-called-so",
    "/functions/views/?of=freshness%3Dstale",
    "/search/",
    "/search/?q=orders",
    "/search/?q=nothing-is-called-so",
    "/repositories/",
    "/runs/",
    "/runs/?status=failed",
    "/audit/",
    "/settings/",
    "/settings/accounts/",
    "/settings/accounts/add/",
    "/settings/freshness/",
    "/settings/freshness/add/",
    "/settings/sessions/",
    "/settings/password/",
    "/settings/tokens/",
    "/settings/chat/",
    "/settings/people/",
    "/settings/doctor/",
    "/settings/pushes/",
    "/plans/",
    "/bases/",
    "/bases/new/",
    "/api/v1/docs",
    "/nowhere/",
)


def address_of(page: Page, demo: Demo, name: str) -> str:
    """The address of a function of the demo fleet."""
    page.goto(f"{demo.url}/functions/?account=production&search={name}")
    link = page.get_by_role("link", name=name, exact=True)
    return f"{demo.url}{link.get_attribute('href')}"


def every_page(page: Page, demo: Demo) -> list[str]:
    """The address of every page; makes a failing invocation and a refused deployment to have theirs as well."""
    hostile.put(demo)
    long = hostile.address(page, demo)
    known = {name: address_of(page, demo, name) for name in {name for name, _ in FUNCTION_PAGES}}
    page.goto(f"{demo.url}/repositories/")
    repository = page.get_by_role("link", name="shop/orders").first.get_attribute("href")
    page.goto(f"{demo.url}/bases/")
    base = f"{demo.url}{page.get_by_role('link', name='python:3.12', exact=True).get_attribute('href')}"
    golden = f"{demo.url}{page.get_by_role('link', name='platform/python-golden:3.12').get_attribute('href')}"
    images = images_of(page, f"{demo.url}{repository}")
    return [
        *(demo.url + path for path in LISTS),
        *(known[name] + tab for name, tab in FUNCTION_PAGES),
        f"{demo.url}{repository}",
        *(demo.url + image for image in images),
        images_compared(page, f"{demo.url}{images[-1]}"),
        f"{demo.url}{images[1]}deploy/",
        *edited(page, demo),
        *(long + tab for tab in ("", "image/", "deploy/", "invoke/", "configuration/", "activity/", "patch/")),
        f"{demo.url}/functions/?{urlencode({'search': hostile.FUNCTION, 'owner': hostile.OWNER})}",
        planned(page, long, "1.7.2", hostile.ALIAS),
        invoked(page, long, hostile.PAYLOAD),
        *furnished(page, demo),
        base,
        f"{base}edit/",
        golden,
        files_read(page, base),
        bring_planned(page, base),
        patch_planned(page, known["exif-strip"]),
        planned(page, known["orders-api"]),
        functions_chosen(page, demo),
        invoked(page, address_of(page, demo, "payment-retry")),
    ]


def images_of(page: Page, repository: str) -> list[str]:
    """The paths of an index, and of an image with findings whose files have been read."""
    page.goto(repository)
    rows = page.locator("table.images tbody tr")
    index = rows.filter(has_text="Index").locator("th a").first.get_attribute("href")
    oldest = rows.last.locator("th a").get_attribute("href")
    rows.last.locator("th a").click()
    if page.get_by_role("button", name="Read the files").is_visible():
        page.get_by_role("button", name="Read the files").click()
        page.wait_for_url(re.compile(r"/runs/\d+/"))
        expect(page.locator("[data-ended]")).to_be_visible(timeout=60_000)
    return [str(index), str(oldest)]


def images_compared(page: Page, image: str) -> str:
    """An image against the first that its page offers to compare it with."""
    page.goto(image)
    page.get_by_role("link", name="Compare with").click()
    page.locator(".with-these a").first.click()
    expect(page.get_by_role("heading", name="The two images")).to_be_visible()
    return page.url


def edited(page: Page, demo: Demo) -> Iterator[str]:
    """The forms of the first account and of the first policy."""
    for index in ("/settings/accounts/", "/settings/freshness/"):
        page.goto(f"{demo.url}{index}")
        form = page.locator(f"main td a[href^='{index}']:not([href$='/add/'])").first
        yield f"{demo.url}{form.get_attribute('href')}"


def furnished(page: Page, demo: Demo) -> Iterator[str]:
    """The pages of tokens and of views, with one of each whose name can't be broken."""
    page.goto(f"{demo.url}/settings/tokens/")
    page.get_by_label("Name of the bot").fill(hostile.NAME[:60])
    page.get_by_role("button", name="Make token").click()
    yield page.url
    page.goto(f"{demo.url}/functions/views/?{urlencode({'of': f'owner={hostile.OWNER}'})}")
    page.get_by_label("Name").fill(hostile.NAME[:60])
    page.get_by_role("button", name="Save it").click()
    yield f"{demo.url}/functions/views/"


def planned(page: Page, function: str, image: str = "1.7.2", alias: str = "live") -> str:
    """A deployment, planned and not confirmed."""
    page.goto(f"{function}deploy/")
    page.get_by_label("Tag or digest").fill(image)
    page.get_by_label("Alias to point to it").select_option(alias)
    page.get_by_role("button", name="Plan the deployment").click()
    page.wait_for_url(re.compile("/plans/"))
    return page.url


def files_read(page: Page, base: str) -> str:
    """The comparison of two releases whose files have been read."""
    page.goto(f"{base}compare/")
    if page.get_by_role("button", name="Read the files").is_visible():
        page.get_by_role("button", name="Read the files").click()
        page.wait_for_url(re.compile(r"/runs/\d+/"))
        expect(page.locator("[data-ended]")).to_be_visible(timeout=60_000)
    return f"{base}compare/"


def patch_planned(page: Page, function: str) -> str:
    """A patch, planned and not confirmed."""
    page.goto(f"{function}patch/")
    page.get_by_role("button", name="Plan the patch").click()
    page.wait_for_url(re.compile("/plans/"), timeout=60_000)
    return page.url


def functions_chosen(page: Page, demo: Demo) -> str:
    """A selection of what is stale."""
    page.goto(f"{demo.url}/functions/?freshness=stale")
    page.get_by_role("button", name="that match").click()
    page.wait_for_url(re.compile("/functions/selection/"))
    return page.url


def bring_planned(page: Page, base: str) -> str:
    """A plan to bring functions forward."""
    page.goto(base)
    page.get_by_role("button", name="Plan: bring").click()
    page.wait_for_url(re.compile("/bases/patch/"))
    return page.url


def invoked(page: Page, function: str, payload: str = "{}") -> str:
    """A run that has ended with an answer."""
    page.goto(f"{function}invoke/")
    page.get_by_label("Payload (JSON)").fill(payload)
    page.get_by_role("button", name="Invoke once").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(page.locator("[data-ended]")).to_be_visible(timeout=60_000)
    return page.url
