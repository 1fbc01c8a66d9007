"""The functions page in process over 10,000 functions, 100,000 versions and 20,000 aliases: time and queries."""

import time

import django

from tests.benchmarks.figures import percentile, table

TURNS = 40
VIEWS = {
    "first page": "",
    "page 100": "page=100",
    "last page": "page=200",
    "stale": "freshness=stale",
    "stale, page 40": "freshness=stale&page=40",
    "one account and region": "account=production&region=eu-west-1",
    "state and base": "state=Failed&base=python:3.12",
    "all facets": "account=production&region=eu-west-1&state=Active&freshness=stale&base=nodejs:22",
    "search a name": "search=invoice",
    "search one function": "search=invoice-mailer-05051",
    "search a digest": "search=sha256:0a1b",
    "search nothing": "search=no-such-function",
    "by name, page 100": "sort=name&page=100",
    "by last change, page 100": "sort=-changed&page=100",
}


def main() -> None:
    """Fill, ask each view many times through Django's whole stack, print p50, p95 and queries."""
    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from dashboard import broker
    from tests.benchmarks import people, rows

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.WHITENOISE_USE_FINDERS = False
    broker.ensure()
    rows.fill()
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)
    people.session_cookie()
    client = Client()
    client.force_login(get_user_model().objects.get(username="bench"))
    lines, worst, most = [], 0.0, 0
    for name, query in VIEWS.items():
        path = f"/functions/?{query}"
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        delays = []
        for _ in range(TURNS):
            start = time.perf_counter()
            client.get(path)
            delays.append((time.perf_counter() - start) * 1000)
        p95 = percentile(delays, 0.95)
        worst, most = max(worst, p95), max(most, len(captured))
        lines.append([name, f"`{query}`", f"{percentile(delays, 0.5):.1f}", f"{p95:.1f}", len(captured)])
    print(f"## Functions page, {connection.vendor}\n")
    print(
        f"In process, through the whole middleware, {TURNS} times each. "
        f"Worst p95 {worst:.1f} ms, most queries {most}.\n"
    )
    print(table(["view", "query", "p50 ms", "p95 ms", "queries"], lines), "\n")


if __name__ == "__main__":
    main()
