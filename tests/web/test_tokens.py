"""The page of tokens: what a refusal leaves in the form, and what is offered to whom."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.models import ApiToken

pytestmark = pytest.mark.django_db
ADDRESS = "/settings/tokens/"


def test_a_refusal_leaves_in_the_form_what_was_typed_and_nothing_else(client: Client, operator: User) -> None:
    client.force_login(operator)
    page = client.post(ADDRESS, {"name": "ci", "scope": "read", "networks": "nowhere"}).content.decode()
    assert "None" not in page
    assert 'value="nowhere"' in page
    client.post(ADDRESS, {"name": "ci", "scope": "read", "accounts": "", "functions": ""})
    row = ApiToken.objects.get()
    assert (row.accounts, row.functions) == (None, None)


def test_its_text_is_shown_once(client: Client, operator: User) -> None:
    client.force_login(operator)
    made = client.post(ADDRESS, {"name": "ci", "scope": "read"}).content.decode()
    assert "ddk_" in made.partition('id="made"')[2]
    assert 'id="made"' not in client.get(ADDRESS).content.decode()


def test_a_rotated_one_is_told_so_and_a_reload_leads_to_the_list(client: Client, operator: User) -> None:
    client.force_login(operator)
    client.post(ADDRESS, {"name": "ci", "scope": "read"})
    rotate = f"{ADDRESS}{ApiToken.objects.get().pk}/rotate/"
    assert "worth nothing any more" in client.post(rotate).content.decode()
    assert client.get(rotate).headers["Location"] == ADDRESS


def test_an_administrator_revokes_anybodys_and_rotates_their_own(
    client: Client, operator: User, superuser: User
) -> None:
    for person in (operator, superuser):
        client.force_login(person)
        client.post(ADDRESS, {"name": "ci", "scope": "read"})
    own, others = ApiToken.objects.get(person=superuser).pk, ApiToken.objects.get(person=operator).pk
    page = client.get(ADDRESS).content.decode()
    assert f"{ADDRESS}{own}/rotate/" in page
    assert f"{ADDRESS}{others}/revoke/" in page
    assert f"{ADDRESS}{others}/rotate/" not in page
    refused = client.post(f"{ADDRESS}{others}/rotate/")
    assert (refused.status_code, b"ddk_" in refused.content) == (403, False)


def test_only_scopes_that_its_person_could_use_are_offered(
    client: Client, viewer: User, operator: User, superuser: User
) -> None:
    for person, offered in ((viewer, 1), (operator, 5), (superuser, 7)):
        client.force_login(person)
        assert client.get(ADDRESS).content.decode().count('name="scope"') == offered
