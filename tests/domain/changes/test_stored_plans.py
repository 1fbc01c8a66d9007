"""Plans as rows in the database hold them: what was stored before an upgrade is read after it, and written the same."""

from typing import Any

import pytest

from functions_app.domain.changes.deployments import DeploymentPlan, RollbackPlan
from functions_app.domain.changes.invocations import InvocationPlan
from functions_app.domain.changes.patching.patch_lists import PatchList

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders"
PLACE = {"arn": ARN, "name": "orders", "account_id": "111111111111", "region": "eu-west-1"}
ALIAS: dict[str, Any] = {
    "place": PLACE,
    "alias": "live",
    "before": {
        "version": "7",
        "second_version": "6",
        "second_weight": 0.1,
        "revision_id": "revision-a",
        "description": "of the shop",
    },
    "before_digest": "sha256:aa",
    "to_digest": "sha256:bb",
    "image": "1.dkr/team/app:v8",
    "checks": [{"name": "Ownership", "ok": None, "text": "terraform", "kind": "rule"}],
    "managed_by": "terraform",
    "owner": "shop",
    "production": True,
    "judgement": {
        "verdict": "Same repository, base one release newer, configuration unchanged.",
        "level": "mind",
        "remarks": [{"level": "mind", "name": "Ownership", "text": "terraform"}],
        "fine": [],
        "runs": [
            {
                "version": "7",
                "digest": "sha256:aa",
                "image": "1.dkr/team/app@sha256:aa",
                "base": {
                    "stream": "python:3.12",
                    "release_id": 3,
                    "label": "3.12.old",
                    "freshness": "stale",
                    "reason": "One release behind.",
                },
                "share": 0.9,
                "held": "there",
            }
        ],
        "goal": None,
        "comparisons": [
            {
                "version": "7",
                "differences": [{"name": "Memory", "before": "640 MB", "after": "3,008 MB"}],
                "unread": [],
                "same_hash": None,
            }
        ],
        "way_back": {"version": "7", "sure": True, "text": "Roll live back to version 7.", "none": False},
        "ticks": [{"key": "repository", "text": "It is meant."}],
    },
}
DEPLOYMENT: dict[str, Any] = {
    **ALIAS,
    "image_uri": "1.dkr/team/app@sha256:bb",
    "from_digest": "sha256:aa",
    "function_revision": "revision-f",
    "tags": ["v8", "latest"],
}
ROLLBACK: dict[str, Any] = {**ALIAS, "to_version": "6", "forward": False}
INVOCATION: dict[str, Any] = {
    "qualifier": "live",
    "mode": "dry_run",
    "bytes": 2,
    "sha256": "44136f",
    "tenant": "shop-1",
    "place": PLACE,
}
PATCH: dict[str, Any] = {
    "title": "Bring 1 function forward to the current release of python:3.12",
    "function_id": 0,
    "stream_id": 4,
    "stream": "python:3.12",
    "made_at": "2026-03-01T00:00:00+00:00",
    "entries": [
        {
            "function_id": 1,
            "function": "orders",
            "arn": ARN,
            "account_id": 1,
            "account": "production",
            "region": "eu-west-1",
            "owner": "shop",
            "managed_by": "",
            "alias": "live",
            "version": "7",
            "digest": "sha256:old",
            "platform": "linux/amd64",
            "tier": "exact",
            "from_release_id": 3,
            "from_release": "3.12.old",
            "through": "",
            "overdue": False,
            "production": True,
            "to_release_id": 9,
            "to_release": "3.12.new",
            "to_digest": "sha256:new",
            "way": "rebase",
            "why": "Its base layers are proven.",
        }
    ],
}
BESIDE = {"title": "A change", "function_id": 1, "target": ARN, "lock": ARN, "confirm": "live", "plan_id": "1234"}


def listed(value: Any) -> Any:
    """As JSON has it: lists, no tuples."""
    if isinstance(value, dict):
        return {name: listed(item) for name, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, tuple | list) else value


@pytest.mark.parametrize(
    ("kind", "body"),
    [(DeploymentPlan, DEPLOYMENT), (RollbackPlan, ROLLBACK), (InvocationPlan, INVOCATION)],
)
def test_what_is_the_plans_own_is_read_from_its_body_and_written_the_same(kind: Any, body: dict[str, Any]) -> None:
    assert listed(kind.from_json({**body, **BESIDE}).as_json()) == body


def test_a_plan_of_patches_is_read_from_its_body_and_written_the_same() -> None:
    assert PatchList.from_json(PATCH).as_json() == PATCH


def test_an_invocation_planned_before_tenants_were_kept_names_none() -> None:
    old = {name: value for name, value in INVOCATION.items() if name != "tenant"}
    assert InvocationPlan.from_json(old).tenant == ""


@pytest.mark.parametrize(("kind", "body"), [(DeploymentPlan, DEPLOYMENT), (RollbackPlan, ROLLBACK)])
def test_a_plan_made_before_plans_were_judged_is_read_and_says_what_its_checks_said(
    kind: Any, body: dict[str, Any]
) -> None:
    before = {name: value for name, value in body["before"].items() if name != "description"}
    old = {name: value for name, value in body.items() if name not in ("judgement", "production", "forward")}
    plan = kind.from_json({**old, "before": before})
    assert plan.production
    assert plan.judgement.verdict == "Planned before Drydock was upgraded: not compared."
    assert [remark.text for remark in plan.judgement.remarks] == ["terraform"]
    assert "Roll live to version 7" in plan.undo()


def test_a_plan_of_patches_made_before_the_setting_of_production_was_kept_goes_by_its_default() -> None:
    place = {name: value for name, value in PATCH["entries"][0].items() if name != "production"}
    (entry,) = PatchList.from_json({**PATCH, "entries": [place]}).entries
    assert entry.production


def test_a_deployment_that_was_planned_before_tags_were_kept_is_read() -> None:
    old = {name: value for name, value in DEPLOYMENT.items() if name != "tags"}
    assert DeploymentPlan.from_json(old).tags == ()


@pytest.mark.parametrize(
    ("kind", "body", "title"),
    [
        (DeploymentPlan, DEPLOYMENT, "Deploy team/app:v8 to orders:live"),
        (RollbackPlan, ROLLBACK, "Roll orders:live back to version 6"),
        (InvocationPlan, INVOCATION, "Dry-run orders:live for tenant shop-1"),
        (PatchList, PATCH, "Bring 1 function forward to the current release of python:3.12"),
    ],
)
def test_each_says_in_one_line_what_it_does(kind: Any, body: dict[str, Any], title: str) -> None:
    assert kind.from_json(body).title == title
