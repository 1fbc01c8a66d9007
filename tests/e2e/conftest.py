"""The whole demo as a newcomer starts it, and a browser in front of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from functions_app import clock
from tests import packages
from tests.e2e.proxy import CuttableProxy
from tests.free_ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "drydock-demo"
# htmx 4's hx-sse leaves this rejection of its own fetch behind when a resumed stream is closed; nothing depends on it.
ABORTED = "signal is aborted without reason"


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, and the proxy that stands in front of it."""

    port: int
    sandbox_port: int
    proxy: CuttableProxy

    @property
    def url(self) -> str:
        """The address to open, through the proxy."""
        return f"http://127.0.0.1:{self.proxy.port}"


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`manage.py demo` on free ports, ready."""
    port, sandbox_port = free_port(), free_port()
    folder = tmp_path_factory.mktemp("demo")
    environment = demo_environment(port, sandbox_port, folder / "data")
    output = (folder / "output").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--today", f"{clock.now():%F}"],
        cwd=ROOT,
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    proxy = CuttableProxy(port)
    try:
        wait_until_ready(process, Path(output.name))
        yield Demo(port, sandbox_port, proxy)
    finally:
        proxy.close()
        process.terminate()
        process.wait(timeout=30)
        output.close()


def demo_environment(port: int, sandbox_port: int, folder: Path) -> dict[str, str]:
    """What a newcomer's shell would hold, with the demo on these ports and in this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_", "DRYDOCK_"))}
    return kept | {
        "DRYDOCK_PORT": str(port),
        "DRYDOCK_SANDBOX_PORT": str(sandbox_port),
        "DRYDOCK_DEMO_DIR": str(folder),
    }


def wait_until_ready(process: "subprocess.Popen[bytes]", output: Path) -> None:
    """Wait for the line that gives the address; fails with what was printed."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        if "Drydock is ready" in output.read_text():
            return
        time.sleep(0.2)
    pytest.fail(f"the demo did not start:\n{output.read_text()[-4000:]}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    executable = packages.require("chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile per test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Iterator[Page]:
    """A tab of somebody who is signed in as the operator; a script error on any page fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    sign_in(page, demo, "operator")
    yield page
    assert all(ABORTED in error for error in errors), errors


def sign_in(page: Page, demo: Demo, name: str) -> None:
    """Fill in the login form."""
    page.goto(f"{demo.url}/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{demo.url}/")
