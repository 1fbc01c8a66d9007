"""What is wrong with a function, worst first; whose it is; who else manages it."""

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.fleet.lambda_states import STATES, state_meaning
from functions_app.domain.fleet.states import (
    RANK_OVERDUE,
    RANK_STALE,
    Condition,
    LiveVersion,
    find_problem,
    first_overdue,
    worst,
)
from functions_app.domain.fleet.tags import DENIED, MANAGER, OWNER, TOOLS, listed_tags, managed_by, owner_of

pytestmark = pytest.mark.shows_dates

TODAY = date(2026, 11, 20)
FINE = Condition(state="Active", last_update_status="Successful")
NO_IMAGE = Condition(state="Failed", state_reason="no image")


def live(
    freshness: Freshness = Freshness.CURRENT,
    alias: str = "prod",
    *,
    gone: bool = False,
    days: int = 0,
    overdue_on: date | None = None,
    condition: Condition = FINE,
) -> LiveVersion:
    return LiveVersion(
        "1", (alias,), gone, freshness, f"reason of {alias}", days_behind=days, overdue_on=overdue_on,
        condition=condition,
    )  # fmt: skip


def test_a_healthy_function_has_no_problem() -> None:
    finding = find_problem([live()], [], TODAY)
    assert (finding.rank, finding.text) == (0, "")


@pytest.mark.parametrize(
    ("status", "rank", "text"),
    [
        ("ACTIVE", 0, ""),
        ("", 0, ""),
        ("ARCHIVED", 90, "The image behind prod is archived in ECR: it can't be pulled until it is restored; its next"),
        ("ACTIVATING", 90, "The image behind prod is being restored from ECR's archive"),
        ("DEEP_FROZEN", 20, "The image behind prod has the status DEEP_FROZEN, which Drydock does not know."),
    ],
)
def test_a_live_image_that_ecr_would_not_give_is_a_problem(status: str, rank: int, text: str) -> None:
    finding = find_problem([replace(live(), image_status=status)], [], TODAY)
    assert finding.rank == rank
    assert finding.text.startswith(text)


@pytest.mark.parametrize("word", ["", "Hibernating", *STATES])
def test_a_live_version_whose_state_is_not_ready_is_a_problem_however_good_its_base(word: str) -> None:
    finding = find_problem([live(condition=replace(FINE, state=word))], [], TODAY)
    # Pending passes, and the page says before all else that it is under way
    assert bool(finding.rank) is (not state_meaning(word).ready and word != "Pending")
    assert ("prod" in finding.text) is bool(finding.rank)
    assert word in finding.text or not finding.rank


@pytest.mark.parametrize(
    ("word", "rank", "text"),
    [
        ("Successful", 0, ""),
        ("InProgress", 0, ""),  # as with Pending
        ("Failed", 70, "prod, version 1: The last update failed: Lambda gives no reason"),
        ("Postponed", 27, "prod, version 1: Last update Postponed: Drydock does not know this status"),
        ("", 27, "prod, version 1: AWS does not tell how the last update ended."),
    ],
)
def test_a_last_update_that_is_not_known_to_have_ended_well_is_a_problem(word: str, rank: int, text: str) -> None:
    finding = find_problem([live(condition=replace(FINE, last_update_status=word))], [], TODAY)
    assert finding.rank == rank
    assert finding.text.startswith(text)


def test_of_latest_that_no_alias_runs_a_strange_update_is_told_and_its_state_is_not() -> None:
    strange, deactivated = replace(FINE, last_update_status="Postponed"), replace(FINE, state="Deactivated")
    assert find_problem([live()], [], TODAY, strange).text.startswith("$LATEST, which no alias runs: Last update Post")
    assert find_problem([live()], [], TODAY, deactivated).rank == 0
    assert find_problem([live()], [], TODAY, Condition()).rank == 0  # never read


def test_lambda_tells_no_last_update_while_it_makes_a_version() -> None:
    assert find_problem([live(condition=Condition(state="Pending"))], [], TODAY).rank == 0


def test_problems_come_worst_first() -> None:
    cases = [
        find_problem([live(gone=True)], ["1"], TODAY),
        find_problem(
            [live(Freshness.STALE, condition=Condition(state="Failed", state_reason="no image"))], ["1"], TODAY
        ),
        find_problem([live(condition=Condition(state="Active", last_update_status="Failed"))], ["1"], TODAY),
        find_problem([replace(live(Freshness.END_OF_LIFE), expiry_rule=2)], ["1"], TODAY),
        find_problem([live(Freshness.END_OF_LIFE)], ["1"], TODAY),
        find_problem([live(Freshness.STALE, overdue_on=TODAY), live(Freshness.END_OF_LIFE)], [], TODAY),
        find_problem([live(Freshness.END_OF_LIFE, condition=Condition(state="Inactive"))], [], TODAY),
        find_problem([live(Freshness.STALE, condition=Condition(state="Inactive"))], [], TODAY),
        find_problem([live(Freshness.UNKNOWN, condition=Condition(state="Inactive"))], [], TODAY),
        find_problem([live(Freshness.UNKNOWN)], [], TODAY),
        find_problem([live()], [], TODAY),
    ]
    ranks = [finding.rank for finding in cases]
    assert ranks == sorted(set(ranks), reverse=True)
    assert "prod" in cases[0].text
    assert "no image" in cases[1].text


def test_a_current_image_that_a_lifecycle_policy_would_delete_is_not_well() -> None:
    finding = find_problem([replace(live(), expiry_rule=2)], [], TODAY)
    assert finding.text.startswith("Lifecycle rule 2 will take away the image behind prod. Change the rule")


