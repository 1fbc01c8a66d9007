"""What stands around every page: login, the policy for scripts and styles, errors as page and toast, health."""

import gc
import re
import weakref
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django_htmx.middleware import HtmxDetails

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.fleet.states import RANK_GONE, RANK_STALE, RANK_UPDATE_FAILED
from functions_app.models import Run, Scope
from functions_app.services.snapshot import function_counts
from functions_app.web.http import ProblemMiddleware, page, server_error
from tests.conftest import Valkey
from tests.factories import NOW, make_account, make_function

pytestmark = pytest.mark.shows_dates

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
TEMPLATES = sorted(Path(django_settings.BASE_DIR, "templates").rglob("*.html"))


def request_for(person: User | AnonymousUser, **headers: str) -> HttpRequest:
    """A request as the middleware would hand it to a view."""
    request = RequestFactory().get("/somewhere/", headers=headers)
    request.user = person
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    return request


def answer_to(error: DrydockError, request: HttpRequest) -> HttpResponse:
    """What the person sees when a view raises."""
    answer = ProblemMiddleware(lambda _: HttpResponse()).process_exception(request, error)
    assert answer is not None
    return answer


def test_every_page_wants_a_login(client: Client) -> None:
    answer = client.get("/functions/?freshness=stale")
    assert answer.headers["Location"] == "/login/?next=/functions/%3Ffreshness%3Dstale"


def test_logging_in_leads_to_where_one_wanted_to_go(client: Client, viewer: User) -> None:
    form = {"username": "vera", "password": "a long password", "next": "/repositories/"}
    assert client.post("/login/", form).headers["Location"] == "/repositories/"


def test_a_wrong_password_is_said_without_saying_which_part(client: Client, viewer: User) -> None:
    answer = client.post("/login/", {"username": "vera", "password": "wrong"})
    assert "do not match" in answer.content.decode()


def test_htmx_without_a_session_leaves_the_page_instead_of_filling_the_table_with_a_form(client: Client) -> None:
    headers = {**HTMX, "HX-Current-URL": "http://testserver/functions/?search=a"}
    answer = client.get("/functions/?search=ab", headers=headers, follow=True)
    assert answer.headers["HX-Redirect"] == "/login/?next=%2Ffunctions%2F%3Fsearch%3Da"


def test_health_needs_no_login_and_tells_of_both(client: Client, db: None, valkey: Valkey) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"database ok\nredis ok\n")


def test_health_tells_that_redis_is_away_and_pages_are_served(client: Client, db: None, valkey: Valkey) -> None:
    valkey.stop()
    try:
        answer = client.get("/healthz")
    finally:
        valkey.start()
    assert answer.status_code == 200
    assert b"redis away" in answer.content


