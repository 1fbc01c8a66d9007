"""What is said of an image's users and of the bases beneath it."""

from functions_app.services.inventory.images.levels import LevelRow
from functions_app.services.inventory.images.users import Users


def users(functions: int, accounts: int, aliases: int, versions: int) -> str:
    """So many users in words."""
    return Users((), 1, 1, functions, versions, aliases, accounts, frozenset()).counted


def level(*, own: bool, layers: int = 0, release_id: int | None = None) -> LevelRow:
    """A base beneath an image."""
    return LevelRow(release_id, 1, "python:3.12", "", layers, "current", "", 0, 0, own, "python")


def test_users_are_counted() -> None:
    assert users(1, 1, 1, 1) == "1 function in 1 account: 1 alias, 1 version."
    assert users(3, 2, 0, 5) == "3 functions in 2 accounts: 0 aliases, 5 versions."


def test_a_base_is_a_companys_own_or_lambdas() -> None:
    assert level(own=True).place == "your own base"
    assert level(own=False).place == "Lambda's base"


def test_a_base_that_is_proven_has_its_layers_named() -> None:
    assert level(own=False, layers=5).place == "Lambda's base, layers 1 to 5"


def test_a_base_whose_release_is_known_leads_to_it() -> None:
    assert (level(own=True).query, level(own=True, release_id=7).query) == ("", "?release=7")
