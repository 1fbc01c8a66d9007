"""The functions list: what it shows, what its address means, and what it costs."""

from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from functions_app.models import Account, Function, Scope
from functions_app.services.inventory.fleet.list_filter import NEEDS
from functions_app.services.snapshot.alias_standings import refresh_standings
from functions_app.services.snapshot.function_tags import refresh_tags
from functions_app.web.fleet.function_list import Heading, counted
from tests.factories import chip, digest, make_account, make_function, today

pytestmark = pytest.mark.shows_dates

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#list"}
Names = Callable[[str], list[str]]


@pytest.fixture
def names(person: Client) -> Names:
    """The names of the rows an address shows, in order."""
    return lambda query: [row.name for row in person.get(f"/functions/?{query}").context["rows"]]


def counts(client: Client, query: str, title: str) -> dict[str, int]:
    """A facet's values and counts."""
    facets = client.get(f"/functions/?{query}").context["facets"]
    return {value.id: value.count for facet in facets if facet.title == title for value in facet.values}


def test_problems_come_first_and_then_names(names: Names) -> None:
    account = make_account()
    for name, rank in (("calm-b", 0), ("calm-a", 0), ("broken", 90), ("stale", 40)):
        make_function(account, name, problem_rank=rank)
    assert names("") == ["broken", "stale", "calm-a", "calm-b"]


def test_each_order_can_be_reversed(names: Names) -> None:
    account = make_account()
    for name, rank in (("a", 1), ("b", 3), ("c", 2)):
        make_function(account, name, problem_rank=rank, days_behind=rank)
    assert names("sort=name") == ["a", "b", "c"]
    assert names("sort=-name") == ["c", "b", "a"]
    assert names("sort=-behind") == ["b", "c", "a"]
    assert names("sort=problem") == ["a", "c", "b"]


def test_an_order_that_does_not_exist_is_left_out(names: Names) -> None:
    make_function(make_account(), "only")
    assert names("sort=password&page=banana") == ["only"]


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("v", "v is looked for anywhere: within names"),
        ("vo", "vo is looked for anywhere: within names"),
        ("vo+orders+x", "vo, x are looked for anywhere"),
        ("inv", ""),
        ("", ""),
    ],
)
def test_what_one_or_two_letters_find_is_said(person: Client, search: str, said: str) -> None:
    account = make_account()
    make_function(account, "invoice", search_text="invoice vo x orders")
    text = " ".join(strip_tags(person.get(f"/functions/?search={search}").content.decode()).split())
    assert said in text
    assert ("looked for anywhere" in text) is bool(said)
    assert [row.name for row in person.get(f"/functions/?search={search}").context["rows"]] == ["invoice"]


def test_a_pasted_address_of_the_console_finds_its_function_and_stands_in_links_as_what_it_names(
    person: Client, names: Names
) -> None:
    make_function(make_account(), "orders")
    make_function(make_account(), "orders-api")
    console = "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1"
    address = quote(f"{console}#/functions/orders?tab={'x' * 900}")
    assert names(f"search={address}") == ["orders"]
    assert person.get(f"/functions/?search={address}").context["search"] == "arn:aws:lambda:eu-west-1::function:orders"


@pytest.mark.parametrize(
    "query",
    [
        "account=production",
        "region=us-east-1",
        "state=Failed",
        "freshness=stale",
        "base=python:3.9",
        "search=ledger",
        "search=team-red",
        f"search={digest('the one')}",
        f"search={digest('the one').removeprefix('sha256:')[:12]}",
        "search=LEDGER+team",
    ],
)
def test_every_filter_finds_the_one(names: Names, query: str) -> None:
    other = make_account("staging")
    make_function(other, "other", freshness="current", base_name="python:3.12", owner="team-blue")
    make_function(
        make_account("production"),
        "ledger",
        "us-east-1",
        state="Failed",
        freshness="stale",
        base_name="python:3.9",
        owner="team-red",
        digest=digest("the one"),
    )
    assert names(query) == ["ledger"]


def make_standing(name: str, **fresh: str) -> Function:
    """A function of one account with an alias of each name that is as fresh."""
    chips = [chip(alias, freshness) for alias, freshness in fresh.items()]
    account = Account.objects.first() or make_account("production")
    tags = {"of": name, "stage": "dev"}
    function = make_function(account, name, freshness="stale", alias_chips=chips, owner=f"team-{name}", tags=tags)
    refresh_standings([function])
    refresh_tags([function])
    return function


