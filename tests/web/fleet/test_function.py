"""The pages of one function: head, chain, versions x aliases, image, activity."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.domain.bases.unknown_reasons import ADD_BASE
from functions_app.models import AliasMove, AuditEntry, BaseRelease, Function, Image, Run
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.web.html.chains import Stop
from tests.factories import (
    NOW,
    digest,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_release,
    make_repository,
    make_stream,
    make_version,
)

pytestmark = pytest.mark.shows_dates


@pytest.fixture
def images(db: None) -> tuple[Image, Image]:
    """A stale image tagged v1 and a current one tagged v2, in one repository."""
    repository = make_repository(make_account("production"))
    stream = make_stream()
    newest = make_release(stream, "3.12.newest", current=True)
    old = make_release(stream, "3.12.old", days_old=41)
    stale = make_image(
        repository,
        tags=["v1"],
        base_release=old,
        freshness="stale",
        freshness_reason="3 newer releases exist.",
        releases_behind=3,
        days_behind=41,
        base_evidence=["Its first 3 layers are those of 3.12.old."],
    )
    return stale, make_image(repository, tags=["v2"], base_release=newest, freshness="current")


@pytest.fixture
def function(images: tuple[Image, Image]) -> Function:
    """A function whose alias live is split 90/10 over a stale and a current version."""
    stale, current = images
    function = make_function(stale.repository.account, "orders")
    make_version(function, "$LATEST", current, image_uri=f"{stale.repository.uri}:v2")
    make_version(function, 7, stale, image_uri=f"{stale.repository.uri}:v1")
    make_version(function, 8, current)
    make_alias(function, "live", 7, second=8, weight=0.1)
    return function


def lanes(client: Client, function: Function) -> list[list[Stop]]:
    """The lanes of the function's page."""
    found: list[list[Stop]] = client.get(f"/functions/{function.pk}/").context["lanes"]
    return found


def test_a_lane_leads_from_the_alias_to_the_newest_release(person: Client, function: Function) -> None:
    first = lanes(person, function)[0]
    assert [stop.kind for stop in first] == ["Alias", "Version", "Image", "Base", "Newest"]
    assert first[-1].word == "3 releases, 41 d"
    assert first[-1].hop == "warn"


def test_of_two_current_releases_for_a_platform_the_newest_ends_the_lane(person: Client, function: Function) -> None:
    newest = BaseRelease.objects.get(current=True)
    make_release(newest.stream, "3.12.neither", days_old=3, current=True)
    assert "3.12.newest" in lanes(person, function)[0][-1].body


def test_a_split_alias_has_a_lane_for_each_share(person: Client, function: Function) -> None:
    assert [lane[1].word for lane in lanes(person, function)] == ["90 %", "10 %"]
    assert lanes(person, function)[1][-1].note == "the newest release"


def test_a_golden_image_that_is_the_newest_shows_the_stale_base_beneath_it(person: Client, function: Function) -> None:
    level = {"stream": "python:3.12", "label": "python:3.12.old", "layers": 3, "days_behind": 41}
    newest = {"stream": "acme/golden:1", "label": "acme/golden:1.7", "freshness": "current", "releases_behind": 0}
    Image.objects.filter(freshness="stale").update(
        base_lineage=[{**newest, "days_behind": 0}, {**level, "freshness": "stale", "releases_behind": 3}]
    )

    *_, base, beneath = lanes(person, function)[0]

    assert (base.kind, base.note) == ("Base", "the newest release")
    assert (beneath.kind, beneath.note, beneath.level) == ("Beneath", "stale: 3 releases, 41 d", "warn")
    assert "python:3.12" in beneath.body


def test_a_base_whose_release_is_unknown_is_named(person: Client, function: Function) -> None:
    Image.objects.update(base_release=None, base_stream=make_stream("nodejs:22"), freshness="unknown")

    base = lanes(person, function)[0][-1]

    assert ("nodejs:22" in base.body, base.note, base.level) == (True, "release unknown", "unknown")


def test_a_deleted_image_breaks_the_chain_in_red(person: Client, function: Function) -> None:
    Image.objects.update(gone_at=NOW)
    image = lanes(person, function)[0][2]
    assert (image.hop, image.word, image.note) == ("bad", "broken", "deleted from ECR")


DENIED = {"state": "Failed", "state_reason": "Not allowed.", "state_reason_code": "ImageAccessDenied"}


