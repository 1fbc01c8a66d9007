"""A function of the longest names that AWS allows, none of which can be broken anywhere, beside the demo's fleet."""

import json
import time
from typing import Any

from playwright.sync_api import Page

from tests.e2e.conftest import Demo
from tests.fixtures import Sandbox

ACCOUNT, REGION = "111111111111", "eu-west-1"
NAME = "zz_" + "Unbreakable" * 6  # the last by name
FUNCTION = NAME[:64]
ALIAS = f"live-{'Unbreakable' * 12}"[:128]
OWNER = f"{'Unbreakable' * 12}"[:120]
PAYLOAD = json.dumps({NAME: NAME * 4})
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/orders"
SECONDS = 180  # for a sync, on a slow machine


def put(demo: Demo) -> None:
    """Deploy it twice, so that it is stale and has a way back, under an alias."""
    api: Any = Sandbox(f"http://127.0.0.1:{demo.sandbox_port}", demo.sandbox_port, 0).client("lambda", REGION, ACCOUNT)
    api.create_function(
        FunctionName=FUNCTION,
        PackageType="Image",
        Code={"ImageUri": f"{IMAGE}:1.5.0"},
        Role=f"arn:aws:iam::{ACCOUNT}:role/lambda/{NAME}",
        Description=("Unbreakable" * 24)[:256],
        Environment={"Variables": {NAME: "1", f"{NAME}_TOO": "2"}},
        Tags={"owner": OWNER, "team": OWNER},
    )
    api.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    first = api.publish_version(FunctionName=FUNCTION)["Version"]
    api.create_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=first)
    api.update_function_code(FunctionName=FUNCTION, ImageUri=f"{IMAGE}:1.6.0")
    api.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
    second = api.publish_version(FunctionName=FUNCTION)["Version"]
    api.create_alias(FunctionName=FUNCTION, Name=f"{ALIAS[:-9]}-previous", FunctionVersion=first)
    api.update_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=second)


def address(page: Page, demo: Demo) -> str:
    """Have it read, and give its address."""
    page.goto(f"{demo.url}/")
    page.get_by_role("button", name="Sync now").click()
    deadline = time.monotonic() + SECONDS
    link = page.get_by_role("link", name=FUNCTION, exact=True)
    while time.monotonic() < deadline:
        page.goto(f"{demo.url}/functions/?search={FUNCTION}")
        if link.count():
            return f"{demo.url}{link.get_attribute('href')}"
        page.wait_for_timeout(500)
    raise AssertionError(f"no sync has found {FUNCTION} within {SECONDS} s")
