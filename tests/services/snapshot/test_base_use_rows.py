"""What is live on base images stands ready: it follows aliases, versions, images and policies."""

from datetime import date

import pytest
from pytest_django import DjangoAssertNumQueries

from functions_app.models import Account, Alias, BaseStream, BaseUse, Function, Image
from functions_app.services.snapshot.base_use_rows import Lineages, refresh_uses
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.live_on_bases import live_rows
from tests.factories import (
    NOW,
    make_account,
    make_alias,
    make_golden,
    make_image,
    make_release,
    make_stream,
    make_user,
    make_version,
)


@pytest.fixture
def account(db: None) -> Account:
    """An account."""
    return make_account("production")


@pytest.fixture
def stream(db: None) -> BaseStream:
    """A stream without releases."""
    return make_stream()


def uses() -> list[tuple[str, str, str | None, str | None]]:
    """Stream, alias, release and the image's own release of everything that is live."""
    rows = BaseUse.objects.order_by("stream__name", "alias", "version")
    return list(rows.values_list("stream__name", "alias", "release__tag", "nearest__tag"))


def test_an_alias_that_moves_takes_its_use_along(account: Account, stream: BaseStream) -> None:
    function = make_user(account, make_release(stream, "old"))
    make_version(function, 2, make_image(account.repositories.get(), base_release=make_release(stream, "new")))
    Alias.objects.update(version="2")
    refresh_summaries([function.pk])
    assert uses() == [("python:3.12", "live", "new", "new")]


def test_both_versions_of_a_split_alias_are_uses(account: Account, stream: BaseStream) -> None:
    function = make_user(account, make_release(stream, "old"))
    make_version(function, 2, make_image(account.repositories.get(), base_release=make_release(stream, "new")))
    make_alias(function, "canary", 1, second=2, weight=0.1)
    refresh_summaries([function.pk])
    assert uses() == [
        ("python:3.12", "canary", "old", "old"),
        ("python:3.12", "canary", "new", "new"),
        ("python:3.12", "live", "old", "old"),
    ]


def test_what_managed_instances_published_last_is_a_use_and_their_latest_is_none(
    account: Account, stream: BaseStream
) -> None:
    function = make_user(account, make_release(stream, "new"), alias="")
    old = make_release(stream, "old")
    make_version(function, "$LATEST.PUBLISHED", make_image(account.repositories.get(), base_release=old))
    refresh_summaries([function.pk])
    assert uses() == [("python:3.12", "", "old", "old")]
    assert [row[2:4] for row in live_rows()] == [("$LATEST.PUBLISHED", old.pk)]


def test_a_golden_image_is_a_use_of_what_is_beneath_it_too(account: Account, stream: BaseStream) -> None:
    release = make_release(stream, "3.12")
    make_user(account, make_golden(make_stream("shop/golden:1"), "1.4", on=release), alias="")
    assert uses() == [("python:3.12", "", "3.12", "1.4"), ("shop/golden:1", "", "1.4", "1.4")]


def test_an_unknown_release_is_a_use_of_its_stream(account: Account, stream: BaseStream) -> None:
    function = make_user(account, make_release(stream, "3.12"))
    Image.objects.update(base_release=None)
    refresh_uses([function])
    assert uses() == [("python:3.12", "live", None, None)]


def test_a_function_that_is_gone_uses_nothing(account: Account, stream: BaseStream) -> None:
    function = make_user(account, make_release(stream, "3.12"))
    Function.objects.update(gone_at=NOW)
    refresh_summaries([function.pk])
    assert uses() == []


def test_the_day_of_a_policy_is_its_aliass_own(account: Account, stream: BaseStream) -> None:
    make_user(account, make_release(stream, "3.12"), overdue_on=date(2026, 10, 1))
    assert BaseUse.objects.get().overdue_on == date(2026, 10, 1)


def test_nothing_is_written_where_nothing_changed(account: Account, stream: BaseStream) -> None:
    function = make_user(account, make_release(stream, "3.12"))
    assert refresh_uses([function]) == 0


def test_many_functions_cost_a_few_queries_and_known_lineages_none(
    account: Account, stream: BaseStream, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    functions = [make_user(account, make_release(stream, f"r{number}")) for number in range(20)]
    lineages = Lineages()
    BaseUse.objects.all().delete()
    with django_assert_num_queries(6):
        refresh_uses(functions, lineages)
    with django_assert_num_queries(3):
        refresh_uses(functions, lineages)
