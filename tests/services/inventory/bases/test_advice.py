"""What is said of a base's blast radius."""

from functions_app.services.inventory.bases.advice import radius_words


def sentence(total: int, current: int, through: int) -> str:
    """The whole sentence of the page."""
    words = radius_words(total, current, through)
    return f"{total} {words.share}; {current} {words.current}{words.through}."


def test_one_function_stands_alone() -> None:
    assert sentence(1, 1, 0) == "1 function shares this base; 1 is on the current release."


def test_several_share_it() -> None:
    assert sentence(5, 0, 0) == "5 functions share this base; 0 are on the current release."


def test_those_on_a_golden_image_are_told_apart() -> None:
    assert sentence(5, 2, 1).endswith("; 1 stands on it through a golden image alone.")
    assert sentence(5, 2, 3).endswith("; 3 stand on it through a golden image alone.")
