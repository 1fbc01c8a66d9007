"""What stands above the list of runs."""

from functions_app.services.inventory.runs.run_list import RunList


def words(total: int, active: int, *, narrowed: bool = False) -> str:
    """The words beside the total."""
    return RunList((), total, active, 1, 1, families=False).words(narrowed=narrowed)


def test_runs_are_counted() -> None:
    assert (words(1, 0), words(2, 0)) == ("run", "runs")


def test_runs_under_way_are_said() -> None:
    assert words(2, 1) == "runs, 1 under way"


def test_a_filtered_list_counts_what_matches_and_says_that_those_under_way_are_of_all() -> None:
    assert words(0, 2, narrowed=True) == "runs match, 2 under way in all"
    assert words(1, 0, narrowed=True) == "run matches"
