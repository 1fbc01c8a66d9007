"""Runs that others keep alive: hidden unless asked for, named on their parent's page, counted nowhere else."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from functions_app.domain.errors import Code, Problem
from functions_app.domain.runs import ACTIVE, Kind, Status
from functions_app.models import Run
from functions_app.services.inventory.runs.run_signals import CHILDREN
from functions_app.streams import fleet_feed
from tests.factories import make_account
from tests.web.runs.test_runs import NOW, make_run, operating, shown, watching

__all__ = ["operating", "watching"]  # fixtures
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey"), pytest.mark.shows_dates]
FAILED = Problem(Code.CHANGED, "Somebody changed it.").as_json()


def child(parent: Run, key: str, status: Status = Status.RUNNING, **values: Any) -> Run:
    return make_run(status, parent=parent, child_key=key, title=f"Change {key}", **values)


def family(number: int, status: Status = Status.QUEUED) -> Run:
    """A run with so many others, one of which failed first of all."""
    parent = make_run(kind=Kind.PATCH, title="All of them")
    Run.objects.bulk_create(
        Run(
            kind=Kind.DEPLOYMENT,
            status=status if at else Status.FAILED,
            problem=None if at else FAILED,
            title=f"Change {at}",
            parent=parent,
            child_key=str(at),
            actor_name="olga",
            created_at=NOW,
        )
        for at in range(number)
    )
    return parent


def titles(page: str) -> set[str]:
    return {title for title in ("Change a", "Change b", "All of them", "Another") if f">{title}</a>" in page}


def queries(client: Client, path: str, **query: Any) -> int:
    with CaptureQueriesContext(connection) as taken:
        shown(client, path, **query)
    return len(taken)


class Test_the_list:
    def test_hides_children_unless_they_are_asked_for(self, watching: Client) -> None:
        parent = make_run(title="All of them")
        child(parent, "a"), child(parent, "b", Status.FAILED)
        make_run(title="Another")
        assert titles(shown(watching, "/runs/")) == {"All of them", "Another"}
        assert titles(shown(watching, "/runs/", children="yes")) == {"All of them", "Another", "Change a", "Change b"}
        assert titles(shown(watching, "/runs/", status="failed")) == set()
        assert titles(shown(watching, "/runs/", status="failed", children="yes")) == {"Change b"}

    def test_shows_those_of_one_run(self, watching: Client) -> None:
        parent, other = make_run(title="All of them"), make_run(title="Another")
        child(parent, "a"), child(other, "b")
        page = shown(watching, "/runs/", parent=str(parent.pk))
        assert titles(page) == {"Change a"}
        assert f'<a href="/runs/{parent.pk}/">run {parent.pk}</a>' in page

    @pytest.mark.parametrize("parent", ["x", "-1", "9" * 40, "", "٣"])
    def test_ignores_a_malformed_parent(self, watching: Client, parent: str) -> None:
        make_run(title="Another")
        assert titles(shown(watching, "/runs/", parent=parent)) == {"Another"}

    def test_of_a_parent_that_nobody_knows_is_empty(self, watching: Client) -> None:
        make_run(title="Another")
        assert "No run matches" in shown(watching, "/runs/", parent="4711")

    def test_offers_children_only_where_there_are_some(self, watching: Client) -> None:
        parent = make_run()
        assert "filter-children" not in shown(watching, "/runs/")
        child(parent, "a")
        assert "filter-children" in shown(watching, "/runs/")

    def test_keeps_what_was_asked_for_in_the_links_to_its_other_pages(self, watching: Client) -> None:
        parent = family(60)
        assert "?children=yes&amp;page=2" in shown(watching, "/runs/", children="yes")
        assert f"?parent={parent.pk}&amp;page=2" in shown(watching, "/runs/", parent=str(parent.pk))

    def test_counts_no_child_as_under_way_but_those_of_the_run_it_is_about(self, watching: Client) -> None:
        parent = family(7)
        assert "<b>1</b> run, 1 under way" in shown(watching, "/runs/")
        assert "<b>8</b> runs match, 1 under way in all" in shown(watching, "/runs/", children="yes")
        assert "<b>7</b> runs match, 6 under way<" in shown(watching, "/runs/", parent=str(parent.pk))

    def test_of_a_runs_children_follows_them_though_it_has_ended(self, watching: Client) -> None:
        parent = family(3)
        Run.objects.filter(pk=parent.pk).update(status=Status.CANCELLED)
        assert 'hx-trigger="every 3s"' in shown(watching, "/runs/", parent=str(parent.pk))
        assert 'hx-trigger="every 3s"' not in shown(watching, "/runs/")

    @pytest.mark.parametrize("query", [{}, {"children": "yes"}, {"parent": "every"}])
    def test_takes_as_many_queries_with_a_thousand_children_as_with_ten(
        self, watching: Client, query: dict[str, str]
    ) -> None:
        taken = []
        for number in (10, 1_000):
            parent = family(number)
            taken.append(queries(watching, "/runs/", **({"parent": str(parent.pk)} if "parent" in query else query)))
        assert taken[0] == taken[1]


class Test_a_parents_page:
    def test_names_its_children_what_failed_first_then_what_is_under_way(self, watching: Client) -> None:
        parent = make_run(title="All of them")
        failed = child(parent, "a", Status.FAILED, problem=FAILED)
        running = child(parent, "b")
        done = child(parent, "c", Status.SUCCEEDED)
        page = shown(watching, f"/runs/{parent.pk}/")
        places = [page.index(f'href="/runs/{run.pk}/"') for run in (failed, running, done)]
        assert places == sorted(places)
        assert "Somebody changed it." in page
        assert f'<a href="/runs/?parent={parent.pk}"><b>3</b> runs</a>' in page

    def test_has_no_list_of_them_where_there_are_none(self, watching: Client) -> None:
        assert "Runs of this one" not in shown(watching, f"/runs/{make_run().pk}/")

    def test_of_a_thousand_names_some_with_the_failed_one_and_counts_all(self, watching: Client) -> None:
        parent = family(1_000)
        page = shown(watching, f"/runs/{parent.pk}/")
        assert page.count(">Change ") == CHILDREN
        assert ">Change 0</a>" in page
        assert "<b>1000</b> runs" in page

    def test_takes_as_many_queries_for_a_thousand_as_for_ten(self, watching: Client) -> None:
        taken = [queries(watching, f"/runs/{family(number).pk}/") for number in (10, 1_000)]
        assert taken[0] == taken[1]


def test_a_childs_page_names_its_parent(watching: Client) -> None:
    parent = make_run(title="All of <them>")
    page = shown(watching, f"/runs/{child(parent, 'a').pk}/")
    assert f'href="/runs/{parent.pk}/">one of run {parent.pk}: All of &lt;them&gt;</a>' in page


def test_a_child_can_be_cancelled_by_itself(operating: Client) -> None:
    parent = make_run()
    one, other = child(parent, "a"), child(parent, "b")
    operating.post(f"/runs/{one.pk}/cancel/")
    assert (one.signals.count(), other.signals.count(), parent.signals.count()) == (1, 0, 0)


class Test_what_is_under_way:
    def test_is_counted_without_children_around_every_page(self, watching: Client) -> None:
        make_account()
        family(7)
        assert "<b>1</b> running" in shown(watching, "/audit/")

    def test_is_counted_without_children_for_open_pages(self) -> None:
        family(7)
        assert Run.objects.filter(status__in=ACTIVE).count() == 7
        assert fleet_feed.read_state()[1] == 1

    def test_is_named_without_children_on_the_overview(self, watching: Client) -> None:
        make_account()
        family(7)
        page = shown(watching, "/")
        assert ">All of them</a>" in page
        assert ">Change " not in page
        assert "more</a>" not in page
