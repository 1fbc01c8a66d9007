"""What can be done with functions that somebody chose."""

from functions_app.domain.fleet.selections import Chosen, Patchable, patchable, too_many


def test_what_is_behind_is_planned_by_base_and_of_the_others_it_is_said_why_not() -> None:
    chosen = [
        Chosen(1, "python:3.12", "stale", gone=False),
        Chosen(2, "python:3.12", "end_of_life", gone=False),
        Chosen(3, "nodejs:22", "stale", gone=False),
        Chosen(4, "python:3.12", "current", gone=False),
        Chosen(5, "", "unknown", gone=False),
        Chosen(6, "python:3.12", "stale", gone=True),
    ]
    found, others = patchable(chosen)
    assert found == (Patchable("python:3.12", (1, 2)), Patchable("nodejs:22", (3,)))
    assert others == {
        "on the current release already": 1,
        "on no base that Drydock knows": 1,
        "deleted since": 1,
    }


def test_too_many_are_said_with_both_numbers_and_the_most_is_none_too_many() -> None:
    assert too_many(200, 200, "A reading") == ""
    assert too_many(1201, 200, "A reading") == "A reading takes 200 functions at a time, and these are 1,201."
