"""Lighthouse's scores of the five main pages over 10,000 functions, signed in, each the median of five.

Needs npm and Chromium; without them it says so. What npm brings (tests/benchmarks/npm) is for this alone, and stays in
var/lighthouse. The lock is of `npm install --package-lock-only`; one of its packages asks for the "latest" of another,
which package.json pins, since `npm ci` refuses it else.
"""

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import django

from tests import packages
from tests.benchmarks.figures import mark, table

TURNS, LEAST = 5, 95
TRIES = 3  # of one look: Chromium records nothing now and then
CATEGORIES = {"performance": "performance", "accessibility": "accessibility", "best-practices": "best practices"}
LOCKED = Path(__file__).parent / "npm"
KEPT = Path(__file__).resolve().parents[2] / "var" / "lighthouse"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"  # it runs as root in containers
TITLE = "## Lighthouse\n"


def installed(npm: str) -> Path:
    """Lighthouse's program, of the versions that the lock names."""
    KEPT.mkdir(parents=True, exist_ok=True)
    lock, program = KEPT / "package-lock.json", KEPT / "node_modules" / ".bin" / "lighthouse"
    if not program.exists() or lock.read_bytes() != (LOCKED / lock.name).read_bytes():
        shutil.copy(LOCKED / "package.json", KEPT)
        shutil.copy(LOCKED / lock.name, KEPT)
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=KEPT, check=True, stdout=2)
    return program


def main() -> None:
    """Fill, serve, have every page looked at, print."""
    npm, chromium = shutil.which("npm"), packages.find("chromium")
    if not npm or not chromium:
        print(f"{TITLE}\nNot measured: {packages.how_to_get('chromium') if npm else 'npm is missing'}.\n")
        return
    try:
        lighthouse = installed(npm)
    except subprocess.CalledProcessError as error:
        print(f"{TITLE}\nNot measured: npm could not install it (exit code {error.returncode}).\n")
        return
    django.setup()
    from tests.benchmarks import people, rows
    from tests.benchmarks.web import serve

    rows.fill()
    cookie = people.session_cookie()
    with serve() as (_, port):
        found = [
            (name, scores(lighthouse, chromium, f"http://127.0.0.1:{port}{path}", cookie)) for name, path in pages()
        ]
    version = json.loads((LOCKED / "package.json").read_text())["dependencies"]["lighthouse"]
    print(
        f"{TITLE}\nLighthouse {version} with its desktop preset over 10,000 functions, SQLite, signed in; the median "
        f"of {TURNS} (promised: at least {LEAST} each). Signed in by a header alone, the stream of "
        "the fleet answers 401, which the console tells: that costs 4 points of best practices.\n"
    )
    shown = [[name, *(f"{score}{mark(score >= LEAST)}" for score in medians)] for name, medians in found]
    print(table(["page", *CATEGORIES.values()], shown), "\n")


def pages() -> Iterator[tuple[str, str]]:
    """The five main pages, each on the heaviest row there is of its kind."""
    from django.urls import reverse

    from functions_app.models import Function
    from tests.benchmarks import people

    function = Function.objects.get(name__endswith="-05001")
    yield "overview", reverse("overview")
    yield "functions", reverse("functions")
    yield "a function", reverse("function", args=[function.pk])
    yield "a run, 5,000 log lines", reverse("run", args=[people.logged_run(function).pk])
    yield "base images", reverse("bases")


def scores(lighthouse: Path, chromium: str, url: str, cookie: str) -> list[int]:
    """The median score of each category, 0 to 100."""
    every = [look(lighthouse, chromium, url, cookie) for _ in range(TURNS)]
    return [round(statistics.median(one[category] for one in every)) for category in CATEGORIES]


def look(lighthouse: Path, chromium: str, url: str, cookie: str) -> Mapping[str, float]:
    """Each category's score of one look, 0 to 100. One that came to nothing (NO_NAVSTART) measured nothing: again."""
    command = [
        str(lighthouse), url, "--preset=desktop", "--quiet", "--output=json",
        f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={FLAGS}",
        f"--extra-headers={json.dumps({'Cookie': cookie})}",
    ]  # fmt: skip
    for attempt in range(1, TRIES + 1):
        answer = subprocess.run(
            command, env={**os.environ, "CHROME_PATH": chromium}, check=False, stdout=subprocess.PIPE, text=True
        )
        if answer.returncode == 0 or attempt == TRIES:
            break
    answer.check_returncode()
    report = json.loads(answer.stdout)
    if report["finalDisplayedUrl"] != url:
        raise RuntimeError(f"{url} led to {report['finalDisplayedUrl']}")
    return {name: 100 * category["score"] for name, category in report["categories"].items()}


if __name__ == "__main__":
    main()
