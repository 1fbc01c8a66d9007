"""The overview: what needs attention, how fresh the fleet is, how old the data is, and what that costs."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import Account, Alias, AliasMove, FreshnessDay, Function, LifecycleForecast, Run, Scope
from functions_app.services.snapshot.function_counts import keep
from functions_app.web.overview import overview
from functions_app.web.overview.cards import Card
from tests.factories import (
    make_account,
    make_alias,
    make_function,
    make_image,
    make_repository,
    make_stream,
    make_version,
    today,
)

pytestmark = pytest.mark.shows_dates


@pytest.fixture
def account(db: None) -> Account:
    """The account that functions are in, and a base stream that was polled."""
    make_stream()
    return make_account("production")


def read_forecast(account: Account) -> None:
    """A repository of the account with a forecast that finds nothing."""
    now = clock.now()
    LifecycleForecast.objects.create(repository=make_repository(account), read_at=now, attempted_at=now)


def found(answer: Any) -> dict[str, Card]:
    """The findings of a page by their key."""
    return {each.key: each for each in answer.context["findings"]}


def names(finding: Card) -> list[str]:
    return [line.name for line in finding.lines]


def test_it_is_the_first_page_and_the_first_entry_of_the_rail(person: Client, account: Account) -> None:
    text = person.get("/").content.decode()
    assert "<h1>Overview</h1>" in text
    assert text.index('data-go="o"') < text.index('data-go="f"')


def test_without_functions_it_says_where_to_look(person: Client, account: Account) -> None:
    assert "Check accounts and regions" in person.get("/").content.decode()


def test_when_nothing_is_wrong_it_says_what_was_looked_at(person: Client, account: Account) -> None:
    make_function(account, freshness="current", base_name="python:3.12")
    read_forecast(account)
    text = person.get("/").content.decode()
    assert "Nothing needs attention." in text
    assert "1 function for broken images" in text
    assert "1 repository for what" in text


def test_what_is_broken_comes_first_and_the_worst_of_it_first(person: Client, account: Account) -> None:
    make_function(account, "update", problem_rank=70, problem="The last update failed: no")
    make_function(account, "gone", problem_rank=90, problem="The image behind live is no longer in ECR")
    make_function(account, "asleep", state="Inactive", problem_rank=30)
    Function.objects.update(freshness="current")
    answer = person.get("/")
    assert list(found(answer)) == ["broken", "inactive"]
    assert names(found(answer)["broken"]) == ["gone", "update"]
    assert "The image behind live is no longer in ECR" in answer.content.decode()


def test_each_finding_names_five_counts_the_rest_and_leads_to_them_all(person: Client, account: Account) -> None:
    for number in range(8):
        make_function(account, f"f-{number}", problem_rank=80, problem="Failed: no")
    finding = found(person.get("/"))["broken"]
    assert (len(finding.lines), finding.rest, finding.title) == (5, 3, "8 functions broken")
    listed = person.get(finding.href)
    assert listed.context["found"].total == 8


def test_overdue_names_the_longest_first(person: Client, account: Account) -> None:
    make_function(account, "late", overdue_on=today(-2), freshness="stale")
    make_function(account, "later", overdue_on=today(-20))
    make_function(account, "in-time", overdue_on=today(1))
    finding = found(person.get("/"))["overdue"]
    assert [(line.name, line.why) for line in finding.lines] == [
        ("later", "Overdue for 20 days."),
        ("late", "Overdue for 2 days."),
    ]
    assert [line.aside_href[-7:] for line in finding.lines] == ["", "/patch/"]  # what ended has nothing to stand on
    assert person.get(finding.href).context["found"].total == 2


def test_ends_of_life_are_told_by_base_with_the_days_left(person: Client, account: Account) -> None:
    for base, days in (("python:3.9", -40), ("nodejs:20", 90), ("nodejs:20", 90), ("python:3.13", 91)):
        make_function(account, base_name=base, end_of_life_on=today(days))
    finding = found(person.get("/"))["ending"]
    assert finding.count == 3
    assert names(finding) == ["python:3.9", "nodejs:20"]
    assert finding.lines[0].why.startswith("1 function, ended 40 days ago")
    assert finding.lines[1].why.startswith("2 functions, 90 days left")


@pytest.mark.parametrize("days", [(-40, -2), (5, 90), (-40, 5, 90), (0, 1)], ids=str)
def test_the_list_behind_ends_of_life_and_behind_each_base_has_as_many_as_it_says(
    person: Client, account: Account, days: tuple[int, ...]
) -> None:
    for left in days:
        ended = "end_of_life" if left <= 0 else "current"
        make_function(account, base_name="python:3.9", end_of_life_on=today(left), freshness=ended)
    make_function(account, base_name="python:3.9", end_of_life_on=today(91))
    finding = found(person.get("/"))["ending"]
    assert person.get(finding.href).context["found"].total == finding.count == len(days)
    for line in finding.lines:
        total = person.get(line.href).context["found"].total
        assert line.why.startswith(f"{total} function")


def test_bases_that_end_on_one_day_come_by_name(person: Client, account: Account) -> None:
    bases = ["python:3.9", "nodejs:20", "java:11"]
    for base in bases:
        make_function(account, base_name=base, end_of_life_on=today(7))
    assert names(found(person.get("/"))["ending"]) == sorted(bases)


def test_drifted_functions_are_found(person: Client, account: Account) -> None:
    make_function(account, "moved", drifted=True, problem_rank=60, problem="Tag live moved since the deploy")
    make_function(account, "still")
    finding = found(person.get("/"))["drifted"]
    assert names(finding) == ["moved"]
    assert person.get(finding.href).context["found"].total == 1


def test_an_alias_that_lost_its_way_back_comes_before_one_that_never_had_any(person: Client, account: Account) -> None:
    for name, lost in (("new", 0), ("lost", 3)):
        make_alias(make_function(account, name), "live", 4)
        Alias.objects.filter(function__name=name).update(rollback_targets=0, rollback_lost=lost)
    make_alias(make_function(account, "fine"), "live", 4)
    Alias.objects.filter(function__name="fine").update(rollback_targets=2)
    finding = found(person.get("/"))["no-way-back"]
    assert names(finding) == ["lost live", "new live"]
    assert finding.meaning.startswith(
        "1 lost every earlier version, or its image: deleted, or archived. 1 still on its first version"
    )
    assert person.get(finding.href).context["found"].total == 2


def test_to_be_on_a_first_version_is_the_last_thing_told(person: Client, account: Account) -> None:
    make_alias(make_function(account, "new", drifted=True, freshness="current"), "live", 1)
    Alias.objects.update(rollback_targets=0)
    assert [(each.key, each.level) for each in person.get("/").context["findings"]] == [
        ("drifted", "warn"),
        ("no-way-back", "calm"),
    ]


def make_endangered(account: Account, name: str, *, rule: int = 2, user: Account | None = None) -> Function:
    """A function whose live image a rule would delete."""
    repository = make_repository(account, f"team/{name}")
    image = make_image(repository, expiry_rule=rule)
    LifecycleForecast.objects.create(
        repository=repository,
        expiring=[{"digest": image.digest, "rule": rule, "tags": []}],
        read_at=clock.now(),
        attempted_at=clock.now(),
    )
    function = make_function(user or account, name)
    make_version(function, 7, image)
    make_alias(function, "prod", 7)
    return function


def test_a_policy_that_would_delete_a_live_image_is_told_with_its_rule(person: Client, account: Account) -> None:
    make_endangered(account, "orders")
    answer = person.get("/")
    (line,) = found(answer)["endangered"].lines
    assert line.why == "Rule 2 will delete the image behind orders prod (version 7)."
    assert person.get(found(answer)["endangered"].href).context["found"].total == 1


def test_an_image_that_another_account_runs_is_in_danger_too(person: Client, account: Account) -> None:
    make_endangered(account, "shared", user=make_account("staging"))
    assert "endangered" in found(person.get("/?account=staging"))
    assert "endangered" not in found(person.get("/?account=production"))


def test_one_account_alone_can_be_looked_at(person: Client, account: Account) -> None:
    make_function(account, "ours", problem_rank=80)
    make_function(make_account("staging"), "theirs", problem_rank=80)
    finding = found(person.get("/?account=staging"))["broken"]
    assert names(finding) == ["theirs"]
    assert [row.name for row in person.get(finding.href).context["rows"]] == ["theirs"]


def test_the_bar_tells_how_fresh_the_fleet_is_in_words(person: Client, account: Account) -> None:
    for freshness, count in (("current", 6), ("stale", 3), ("unknown", 1)):
        for _ in range(count):
            make_function(account, freshness=freshness, freshness_reason="It carries no annotation.")
    answer = person.get("/")
    assert [(part.word, part.count, part.share) for part in answer.context["bar"]] == [
        ("Stale", 3, "30 %"),
        ("Unknown", 1, "10 %"),
        ("Current", 6, "60 %"),
    ]
    assert "It carries no annotation." in answer.content.decode()


def test_stale_functions_of_each_account_are_one_link_away(person: Client, account: Account) -> None:
    make_account("staging")
    make_function(account, freshness="stale")
    told = person.get("/").content.decode()
    for name in ("production", "staging"):
        assert f'href="/functions/?account={name}&amp;freshness=stale" aria-label="{name}: stale functions"' in told
    assert "stale functions" not in person.get("/?account=production").content.decode()


def count_day(account: Account, day: date, base: str = "python:3.12", **counts: int) -> None:
    FreshnessDay.objects.create(day=day, account=account, base_name=base, **counts)


def test_the_burn_down_sums_accounts_and_keeps_its_gaps(person: Client, account: Account) -> None:
    make_function(account)
    other = make_account("staging")
    count_day(account, today(-3), stale=5, end_of_life=2)
    count_day(other, today(-3), stale=1)
    count_day(account, today(), stale=4, overdue=1)
    page = person.get("/")
    drawing = page.context["drawing"]
    assert [(row.day, row.total, row.overdue) for row in drawing.table] == [
        (today(), 4, 1),
        (today(-3), 8, 0),
    ]
    assert f"4 fewer than on {today(-3):%F}. 2 days between were not counted." in page.content.decode()
    assert len(drawing.overdue) == 2
    assert [row.total for row in person.get("/?account=staging").context["drawing"].table] == [1]


def test_a_first_day_says_that_the_chart_grows(person: Client, account: Account) -> None:
    make_function(account)
    count_day(account, today(), current=9)
    assert "tomorrow there is something to compare" in person.get("/").content.decode()


def test_the_last_day_is_told_with_the_way_back_for_who_may_take_it(
    person: Client, account: Account, operator: User
) -> None:
    function = make_function(account, "orders")
    make_alias(function, "live", 1)
    AliasMove.objects.create(function=function, alias="live", version="2", at=clock.now())
    assert "live was moved from 1 to 2" in (shown := person.get("/").content.decode())
    assert "Back to 1" not in shown
    person.force_login(operator)
    assert 'aria-label="Plan to point live of orders back to 1"' in person.get("/").content.decode()


def test_more_than_was_read_of_the_last_day_is_counted_as_at_least(
    person: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = make_function(account, "orders")
    make_alias(function, "live", 1)
    for version in range(2, 14):
        AliasMove.objects.create(function=function, alias="live", version=str(version), at=clock.now())
    assert "and 4 more: the runs among them" in person.get("/").content.decode()
    monkeypatch.setattr(overview, "HAPPENED", 10)
    assert "and at least 2 more: the runs among them" in person.get("/").content.decode()
    monkeypatch.setattr(overview, "HAPPENED", 3)
    assert "and more, which was not read: the runs among it" in person.get("/").content.decode()


def test_days_before_the_first_count_are_drawn_and_said_to_be_computed(person: Client, account: Account) -> None:
    make_function(account)
    count_day(account, today(-1), stale=2, computed=True)
    count_day(account, today(), stale=5)
    answer = person.get("/")
    assert [(row.total, row.computed) for row in answer.context["drawing"].table] == [(5, False), (2, True)]
    assert "computed: before the first count" in answer.content.decode()


def test_a_day_without_stale_functions_is_counted_and_no_gap(person: Client, account: Account) -> None:
    make_function(account)
    count_day(account, today(-1), stale=2)
    count_day(account, today(), current=2)
    assert [row.total for row in person.get("/").context["drawing"].table] == [0, 2]


def test_many_bases_leave_the_smallest_to_one_series(person: Client, account: Account) -> None:
    make_function(account)
    for number in range(9):
        count_day(account, today(), base=f"python:3.{number}", stale=20 - number)
    series = person.get("/").context["drawing"].series
    assert [(each.name, each.latest) for each in series][-2:] == [("python:3.4", 16), ("other bases", 54)]


def test_the_range_is_in_the_address(person: Client, account: Account) -> None:
    make_function(account)
    count_day(account, today(-60), stale=3)
    assert person.get("/").context["drawing"] is None
    assert len(person.get("/?days=90").context["drawing"].columns) == 1
    assert person.get("/?days=12345&account=nobody").status_code == 200


def test_runs_that_go_on_and_scopes_that_failed_are_told(person: Client, account: Account) -> None:
    make_function(account)
    Run.objects.create(
        kind="sync",
        status="running",
        title="Sync all accounts",
        actor_name="olga",
        plan={},
        created_at=clock.now(),
    )
    problem = {"code": "denied", "message": "The permission ecr:DescribeImages is missing."}
    Scope.objects.create(account=account, region="us-east-1", problem=problem)
    text = person.get("/").content.decode()
    assert "Sync all accounts" in text
    assert text.count("The permission ecr:DescribeImages is missing.") == 1


@pytest.mark.parametrize(("counted", "queries"), [(True, 24), (False, 28)])
def test_it_costs_the_same_however_much_is_wrong(
    person: Client, account: Account, django_assert_num_queries: DjangoAssertNumQueries, counted: bool, queries: int
) -> None:
    for number in range(40):
        function = make_endangered(account, f"f-{number}", rule=number + 1)
        Function.objects.filter(pk=function.pk).update(
            problem_rank=80, drifted=True, state="Inactive", overdue_on=today(), end_of_life_on=today(),
            partly_read=True, unruled=True,
        )  # fmt: skip
        count_day(account, today(-number), stale=number)
    Alias.objects.update(rollback_targets=0)
    if counted:
        keep()
    with django_assert_num_queries(queries):  # three of them the session's, the person's and the frame's
        text = person.get("/?days=90").content.decode()
    assert "and 35 more" in text


def test_many_accounts_and_regions_are_folded_with_problems_first(person: Client, account: Account) -> None:
    make_function(account)
    for number in range(12):
        make_account(f"team-{number}", regions=("eu-west-1", "us-east-1"))
    Scope.objects.filter(account__name="team-9").update(problem={"code": "denied", "message": "No."})
    answer = person.get("/")
    assert [scope.account for scope in answer.context["scopes"]][:2] == ["team-9", "team-9"]
    assert len(answer.context["more_scopes"]) == 17
    assert "All 13 accounts" in answer.content.decode()


def test_stale_functions_are_told_where_no_policy_makes_them_overdue(person: Client, account: Account) -> None:
    make_function(account, freshness="stale", unruled=True)
    answer = person.get("/")
    assert "Nothing needs attention." not in answer.content.decode()
    card = found(answer)["unruled"]
    assert (card.level, card.title) == ("warn", "1 function on a stale base, and no policy says until when")
    assert "Settings, Freshness" in card.next_step
    assert person.get(card.href).context["found"].total == 1


def test_what_is_stale_for_no_longer_than_a_policy_allows_is_said_beside_the_all_clear(
    person: Client, account: Account
) -> None:
    make_function(account, freshness="stale")
    read_forecast(account)
    text = person.get("/").content.decode()
    assert "Nothing needs attention." in text
    assert "1 runs on a stale base, for no longer than the policy allows." in text


def test_names_are_escaped(person: Client, account: Account) -> None:
    make_function(
        account, "<b>f</b>", problem_rank=80, problem="<i>why</i>", base_name="<u>base</u>", end_of_life_on=today()
    )
    count_day(account, today(), base="<s>base</s>", stale=1)
    text = person.get("/").content.decode()
    for word in ("<b>f", "<i>why", "<u>base", "<s>base"):
        assert word not in text


def test_of_what_happened_by_itself_the_runs_are_the_schedules_too(person: Client, account: Account) -> None:
    make_function(account)
    now, failed = clock.now(), {"kind": "sync", "status": "failed", "actor_name": "the schedule", "via": "schedule"}
    for number in range(9):
        Run.objects.create(title=f"Sync {number}", created_at=now, ended_at=now, **failed)
    assert '<a href="/runs/?by=everybody">and 1 more' in person.get("/").content.decode()
