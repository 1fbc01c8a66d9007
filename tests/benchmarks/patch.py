"""A SAFE patch: what planning it and carrying it out takes of Drydock's own time, and how often AWS is asked.

The sandbox takes no time of its own for updates, so that what is left of a run, without its waits, is Drydock's. The
verdict is on bases of 20,000 files and an app of 5,000, unpacked from where they are kept.
"""

import itertools
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django

from tests.benchmarks.figures import mark, table
from tests.benchmarks.sync import ask, beside

PATCHES = 5
OWN_SECONDS, CALLS, VERDICT_MS = 3.0, 14, 500.0
BASE_FILES, APP_FILES = 20_000, 5_000
AWS = ("lambda.", "ecr.", "sts.")
OWN_QUOTA = {"lambda.GetFunction"}  # all other calls of Lambda's control plane share 15 a second (aws-facts)
ACCOUNT = "210987654321"


def main() -> None:
    """Start the sandbox, patch functions one after the other, then judge large ones."""
    from tests.benchmarks.account import sandbox

    with sandbox("--clock", "create=0,update=0,wake=0,provisioned=0,restore=0") as (url, _, pid):
        os.environ |= beside(url)
        django.setup()
        patches(url, pid)
    verdicts()


def patches(url: str, pid: int) -> None:
    """Prepare one function for each patch, then plan and carry out; the first is not counted: it loads."""
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command

    from dashboard import broker
    from functions_app.services.people.actor import Actor
    from tests.services.changes.patching.patch_stage import app, base, make_patch_stages

    broker.ensure()
    call_command("migrate", verbosity=0)
    person = User.objects.create_user("bench")
    person.groups.add(Group.objects.get_or_create(name="operator")[0])
    aws, functions = _account(url, pid)
    os.environ |= beside(url)  # the settings of tests, which those come with, have taken it away
    stage: Any = None
    rows = []
    for number in range(PATCHES + 1):
        name = f"app-{number}"
        built = app(base(1), {"var/task/number": str(number).encode()})
        [stage] = make_patch_stages(functions, aws, Actor(person), (name,), built)
        with _counted(url) as planning:
            began = time.monotonic()
            plan = stage.plan_patch()
            planned = time.monotonic() - began
        with _counted(url) as running:
            own, ended = _carried_out(stage.confirm(plan))
        rows.append((planned, own, planning, running, ended))
    _told(rows[1:])


def _account(url: str, pid: int) -> tuple[Any, Any]:
    """The sandbox and an account in it, as the tests use them."""
    from contextlib import suppress

    from tests.fixtures import Sandbox, login, push_image, registry_client
    from tests.sandbox.functions import Functions

    aws = Sandbox(url, int(url.rsplit(":", 1)[1]), pid)

    def client(service: str, region: str = "eu-west-1", account: str | None = None) -> Any:
        return aws.client(service, region, account or ACCOUNT)

    def push(repository: str, image: Any, tags: Any = (), **_more: Any) -> str:
        ecr = client("ecr")
        with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=repository)
        with registry_client(url, login(ecr)) as registry:
            push_image(registry, repository, image, tags)
        return str(image.digest)

    return aws, Functions(client, push, ACCOUNT)


@contextmanager
def _counted(url: str) -> Iterator[dict[str, int]]:
    """The calls of AWS's APIs that are made meanwhile, by operation."""
    ask(url, "/_sandbox/calls", "DELETE")
    calls: dict[str, int] = {}
    yield calls
    calls |= {name: count for name, count in ask(url, "/_sandbox/calls").items() if name.startswith(AWS)}


def _carried_out(run: Any) -> tuple[float, Any]:
    """Be the worker until the run has ended; its own seconds, without what it waits."""
    from functions_app.domain.runs import Status
    from functions_app.models import Run
    from functions_app.services.engine import runs

    own = 0.0
    for turn in itertools.count():
        began = time.monotonic()
        runs.execute(run.pk, f"bench {turn}")
        own += time.monotonic() - began
        run.refresh_from_db()
        if Status(run.status).ended:
            return own, run
        Run.objects.filter(pk=run.pk, status=Status.WAITING).update(wake_at=run.created_at)
    raise AssertionError("unreachable: it counts for ever")


def _told(rows: list[Any]) -> None:
    wrong = [ended.problem for *_, ended in rows if ended.status != "succeeded"]
    if wrong:
        raise RuntimeError(f"a patch did not end well: {wrong[0]}")
    planned, own = (statistics.median(row[at] for row in rows) for at in (0, 1))
    running = rows[-1][3]
    calls, shared = sum(running.values()), max(map(_shared, (row[3] for row in rows)))
    quick, few = mark(own < OWN_SECONDS), mark(shared <= CALLS)
    print("## A patch\n")
    print(
        f"A SAFE patch of a function with one alias, the median of {len(rows)}: its plan takes {planned:.2f} s and "
        f"{sum(rows[-1][2].values())} calls of AWS's APIs. Carried out it takes {own:.2f} s of Drydock's own "
        f"(promised: under {OWN_SECONDS:.0f} s{quick}) and {calls} calls, beside those of the registry; {shared} of "
        f"them share Lambda's 15 a second (promised: at most {CALLS}{few}).\n"
    )
    print(table(["operation", "calls"], sorted(running.items())), "\n")


def _shared(calls: dict[str, int]) -> int:
    return sum(count for name, count in calls.items() if name.startswith("lambda.") and name not in OWN_QUOTA)


def verdicts() -> None:
    """A verdict from kept indexes: two bases and an app, unpacked and judged."""
    from functions_app.domain.layers.entries import FileEntry, LayerContents
    from functions_app.domain.layers.packing import pack, unpack
    from functions_app.domain.rebase.safety.judge import judge
    from functions_app.domain.rebase.safety.sides import AppSide, SideFiles

    def layer(folder: str, count: int, word: str, every: int) -> bytes:
        entries = [
            FileEntry(
                f"{folder}/{number % 200}/file-{number}.py",
                "file",
                1000,
                f"{hash_of(word if number % every == 0 else 'same', number)}",
            )
            for number in range(count)
        ]
        return pack(LayerContents(tuple(entries)))

    old, new = (layer("usr/lib", BASE_FILES, word, 10) for word in ("old", "new"))
    app = layer("var/task", APP_FILES, "app", 1)
    times = []
    for _ in range(5):
        began = time.monotonic()
        sides = [SideFiles((unpack(data),), "python", "3.12", "al2023") for data in (old, new)]
        level = judge(sides[0], sides[1], AppSide((unpack(app),))).level
        times.append((time.monotonic() - began) * 1000)
    taken = statistics.median(times)
    kept = mark(taken < VERDICT_MS)
    print(
        f"A verdict ({level}) from the kept indexes of two bases of {BASE_FILES:,} files, of which a tenth differs, "
        f"and of an app of {APP_FILES:,}: {taken:.0f} ms (promised: under {VERDICT_MS:.0f} ms{kept}).\n"
    )


def hash_of(word: str, number: int) -> str:
    """A digest that is the same for the same word and number."""
    import hashlib

    return hashlib.sha256(f"{word} {number}".encode()).hexdigest()


if __name__ == "__main__":
    main()