def test_with_an_alias_the_facets_are_what_that_alias_is(person: Client, names: Names) -> None:
    make_standing("one", live="stale", canary="current")
    make_standing("two", live="current", canary="stale")
    make_standing("three", prod="stale")
    assert names("alias=live&sort=name") == ["one", "two"]
    assert names("alias=live&freshness=stale") == ["one"]
    assert names("account=production&alias=canary&freshness=stale&overdue=no&search=two") == ["two"]
    assert counts(person, "alias=live", "Freshness") == {"facet-freshness-stale": 1, "facet-freshness-current": 1}
    text = person.get("/functions/?alias=live&freshness=stale").content.decode()
    assert 'title="canary"' not in text
    assert "Not shown: canary" in text


def test_an_alias_and_an_account_may_be_called_none(person: Client, names: Names) -> None:
    make_account("none")
    make_standing("one", none="stale")  # of the account none
    make_function(make_account("production"), "two")
    assert (names("alias=none"), names("account=none")) == (["one"], ["one"])
    chosen = person.get("/functions/?alias=none").context["chosen"]
    assert [(title, value) for title, value, _ in chosen] == [("Alias", "none")]


@pytest.mark.parametrize("facet", ["alias", "runtime", "owner", "tool", "tag"])
def test_a_facet_of_many_values_is_counted_once_it_is_opened(person: Client, facet: str) -> None:
    make_standing("one", live="stale", canary="current")
    make_standing("two", live="current")
    closed = person.get("/functions/?freshness=stale").context["facets"]
    (link,) = [each.href for each in closed if each.name == facet]
    assert link == f"?freshness=stale&facet={facet}"
    title = facet.capitalize()
    assert set(counts(person, "freshness=stale", title).values()) <= {None}
    wanted = {
        "alias": {"facet-alias-live": 1},
        "runtime": {"facet-runtime-none": 2},
        "owner": {"facet-owner-team-one": 1, "facet-owner-team-two": 1},
        "tool": {"facet-tool-none": 2},
        "tag": {"facet-tag-of=one": 1, "facet-tag-of=two": 1, "facet-tag-stage=dev": 2},
    }
    assert counts(person, link[1:], title) == wanted[facet]


def test_a_runtime_is_that_of_the_function_and_with_an_alias_that_aliass_own(person: Client, names: Names) -> None:
    for name, worst, live in (
        ("one", "python3.9", "python3.12"),
        ("two", "python3.12", "python3.12"),
        ("three", "", ""),
    ):
        function = make_standing(name, live="stale", canary="current")
        function.runtime = worst
        for each in function.alias_chips:
            each["runtime"] = live if each["name"] == "live" else worst
        function.save()
        refresh_standings([function])
    assert names("runtime=python3.9") == ["one"]
    assert names("runtime=python3.9&runtime=python3.12&sort=name&search=o&account=production") == ["one", "two"]
    assert names("runtime=none") == ["three"]
    assert names("alias=live&runtime=python3.12&sort=name") == ["one", "two"]
    assert names("alias=live&runtime=python3.9") == []
    counted = counts(person, "runtime=python3.9&facet=runtime&freshness=stale", "Runtime")
    assert counted == {"facet-runtime-none": 1, "facet-runtime-python3.12": 1, "facet-runtime-python3.9": 1}
    assert counts(person, "alias=live&facet=runtime", "Runtime") == {
        "facet-runtime-none": 1,
        "facet-runtime-python3.12": 2,
    }
    assert counts(person, "facet=alias&runtime=python3.9", "Alias") == {"facet-alias-canary": 1}
    assert counts(person, "alias=live&runtime=python3.12", "State") == {"facet-state-none": 2}


