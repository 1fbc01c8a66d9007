"""The forms: a base of one's own, the switch of Lambda's bases, and the policies that say when a base is overdue."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app.models import AuditEntry, BaseStream, FreshnessPolicy
from tests.factories import make_account, make_release, make_stream

GOOD = {
    "reference": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/base/python:3.12",
    "name": "golden",
    "platforms": "linux/amd64, linux/arm64",
    "deprecated_on": "2030-01-31",
    "enabled": "on",
}
POLICY = {"account": "", "tag_key": "", "tag_value": "", "max_days": "30", "max_releases": ""}


@pytest.fixture
def person(client: Client, operator: User) -> Client:
    """A browser of somebody who may change things."""
    client.force_login(operator)
    return client


def test_a_base_of_ones_own_is_added_and_shown(person: Client) -> None:
    answer = person.post("/bases/new/", GOOD)
    stream = BaseStream.objects.get()
    assert answer.headers["Location"] == f"/bases/{stream.pk}/"
    assert (stream.name, stream.own, stream.platforms) == ("golden", True, ["linux/amd64", "linux/arm64"])
    assert str(stream.deprecated_on) == "2030-01-31"
    assert AuditEntry.objects.filter(action="stream.add").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reference": ""}, "HOST/REPOSITORY:TAG"),
        ({"reference": "public.ecr.aws/lambda/python@sha256:" + "a" * 64}, "a stream is a moving tag"),
        ({"reference": "169.254.169.254/latest/meta-data:x"}, "nobody has allowed it"),
        ({"platforms": "amd64"}, "is no platform"),
        ({"deprecated_on": "soon"}, "is no date"),
        ({"tag_pattern": "(a+)+{number}"}, "is no pattern of tags"),
        ({"tag_pattern": "{number}{number}"}, "Between two parts there is a character"),
    ],
)
def test_what_is_wrong_is_said_in_the_form_and_nothing_is_saved(
    person: Client, changed: dict[str, str], said: str
) -> None:
    answer = person.post("/bases/new/", GOOD | changed)
    text = answer.content.decode()
    assert answer.status_code in (400, 403)
    assert said in text.split('role="alert"')[1].split("</form>")[0]
    assert 'value="golden"' in text
    assert not BaseStream.objects.exists()


def test_ones_own_base_is_changed_and_switched_off(person: Client) -> None:
    stream = make_stream("golden", own=True, reference=GOOD["reference"])
    person.post(f"/bases/{stream.pk}/edit/", GOOD | {"name": "gold", "enabled": ""})
    stream.refresh_from_db()
    assert (stream.name, stream.enabled) == ("gold", False)


def test_a_reference_with_releases_stays(person: Client) -> None:
    stream = make_stream("golden", own=True, reference=GOOD["reference"])
    make_release(stream, "1")
    other = GOOD | {"reference": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/base/node:22"}
    answer = person.post(f"/bases/{stream.pk}/edit/", other)
    assert answer.status_code == 422
    assert "would be mixed" in answer.content.decode()


def test_of_lambdas_own_bases_only_the_switch_changes(person: Client) -> None:
    stream = make_stream()
    assert 'name="reference"' not in person.get(f"/bases/{stream.pk}/edit/").content.decode()
    person.post(f"/bases/{stream.pk}/edit/", GOOD | {"enabled": ""})
    stream.refresh_from_db()
    assert (stream.name, stream.enabled) == ("python:3.12", False)


def test_a_viewer_sees_no_form(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    stream = make_stream()
    for address in ("/bases/new/", f"/bases/{stream.pk}/edit/", "/settings/freshness/add/"):
        assert client.get(address).status_code == 403


def test_a_viewer_sees_the_policies_and_no_buttons(client: Client, viewer: User) -> None:
    FreshnessPolicy.objects.create(account=make_account("production"), tag_key="stage", tag_value="prod", max_days=7)
    client.force_login(viewer)
    text = client.get("/settings/freshness/").content.decode()
    assert "stage=prod" in text
    assert "production" in text
    assert "There is no default" in text
    assert "Add a policy" not in text


def test_without_a_policy_it_says_what_that_means(person: Client) -> None:
    assert "but never overdue" in person.get("/settings/freshness/").content.decode()


def test_a_policy_is_added_changed_and_deleted(person: Client) -> None:
    assert person.post("/settings/freshness/add/", POLICY).headers["Location"] == "/settings/freshness/"
    policy = FreshnessPolicy.objects.get()
    assert (policy.account, policy.max_days, policy.max_releases) == (None, 30, None)
    person.post(f"/settings/freshness/{policy.pk}/", POLICY | {"max_days": "", "max_releases": "2"})
    policy.refresh_from_db()
    assert (policy.max_days, policy.max_releases) == (None, 2)
    person.post(f"/settings/freshness/{policy.pk}/delete/")
    assert not FreshnessPolicy.objects.exists()


def test_a_policy_for_an_account_and_a_tag(person: Client) -> None:
    account = make_account("production")
    person.post("/settings/freshness/add/", POLICY | {"account": str(account.pk), "tag_key": "stage"})
    policy = FreshnessPolicy.objects.get()
    assert (policy.account, policy.tag_key, policy.tag_value) == (account, "stage", "")


@pytest.mark.parametrize("changed", [{"max_days": "soon"}, {"max_days": ""}, {"tag_value": "x"}, {"account": "404"}])
def test_a_wrong_field_of_a_policy_is_marked_and_nothing_is_saved(person: Client, changed: dict[str, str]) -> None:
    answer = person.post("/settings/freshness/add/", POLICY | changed)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not FreshnessPolicy.objects.exists()


def test_policies_cost_the_same_however_many(
    person: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        FreshnessPolicy.objects.create(account=make_account(), tag_key=f"t{number}", max_days=3)
    with django_assert_max_num_queries(5):
        person.get("/settings/freshness/")


@pytest.mark.parametrize("day", ["0026-11-28", "1999-12-31", "2200-01-01", "28.11.2026"])
def test_an_end_of_life_in_no_year_of_ours_is_refused(person: Client, day: str) -> None:
    answer = person.post("/bases/new/", GOOD | {"deprecated_on": day})
    assert answer.status_code == 400
    assert "is no date" in answer.content.decode()
    assert not BaseStream.objects.exists()


def test_the_tags_of_releases_may_have_a_pattern_and_those_that_fit_are_shown(person: Client) -> None:
    person.post("/bases/new/", GOOD | {"tag_pattern": "3.12-r{number}"})
    stream = BaseStream.objects.get()
    assert stream.tag_pattern == "3.12-r{number}"
    BaseStream.objects.update(
        polled_at="2026-01-01T00:00Z",
        history={"fitting": 9, "left": 2, "shown": [f"3.12-r{number}" for number in (9, 8, 7, 6, 5, 4)]},
    )

    form = person.get(f"/bases/{stream.pk}/edit/").content.decode()
    page = " ".join(person.get(f"/bases/{stream.pk}/").content.decode().split())

    assert 'value="3.12-r{number}"' in form
    assert "9 tags fitted" in form
    assert '<span class="mono">3.12-r9</span>' in form
    assert "7 of 9 tags of releases read, the others by and by" in page


def test_a_pattern_that_changed_has_the_history_read_again(person: Client) -> None:
    stream = make_stream("golden", own=True, reference=GOOD["reference"], tag_digest="sha256:x")

    person.post(f"/bases/{stream.pk}/edit/", GOOD | {"tag_pattern": "3.12-{timestamp}"})

    stream.refresh_from_db()
    assert (stream.tag_pattern, stream.tag_digest, stream.history["again"]) == ("3.12-{timestamp}", "", True)
