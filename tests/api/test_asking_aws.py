"""Endpoints that ask AWS are served by threads of their own (dashboard/plan_threads.py): no page waits with them."""

import re

import pytest

from functions_app.api import urls
from functions_app.streams.plan_places import is_marked

ADDRESSES = {
    urls._name(operation): (f"/{urls.PREFIX}{address.lstrip('/')}", operation.methods)
    for bound in urls.API._get_bound_routers()
    for address, view in bound.path_operations.items()
    for operation in view.operations
}


@pytest.mark.parametrize("name", sorted({*urls.ASKS_AWS, *urls.BY_BODY}))
def test_what_asks_aws_is_posted_to_an_address_that_is_marked(name: str) -> None:
    address, methods = ADDRESSES[name]
    assert methods == ["POST"]  # what is only looked at is nobody's to wait with (plan_threads)
    assert is_marked(re.sub(r"\{[^}]*\}", "1", address))


def test_no_other_address_is_marked() -> None:
    asking = {ADDRESSES[name][0] for name in {*urls.ASKS_AWS, *urls.BY_BODY}}
    others = {address for address, _ in ADDRESSES.values()} - asking
    assert [address for address in sorted(others) if is_marked(re.sub(r"\{[^}]*\}", "1", address))] == []