@pytest.mark.parametrize("number", [3, 4, 6, 10])
def test_as_many_tags_as_are_heard_hold_beside_all_else(person: Client, names: Names, number: int) -> None:
    function, other = make_standing("one", live="stale"), make_standing("two", live="stale")
    function.tags = {f"t{at}": "1" for at in range(10)}
    other.tags = {**function.tags, f"t{number - 1}": "2"}
    for each in (function, other):
        each.save()
    refresh_tags([function, other])
    asked = "&".join(f"tag=t{at}%3D1" for at in range(number))
    assert names(asked) == ["one"]
    assert names(f"{asked}&alias=live&search=one&owner=team-one&freshness=stale&facet=tag") == ["one"]
    assert b"".join(person.get(f"/functions/?{asked}&format=csv")).count(b"\n") == 2


def test_of_several_tags_all_hold_and_each_is_counted_by_what_it_would_leave(person: Client, names: Names) -> None:
    make_standing("one", live="stale", canary="current")
    make_standing("two", live="current")
    assert names("tag=stage%3Ddev&sort=name") == ["one", "two"]
    assert names("tag=stage%3Ddev&tag=of%3Dtwo") == ["two"]
    assert names("tag=of%3Done&tag=of%3Dtwo") == []
    assert names("tag=stage%3Ddev&alias=live&freshness=stale&search=n&account=production") == ["one"]
    assert names("tag=stage%3Ddev&owner=team-two&runtime=none") == ["two"]
    assert names("tag=STAGE%3Ddev") == []
    assert counts(person, "tag=of%3Done&facet=tag", "Tag") == {"facet-tag-of=one": 1, "facet-tag-stage=dev": 1}
    assert counts(person, "alias=live&freshness=current&facet=tag", "Tag") == {
        "facet-tag-of=two": 1,
        "facet-tag-stage=dev": 1,
    }
    assert counts(person, "tag=stage%3Ddev&facet=owner", "Owner") == {
        "facet-owner-team-one": 1,
        "facet-owner-team-two": 1,
    }
    assert counts(person, "tag=stage%3Ddev", "Freshness") == {"facet-freshness-stale": 2}
    chosen = person.get("/functions/?tag=stage%3Ddev&tag=of%3Dtwo").context["chosen"]
    assert [(title, value, href) for title, value, href in chosen] == [
        ("Tag", "stage=dev", "?tag=of%3Dtwo"),
        ("Tag", "of=two", "?tag=stage%3Ddev"),
    ]


def test_another_alias_takes_the_place_of_the_one_that_is_filtered_by(person: Client) -> None:
    make_standing("one", live="stale", canary="current")
    opened = person.get("/functions/?alias=live&facet=alias").context["facets"]
    (values,) = [each.values for each in opened if each.name == "alias"]
    assert {value.label: value.href for value in values} == {
        "live": "?facet=alias",
        "canary": "?facet=alias&alias=canary",
    }
    said = "“canary” is left out: the list is filtered by one alias."
    assert said in person.get("/functions/?alias=live&alias=canary").context["misread"]


@pytest.mark.parametrize(
    "query", ["owner=nobody", "tool=chef", "runtime=cobol1", "alias=nothing", "needs=moved", "search=nothing"]
)
def test_where_a_filter_leaves_nothing_the_list_says_so(person: Client, query: str) -> None:
    make_standing("one", live="stale")
    assert "No function matches" in person.get(f"/functions/?{query}").content.decode()


def test_owners_and_tools_are_filters(names: Names) -> None:
    account = make_account()
    make_function(account, "ours", owner="team-a", managed_by="terraform")
    make_function(account, "theirs", owner="team-b")
    assert names("owner=team-a") == ["ours"]
    assert names("tool=none") == ["theirs"]
    assert names("owner=team-a&owner=team-b&tool=terraform&search=o") == ["ours"]


def test_several_values_of_a_facet_mean_any_of_them(names: Names) -> None:
    account = make_account()
    for state in ("Active", "Failed", "Inactive"):
        make_function(account, state.lower(), state=state)
    assert names("state=Failed&state=Inactive&sort=name") == ["failed", "inactive"]


def test_none_stands_for_an_empty_value(names: Names) -> None:
    account = make_account()
    make_function(account, "with-base", base_name="python:3.12")
    make_function(account, "without")
    assert names("base=none") == ["without"]


