"""An installation from its empty database to the end of its first sync, as the browser sees it."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import PASSWORD, ROOT
from tests.free_ports import free_port
from tests.processes import eventually

AWS = {
    "AWS_ACCESS_KEY_ID": "AKIADRYDOCKFRESH0000",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
COMMANDS = {
    "broker": ["-m", "dashboard.broker"],
    "web": [
        "-m",
        "uvicorn",
        "dashboard.asgi:application",
        "--http",
        "dashboard.connections:Connection",
        "--log-level",
        "warning",
        "--port",
    ],
    "reading": ["manage.py", "worker", "reading"],
    "tick": ["manage.py", "worker", "tick"],
    "beat": ["-m", "celery", "--quiet", "-A", "dashboard", "beat", "--pidfile=", "--loglevel", "warning"],
}


@dataclass
class Install:
    """Drydock's own processes on an empty data directory, each started when the test wants it."""

    folder: Path
    port: int
    sandbox_port: int
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **more: str) -> dict[str, str]:
        """What its processes know: nothing of the shell's."""
        outside = ("AWS_", "DJANGO_", "DRYDOCK_", "DATABASE_URL", "REDIS_URL")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        return kept | AWS | {
            "DRYDOCK_DATA_DIR": str(self.folder),
            "DRYDOCK_SYNC_EVERY": "2",
            "DRYDOCK_REGISTRY_MIRRORS": f"public.ecr.aws={sandbox},*.amazonaws.com={sandbox}",
            "DRYDOCK_BASE_STREAMS": "python:3.12",
            "AWS_ENDPOINT_URL": sandbox,
            **more,
        }  # fmt: skip

    def manage(self, *arguments: str, **more: str) -> None:
        """Run a command to its end."""
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment(**more), check=True, capture_output=True)

    def start(self, *names: str, **more: str) -> None:
        """Start these processes."""
        for name in names:
            command = [sys.executable, *COMMANDS[name], *([str(self.port)] if name == "web" else [])]
            if name == "beat":
                command += ["--schedule", str(self.folder / "beat")]
            with (self.folder / f"{name}.log").open("ab") as output:
                self.running[name] = subprocess.Popen(
                    command, cwd=ROOT, env=self.environment(**more), stdout=output, stderr=subprocess.STDOUT
                )

    def stop(self, *names: str) -> None:
        """End these, or all."""
        ending = [self.running.pop(name) for name in (names or tuple(self.running))]
        for process in ending:
            process.send_signal(signal.SIGTERM)
        for process in ending:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
            process.kill()
            process.wait(timeout=15)


def answers(url: str) -> bool:
    """Whether a server is there."""
    with suppress(OSError):
        urllib.request.urlopen(url, timeout=1).close()
        return True
    return False


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """Tables, a person, an empty AWS account with functions in a sandbox of its own; nothing runs but that."""
    made = Install(tmp_path, free_port(), free_port())
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", str(made.sandbox_port), "--fleet", "demo"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        made.manage("migrate", "--verbosity", "0")
        made.manage("collectstatic", "--noinput", "--verbosity", "0")
        made.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "a@example.com",
                    DJANGO_SUPERUSER_PASSWORD=PASSWORD)  # fmt: skip
        eventually(lambda: answers(f"http://127.0.0.1:{made.sandbox_port}/_sandbox/clock"), "the sandbox answers")
        yield made
    finally:
        made.stop()
        sandbox.terminate()
        sandbox.wait(timeout=15)


@pytest.fixture
def look(install: Install, context: BrowserContext) -> Callable[[str], Page]:
    """Open a page as somebody who is signed in."""
    page = context.new_page()

    def at(path: str) -> Page:
        if page.url == "about:blank":
            page.goto(f"{install.url}/login/")
            page.get_by_label("User name").fill("admin")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{install.url}/")
        page.goto(f"{install.url}{path}")
        return page

    return at


@pytest.mark.timeout(300)  # seven processes start, one after another
def test_a_fresh_installation_says_where_it_stands_until_all_is_read(
    install: Install, look: Callable[[str], Page]
) -> None:
    install.start("broker", "web")
    eventually(lambda: answers(f"{install.url}/healthz"), "the web server answers")

    for path in ("/", "/functions/", "/repositories/"):
        page = look(path)
        expect(page.get_by_role("heading", name="Nothing was read yet")).to_be_visible()
        expect(page.get_by_text("Nothing needs attention")).to_have_count(0)

    install.start("reading", "tick", "beat")  # without a region
    page = look("/")
    expect(page.get_by_role("heading", name="The first sync failed")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("the environment names no region")).to_have_count(1)
    expect(page.get_by_text("Set AWS_REGION")).to_be_visible()

    install.stop("reading", "tick", "beat")
    slow(install)
    install.start("reading", "tick", "beat", AWS_REGION="eu-west-1")
    page = look("/")
    page.evaluate("window.sameDocument = true")
    expect(page.get_by_text("functions read.")).to_be_visible(timeout=60_000)
    expect(page.locator("#beginning progress")).to_be_visible()

    expect(page.locator(".finding").filter(has_text="broken")).to_be_visible(timeout=120_000)
    expect(page.locator("#beginning")).to_have_count(0)
    expect(page.get_by_text("image functions")).to_be_visible()


def slow(install: Install) -> None:
    """AWS takes its time, so that one can look at a sync that is under way."""
    body = b'{"match": "lambda.ListAliases", "latency": 1.0}'
    address = f"http://127.0.0.1:{install.sandbox_port}/_sandbox/faults"
    with urllib.request.urlopen(urllib.request.Request(address, data=body, method="POST"), timeout=10) as answer:
        assert answer.status == 200
