"""What is wrong with a function, worst first; whose it is; who else manages it."""

from datetime import date, timedelta

import pytest

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.states import RANK_OVERDUE, RANK_STALE, Condition, LiveVersion, find_problem, worst
from functions_app.domain.fleet.tags import managed_by, owner_of

TODAY = date(2026, 11, 20)
FINE = Condition(state="Active", last_update_status="Successful")


def live(
    freshness: Freshness = Freshness.CURRENT,
    alias: str = "prod",
    *,
    gone: bool = False,
    days: int = 0,
    overdue_on: date | None = None,
) -> LiveVersion:
    return LiveVersion("1", (alias,), gone, freshness, f"reason of {alias}", days_behind=days, overdue_on=overdue_on)


def test_a_healthy_function_has_no_problem() -> None:
    finding = find_problem(FINE, [live()], [], TODAY)
    assert (finding.rank, finding.text) == (0, "")


def test_problems_come_worst_first() -> None:
    cases = [
        find_problem(FINE, [live(gone=True)], ["1"], TODAY),
        find_problem(Condition(state="Failed", state_reason="no image"), [live(Freshness.STALE)], ["1"], TODAY),
        find_problem(Condition(state="Active", last_update_status="Failed"), [live()], ["1"], TODAY),
        find_problem(FINE, [live(Freshness.END_OF_LIFE)], ["1"], TODAY),
        find_problem(FINE, [live(Freshness.STALE, overdue_on=TODAY), live(Freshness.END_OF_LIFE)], [], TODAY),
        find_problem(Condition(state="Inactive"), [live(Freshness.END_OF_LIFE)], [], TODAY),
        find_problem(Condition(state="Inactive"), [live(Freshness.STALE)], [], TODAY),
        find_problem(Condition(state="Inactive"), [live(Freshness.UNKNOWN)], [], TODAY),
        find_problem(FINE, [live(Freshness.UNKNOWN)], [], TODAY),
        find_problem(FINE, [live()], [], TODAY),
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


def test_a_base_is_overdue_from_its_day_on() -> None:
    late = find_problem(FINE, [live(Freshness.STALE, overdue_on=TODAY)], [], TODAY)
    early = find_problem(FINE, [live(Freshness.STALE, overdue_on=TODAY + timedelta(days=1))], [], TODAY)

    assert (late.rank, late.text) == (RANK_OVERDUE, "prod: overdue since 2026-11-20. reason of prod")
    assert early.rank == RANK_STALE


def test_the_base_that_is_overdue_for_the_longest_is_told() -> None:
    versions = [
        live(Freshness.STALE, "a", days=90, overdue_on=TODAY),
        live(Freshness.STALE, "b", days=3, overdue_on=TODAY - timedelta(days=9)),
    ]

    assert "b: overdue since 2026-11-11" in find_problem(FINE, versions, [], TODAY).text


@pytest.mark.parametrize("name", ["owner", "Owner", "OWNER", "team", "Team"])
def test_the_owner_is_told_by_tags(name: str) -> None:
    assert owner_of({name: "payments"}) == "payments"
    assert owner_of({}) == ""


def test_an_owner_counts_before_a_team_and_one_that_is_empty_does_not() -> None:
    assert owner_of({"Team": "payments", "OWNER": "ada"}) == "ada"
    assert owner_of({"owner": "", "team": "payments"}) == "payments"


@pytest.mark.parametrize(
    ("tags", "tool"),
    [
        ({"aws:cloudformation:stack-name": "orders"}, "cloudformation"),
        ({"terraform": "true"}, "terraform"),
        ({"terraform:module": "modules/orders"}, "terraform"),
        ({"terraform": "false"}, ""),
        ({"ManagedBy": "Terraform Cloud"}, "terraform"),
        ({"ManagedBy": "Terraform"}, "terraform"),
        ({"managed-by": "pulumi"}, "pulumi"),
        ({"ManagedBy": "OpenTofu"}, "opentofu"),
        ({"MANAGED_BY": "tofu"}, "opentofu"),
        ({"Provisioner": "AWS CDK", "aws:cloudformation:stack-id": "arn"}, "cdk"),
        ({"managed-by": "terraformed by hand"}, ""),
        ({"managed-by": "alice"}, ""),
        ({"serverless:service": "orders"}, "serverless"),
        ({"STAGE": "prod"}, ""),
        ({"stage": "prod", "aws:cloudformation:stack-name": "orders"}, "cloudformation"),
        ({"AWS:CloudFormation:stack-name": "orders"}, "cloudformation"),
        ({"STAGE": "prod", "aws:cloudformation:stack-name": "orders-prod"}, "serverless"),
        ({"team": "payments"}, ""),
    ],
)
def test_who_else_manages_a_function_is_told_by_tags(tags: dict[str, str], tool: str) -> None:
    assert managed_by(tags) == tool