def test_health_is_503_without_the_database(client: Client, blocked_database: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert b"database away" in answer.content


@pytest.fixture
def blocked_database(db: None) -> Iterator[None]:
    """A database that fails every statement."""

    def refuse(execute: object, sql: str, *args: object) -> None:
        raise OperationalError("server closed the connection")

    with connection.execute_wrapper(refuse):
        yield


def test_the_frame_shows_the_age_running_runs_and_the_current_place(client: Client, viewer: User) -> None:
    make_account()
    Run.objects.create(kind="sync", status="running", title="Sync", created_at=NOW, actor_name="schedule")
    client.force_login(viewer)
    text = client.get("/repositories/").content.decode()
    assert "<b>1</b> running" in text
    assert "synced <time" in text
    assert re.search(r'href="/repositories/"[^>]*aria-current="page"', text)


def test_the_rail_counts_what_needs_attention_and_nothing_else(client: Client, viewer: User) -> None:
    account = make_account()
    client.force_login(viewer)
    assert "rail-count" not in client.get("/audit/").content.decode()
    for rank in (RANK_GONE, RANK_UPDATE_FAILED, RANK_STALE):
        make_function(account, problem_rank=rank)
    function_counts.keep()
    Scope.objects.update(problem=Problem(Code.DENIED, "May not list functions.").as_json())
    text = client.get("/audit/").content.decode()
    assert re.findall(r'class="rail-count (\w+)"\s+href="([^"]+)"\s+aria-label="([^"]+)"[^>]*>(\d+)<', text) == [
        ("bad", "/functions/?needs=broken", "2 broken functions", "2"),
        ("warn", "/settings/accounts/", "1 region not readable", "1"),
    ]
    beside = [each.partition("</div>")[0] for each in text.split('<div class="rail-entry">')[1:]]
    assert [re.findall(r'class="rail-item"\s+href="([^"]+)"', each) for each in beside] == [
        ["/functions/"],
        ["/settings/"],
    ]


def test_the_rail_counts_no_region_of_an_account_that_is_switched_off(client: Client, viewer: User) -> None:
    make_account(enabled=False)
    Scope.objects.update(problem=Problem(Code.DENIED, "May not list functions.").as_json())
    client.force_login(viewer)
    assert "rail-count" not in client.get("/audit/").content.decode()


def test_the_list_of_plans_stands_under_the_runs_that_lead_there(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    text = client.get("/plans/").content.decode()
    assert re.search(r'href="/runs/"[^>]*aria-current="page"', text)


def test_an_old_snapshot_is_amber_with_the_reason(client: Client, viewer: User) -> None:
    make_account()
    Scope.objects.update(synced_at=clock.now() - timedelta(hours=9))
    client.force_login(viewer)
    assert "is the worker running?" in client.get("/repositories/").content.decode()


def test_every_icon_used_is_in_the_sprite() -> None:
    sprite = Path(django_settings.BASE_DIR, "static/vendor/tabler-icons/icons.svg").read_text(encoding="utf-8")
    there = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    used: set[str] = set()  # those of statuses: tests/web/html/test_looks.py
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8")
        used |= set(re.findall(r'{% icon "([a-z0-9-]+)"', text)) | set(re.findall(r'{% badge "[^"]*" "([^"]+)"', text))
    assert used <= there


def test_responses_carry_the_policy(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    policy = client.get("/functions/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("code", "status"), [(Code.BUSY, 409), (Code.CHANGED, 412), (Code.PREFLIGHT, 422), (Code.EXPIRED, 410)]
)
def test_an_error_is_a_page_with_its_status_cause_and_next_step(viewer: User, code: Code, status: int) -> None:
    error = DrydockError(
        code, "Somebody changed it.", next_step="Reload and review.", aws_code="PreconditionFailed", request_id="4f2a"
    )
    answer = answer_to(error, request_for(viewer))
    assert answer.status_code == status
    text = answer.content.decode()
    for words in ("Somebody changed it.", "Reload and review.", "PreconditionFailed", "4f2a", "<html"):
        assert words in text


def test_for_htmx_an_error_is_a_toast(viewer: User) -> None:
    answer = answer_to(DrydockError(Code.BUSY, "Run 7 holds it."), request_for(viewer, **HTMX))
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (409, "#toasts", "beforeend")
    assert "<html" not in answer.content.decode()


def test_other_exceptions_are_not_swallowed(viewer: User) -> None:
    middleware = ProblemMiddleware(lambda _: HttpResponse())
    assert middleware.process_exception(request_for(viewer), ValueError("boom")) is None


def test_an_unknown_address_is_a_page_in_the_frame(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert 'class="rail"' in answer.content.decode()


def test_the_500_page_needs_neither_database_nor_session() -> None:
    answer = server_error(request_for(AnonymousUser()))
    assert answer.status_code == 500
    assert "Drydock itself failed" in answer.content.decode()


def test_the_styleguide_draws_every_part(viewer: User) -> None:
    from functions_app.web.styleguide import styleguide

    request = request_for(viewer)
    assert b"Style guide" in styleguide(request).content  # type: ignore[arg-type]


def test_an_unknown_age_is_said(db: None) -> None:
    function = make_function(make_account())
    text = render_to_string("repositories/list.html", {"rows": [], "search": ""})
    assert function.pk
    assert "No repositories" in text


def test_what_is_private_is_kept_by_no_browser(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    for address in ("/", "/functions/", "/settings/", "/nowhere/"):
        assert "no-store" in client.get(address).headers["Cache-Control"], address


def test_what_was_drawn_leaves_nothing_for_the_collector_of_garbage(viewer: User) -> None:
    gc.collect()
    gc.disable()
    try:
        problem = Problem(Code.FAILED, "Once.")
        shown = weakref.ref(problem)
        context = {"problem": problem, "title": "Failed", "status": 500}
        assert "Once." in page(request_for(viewer), "errors/problem.html", context).content.decode()
        del problem, context
        assert shown() is None
    finally:
        gc.enable()
