"""What is wrong with a function, worst first; whose it is; who else manages it."""

import pytest

from functions_app.domain.fleet import Condition, LiveVersion, find_problem, managed_by, owner_of, worst
from functions_app.domain.freshness import Freshness

FINE = Condition(state="Active", last_update_status="Successful")


def live(
    freshness: Freshness = Freshness.CURRENT, alias: str = "prod", *, gone: bool = False, days: int = 0
) -> LiveVersion:
    return LiveVersion("1", (alias,), gone, freshness, f"reason of {alias}", days_behind=days)


def test_a_healthy_function_has_no_problem() -> None:
    finding = find_problem(FINE, [live()], [])
    assert (finding.rank, finding.text) == (0, "")


def test_problems_come_worst_first() -> None:
    cases = [
        find_problem(FINE, [live(gone=True)], ["1"]),
        find_problem(Condition(state="Failed", state_reason="no image"), [live(Freshness.STALE)], ["1"]),
        find_problem(Condition(state="Active", last_update_status="Failed"), [live()], ["1"]),
        find_problem(FINE, [live(Freshness.END_OF_LIFE)], ["1"]),
        find_problem(Condition(state="Inactive"), [live(Freshness.END_OF_LIFE)], []),
        find_problem(Condition(state="Inactive"), [live(Freshness.STALE)], []),
        find_problem(Condition(state="Inactive"), [live(Freshness.UNKNOWN)], []),
        find_problem(FINE, [live(Freshness.UNKNOWN)], []),
        find_problem(FINE, [live()], []),
    ]
    ranks = [finding.rank for finding in cases]
    assert ranks == sorted(set(ranks), reverse=True)
    assert "prod" in cases[0].text
    assert "no image" in cases[1].text


def test_the_worst_live_version_decides() -> None:
    found = worst([live(alias="a"), live(Freshness.STALE, "b", days=3), live(Freshness.STALE, "c", days=90)])
    assert found is not None
    assert found.name == "c"
    assert worst([]) is None


def test_an_unknown_base_is_worse_than_a_current_one_and_better_than_a_stale_one() -> None:
    found = worst([live(), live(Freshness.UNKNOWN, "b")])
    assert found is not None
    assert found.freshness is Freshness.UNKNOWN


@pytest.mark.parametrize("name", ["owner", "Owner", "team", "Team"])
def test_the_owner_is_told_by_tags(name: str) -> None:
    assert owner_of({name: "payments"}) == "payments"
    assert owner_of({}) == ""


@pytest.mark.parametrize(
    ("tags", "tool"),
    [
        ({"aws:cloudformation:stack-name": "orders"}, "cloudformation"),
        ({"terraform": "true"}, "terraform"),
        ({"ManagedBy": "Terraform Cloud"}, "terraform"),
        ({"STAGE": "prod", "aws:cloudformation:stack-name": "orders-prod"}, "serverless"),
        ({"team": "payments"}, ""),
    ],
)
def test_who_else_manages_a_function_is_told_by_tags(tags: dict[str, str], tool: str) -> None:
    assert managed_by(tags) == tool