def test_a_failed_version_breaks_the_chain_in_red_and_no_green_stands_beside_it(
    person: Client, function: Function
) -> None:
    function.versions.filter(number="8").update(**DENIED)
    working, failed = lanes(person, function)
    image = failed[2]
    assert (image.kind, image.level, image.hop, image.word) == ("Image", "bad", "bad", "broken")
    assert image.note == "ImageAccessDenied"
    assert not {"good", "newest"} & {word for stop in failed for word in (stop.level, stop.hop)}
    assert "newest" in {stop.level for stop in working}


def test_a_failure_that_is_not_the_images_breaks_the_link_to_the_version(person: Client, function: Function) -> None:
    function.versions.filter(number="8").update(**{**DENIED, "state_reason_code": "InvalidSubnet"})
    version, image = lanes(person, function)[1][1:3]
    assert (version.level, version.hop, version.note) == ("bad", "bad", "Failed")
    assert image.hop != "bad"


def test_a_version_that_sleeps_is_not_broken(person: Client, function: Function) -> None:
    function.versions.filter(number="8").update(state="Inactive", state_reason_code="Idle")
    lane = lanes(person, function)[1]
    assert "bad" not in {word for stop in lane for word in (stop.level, stop.hop)}
    assert lane[-1].level == "newest"


@pytest.mark.parametrize(
    ("code", "button", "leads_to"),
    [
        ("ImageDeleted", "Deploy another image", "/functions/{pk}/deploy/"),
        ("ImageAccessDenied", "Open the repository&#x27;s permissions", "/ecr/repositories/private/"),
        ("InvalidSubnet", "Open its configuration in AWS", "/lambda/home?region=eu-west-1#/functions/{name}"),
        ("MoonPhase", "Look at it in AWS", "/lambda/home?region=eu-west-1#/functions/{name}"),
    ],
)
def test_the_one_button_names_the_repair_and_leads_there(
    person: Client, function: Function, code: str, button: str, leads_to: str
) -> None:
    function.versions.filter(number="8").update(**{**DENIED, "state_reason_code": code})
    refresh_summaries([function.pk])
    text = person.get(f"/functions/{function.pk}/").content.decode()
    link = next(part for part in text.split("<a ") if "btn btn-primary" in part)
    assert button in link
    assert leads_to.format(pk=function.pk, name=function.name) in link


def test_an_archived_image_is_restored_in_ecr(person: Client, function: Function) -> None:
    image = Image.objects.get(freshness="current")
    image.status = "ARCHIVED"
    image.save()
    refresh_summaries([function.pk])
    advice = person.get(f"/functions/{function.pk}/").context["function"].advice
    assert advice.button == "Restore its image in ECR"
    assert advice.href.endswith(f"/team/app/_/image/{image.digest}/details?region=eu-west-1")


def test_a_function_that_sleeps_is_woken_by_a_call(person: Client, function: Function) -> None:
    Image.objects.update(freshness="current")
    function.versions.update(state="Inactive", state_reason_code="Idle")
    refresh_summaries([function.pk])
    advice = person.get(f"/functions/{function.pk}/").context["function"].advice
    assert (advice.button, advice.leads_to) == ("Wake it by a call", "function-invoke")


def test_a_tag_that_moved_is_dotted_and_named(person: Client, function: Function) -> None:
    other = digest("something else")
    Image.objects.get(digest=function.versions.get(number="7").digest).repository.tags.filter(name="v1").update(
        digest=other
    )
    image = lanes(person, function)[0][2]
    assert image.drift
    assert image.note == f"v1 is {other.removeprefix('sha256:')[:12]} now"


def test_a_version_that_is_not_there_breaks_the_chain(person: Client, function: Function) -> None:
    make_alias(function, "lost", 3)
    assert lanes(person, function)[2][1].note == "not there any more"


def test_an_image_in_no_known_repository_is_unknown_not_broken(person: Client, function: Function) -> None:
    make_version(function, 9)
    make_alias(function, "foreign", 9)
    image = next(lane for lane in lanes(person, function) if "foreign" in lane[0].body)[2]
    assert (image.level, image.note) == ("unknown", "in no repository Drydock reads")


def test_without_aliases_the_lane_starts_at_latest(person: Client, function: Function) -> None:
    function.aliases.all().delete()
    assert lanes(person, function)[0][0].body == "<b>$LATEST</b>"


