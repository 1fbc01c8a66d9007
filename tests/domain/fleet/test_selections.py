"""What can be done with functions that somebody chose."""

from functions_app.domain.fleet.selections import Chosen, Patchable, patchable, too_many


def on(*bases: str, behind: str = "", gone: bool = False) -> Chosen:
    """A function with something live on these bases."""
    return Chosen(frozenset(bases), frozenset({behind} - {""}), gone)


def test_what_is_behind_is_planned_by_base_and_of_the_others_it_is_said_why_not() -> None:
    chosen = [
        on("python:3.12", behind="python:3.12"),
        on("python:3.12", "golden:1", behind="python:3.12"),
        on("nodejs:22", behind="nodejs:22"),
        on("python:3.12"),
        on(),
        on("python:3.12", behind="python:3.12", gone=True),
    ]
    found, others = patchable(chosen)
    assert found == (Patchable("python:3.12", 2), Patchable("nodejs:22", 1))
    assert others == {
        "on the current release already": 1,
        "on no base that Drydock knows": 1,
        "deleted since": 1,
    }


def test_too_many_are_said_with_both_numbers_and_the_most_is_none_too_many() -> None:
    assert too_many(200, 200, "A reading") == ""
    assert too_many(1201, 200, "A reading") == "A reading takes 200 functions at a time, and these are 1,201."
