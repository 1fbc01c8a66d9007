"""Tokens of the API as they are written, and what a change needs."""

import re

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import (
    Reach,
    TokenScope,
    are_within,
    hashed,
    is_from,
    looks_like_token,
    needed,
    new_token,
    read_networks,
)

PROD, NONPROD, PATCH = TokenScope.DEPLOY_PROD, TokenScope.DEPLOY_NONPROD, TokenScope.PATCH


class Test_a_token:
    def test_is_found_by_scanners_and_each_is_another(self) -> None:
        made = {new_token() for _ in range(50)}
        assert len(made) == 50
        assert all(re.fullmatch(r"ddk_[0-9A-Za-z]{38}", each) and looks_like_token(each) for each in made)

    def test_with_any_sign_changed_looks_like_none(self) -> None:
        token = new_token()
        for at in range(len(token)):
            other = "a" if token[at] != "a" else "b"
            assert not looks_like_token(token[:at] + other + token[at + 1 :])

    @pytest.mark.parametrize("text", ["", "ddk_", "ddk_" + "a" * 38, "ghp_" + "a" * 38, "ddk_" + "é" * 38, "x" * 9999])
    def test_is_not_anything(self, text: str) -> None:
        assert not looks_like_token(text)

    def test_is_stored_as_something_that_does_not_tell_it(self) -> None:
        token = new_token()
        assert token not in hashed(token)
        assert hashed(token) == hashed(token) != hashed(new_token())


@pytest.mark.parametrize(
    ("kind", "production", "scopes"),
    [
        (Kind.DEPLOYMENT, False, {NONPROD}),
        (Kind.DEPLOYMENT, True, {PROD}),
        (Kind.ROLLBACK, True, {PROD}),
        (Kind.PATCH, False, {PATCH}),
        (Kind.PATCH, True, {PATCH, PROD}),
        (Kind.UNDO, True, {PATCH, PROD}),
        (Kind.INVOCATION, False, {TokenScope.INVOKE}),
    ],
)
def test_a_change_needs_its_scopes_and_production_always_its_own(
    kind: Kind, production: bool, scopes: set[TokenScope]
) -> None:
    assert needed(kind, production=production) == scopes


class Test_a_reach:
    def test_is_everything_where_nothing_is_named(self) -> None:
        assert Reach().everything
        assert Reach().covers("1" * 12, "billing")

    def test_holds_the_accounts_and_the_patterns_both(self) -> None:
        reach = Reach(frozenset({"1" * 12}), ("billing-*", "orders"))
        assert reach.covers("1" * 12, "billing-api")
        assert reach.covers("1" * 12, "orders")
        assert not reach.covers("1" * 12, "orders-2")
        assert not reach.covers("2" * 12, "orders")


class Test_networks:
    @pytest.mark.parametrize(
        ("networks", "others", "within"),
        [
            ("10.1.0.0/16", "10.0.0.0/8", True),
            ("10.0.0.0/8", "10.1.0.0/16", False),
            ("10.1.0.0/16 11.0.0.0/8", "10.0.0.0/8", False),
            ("10.1.0.0/16 2001:db8::1", "10.0.0.0/8 2001:db8::/32", True),
            ("::/0", "0.0.0.0/0", False),
            ("", "10.0.0.0/8", False),
            ("10.1.0.0/16", "", True),
            ("", "", True),
        ],
    )
    def test_are_within_others_where_all_of_each_is(self, networks: str, others: str, within: bool) -> None:
        assert are_within(read_networks(networks), read_networks(others)) is within

    def test_let_in_who_comes_from_them_however_it_is_written(self) -> None:
        networks = read_networks("10.0.0.7/8, 2001:db8::/32")
        assert networks == ("10.0.0.0/8", "2001:db8::/32")
        assert is_from("10.1.2.3", networks)
        assert is_from("::ffff:10.1.2.3", networks)
        assert is_from("2001:db8::1", networks)
        assert not is_from("11.1.2.3", networks)
        assert not is_from("a unix socket", networks)
        assert is_from("a unix socket", ())

    def test_that_are_none_are_refused(self) -> None:
        with pytest.raises(DrydockError, match="no network"):
            read_networks("10.0.0.0/33")