def test_without_aliases_calls_of_managed_instances_reach_what_they_published_last(
    person: Client, function: Function
) -> None:
    function.aliases.all().delete()
    function.versions.filter(number="8").update(number="$LATEST.PUBLISHED")
    assert lanes(person, function)[0][0].body == "<b>$LATEST.PUBLISHED</b>"


def test_the_matrix_shows_each_versions_share_of_each_alias(person: Client, function: Function) -> None:
    make_alias(function, "next", 8)
    context = person.get(f"/functions/{function.pk}/").context
    assert context["aliases"] == ("live", "next")
    assert {line.row.version.number: line.cells for line in context["matrix"]} == {
        "$LATEST": ("", ""),
        "8": ("10 %", "100 %"),
        "7": ("90 %", ""),
    }


def test_the_evidence_for_a_base_is_shown(person: Client, function: Function) -> None:
    text = person.get(f"/functions/{function.pk}/").content.decode()
    assert "Its first 3 layers are those of 3.12.old." in text
    assert "3 newer releases exist." in text


def test_many_versions_come_in_pages_and_the_lanes_stay(person: Client, function: Function) -> None:
    for number in range(9, 120):
        make_version(function, number)
    answer = person.get(f"/functions/{function.pk}/?page=2")
    assert len(answer.context["matrix"]) == 50
    assert [lane[1].body for lane in answer.context["lanes"]] == ["<b>7</b>", "<b>8</b>"]


