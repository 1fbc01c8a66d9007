"""Which aliases carry production traffic, by the setting and by its default."""

import re

import pytest

from functions_app.domain.changes.production import DEFAULT, ProductionAliases, parse_patterns, production_aliases
from functions_app.domain.errors import DrydockError

PRODUCTION = [
    *("released", "master", "trunk", "current-eu", "primary", "default", "active", "public", "customer"),
    *("customers", "blue", "green", "ga", "production"),
    *("live", "prod", "Production", "prod-eu", "blue_live", "prod2", "release", "live-eu", "LIVE", "liveEU"),
    *("ProdBlue", "PRODEu", "release-2026-11", "stable", "main", "prd", "eu_prod_1", "green", "live2blue"),
    *("liveeu", "prodv2", "PRODeu", "euPRODeu", "prdeu", "EU_PRODV2", "productioneu", "non-prod-live"),
]


@pytest.mark.parametrize("alias", PRODUCTION)
def test_what_may_be_production_is_by_default(alias: str) -> None:
    assert ProductionAliases().include(alias)


def test_every_word_of_the_default_has_its_example() -> None:
    words = {word for alias in PRODUCTION for word in re.split(r"[^a-z]+", alias.lower())}
    assert set(DEFAULT) <= words


@pytest.mark.parametrize(
    "alias",
    ["staging", "delivery", "products", "PRODUCT", "producer", "alive", "dev", "qa2", "v12", "mainframe", "gate"],
)
def test_what_only_holds_the_letters_is_not(alias: str) -> None:
    assert not ProductionAliases().include(alias)


@pytest.mark.parametrize(
    "alias",
    [
        *("non-prod", "nonprod", "NonProd", "NONPROD", "nonPROD", "non_prod2", "not-live", "no-prod"),
        *("pre-production", "preprod", "PreProd", "pre-prodv2", "PRE_PROD", "pre-live", "pre-release"),
    ],
)
def test_what_says_that_it_is_not_production_is_not(alias: str) -> None:
    assert not ProductionAliases().include(alias)


@pytest.mark.parametrize(
    ("pattern", "alias", "held"),
    [
        ("shop", "shop-eu", True),
        ("shop", "workshop", False),
        ("shop", "prod", False),
        ("prod*", "products", True),
        ("PROD*", "prodeu", True),
        ("*-eu", "tier1-EU", True),
        ("v?", "v1", True),
        ("v?", "v12", False),
        ("*", "anything", True),
        ("tier_1", "tier_1", True),
        ("prod2", "eu_prod2", True),
        ("prod2", "EU_PROD2", True),
        ("PROD2", "eu_Prod2", True),
        ("prod", "PRODeu", True),
        ("prod", "prodeu", False),
        ("prod", "non-prod", False),
        ("pre-prod", "Pre-Prod", True),
        ("*prod", "non-prod", True),
    ],
)
def test_a_word_is_a_word_of_the_name_and_a_pattern_the_whole_name(pattern: str, alias: str, held: bool) -> None:
    assert ProductionAliases((pattern,)).include(alias) is held


def test_the_accounts_own_setting_goes_before_the_installations_and_that_before_the_default() -> None:
    assert production_aliases(("gold",), ("silver",)).patterns == ("gold",)
    assert production_aliases((), ("silver",)).patterns == ("silver",)
    assert production_aliases((), ()).include("live")


def test_a_setting_is_read_with_commas_and_spaces_once_each() -> None:
    assert parse_patterns(" live, prod*\n*-eu,, live ") == ("live", "prod*", "*-eu")
    assert parse_patterns("  ") == ()


@pytest.mark.parametrize("text", ["live, a/b", "[ab]", "ä", "x" * 129, "a\x00b"])
def test_what_no_alias_can_be_called_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(DrydockError, match="can't be in the name"):
        parse_patterns(text)


@pytest.mark.parametrize(
    ("aliases", "first"),
    [
        ((), []),
        (("beta", "live"), ["live", "beta"]),
        (("dev", "prod", "beta"), ["prod", "beta", "dev"]),
        (("previous", "prod", "live"), ["live", "prod", "previous"]),
    ],
)
def test_what_carries_production_stands_before_the_rest(aliases: tuple[str, ...], first: list[str]) -> None:
    assert ProductionAliases().first(aliases) == first