def test_an_image_that_is_gone_already_is_told_as_gone() -> None:
    finding = find_problem([replace(live(gone=True), expiry_rule=2)], [], TODAY)
    assert "no longer in ECR" in finding.text


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
    late = find_problem([live(Freshness.STALE, overdue_on=TODAY)], [], TODAY)
    early = find_problem([live(Freshness.STALE, overdue_on=TODAY + timedelta(days=1))], [], TODAY)

    assert (late.rank, late.text) == (RANK_OVERDUE, "prod: overdue since 2026-11-20. reason of prod")
    assert early.rank == RANK_STALE


def test_the_base_that_is_overdue_for_the_longest_is_told() -> None:
    versions = [
        live(Freshness.STALE, "a", days=90, overdue_on=TODAY),
        live(Freshness.STALE, "b", days=3, overdue_on=TODAY - timedelta(days=9)),
    ]

    assert "b: overdue since 2026-11-11" in find_problem(versions, [], TODAY).text


def test_of_versions_whose_bases_are_as_bad_the_one_more_releases_behind_then_the_oldest_is_told() -> None:
    two, ten = (LiveVersion(number, ("a",), False, Freshness.STALE, days_behind=9) for number in ("2", "10"))
    further = replace(ten, releases_behind=3)

    assert {worst(order) for order in permutations([two, ten])} == {two}
    assert {worst(order) for order in permutations([two, ten, further])} == {further}


def test_of_bases_that_are_overdue_since_the_same_day_the_worst_is_told() -> None:
    stale = live(Freshness.STALE, "a", overdue_on=TODAY)
    ended = live(Freshness.END_OF_LIFE, "b", overdue_on=TODAY)
    later = replace(ended, number="2")

    assert {first_overdue(order, TODAY) for order in permutations([stale, ended, later])} == {ended}


NAMES = ["owner", "Owner", "OWNER", "team", "Team"]
# How each tool is written where it is named as the manager, and in a tag of its own.
OF_TOOLS = {
    "terraform": ("Terraform Cloud", "terraform"), "terragrunt": ("terragrunt", "terragrunt:module"),
    "pulumi": ("Pulumi", "pulumi:project"), "serverless": ("serverless", "serverless:service"),
    "cloudformation": ("CloudFormation", "cloudformation"), "cdk": ("AWS CDK", "cdk"), "sst": ("sst", "sst:app"),
    "chalice": ("chalice", "chalice"), "zappa": ("Zappa", "zappa"), "crossplane": ("crossplane", "crossplane/name"),
    "ansible": ("Ansible", "ansible:role"), "spacelift": ("Spacelift", "spacelift.io"),
    "atlantis": ("atlantis", "atlantis"), "lambroll": ("lambroll", "lambroll"), "cdktf": ("cdktf", "cdktf"),
    "opentofu": ("OpenTofu 1.9", "opentofu"), "tofu": ("tofu", "tofu:module"),
}  # fmt: skip
OF_MANAGERS = [
    *("ManagedBy", "managed-with", "Provisioner", "provisioned_by", "deployed-by", "created by", "IaC"),
]


@pytest.mark.parametrize("name", NAMES)
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
        ({"managed-by": "TerraformCloud"}, "terraform"),
        ({"managed-by": "terraform1.5"}, "terraform"),
        ({"managed-by": "CloudFormation"}, "cloudformation"),
        ({"ansible-group": "web"}, ""),
        ({"serverless-team": "yes"}, ""),
        ({"IaC": "Terraform"}, "terraform"),
        ({"created_by": "lambroll"}, "lambroll"),
        ({"DeployedBy": "OpenTofu 1.9"}, "opentofu"),
        ({"provisioned-by": "cdktf"}, "cdktf"),
        ({"created-by": "ada"}, ""),
        ({"managed-by": ""}, ""),
        ({"managed-by": "nobody", "provisioner": "pulumi"}, "pulumi"),
        ({}, ""),
    ],
)
def test_who_else_manages_a_function_is_told_by_tags(tags: dict[str, str], tool: str) -> None:
    assert managed_by(tags) == tool


@pytest.mark.parametrize("word", OF_TOOLS)
def test_each_tool_is_known_where_a_tag_names_it_and_by_a_tag_of_its_own(word: str) -> None:
    named, own = OF_TOOLS[word]
    tool = "opentofu" if word == "tofu" else word
    assert managed_by({"managed-by": named}) == managed_by({own: "x"}) == tool
    assert [managed_by({own: value}) for value in ("false", "No", " none ", "0")] == [""] * len(DENIED)


@pytest.mark.parametrize("name", OF_MANAGERS)
def test_each_tag_that_names_the_manager_is_known(name: str) -> None:
    assert managed_by({name: "pulumi"}) == "pulumi"


def test_every_row_of_the_tables_of_tags_has_its_example() -> None:
    assert TOOLS.keys() == OF_TOOLS.keys()
    assert set(MANAGER) == {re.sub(r"[\W_]+", "", name.lower()) for name in OF_MANAGERS}
    assert set(OWNER) == {name.lower() for name in NAMES}


def test_the_tags_of_lists_are_those_that_people_set() -> None:
    tags = {"team": "red", "AWS:cloudformation:stack-name": "shop", "aws:x": "", "awsome": "yes=no"}
    assert listed_tags(tags) == ["team=red", "awsome=yes=no"]
