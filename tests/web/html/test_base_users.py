"""Who runs a base, drawn: everything escaped, each part only where it is."""

from dataclasses import replace

from functions_app.services.inventory.bases.base_list import Standing
from functions_app.services.inventory.bases.users import UserRow
from functions_app.services.inventory.fleet_status import AccountFact
from functions_app.web.html.base_users import user_items, user_rows

ACCOUNT = AccountFact(1, "production", "111111111111", "red")
USER = UserRow(
    function_id=7,
    name="app",
    account=ACCOUNT,
    region="eu-west-1",
    owner="team-a",
    version="3",
    aliases=("live",),
    standing=Standing.STALE,
    release_id=20,
    release="2026-01",
    through="",
    changes_to=21,
)


def test_a_user_is_a_link_with_its_version_aliases_and_account() -> None:
    assert user_items([USER]) == (
        '<li><a href="/functions/7/">app</a> <span class="sub">3</span> <span class="live-alias">live</span>'
        ' <span class="acct"><i class="dot magenta"></i>production</span></li>'
    )


def test_a_list_names_six_aliases_a_row_all_and_says_where_there_is_none() -> None:
    many = replace(USER, aliases=tuple(f"a{number}" for number in range(8)))
    assert user_items([many]).count("live-alias") == 6
    assert user_rows([many], 5).count("live-alias") == 8
    assert "no alias" in user_rows([replace(USER, aliases=())], 5)


def test_what_changes_is_told_where_something_does_and_the_golden_image_where_there_is_one() -> None:
    row = user_rows([USER], 5)
    assert '<a class="fine" href="/bases/5/compare/?from=20&amp;to=21">what changes' in row
    assert "through" not in row
    settled = replace(USER, changes_to=None, through="golden 7")
    assert "what changes" not in user_rows([settled], 5)
    assert '<span class="why">through golden 7</span>' in user_rows([settled], 5)
    assert '<span class="sub">through golden 7</span>' in user_items([settled])


def test_who_runs_an_older_release_leads_to_its_patch() -> None:
    assert 'href="/functions/7/patch/">Patch<span class="visually-hidden"> app</span></a>' in user_rows([USER], 5)
    assert "Patch" not in user_rows([replace(USER, changes_to=None)], 5)


def test_whatever_a_function_is_called_is_text() -> None:
    odd = replace(
        USER, name="<b>", version="<i>", aliases=("<u>",), region="<s>", owner="<p>", release="<q>", through="<a>"
    )
    for drawn in (user_items([odd]), user_rows([odd], 5)):
        assert not {"<b>", "<i>", "<u>", "<s>", "<p>", "<q>", "<a>"} & {drawn[at : at + 3] for at in range(len(drawn))}
        assert "&lt;b&gt;" in drawn
