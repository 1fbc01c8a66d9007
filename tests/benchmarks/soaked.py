"""The section of docs/benchmarks.md that `make soak` writes, and that `make bench` leaves as it is."""

import re
from datetime import UTC, datetime
from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
HEADING = "## A soak"
WHAT = """\
A sync each ten seconds, three deployments or rollbacks and three invocations every six, people who watch them, come and
go, and a page a second. Memory is what a process holds for itself (RssAnon: SQLite's file, which each maps, is left
out); it has settled after ten minutes, or a third of a shorter soak. The database keeps runs and their lines
(`DRYDOCK_KEEP_LOGS_DAYS`), so that it grows by what is done.
"""
_SECTION = re.compile(rf"^{HEADING}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def kept(text: str) -> str:
    """The section as it stands in a report; "" where there is none."""
    found = _SECTION.search(text)
    return found[0].rstrip() + "\n" if found else ""


def with_soak(report: str, section: str) -> str:
    """The report with this section at its end, in the place of the one that it has."""
    rest = _SECTION.sub("", report).rstrip() + "\n"
    return f"{rest}\n{section}" if section else rest


def write(body: str, report: Path = REPORT) -> None:
    """Put a soak into the report."""
    head = f"{HEADING}\n\nBy `make soak`, {datetime.now(UTC):%Y-%m-%d}. {WHAT}\n"
    report.write_text(with_soak(report.read_text(encoding="utf-8"), head + body), encoding="utf-8")
