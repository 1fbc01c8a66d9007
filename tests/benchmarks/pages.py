"""Pages in process over 10,000 functions, 100,000 versions, 20,000 aliases, 50,000 images: time and queries."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import django

from tests.benchmarks.figures import mark, percentile, table

if TYPE_CHECKING:
    from django.test import Client

TURNS = 40
LIMIT_MS, LIMIT_QUERIES = 30.0, 7  # one of them asks SQLite's trigrams
OF_RUNTIMES_AND_TAGS = {
    "a runtime": "runtime=python3.12",
    "a runtime, an alias": "runtime=python3.12&alias=live",
    "runtimes counted": "facet=runtime",
    "runtimes counted, an alias, stale": "facet=runtime&alias=live&freshness=stale",
    "a tag": "tag=team%3Dteam-7",
    "a rare tag": "tag=service%3Dservice-77",
    "two tags, stale": "tag=team%3Dteam-7&tag=stage%3Dstage-1&freshness=stale",
    "a tag, an alias": "tag=stage%3Dstage-1&alias=live",
    "a tag, a word": "tag=stage%3Dstage-1&search=invoice",
    "tags counted": "facet=tag",
    "tags counted, stale, a tag": "facet=tag&freshness=stale&tag=stage%3Dstage-1",
}
VIEWS = {
    "first page": "",
    "page 100": "page=100",
    "last page": "page=200",
    "stale": "freshness=stale",
    "overdue": "overdue=yes",
    "stale or end of life, page 90": "freshness=stale&freshness=end_of_life&page=90",
    "one account and region": "account=production&region=eu-west-1",
    "state and base": "state=Failed&base=python:3.12",
    "all facets": "account=production&region=eu-west-1&state=Active&freshness=stale&base=nodejs:22",
    "search a name": "search=invoice",
    "search one function": "search=invoice-orders-05001",
    "search a digest": "search=sha256:0a1b",
    "search nearly all, last page": "search=a&page=200",
    "search three words, stale": "search=e+o+s&freshness=stale",
    "search nothing": "search=no-such-function",
    "an alias": "alias=live",
    "an alias, stale, page 50": "alias=live&freshness=stale&page=50",
    "an owner": "owner=team-7",
    "aliases counted": "facet=alias",
    "owners counted, stale": "facet=owner&freshness=stale",
    **OF_RUNTIMES_AND_TAGS,
    "by name, page 100": "sort=name&page=100",
    "by name backwards, last page": "sort=-name&page=200",
    "by last change, page 100": "sort=changed&page=100",
    "by age of the base, stale, page 77": "sort=behind&page=77&freshness=stale",
}


def main() -> None:
    """Fill, ask each page many times through Django's whole stack, print p50, p95 and queries."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from dashboard import broker
    from dashboard.garbage import spare_loaded
    from tests.benchmarks import people, rows

    settings.ALLOWED_HOSTS = ["testserver"]
    broker.ensure()
    rows.fill()
    call_command("collectstatic", verbosity=0, interactive=False)
    people.session_cookie()
    spare_loaded()  # as the web server does
    functions = measure({name: f"/functions/?{query}" for name, query in VIEWS.items()})
    worst, most = max(line[2] for line in functions), max(line[3] for line in functions)
    print(f"## Functions page, {connection.vendor}\n")
    print(
        f"In process, through the whole middleware, {TURNS} times each. Worst p95 {worst:.1f} ms "
        f"(promised: under {LIMIT_MS:.0f}{mark(worst < LIMIT_MS)}), "
        f"most queries {most} (promised: at most {LIMIT_QUERIES}{mark(most <= LIMIT_QUERIES)}).\n"
    )
    print(table(["view", "p50 ms", "p95 ms", "queries"], shown(functions)), "\n")
    print(f"Other pages over the same rows, {connection.vendor}:\n")
    print(table(["page", "p50 ms", "p95 ms", "queries"], shown(measure(dict(others())))), "\n")


Line = tuple[str, float, float, int]


def shown(lines: list[Line]) -> list[list[object]]:
    """The measured lines as cells."""
    return [[name, f"{p50:.1f}", f"{p95:.1f}", queries] for name, p50, p95, queries in lines]