def test_an_unknown_value_matches_nothing_and_says_how_to_go_on(person: Client) -> None:
    make_function(make_account("production"), "one")
    answer = person.get("/functions/?account=nobody")
    assert answer.context["rows"] == []
    assert "No function matches" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("regoin=eu-west-1", "“regoin” is not a filter of this list; region is one."),
        ("needs=sense", "“sense” is not a value of needs, which knows broken, endangered"),
        ("freshness=stail", "“stail” is not a value of freshness"),
        ("sort=password", "“password” is not a value of sort"),
        ("tag=team", "“team” is not a value of tag, which is written as KEY=VALUE, as team=red."),
        ("account=prodution", "“prodution” is not a value of account, which knows production."),
        ("%3Cb%3E=1", "“&lt;b&gt;” is not a filter of this list."),
    ],
)
def test_what_the_list_does_not_understand_of_its_address_is_said(person: Client, query: str, said: str) -> None:
    make_function(make_account("production"), "one")
    assert said in person.get(f"/functions/?{query}").content.decode()


def test_an_address_that_is_understood_is_not_talked_about(person: Client) -> None:
    make_function(make_account("production"), "one")
    query = "search=one&account=production&region=none&state=Active&freshness=unknown&base=none&overdue=no&sort=-behind"
    more = "needs=moved&alias=live&runtime=none&tag=team%3Dred&owner=none&tool=none&rows=functions&facet=owner&page=1"
    assert person.get(f"/functions/?{query}&{more}").context["misread"] == ()


@pytest.mark.parametrize("word", ["%", "_", "*", "[a]", "?", "'", "\\"])
def test_wildcards_are_ordinary_letters(names: Names, word: str) -> None:
    make_function(make_account(), "plain", search_text="plain words")
    make_function(make_account(), "odd", search_text=f"has {word} inside")
    assert names(f"search=%{ord(word[0]):02x}{word[1:]}") == ["odd"]


def test_functions_that_are_gone_are_not_listed(names: Names) -> None:
    account = make_account()
    make_function(account, "here")
    make_function(account, "gone", gone_at=make_function(account, "clock").last_modified)
    assert names("sort=name") == ["clock", "here"]


def test_a_facets_own_choice_does_not_narrow_its_own_counts(person: Client) -> None:
    account = make_account()
    make_function(account, state="Active", freshness="stale")
    make_function(account, state="Active", freshness="current")
    make_function(account, state="Failed", freshness="stale")
    assert counts(person, "freshness=stale", "State") == {"facet-state-Active": 1, "facet-state-Failed": 1}
    assert counts(person, "freshness=stale", "Freshness") == {"facet-freshness-stale": 2, "facet-freshness-current": 1}


def test_a_facets_link_toggles_its_value_and_keeps_the_rest(person: Client) -> None:
    make_function(make_account(), state="Failed", search_text="words here")
    facets = person.get("/functions/?search=words&state=Failed&page=3").context["facets"]
    links = {value.id: value.href for facet in facets for value in facet.values}
    assert links["facet-state-Failed"] == "?search=words"
    assert links["facet-freshness-unknown"] == "?search=words&state=Failed&freshness=unknown"


def test_fifty_a_page_with_links_to_the_others(person: Client) -> None:
    account = make_account()
    for number in range(120):
        make_function(account, f"f-{number:03d}")
    answer = person.get("/functions/?sort=name&page=3")
    assert [row.name for row in answer.context["rows"]] == [f"f-{number:03d}" for number in range(100, 120)]
    assert [link.href for link in answer.context["pages"].links] == ["?sort=name", "?sort=name&page=2", ""]


def test_a_page_past_the_end_is_the_last(names: Names) -> None:
    make_function(make_account(), "only")
    assert names("page=999") == ["only"]


def test_htmx_gets_the_rows_alone_and_the_address_to_keep(person: Client) -> None:
    make_function(make_account(), "one", freshness="stale")
    answer = person.get("/functions/?search=&freshness=stale&page=1", headers=HTMX)
    text = answer.content.decode()
    assert text.strip().startswith('<div id="list"')
    assert "<html" not in text
    assert answer["HX-Push-Url"] == "/functions/?freshness=stale"
    assert "HX-Request" in answer["Vary"]


def test_going_back_gets_the_whole_page(person: Client) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
    assert "<html" in person.get("/functions/", headers=headers).content.decode()