def test_the_page_costs_the_same_however_many_versions(
    person: Client, function: Function, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(9, 60):
        make_version(function, number, Image.objects.order_by("pk").first())
        make_alias(function, f"a{number}", number)
    with django_assert_max_num_queries(17):
        person.get(f"/functions/{function.pk}/")


def test_a_well_function_says_so_and_offers_no_button(person: Client, function: Function) -> None:
    advice = person.get(f"/functions/{function.pk}/").context["function"].advice
    assert (advice.level, advice.text, advice.button) == ("good", "All is well.", "")


@pytest.mark.parametrize(
    ("rank", "level", "leads_to"),
    [
        (90, "bad", "function-deploy"),
        (65, "bad", "function-image"),
        (40, "warn", "function-patch"),
        (30, "warn", "function-invoke"),
        (20, "calm", ""),
    ],
)
def test_a_problem_is_said_in_one_line_with_the_one_button(
    person: Client, function: Function, rank: int, level: str, leads_to: str
) -> None:
    Function.objects.update(problem="What is wrong.", problem_rank=rank)
    advice = person.get(f"/functions/{function.pk}/").context["function"].advice
    assert (advice.text, advice.level, advice.leads_to) == ("What is wrong.", level, leads_to)


@pytest.mark.parametrize(("freshness", "leads_to"), [("stale", "function-patch"), ("end_of_life", "function-deploy")])
def test_what_is_overdue_is_patched_where_its_base_has_a_newer_release(
    person: Client, freshness: str, leads_to: str
) -> None:
    function = make_function(make_account(), problem="Overdue.", problem_rank=55, freshness=freshness)
    advice = person.get(f"/functions/{function.pk}/").context["function"].advice
    assert (advice.level, advice.leads_to) == ("bad", leads_to)


@pytest.mark.parametrize(
    ("tab", "title"), [("", "orders"), ("image/", "orders: image"), ("activity/", "orders: activity")]
)
def test_each_tab_has_a_title_of_its_own(person: Client, function: Function, tab: str, title: str) -> None:
    Function.objects.update(name="orders")
    page = person.get(f"/functions/{function.pk}/{tab}").content.decode()
    assert f"<title>{title} - Drydock</title>" in page


def test_a_base_that_is_unknown_says_what_to_do_about_it(person: Client, function: Function) -> None:
    reason = "Its 4 layers begin with no known release of the 5 base images watched."
    Function.objects.update(problem=f"live: {reason}", problem_rank=20, freshness_reason=reason)
    advice = person.get(f"/functions/{function.pk}/").context["function"].advice
    assert (advice.text, advice.detail, advice.leads_to) == (f"live: {reason}", ADD_BASE, "function-image")


def test_while_a_run_is_under_way_the_button_follows_it(person: Client, function: Function) -> None:
    run = Run.objects.create(
        kind="deployment", status="running", title="Deploy v2", function=function, created_at=NOW, actor_name="olga"
    )
    text = person.get(f"/functions/{function.pk}/").content.decode()
    assert "Deploy v2 is under way." in text
    assert f'href="/runs/{run.pk}/"' in text


def test_the_image_page_tells_base_layers_from_own(person: Client, function: Function) -> None:
    facts = person.get(f"/functions/{function.pk}/image/?version=7").context["facts"]
    assert [layer.from_base for layer in facts.layers] == [True, True, True, False, False]
    assert facts.base_bytes == 120_000_000
    assert facts.tags == ("v1",)
    assert all(check.ok is not False for check in facts.checks)


def test_the_image_page_opens_on_what_is_live_and_names_the_aliases(person: Client, function: Function) -> None:
    make_alias(function, "beta", 8)
    answer = person.get(f"/functions/{function.pk}/image/")
    assert [(each.version.number, each.aliases) for each in answer.context["known"]] == [
        ("7", ("live",)),
        ("8", ("live", "beta")),
        ("$LATEST", ()),
    ]
    assert answer.context["chosen"].number == "7"


def test_the_image_page_without_an_alias_opens_on_what_calls_reach(person: Client, function: Function) -> None:
    function.aliases.all().delete()
    assert person.get(f"/functions/{function.pk}/image/").context["chosen"].number == "$LATEST"
    function.versions.filter(number="8").update(number="$LATEST.PUBLISHED", ordinal=-1)
    assert person.get(f"/functions/{function.pk}/image/").context["chosen"].number == "$LATEST.PUBLISHED"


def test_the_image_page_warns_of_the_wrong_architecture(person: Client, function: Function) -> None:
    Function.objects.update(architecture="arm64")
    checks = person.get(f"/functions/{function.pk}/image/").context["facts"].checks
    assert [check.name for check in checks if check.ok is False] == ["Platform"]


def test_the_image_page_of_an_unknown_image_says_what_to_do(person: Client, function: Function) -> None:
    function.versions.update(image=None)
    assert "Its image is not known" in person.get(f"/functions/{function.pk}/image/").content.decode()


def test_versions_in_a_repository_that_is_not_read_are_not_called_lost(person: Client, function: Function) -> None:
    function.versions.update(image=None)
    text = person.get(f"/functions/{function.pk}/").content.decode()
    assert "Rollback targets: not known" not in text  # live is at the first version that there is
    function.aliases.update(version="8")
    text = person.get(f"/functions/{function.pk}/").content.decode()
    assert "Rollback targets: not known" in text
    assert "The image of one earlier version is in a repository that Drydock does not read." in text
    assert "its repository is not read here" in person.get(f"/functions/{function.pk}/deploy/").content.decode()


def test_activity_shows_runs_alias_moves_and_audit(person: Client, function: Function, viewer: User) -> None:
    run = Run.objects.create(
        kind="deployment",
        status="failed",
        title="Deploy v2",
        function=function,
        created_at=NOW,
        actor_name="olga",
        via="token ci",
        problem={"code": "failed", "message": "The image cannot be pulled."},
    )
    AliasMove.objects.create(function=function, alias="live", version="8", at=clock.now(), run=run)
    facts = {"actor_name": "olga", "via": "token chat", "action": "deployment.apply", "target": function.arn}
    AuditEntry.objects.create(at=NOW, result="ok", **facts)
    text = person.get(f"/functions/{function.pk}/activity/").content.decode()
    assert text.count('<span class="sub">seen</span> <time') == text.count("seen by sync") > 0
    who = (">olga via token ci<", f"olga via token ci, run {run.pk}", "olga via token chat")
    for words in ("Deploy v2", "The image cannot be pulled.", "Confirmed a deployment", *who):
        assert words in text


def test_a_function_that_is_gone_says_so(person: Client, function: Function) -> None:
    Function.objects.update(gone_at=NOW - timedelta(days=1))
    assert person.get(f"/functions/{function.pk}/").context["function"].advice.level == "bad"
    state = person.get(f"/functions/{function.pk}/").content.decode().split('id="function-state"')[1].split("</div>")[0]
    assert "Deleted" in state
    assert "Active" not in state


def test_a_function_nobody_knows_is_a_404_page(person: Client) -> None:
    answer = person.get("/functions/404404/")
    assert answer.status_code == 404
    assert "Drydock knows no such function." in answer.content.decode()