def others() -> Iterator[tuple[str, str]]:
    """The detail pages and the other lists, each on the heaviest row there is of its kind."""
    from django.urls import reverse

    from functions_app.models import Function, Repository
    from tests.benchmarks import people, rows

    function = Function.objects.get(name__endswith="-05001")
    repository = Repository.objects.get(name="team-0/service-0")
    run = people.logged_run(function)
    yield f"a function, {rows.VERSIONS} versions", reverse("function", args=[function.pk])
    yield "a function's image", reverse("function-image", args=[function.pk])
    yield "overview", reverse("overview")
    yield "overview, one account, 90 days", reverse("overview") + "?account=staging&days=90"
    yield from base_pages()
    yield from image_pages()
    yield "repositories", reverse("repositories")
    yield f"a repository, {repository.images.count():,} images", reverse("repository", args=[repository.pk])
    yield "repositories, search of a digest", reverse("repositories") + "?search=sha256:0a1b2c"
    for text in ("invoice", "a", "team-0", function.arn, "team-0/service-0", "0a1b2c", function.account.account_id):
        yield f"search everything: {text}", f"{reverse('search')}?q={text}"
    yield "policies", reverse("policies")
    yield "runs", reverse("runs")
    yield f"a run, {run.line_count:,} log lines", reverse("run", args=[run.pk])


def base_pages() -> Iterator[tuple[str, str]]:
    """The list, the base that most functions stand on, a golden image, a base beneath golden images, a comparison."""
    from django.urls import reverse

    from functions_app.models import Account, BaseStream, Function
    from tests.benchmarks.release_rows import GOLDEN, LAMBDA, name_of

    popular, golden, last = (BaseStream.objects.get(name=name) for name in (LAMBDA[0], name_of(0), name_of(39)))
    address, users = reverse("base", args=[popular.pk]), Function.objects.filter(base_name=popular.name).count()
    older = popular.releases.filter(platform="linux/amd64").order_by("-created_at")[2]
    account = Account.objects.get(name="production").pk
    assert name_of(GOLDEN) == popular.name
    yield "bases", reverse("bases")
    yield f"a base, worst of {users:,} functions", address
    yield "a base, one release and account", f"{address}?release={older.pk}&account={account}"
    yield "a base, last page of users, releases page 3", f"{address}?page=9999&releases=3"
    yield "a base, rarer", reverse("base", args=[last.pk])
    yield "a golden image", reverse("base", args=[golden.pk])
    yield "a comparison, files read", reverse("base-compare", args=[popular.pk])
    yield "a comparison, one path", reverse("base-compare", args=[popular.pk]) + "?path=package-77"
    yield "a comparison, files not read", reverse("base-compare", args=[last.pk])


def image_pages() -> Iterator[tuple[str, str]]:
    """An image whose files were read, with 1,000 findings; and one of which little is known."""
    from django.urls import reverse

    from functions_app.models import Image, ImageScan
    from tests.benchmarks import fact_rows

    scan = ImageScan.objects.order_by("pk")[0]
    plain = Image.objects.filter(scan=None, versions__isnull=False).order_by("pk")[0]
    yield f"an image, files read, {len(scan.findings):,} findings", reverse("image", args=[scan.image_id])
    yield "an image, not read, not scanned", reverse("image", args=[plain.pk])
    assert len(scan.findings) == fact_rows.MOST_FINDINGS


def measure(pages: Mapping[str, str], client: "Client | None" = None) -> list[Line]:
    """Name, p50 ms, p95 ms and queries of each page, for a client: of who is signed in, where none is given."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    if client is None:
        client = Client()
        client.force_login(get_user_model().objects.get(username="bench"))
    lines = []
    for name, path in pages.items():
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        queries, delays = len(captured), []  # counted now: the next request empties the list
        for _ in range(TURNS):
            start = time.perf_counter()
            client.get(path)
            delays.append((time.perf_counter() - start) * 1000)
        lines.append((name, percentile(delays, 0.5), percentile(delays, 0.95), queries))
    return lines


if __name__ == "__main__":
    main()
