"""A full sync of 1,000 functions x 5 versions x 2 aliases: calls by operation beside the least possible."""

import json
import math
import os
import subprocess
import sys
import time
import urllib.request

import django

from tests.benchmarks.figures import mark, table

FUNCTIONS, VERSIONS, REPOSITORIES, LIMIT = 1_000, 5, 10, 1.1


def sandbox(functions: int, versions: int, repositories: int) -> tuple[subprocess.Popen[str], str]:
    """Start an embedded AWS account with a fleet in it; its address once it is ready."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--fleet", str(functions)]
    command += ["--versions", str(versions), "--repositories", str(repositories)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "ready on" in line:
            return process, line.rsplit(" ", 1)[-1].strip()
    raise RuntimeError("the sandbox did not start")


def ask(url: str, path: str, method: str = "GET", body: object = None) -> dict[str, int]:
    """One call of the sandbox's own interface."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else {}


def named_versions() -> int:
    """The published versions that aliases name: the state and the image of each are asked for by a call of its own."""
    from functions_app.domain.fleet.functions import LATEST
    from functions_app.models import Alias

    routes = Alias.objects.values_list("function", "version", "second_version")
    return len({(owner, number) for owner, *numbers in routes for number in numbers if number not in ("", LATEST)})


def least(calls: dict[str, int], configs: int, repositories: int, regions: int) -> dict[str, int]:
    """The fewest calls AWS's API allows for the same knowledge (page sizes: aws-facts)."""
    known = {
        "lambda.ListFunctions": math.ceil(FUNCTIONS * (VERSIONS + 1) / 50),
        "lambda.GetFunction": FUNCTIONS + named_versions(),
        "lambda.ListAliases": FUNCTIONS,
        "ecr.DescribeRepositories": regions,
        "ecr.DescribeImages": repositories,
        "ecr.BatchGetImage": repositories,
        "ecr.GetAuthorizationToken": regions,
        "registry.GetBlob": configs,
        "sts.GetCallerIdentity": 1,
    }
    return {name: known.get(name, 0) for name in sorted({*calls, *(name for name in known if known[name])})}


def beside(url: str) -> dict[str, str]:
    """The environment of a Drydock whose AWS is at this address."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIABENCH00000000000",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "eu-west-1",
        "DRYDOCK_REGIONS": "eu-west-1",
        "DRYDOCK_REGISTRY_MIRRORS": f"public.ecr.aws={url},*.amazonaws.com={url}",
    }


def main() -> None:
    """Start the sandbox with AWS's quotas enforced, sync once, count."""
    process, url = sandbox(FUNCTIONS, VERSIONS, REPOSITORIES)
    os.environ |= beside(url)
    try:
        measure(url)
    finally:
        process.terminate()
        process.wait(timeout=10)


def measure(url: str) -> None:
    """The sync itself, and its table."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from dashboard import broker
    from functions_app.models import Alias, Function, Image, Repository, Version

    broker.ensure()
    call_command("migrate", verbosity=0)
    ask(url, "/_sandbox/quotas", "POST", {"enforce": True})
    ask(url, "/_sandbox/calls", "DELETE")
    start = time.monotonic()
    call_command("sync", verbosity=0, stdout=sys.stderr)
    seconds = time.monotonic() - start
    calls = {name: count for name, count in ask(url, "/_sandbox/calls").items() if not name.startswith("public")}
    configs = {json.dumps(row, default=str) for row in Image.objects.values_list("created_at", "diff_ids", "settings")}
    fewest = least(calls, len(configs), Repository.objects.count(), 1)
    total, bound = sum(calls.values()), sum(fewest.values())
    found = (Function.objects.count(), Version.objects.count(), Alias.objects.count())
    control = sum(calls.get(f"lambda.{name}", 0) for name in ("ListFunctions", "ListAliases"))
    print("## Full sync\n")
    print(
        f"{found[0]:,} functions, {found[1]:,} versions and aliases {found[2]:,}, quotas enforced by the sandbox, "
        f"{settings.ENV.quota_share:.0%} of them used: {seconds:.0f} s, "
        f"of which the quota alone asks {control / 15 / settings.ENV.quota_share:.0f} s. "
        f"{total:,} calls; the least possible is {bound:,}: {total / bound:.3f} times "
        f"(promised: at most {LIMIT} times{mark(total <= LIMIT * bound)}).\n"
    )
    print(table(["operation", "calls", "least"], [[n, calls.get(n, 0), fewest[n]] for n in fewest]), "\n")


if __name__ == "__main__":
    main()
