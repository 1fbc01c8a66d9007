"""What an address takes: a page that only shows something takes no form."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain.runs import SignalKind
from tests.test_security import addresses

PLAN = "00000000-0000-4000-8000-000000000000"
TAKE_FORMS = {
    "login/",
    "logout/",
    "sync/",
    "api/v1/hooks/ecr",
    "functions/1/deploy/",
    "functions/1/rollback/",
    "functions/1/invoke/",
    "functions/1/invoke/check/",
    f"plans/{PLAN}/apply/",
    "repositories/1/forecast/",
    "images/1/read-files/",
    "images/1/scan/",
    "bases/new/",
    "bases/poll/",
    "bases/1/edit/",
    "bases/1/patch/",
    "bases/1/read-files/",
    "settings/accounts/add/",
    "settings/accounts/1/",
    "settings/freshness/add/",
    "settings/freshness/1/",
    "settings/freshness/1/delete/",
    *(f"runs/1/{kind}/" for kind in SignalKind),
}


@pytest.mark.parametrize("address", sorted(set(addresses()) - TAKE_FORMS))
def test_a_page_that_shows_something_is_read_and_nothing_else(client: Client, superuser: User, address: str) -> None:
    client.force_login(superuser)
    methods = (client.post, client.put, client.delete, client.options)
    assert {method(f"/{address}").status_code for method in methods} == {405}
