"""A pytest plugin for the passes of tests.run: only what touches the database, and what came of every test."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

FAILED = "FAILED "  # begins a line that tests.run shows at once
DATABASE = frozenset({"db", "transactional_db"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Both are for tests.run; nobody else needs them."""
    parser.addoption("--only-database", action="store_true", help="leave out tests that touch no database")
    parser.addoption("--outcome-to", metavar="FILE", type=Path, help="write what came of every test there, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Outcomes are noted where the reports of all workers arrive."""
    if config.getoption("--outcome-to") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcome(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A second database can tell nothing new of a function that never asks the first."""
    if config.getoption("--only-database"):
        others = [item for item in items if not touches_database(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if touches_database(item)]


def touches_database(item: pytest.Item) -> bool:
    """Whether pytest-django lets this test at the database: by its mark, or by a fixture of a fixture."""
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else ()
    return item.get_closest_marker("django_db") is not None or not DATABASE.isdisjoint(fixtures)


class Outcome:
    """The seconds of every test with its set-up and tear-down, and the tests that failed in any of the three.

    What failed is said at once: a pass takes half an hour.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._file = config, config.getoption("--outcome-to")
        self._seconds, self._failed = defaultdict[str, float](float), dict[str, None]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a part of a test."""
        self._seconds[report.nodeid] += report.duration
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that can't be read fails too."""
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and report.nodeid not in self._failed:
            self._failed[report.nodeid] = None
            self._config.get_terminal_writer().line(f"\n{FAILED}{report.nodeid}", flush=True)

    def pytest_sessionfinish(self) -> None:
        """Write them."""
        self._file.write_text(json.dumps({"seconds": self._seconds, "failed": list(self._failed)}))
