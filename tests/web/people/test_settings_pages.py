"""Settings: an index of its pages, each with what it is for, for those who may open it."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app.web.people.settings_pages import PAGES

pytestmark = pytest.mark.django_db


def links(client: Client, person: User | None = None) -> list[str]:
    """Where the index leads to."""
    if person:
        client.force_login(person)
    text = client.get("/settings/").content.decode()
    return re.findall(r'<h2><a href="([^"]+)"', text)


def test_an_administrator_finds_every_page_with_what_it_is_for(client: Client, superuser: User) -> None:
    assert links(client, superuser) == [reverse(each.url) for each in PAGES]
    text = unescape(client.get("/settings/").content.decode())
    for each in PAGES:
        assert each.about in text


def test_a_viewer_is_led_to_no_page_that_refuses_them(client: Client, viewer: User) -> None:
    found = links(client, viewer)
    assert "/settings/people/" not in found
    assert "/settings/doctor/" not in found
    assert {client.get(address).status_code for address in found} == {200}


def test_who_is_in_no_group_finds_their_own_sessions_and_password(client: Client) -> None:
    assert links(client, User.objects.create_user("nina")) == ["/settings/sessions/", "/settings/password/"]


def test_the_rail_leads_to_the_index_and_marks_it_on_every_page_of_settings(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    for address in ("/settings/", *(reverse(each.url) for each in PAGES)):
        assert re.search(r'href="/settings/"[^>]*aria-current="page"', client.get(address).content.decode()), address


@pytest.mark.parametrize("tab", [each.tab for each in PAGES])
def test_each_page_marks_its_tab(client: Client, superuser: User, tab: str) -> None:
    client.force_login(superuser)
    address = next(reverse(each.url) for each in PAGES if each.tab == tab)
    nav = re.search(r'<nav class="tabs".*?</nav>', client.get(address).content.decode(), re.DOTALL)
    assert nav
    assert re.findall(r'href="([^"]+)" aria-current="page"', nav[0]) == [address]
