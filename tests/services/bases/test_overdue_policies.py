"""Policies of freshness: operators set them, what is wrong is told by field, lists follow at once."""

from datetime import timedelta

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import AuditEntry, FreshnessPolicy, Function
from functions_app.services.bases.overdue_policies import PolicyDraft, delete, faults, listing, policies, save
from functions_app.services.people.actor import Actor
from tests.factories import NOW, make_account, make_alias, make_function, make_image, make_repository, make_version

pytestmark = [pytest.mark.django_db, pytest.mark.shows_dates]


def draft(**values: str) -> PolicyDraft:
    return PolicyDraft.from_form({"max_days": "30", **values})


def stale_function() -> Function:
    account = make_account("production")
    image = make_image(make_repository(account), freshness="stale", stale_since=NOW - timedelta(days=40))
    function = make_function(account, tags={"team": "payments"})
    make_version(function, 1, image)
    make_alias(function, "prod", 1)
    return function


@pytest.mark.django_db(transaction=True)
def test_a_policy_that_is_saved_counts_at_once_and_is_audited(operator: Actor) -> None:
    function = stale_function()

    save(draft(max_releases="3"), operator)

    function.refresh_from_db()
    assert function.overdue_on == (NOW - timedelta(days=10)).date()
    assert [(policy.max_days, policy.max_releases) for policy in policies()] == [(30, 3)]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.result) == (operator.person, "freshness_policy.add", "saved")
    assert entry.plan == {"max_days": 30, "max_releases": 3}


def test_the_audit_names_whom_a_policy_is_for(operator: Actor) -> None:
    account = make_account("staging")

    save(draft(), operator)
    save(draft(account=str(account.pk)), operator)
    save(draft(tag_key="team"), operator)
    save(draft(account=str(account.pk), tag_key="team", tag_value="payments"), operator)

    assert list(AuditEntry.objects.order_by("pk").values_list("target", flat=True)) == [
        "all accounts", str(account), "all accounts team", f"{account} team=payments",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_policy_may_be_changed_and_deleted(operator: Actor) -> None:
    function = stale_function()
    policy = save(draft(), operator)

    save(draft(max_days="7", tag_key="team", tag_value="payments"), operator, policy)
    function.refresh_from_db()
    assert function.overdue_on == (NOW - timedelta(days=33)).date()

    delete(policy, operator)
    function.refresh_from_db()
    assert function.overdue_on is None
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "freshness_policy.add", "freshness_policy.change", "freshness_policy.delete",
    }  # fmt: skip


def test_who_may_only_look_is_refused_and_that_is_audited(viewer: Actor, operator: Actor) -> None:
    policy = save(draft(), operator)

    for attempt in (lambda: save(draft(tag_key="team"), viewer), lambda: delete(policy, viewer)):
        with pytest.raises(DrydockError) as refusal:
            attempt()
        assert refusal.value.problem.code is Code.DENIED
    assert FreshnessPolicy.objects.count() == 1
    assert AuditEntry.objects.filter(actor=viewer.person, result__startswith="refused").count() == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"account": "999999"}, "account"),
        ({"account": "ours"}, "account"),
        ({"account": "9" * 40}, "account"),
        ({"tag_value": "payments"}, "tag_value"),
        ({"tag_key": "k" * 129}, "tag_key"),
        ({"tag_key": "team\0"}, "tag_key"),
        ({"tag_key": "team", "tag_value": "v" * 257}, "tag_value"),
        ({"max_days": "-1"}, "max_days"),
        ({"max_days": "3.5"}, "max_days"),
        ({"max_days": "٣"}, "max_days"),
        ({"max_days": "3651"}, "max_days"),
        ({"max_releases": "100"}, "max_releases"),
        ({"max_releases": "9" * 5000}, "max_releases"),
        ({"max_days": ""}, "max_days"),
    ],
)
def test_what_is_wrong_is_told_by_field(values: dict[str, str], field: str, operator: Actor) -> None:
    assert list(faults(draft(**values))) == [field]
    with pytest.raises(DrydockError) as error:
        save(draft(**values), operator)
    assert error.value.problem.code is Code.INVALID
    assert not FreshnessPolicy.objects.exists()


def test_who_is_exempt_has_a_policy_without_limits() -> None:
    assert faults(draft(tag_key="lifecycle", tag_value="legacy", max_days="")) == {}


def test_there_is_one_policy_for_the_same_functions(operator: Actor) -> None:
    account = make_account()
    default = save(draft(), operator)
    special = save(draft(account=str(account.pk), tag_key="team"), operator)

    assert "already" in faults(draft())["account"]
    assert "already" in faults(draft(account=str(account.pk), tag_key="team"))["account"]
    assert faults(draft(max_days="9"), default) == {}
    assert faults(PolicyDraft.of(special), special) == {}


def test_policies_are_listed_the_default_first(operator: Actor) -> None:
    account = make_account("acme production")
    save(draft(account=str(account.pk)), operator)
    save(draft(tag_key="team", tag_value="payments"), operator)
    save(draft(tag_key="stage", max_days="", max_releases="2"), operator)
    save(draft(), operator)

    rows = listing()

    assert [(row.account, row.tag) for row in rows] == [
        ("", ""), ("", "stage"), ("", "team=payments"), ("acme production", ""),
    ]  # fmt: skip
    assert [row.is_default for row in rows] == [True, False, False, False]
    assert (rows[1].max_days, rows[1].max_releases) == (None, 2)
