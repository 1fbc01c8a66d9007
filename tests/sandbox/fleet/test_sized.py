"""Fleets of any size: `python -m sandbox --fleet small|N`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures import ENVIRONMENT, REGION, ROOT, Sandbox
from tests.sandbox.serving import refused, serving

ACCOUNT = "111111111111"
REPORT = (
    "import hashlib, json, resource, sys\n"
    "from datetime import date\n"
    "from sandbox.server import create_app\n"
    "create_app()\n"
    "from sandbox.fleet.seed import seed\n"
    "from sandbox.lambda_.spaces import space\n"
    "from sandbox.store.content_store import STORE, namespace\n"
    "name, options = sys.argv[1], json.loads(sys.argv[2])\n"
    "seed(name, date(2026, 11, 21), **options)\n"
    # Linux hands ru_maxrss down from the process that forked us; VmHWM begins anew with the program.
    "def peak():\n"
    "    if sys.platform == 'darwin':\n"
    "        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    "    [line] = [line for line in open('/proc/self/status') if line.startswith('VmHWM:')]\n"
    "    return int(line.split()[1]) * 1024\n"
    "functions = space('111111111111', 'eu-west-1').functions\n"
    "facts = hashlib.sha256()\n"
    "for function in functions.values():\n"
    "    for version in function.all_versions():\n"
    "        facts.update(repr(function.configuration(version)).encode())\n"
    "    facts.update(repr((function.aliases, function.tags)).encode())\n"
    "print(json.dumps({\n"
    "    'functions': len(functions),\n"
    "    'versions': sum(len(function.versions) for function in functions.values()),\n"
    "    'aliases': sum(len(function.aliases) for function in functions.values()),\n"
    "    'repositories': len(STORE.repositories(namespace('111111111111', 'eu-west-1'))),\n"
    "    'facts': facts.hexdigest(),\n"
    "    'peak': peak(),\n"
    "}))\n"
)


def seeded(name: str, **options: int) -> dict[str, Any]:
    """What a fleet is, seeded in a process of its own."""
    command = [sys.executable, "-c", REPORT, name, json.dumps(options)]
    finished = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(finished.stdout)
    return report


@pytest.fixture(scope="module")
def fleet() -> Iterator[Sandbox]:
    """A fleet of more than two pages."""
    with serving("--fleet", "120", "--versions", "5", "--aliases", "3", "--repositories", "4") as sandbox:
        yield sandbox


def test_ten_thousand_functions_have_ten_versions_and_two_aliases_over_two_hundred_repositories() -> None:
    report = seeded("10000")
    counts = {name: report[name] for name in ("functions", "versions", "aliases", "repositories")}
    assert counts == {"functions": 10_000, "versions": 100_000, "aliases": 20_000, "repositories": 200}
    assert report["peak"] < 1.5 * 2**30


def test_the_same_seed_number_gives_the_same_fleet() -> None:
    assert seeded("60", seed=7)["facts"] == seeded("60", seed=7)["facts"]


def test_another_seed_number_gives_another_fleet() -> None:
    assert seeded("60", seed=7)["facts"] != seeded("60", seed=8)["facts"]


def test_the_options_say_how_many_versions_aliases_and_repositories(fleet: Sandbox) -> None:
    functions, ecr = fleet.client("lambda", REGION, ACCOUNT), fleet.client("ecr", REGION, ACCOUNT)
    assert len(functions.list_versions_by_function(FunctionName="fn-00077")["Versions"]) == 6
    aliases = functions.list_aliases(FunctionName="fn-00077")["Aliases"]
    assert [alias["Name"] for alias in aliases] == ["canary", "live", "previous"]
    found = ecr.describe_repositories()["repositories"]
    assert [repository["repositoryName"] for repository in found] == [f"fleet/app-00{number}" for number in range(4)]


@pytest.mark.parametrize("more", [{}, {"FunctionVersion": "ALL"}], ids=["functions", "all versions"])
def test_pages_of_a_fleet_hold_everything_once(fleet: Sandbox, more: dict[str, str]) -> None:
    pages = fleet.client("lambda", REGION, ACCOUNT).get_paginator("list_functions").paginate(**more)
    found = [(each["FunctionName"], each["Version"]) for page in pages for each in page["Functions"]]
    numbers = ["$LATEST", "1", "2", "3", "4", "5"] if more else ["$LATEST"]
    assert found == [(f"fn-{number:05d}", version) for number in range(120) for version in numbers]


def test_every_repository_of_a_fleet_is_used(fleet: Sandbox) -> None:
    functions = fleet.client("lambda", REGION, ACCOUNT)
    uris = {
        functions.get_function(FunctionName=f"fn-{number:05d}")["Code"]["ImageUri"].partition(":")[0]
        for number in range(0, 120, 10)
    }
    assert len(uris) == 4


def test_a_function_of_a_fleet_runs() -> None:
    with serving("--fleet", "small") as sandbox:
        functions = sandbox.client("lambda", REGION, ACCOUNT)
        assert len(functions.list_functions()["Functions"]) == 12
        answer = functions.invoke(FunctionName="fn-00003", Qualifier="live", Payload=b'{"anchor": 1}')
        assert json.load(answer["Payload"])["event"] == {"anchor": 1}


def test_an_unknown_fleet_is_refused_with_the_choices() -> None:
    assert "demo, small, none, or a number of functions" in refused("--fleet", "armada")


def test_a_size_for_a_fleet_that_has_none_is_refused() -> None:
    assert "the fleet 'demo' has no versions to set" in refused("--fleet", "demo", "--versions", "3")


def test_a_function_without_versions_is_refused() -> None:
    assert "1 or more versions of each" in refused("--fleet", "5", "--versions", "0")