def test_a_split_alias_shows_both_versions_digests_and_shares(person: Client) -> None:
    chip = {
        "name": "live",
        "version": "7",
        "digest": digest("old"),
        "second_version": "8",
        "second_weight": 0.1,
        "second_digest": digest("new"),
        "drifted": True,
    }
    make_function(make_account(), "split", alias_chips=[chip])
    text = person.get("/functions/").content.decode()
    assert digest("old") in text
    assert digest("new") in text
    assert "<em>90 %</em>" in text
    assert "<em>10 %</em>" in text
    assert "tag moved" in text


def test_status_is_a_word_and_an_icon_with_the_reason_on_hover(person: Client) -> None:
    make_function(make_account(), freshness="unknown", freshness_reason="It carries no annotation <here>.")
    text = person.get("/functions/").content.decode()
    assert 'title="It carries no annotation &lt;here&gt;."' in text
    assert "Unknown</span>" in text


def test_names_are_escaped_everywhere(person: Client) -> None:
    make_function(
        make_account("<b>acc</b>"), "<i>name</i>", owner="<u>owner</u>", problem="<s>why</s>", base_name="<q>base</q>"
    )
    text = person.get("/functions/?search=name").content.decode()
    for tag in ("<b>acc", "<i>name", "<u>owner", "<s>why", "<q>base"):
        assert tag not in text


def test_a_scope_that_failed_is_named_with_its_missing_permission_and_age(person: Client) -> None:
    account = make_account("production", regions=["eu-west-1", "us-east-1"])
    Scope.objects.filter(account=account, region="us-east-1").update(
        problem={
            "code": "denied",
            "message": "lambda:ListFunctions is missing.",
            "next_step": "Attach the read-only policy.",
            "aws_code": "AccessDeniedException",
            "request_id": "4f2a",
            "retryable": False,
        }
    )
    text = unescape(person.get("/functions/").content.decode())
    for words in ("lambda:ListFunctions is missing.", "Attach the read-only policy.", "AccessDeniedException", "4f2a"):
        assert words in text
    assert "It was read <time" in " ".join(text.split())


def test_what_aws_says_of_two_regions_of_an_account_is_said_once(person: Client) -> None:
    told = {
        "code": "denied",
        "message": "lambda:ListFunctions is missing.",
        "next_step": "Attach it.",
        "request_id": "4f2a",
    }
    make_account("production", regions=["eu-west-1", "us-east-1"])
    Scope.objects.update(problem=told)
    text = " ".join(unescape(person.get("/functions/").content.decode()).split())
    assert text.count("lambda:ListFunctions is missing.") == text.count("Attach it.") == 1
    assert "eu-west-1, us-east-1" in text
    assert text.count("was read <time") == 2


def test_without_an_account_it_says_what_to_do(person: Client) -> None:
    text = person.get("/functions/").content.decode()
    assert "Nothing was read yet" in text
    assert "<b>0</b> image functions" not in text


def test_with_an_account_and_no_functions_it_says_what_to_do(person: Client) -> None:
    make_account()
    assert "none holds a function of package type Image" in person.get("/functions/").content.decode()


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ("", 5),
        ("search=f+a", 4),
        ("search=f-", 5),
        ("search=f-1", 6 if connection.vendor == "sqlite" else 5),  # how many have its trigrams
        ("search=function", 5 if connection.vendor == "sqlite" else 4),
        ("account=production&region=eu-west-1&state=Active&freshness=stale&base=none&page=2", 5),
        ("owner=team&tool=none", 5),
        ("facet=owner", 6),
        ("runtime=none&tag=stage%3Ddev&facet=tag", 6),
        ("alias=live&facet=alias", 6),
    ],
)
def test_any_view_costs_the_same_however_many_functions_there_are(
    person: Client, django_assert_num_queries: DjangoAssertNumQueries, query: str, queries: int
) -> None:
    account = make_account("production", regions=["eu-west-1", "us-east-1"])
    for number in range(60):
        chips = [chip("live", "stale")]
        make_function(
            account,
            f"f-{number}",
            freshness="stale",
            search_text=f"f-{number}",
            owner="team",
            alias_chips=chips,
            tags={"stage": "dev"},
        )
    refresh_standings([*Function.objects.all()])
    refresh_tags([*Function.objects.all()])
    with django_assert_num_queries(queries):
        person.get(f"/functions/?{query}")


