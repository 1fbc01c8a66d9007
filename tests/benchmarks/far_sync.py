"""A full sync of an AWS that takes 40 ms an answer: 300 functions x 4 versions x 2 aliases in 50 repositories.

Drydock may use as much of the quotas as it likes, so that what is measured is how well its calls go side by side.
"""

import math
import os
import sys
import time

import django

from tests.benchmarks.figures import mark, table
from tests.benchmarks.sync import ask, beside, named_versions, sandbox

FUNCTIONS, VERSIONS, REPOSITORIES = 300, 4, 50
LATENCY = 0.04  # seconds
CALLS, SECONDS = 1_450, 4.0  # promised at most; the time on the machine of docs/benchmarks.md


def main() -> None:
    """Start the sandbox, make it slow, sync once, count."""
    process, url = sandbox(FUNCTIONS, VERSIONS, REPOSITORIES)
    os.environ |= {**beside(url), "DRYDOCK_QUOTA_SHARE": "100"}
    try:
        measure(url)
    finally:
        process.terminate()
        process.wait(timeout=10)


def formula() -> dict[str, int]:
    """The calls for what is stored now, where the fleet alone decides: what cannot be listed is asked for once each."""
    from functions_app.models import Function, Repository, Version

    functions, versions = Function.objects.count(), Version.objects.count()
    return {
        "ecr.DescribeImages": Repository.objects.count(),
        "ecr.DescribeRepositories": 1,
        "lambda.GetFunction": functions + named_versions(),
        "lambda.ListAliases": functions,
        "lambda.ListFunctions": math.ceil(versions / 50),
    }


def measure(url: str) -> None:
    """The sync itself, and its table."""
    django.setup()
    from django.core.management import call_command

    from dashboard import broker
    from dashboard.garbage import spare_loaded
    from functions_app.management.commands import sync  # noqa: F401 - a worker has loaded it by then
    from functions_app.models import Alias, Function, Version
    from functions_app.services.engine.kinds import kinds

    kinds()
    spare_loaded()  # as a worker has
    broker.ensure()
    call_command("migrate", verbosity=0)
    ask(url, "/_sandbox/faults", "POST", {"match": "*", "latency": LATENCY})
    ask(url, "/_sandbox/calls", "DELETE")
    began, busy = time.monotonic(), time.process_time()
    call_command("sync", verbosity=0, stdout=sys.stderr)
    seconds, busy = time.monotonic() - began, time.process_time() - busy
    calls = {name: count for name, count in ask(url, "/_sandbox/calls").items() if not name.startswith("public")}
    total, by_formula = sum(calls.values()), formula()
    print("## A full sync at 40 ms a call\n")
    print(
        f"{Function.objects.count():,} functions, {Version.objects.count():,} versions with state and image of those "
        f"that aliases name, {Alias.objects.count():,} aliases, {REPOSITORIES} repositories: {seconds:.1f} s, "
        f"{busy:.1f} s of a core (promised: {SECONDS:.0f} s{mark(seconds <= SECONDS)}) and {total:,} calls "
        f"(promised: at most {CALLS:,}{mark(total <= CALLS)}). Where the fleet alone decides, the formula says how "
        f"many there are{mark(all(calls[name] == number for name, number in by_formula.items()))}.\n"
    )
    print(
        table(
            ["operation", "calls", "by formula"],
            [[name, count, by_formula.get(name, "")] for name, count in sorted(calls.items())],
        ),
        "\n",
    )


if __name__ == "__main__":
    main()
