"""Base images: the list of streams, and one stream with its releases and who runs which."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.domain.errors import Code, Problem
from functions_app.models import Account, BaseRelease, BaseStream, Image, Run
from functions_app.services.inventory.bases.base_list import Standing
from functions_app.services.snapshot.base_use_rows import refresh_uses
from tests.factories import (
    make_account,
    make_alias,
    make_golden,
    make_image,
    make_release,
    make_stream,
    make_user,
    make_version,
    today,
)

pytestmark = pytest.mark.shows_dates


@pytest.fixture
def account(db: None) -> Account:
    """An account."""
    return make_account("production")


@pytest.fixture
def stream(db: None) -> BaseStream:
    """A stream without releases."""
    return make_stream()


@pytest.fixture
def old(stream: BaseStream) -> BaseRelease:
    """Its older release."""
    return make_release(stream, "3.12.old", days_old=40)


@pytest.fixture
def new(stream: BaseStream) -> BaseRelease:
    """Its current release."""
    return make_release(stream, "3.12.new", days_old=2, current=True)


def text_of(client: Client, address: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())


def test_the_list_counts_functions_and_aliases_and_how_they_stand(
    person: Client, account: Account, old: BaseRelease, new: BaseRelease
) -> None:
    make_user(account, new)
    make_user(account, old, alias="")
    make_user(account, old, overdue_on=today(-1))
    row = person.get("/bases/").context["found"].used[0]
    assert (row.name, row.releases, row.current_tag) == ("python:3.12", 2, "3.12.new")
    assert row.tally.functions == {Standing.CURRENT: 1, Standing.STALE: 1, Standing.OVERDUE: 1}
    assert row.tally.aliases == 3


def test_a_function_counts_once_by_the_worst_of_its_aliases(
    person: Client, account: Account, old: BaseRelease, new: BaseRelease
) -> None:
    function = make_user(account, new)
    image = make_image(account.repositories.get(), base_release=old)
    make_version(function, 2, image)
    make_alias(function, "previous", 2)
    refresh_uses([function])
    row = person.get("/bases/").context["found"].used[0]
    assert (row.tally.functions, row.tally.aliases) == ({Standing.STALE: 1}, 2)


def test_both_sides_of_a_split_alias_count(
    person: Client, account: Account, old: BaseRelease, new: BaseRelease
) -> None:
    function = make_user(account, new, alias="")
    make_version(function, 1, make_image(account.repositories.get(), base_release=new))
    make_version(function, 2, make_image(account.repositories.get(), base_release=old))
    make_alias(function, "live", 1, second=2, weight=0.1)
    refresh_uses([function])
    assert person.get("/bases/").context["found"].used[0].tally.functions == {Standing.STALE: 1}


def test_streams_in_use_come_first_and_the_others_are_folded(
    person: Client, account: Account, new: BaseRelease
) -> None:
    make_stream("java:21")
    make_user(account, new)
    found = person.get("/bases/").context["found"]
    assert ([row.name for row in found.used], [row.name for row in found.unused]) == (["python:3.12"], ["java:21"])
    assert "1 watched that nobody stands on" in text_of(person, "/bases/")


def test_accounts_with_as_many_functions_behind_come_by_name(
    person: Client, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    for name in ("c", "a", "b"):
        make_user(make_account(name), old)
    found = person.get(f"/bases/{stream.pk}/").context["found"]
    assert [group.account.name for group in found.by_account] == ["a", "b", "c"]


def test_functions_whose_base_is_unknown_are_counted_and_linked(person: Client, account: Account) -> None:
    make_user(account, None)
    answer = person.get("/bases/")
    assert answer.context["found"].unknown == 1
    assert 'href="/functions/?base=none"' in answer.content.decode()


def test_ends_of_life_are_said_with_the_days_left(person: Client, account: Account) -> None:
    make_stream("python:3.9", deprecated_on=today(-3))
    make_stream("acme/plain:2", own=True, runtime="", os="al2", os_end_of_life_on=today(90))
    text = text_of(person, "/bases/")
    assert ", 3 d ago" in text
    assert ", in 90 d" in text


def test_the_day_of_the_os_beneath_one_of_lambdas_own_bases_is_no_end(person: Client, account: Account) -> None:
    stream = make_stream("java:17", deprecated_on=today(200), os="al2", os_end_of_life_on=today(-150))
    make_user(account, make_release(stream, "17.1", days_old=9, current=True))

    listed, page = text_of(person, "/bases/"), text_of(person, f"/bases/{stream.pk}/")

    assert ", in 200 d" in listed
    assert ", 150 d ago" not in listed
    assert "past its end of life" not in page


def test_a_stream_that_could_not_be_read_says_why(person: Client) -> None:
    problem = Problem(Code.DENIED, "The registry refuses these credentials.", "Log in.")
    stream = make_stream(problem=problem.as_json())
    assert "The registry refuses these credentials." in text_of(person, "/bases/")
    assert "The registry refuses these credentials." in text_of(person, f"/bases/{stream.pk}/")


def test_a_release_without_a_believable_time_of_building_says_so_and_since_when_it_is_here(person: Client) -> None:
    stream = make_stream()
    release = make_release(stream, "a", days_old=9, current=True)
    page = text_of(person, f"/bases/{stream.pk}/")
    assert "not told" not in page
    BaseRelease.objects.filter(pk=release.pk).update(built_at=None)

    assert "not told here since" in text_of(person, f"/bases/{stream.pk}/")
    assert "built" not in text_of(person, "/bases/").lower()


def test_a_base_that_its_registry_does_not_have_yet_says_so(person: Client) -> None:
    stream = make_stream("python:3.15")
    assert "It is not in its registry: not released yet, or taken away." in text_of(person, f"/bases/{stream.pk}/")


def test_without_any_stream_it_says_what_will_happen(person: Client) -> None:
    assert "No base image is watched yet" in text_of(person, "/bases/")


def test_the_list_costs_the_same_however_many(
    person: Client, account: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        stream = make_stream(f"python:{number}")
        make_user(account, make_release(stream, "a", days_old=9))
        make_user(account, make_release(stream, "b", current=True), overdue_on=today(-1))
    with django_assert_max_num_queries(13):
        person.get("/bases/")


def test_the_head_says_in_one_sentence_how_things_stand(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    make_user(account, new)
    make_user(account, old)
    make_user(account, old, overdue_on=today(-1))
    text = text_of(person, f"/bases/{stream.pk}/")
    assert "2 functions run older releases. 1 is overdue by policy." in text
    assert "Bring them forward." in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "The one function on it runs the current release."),
        ({"enabled": False}, "It is switched off: new releases go unnoticed."),
        ({"deprecated_on": date(2024, 1, 1)}, "is past its end of life and 1 function still stands on it"),
    ],
)
def test_the_head_follows_the_stream(
    person: Client, account: Account, stream: BaseStream, new: BaseRelease, values: dict[str, object], words: str
) -> None:
    BaseStream.objects.filter(pk=stream.pk).update(**values)
    make_user(account, new)
    assert words in text_of(person, f"/bases/{stream.pk}/")


def test_a_stream_that_was_never_read_says_so(person: Client) -> None:
    assert "It has not been read yet." in text_of(person, f"/bases/{make_stream(polled_at=None).pk}/")


def test_each_release_names_who_runs_it(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    make_user(account, old, "ledger", alias="prod")
    make_user(account, old, "mailer", alias="")
    rows = person.get(f"/bases/{stream.pk}/").context["found"].rows
    assert [row.label for row in rows] == ["3.12.new", "3.12.old"]
    assert [(user.name, user.version, user.aliases) for user in rows[1].users] == [
        ("ledger", "1", ("prod",)),
        ("mailer", "$LATEST", ()),
    ]
    assert (rows[1].aliases, rows[1].versions, [each.name for each in rows[1].accounts]) == (2, 2, ["production"])


def test_the_timeline_says_how_many_aliases_run_each_release(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    make_user(account, old)
    text = person.get(f"/bases/{stream.pk}/").content.decode()
    assert "<title>3.12.old: 1 aliases</title>" in text
    assert 'aria-label="2 releases from' in text


def test_a_release_in_use_is_drawn_however_old_it_is(person: Client, account: Account, stream: BaseStream) -> None:
    oldest = make_release(stream, "oldest", days_old=900)
    make_user(account, oldest)
    for number in range(50):
        make_release(stream, f"r{number}", days_old=number * 10, current=number == 0)
    drawn = [mark.label for mark in person.get(f"/bases/{stream.pk}/").context["drawn"]]
    assert (drawn[0], drawn[-1], len(drawn)) == ("oldest", "r0", 36)


def test_platforms_are_switched_by_their_address(
    person: Client, account: Account, stream: BaseStream, new: BaseRelease
) -> None:
    make_user(account, new)
    arm = make_release(stream, "arm", current=True)
    BaseRelease.objects.filter(pk=arm.pk).update(platform="linux/arm64")
    first = person.get(f"/bases/{stream.pk}/").context["found"]
    assert (first.platform, first.platforms) == ("linux/amd64", (("linux/amd64", 1), ("linux/arm64", 0)))
    other = person.get(f"/bases/{stream.pk}/?platform=linux/arm64").context["found"]
    assert [row.label for row in other.rows] == ["arm"]


def test_who_stands_on_a_golden_image_counts_for_the_base_beneath_it(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    golden = make_stream("shop/golden:1", own=True)
    make_user(account, make_golden(golden, "1.4", on=old, current=True), "ledger")
    beneath = person.get(f"/bases/{stream.pk}/").context["found"]
    assert (beneath.tally.total, beneath.tally.functions_through, beneath.older) == (1, 1, 1)
    assert beneath.users[0].through == "shop/golden:1 1.4"
    assert [(kin.stream, kin.on, kin.current) for kin in beneath.standing_on_it] == [
        ("shop/golden:1", "3.12.old", False)
    ]
    above = person.get(f"/bases/{golden.pk}/").context["found"]
    assert (above.tally.functions, above.older) == ({Standing.CURRENT: 1}, 0)
    assert [(kin.stream, kin.on, kin.current) for kin in above.beneath] == [("python:3.12", "3.12.old", False)]
    assert (above.advice.level, above.advice.text) == (
        "warn",
        "The one function on it runs the current release, but that stands on an older python:3.12.",
    )
    assert "stands on an older python:3.12" in text_of(person, "/bases/")


def test_a_copy_of_a_base_leads_to_the_original_where_its_users_count(
    person: Client, stream: BaseStream, new: BaseRelease
) -> None:
    copy = make_stream("mirror/python:3.12", reference="registry.example.com/mirror/python:3.12")
    BaseRelease.objects.create(
        stream=copy,
        platform=new.platform,
        chain_id=new.chain_id,
        diff_ids=new.diff_ids,
        manifest_digest=new.manifest_digest,
        created_at=new.created_at,
        first_seen_at=new.first_seen_at,
        current=True,
    )
    assert f'<a href="/bases/{stream.pk}/">{stream.name}</a>' in person.get(f"/bases/{copy.pk}/").content.decode()
    assert f'<a href="/bases/{copy.pk}/">{copy.name}</a>' in person.get(f"/bases/{stream.pk}/").content.decode()


def test_an_unknown_release_of_the_stream_is_neither_current_nor_old(
    person: Client, account: Account, stream: BaseStream, new: BaseRelease
) -> None:
    function = make_user(account, new, alias="")
    Image.objects.update(base_release=None, base_tier="partial")
    refresh_uses([function])
    found = person.get(f"/bases/{stream.pk}/").context["found"]
    assert (found.tally.functions, found.older) == ({Standing.UNKNOWN: 1}, 1)
    assert [user.release for user in person.get(f"/bases/{stream.pk}/?release=0").context["found"].users] == [
        "unknown release"
    ]


def test_blast_radius_by_account_and_by_owner(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    other = make_account("staging")
    make_user(account, old, owner="team-red", overdue_on=today(-1))
    make_user(account, new, owner="team-red")
    make_user(other, new)
    found = person.get(f"/bases/{stream.pk}/").context["found"]
    assert [(group.account.name, group.total, group.behind, group.overdue) for group in found.by_account] == [
        ("production", 2, 1, 1),
        ("staging", 1, 0, 0),
    ]
    assert [(group.name, group.total, group.behind) for group in found.by_owner] == [("team-red", 2, 1), ("", 1, 0)]
    assert "3 functions share this base; 2 are on the current release." in text_of(person, f"/bases/{stream.pk}/")


def test_who_is_paged_and_narrowed_by_release_and_account(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    for number in range(60):
        make_user(account, old, f"f-{number:02d}")
    make_user(make_account("staging"), new, "other")
    first = person.get(f"/bases/{stream.pk}/?release={old.pk}").context
    assert (len(first["found"].users), first["found"].users_total) == (50, 60)
    assert first["user_pages"].after == f"?platform=linux%2Famd64&release={old.pk}&page=2#who"
    last = person.get(f"/bases/{stream.pk}/?release={old.pk}&page=2").context["found"].users
    assert [user.name for user in last] == [f"f-{number:02d}" for number in range(50, 60)]
    narrowed = person.get(f"/bases/{stream.pk}/?account={make_user(account, new).account_id}&release={new.pk}")
    assert narrowed.context["found"].users_total == 1


def test_ten_thousand_users_of_one_release_make_no_huge_page(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease
) -> None:
    for number in range(300):
        make_user(account, old, f"function-with-a-long-name-{number:05d}")
    answer = person.get(f"/bases/{stream.pk}/")
    assert answer.content.count(b"function-with-a-long-name-") < 130
    assert "and 294 more" in answer.content.decode()


def test_an_older_release_leads_to_what_changes(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    make_user(account, old)
    link = f"/bases/{stream.pk}/compare/?from={old.pk}&amp;to={new.pk}"
    assert person.get(f"/bases/{stream.pk}/").content.decode().count(link) == 2


def test_the_page_costs_the_same_however_many(
    person: Client, account: Account, stream: BaseStream, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    golden = make_stream("shop/golden:1", own=True)
    for number in range(30):
        release = make_release(stream, f"r{number}", days_old=number, current=number == 0)
        make_user(account, release, overdue_on=today(-1), owner=f"team-{number}")
        make_user(account, make_golden(golden, f"g{number}", on=release))
    with django_assert_num_queries(13):
        person.get(f"/bases/{stream.pk}/")


def test_the_platform_follows_a_release_that_is_asked_for(
    person: Client, account: Account, stream: BaseStream, new: BaseRelease
) -> None:
    make_user(account, new)
    arm = make_release(stream, "arm", current=True)
    BaseRelease.objects.filter(pk=arm.pk).update(platform="linux/arm64")
    assert person.get(f"/bases/{stream.pk}/?release={arm.pk}").context["found"].platform == "linux/arm64"


def test_a_function_leads_to_its_base_and_to_what_a_newer_release_changes(
    person: Client, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    function = make_user(account, old, base_name="python:3.12")
    Image.objects.update(freshness="stale")
    assert 'href="/bases/named/python:3.12/"' in person.get("/functions/").content.decode()
    assert person.get("/bases/named/python:3.12/").headers["Location"] == f"/bases/{stream.pk}/"
    text = person.get(f"/functions/{function.pk}/").content.decode()
    assert text.count(f"/bases/{stream.pk}/compare/?from={old.pk}&amp;to={new.pk}") == 2


def test_a_stream_that_is_not_there_is_a_404(person: Client) -> None:
    assert person.get("/bases/404404/").status_code == 404
    assert person.get("/bases/named/nothing/like:that/").status_code == 404


@pytest.mark.parametrize("query", ["release=x", "page=-1", "platform=%3Cscript%3E", "account=99999999999999999999"])
def test_nonsense_in_the_address_asks_for_nothing(person: Client, stream: BaseStream, query: str) -> None:
    make_release(stream, "only", current=True)
    assert person.get(f"/bases/{stream.pk}/?{query}").context["found"].platform == "linux/amd64"


def test_names_are_escaped(person: Client, account: Account) -> None:
    stream = make_stream("<b>bold</b>", own=True)
    make_user(account, make_release(stream, "<i>tag</i>", current=True), owner="<u>owner</u>")
    text = person.get(f"/bases/{stream.pk}/").content.decode() + person.get("/bases/").content.decode()
    for tag in ("<b>bold", "<i>tag", "<u>owner"):
        assert tag not in text


def test_an_operator_polls_and_sees_the_run(client: Client, operator: User, valkey: object) -> None:
    client.force_login(operator)
    answer = client.post("/bases/poll/")
    assert answer.headers["Location"] == f"/runs/{Run.objects.get().pk}/"


def test_one_stream_alone_is_polled_from_its_own_page(
    client: Client, operator: User, stream: BaseStream, valkey: object
) -> None:
    client.force_login(operator)
    client.post("/bases/poll/", {"stream": stream.pk})
    assert "python:3.12" in Run.objects.get().title


def test_a_narrowed_list_can_be_planned_by_itself(
    client: Client, operator: User, account: Account, stream: BaseStream, old: BaseRelease, new: BaseRelease
) -> None:
    client.force_login(operator)
    make_user(account, old)
    make_user(make_account("staging"), old)
    text = text_of(client, f"/bases/{stream.pk}/?account={account.pk}")
    assert "Plan: bring this 1 forward" in text
    assert "Plan: bring this" not in text_of(client, f"/bases/{stream.pk}/")


def test_a_viewer_neither_polls_nor_plans_nor_adds(person: Client, stream: BaseStream, new: BaseRelease) -> None:
    for address in ("/bases/poll/", f"/bases/{stream.pk}/patch/", f"/bases/{stream.pk}/read-files/", "/bases/new/"):
        assert person.post(address).status_code == 403
    assert "Poll now" not in text_of(person, "/bases/") + text_of(person, f"/bases/{stream.pk}/")


def test_one_cause_that_keeps_many_streams_unread_is_said_once(person: Client) -> None:
    for name in ("python:3.12", "java:21", "nodejs:22"):
        problem = Problem(
            Code.UNREACHABLE, f"The name public.ecr.aws can't be resolved. Asked for: lambda/{name}.", "Check the DNS."
        )
        make_stream(name, problem=problem.as_json())
    make_stream("ruby:3.4", problem=Problem(Code.DENIED, "The registry refuses these credentials.").as_json())
    text = text_of(person, "/bases/")
    assert text.count("The name public.ecr.aws can&#x27;t be resolved.") == 1
    assert "3 base images could not be read." in text
    assert text.count("not readable, as told above") == 3
    assert text.count("The registry refuses these credentials.") == 1