def test_what_the_policy_calls_overdue_is_marked_counted_and_can_be_listed(person: Client, names: Names) -> None:
    account = make_account()
    make_function(account, "late", freshness="stale", overdue_on=today(-12))
    make_function(account, "from-today", freshness="stale", overdue_on=today())
    make_function(account, "in-time", freshness="stale", overdue_on=today(3))
    make_function(account, "fine")
    assert names("overdue=yes") == ["from-today", "late"]
    assert names("overdue=no") == ["fine", "in-time"]
    assert counts(person, "", "Policy") == {"facet-overdue-yes": 2, "facet-overdue-no": 2}
    text = person.get("/functions/?search=late").content.decode()
    assert f"should have been replaced by {today(-12)}" in text
    assert "12 d</span>" in text


def test_where_nothing_is_overdue_the_policy_is_no_facet(person: Client) -> None:
    make_function(make_account())
    assert counts(person, "", "Policy") == {}


def test_the_overviews_questions_can_be_asked_of_the_list(names: Names) -> None:
    account = make_account()
    make_function(account, "ends-soon", end_of_life_on=today(30))
    make_function(account, "ended", end_of_life_on=today(-1))
    make_function(account, "ends-later", end_of_life_on=today(200))
    make_function(account, "moved", drifted=True)
    assert names("needs=ending") == ["ends-soon"]
    assert names("needs=moved") == ["moved"]
    assert len(names("needs=sense")) == 4


@pytest.mark.parametrize("needs", NEEDS)
def test_each_question_of_the_overview_can_be_searched_within(names: Names, needs: str) -> None:
    account = make_account()
    facts: dict[str, Any] = {"end_of_life_on": today(30), "problem_rank": 99}
    facts |= {"drifted": True, "partly_read": True, "freshness": "stale", "unruled": True}
    for name in ("orders-1", "orders-2"):
        make_function(account, name, **facts)
    fits = needs not in {"endangered", "no-way-back"}  # those ask for images and aliases
    assert names(f"needs={needs}&search=orders-2") == (["orders-2"] if fits else [])


def test_aliases_on_bases_of_different_freshness_show_a_verdict_each(person: Client) -> None:
    make_function(make_account(), alias_chips=[chip("live", "stale"), chip("next", "current")])
    text = person.get("/functions/").content.decode()
    assert 'title="why live"' in text
    assert 'title="why next"' in text


def test_a_line_per_function_is_another_address_that_keeps_the_filter(person: Client) -> None:
    chips = [chip("canary", "current"), chip("live", "stale")]
    make_function(make_account(), "two", freshness="stale", alias_chips=chips)
    each = person.get("/functions/?search=two")
    assert each.content.count(b'class="al"') == 2
    address = next(href for words, href, current in each.context["grains"] if not current)
    assert address == "?search=two&rows=functions"
    one = person.get(f"/functions/{address}")
    assert one.content.count(b'class="al"') == 1
    assert "Not shown: canary → 1" in one.content.decode()
    assert next(href for words, href, current in one.context["grains"] if not current) == "?search=two"


def test_a_filter_shows_the_lines_that_fit_it(person: Client) -> None:
    chips = [chip("canary", "current"), chip("live", "stale"), {**chip("previous", "stale"), "kept": True}]
    make_function(make_account(), freshness="stale", alias_chips=chips)
    text = person.get("/functions/?freshness=stale").content.decode()
    assert 'title="live"' in text
    assert 'title="canary"' not in text
    assert 'title="previous"' not in text


def test_the_heading_counts_what_is_listed() -> None:
    assert counted(1, 1, filtered=False) == (1, "image function")
    assert counted(40, 40, filtered=False) == (40, "image functions")
    assert counted(1, 1, filtered=True) == (1, "function matches")
    assert counted(40, 40, filtered=True) == (40, "functions match")
    assert counted(3, 40, filtered=True) == (3, "of 40")


def test_an_arrow_shows_the_order_of_a_column() -> None:
    assert [Heading("Name", "?", order).icon for order in ("ascending", "descending", "")] == [
        "arrow-up",
        "arrow-down",
        "",
    ]


def test_an_address_of_a_thousand_values_makes_no_endless_page(person: Client) -> None:
    make_function(make_account("production"))
    answer = person.get("/functions/", [("base", f"{number:020x}") for number in range(990)])

    assert len(answer.content) < 2_000_000
