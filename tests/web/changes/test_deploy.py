"""The pages of deploying and rolling back."""

import html

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from functions_app import clock
from functions_app.domain.runs import Status
from functions_app.models import Plan, Run
from functions_app.services.changes import image_choices
from functions_app.services.people.actor import Actor
from sandbox.images.making import make_index
from tests import factories
from tests.conftest import Valkey
from tests.fixtures import Push, Sandbox
from tests.sandbox.functions import Functions, python_image
from tests.services.changes.stage import Stage, carry_out, make_stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser() -> Client:
    """Somebody's browser."""
    return Client()


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function of its own, with a second image to deploy."""
    made = make_stage(functions, Actor(operator))
    made.push("two", "2")
    return made


def address(stage: Stage) -> str:
    return reverse("function-deploy", args=[stage.function.pk])


def plan(browser: Client, stage: Stage, image: str = "2", alias: str = "staging") -> str:
    """Fill in the form; gives the address of the plan."""
    answer = browser.post(address(stage), {"image_typed": image, "alias": alias})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return str(answer["Location"])


def text(browser: Client, url: str, status: int = 200) -> str:
    """A page's HTML."""
    answer = browser.get(url)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def test_from_form_to_plan_to_run(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    assert "staging → 1" in text(browser, address(stage))
    shown = text(browser, plan(browser, stage))
    assert "Point staging from version 1 to it" in shown
    assert "Deploy and point staging to it" in shown
    assert stage.function.arn in shown
    answer = browser.post(reverse("plan-apply", args=[Plan.objects.get().pk]))
    run = Run.objects.get()
    assert answer["Location"] == reverse("run", args=[run.pk])
    assert carry_out(run).status == Status.SUCCEEDED
    assert "Alias staging points to version 2." in text(browser, answer["Location"])
    assert f"run {run.pk}" in text(browser, reverse("plan", args=[Plan.objects.get().pk]))


def test_images_are_listed_with_the_functions_own_repository_first(browser: Client, operator: User) -> None:
    account = factories.make_account()
    other = factories.make_repository(account, "other/app")
    own = factories.make_repository(account, "team/app")
    factories.make_image(other, "other", tags=["9"])
    factories.make_image(own, "own", tags=["1"])
    function = factories.make_function(account, image_uri=f"{own.uri}:1")
    found = image_choices.choices(function)
    assert [(choice.repository, choice.own) for choice in found] == [("team/app", True), ("other/app", False)]
    browser.force_login(operator)
    shown = text(browser, reverse("function-deploy", args=[function.pk]))
    rows = [f'value="{choice.image.repository.uri}@{choice.image.digest}"' for choice in found]
    assert shown.index(rows[0]) < shown.index(rows[1])


def test_a_row_of_the_list_is_deployed_by_digest_whatever_its_tags_do(
    browser: Client, stage: Stage, operator: User
) -> None:
    digest = stage.push("four", "live")
    stage.sync_all()
    choice = next(one for one in image_choices.choices(stage.function) if one.image.digest == digest)
    assert (choice.reference.rpartition("@")[2], choice.tags) == (digest, ("live",))
    browser.force_login(operator)
    answer = browser.post(address(stage), {"image": choice.reference, "alias": "staging"})
    assert '<span class="tag">live</span>' in text(browser, answer["Location"])
    browser.post(f"{answer['Location']}apply/")
    run = carry_out(Run.objects.get(kind="deployment"))
    assert (run.status, run.title) == (Status.SUCCEEDED, f"Deploy app@{digest[7:19]} (live) to app:staging")
    stage.push("three", "live")
    stage.sync_all()
    assert stage.function.versions.get(number="2").deployed_tag == ""
    assert not stage.function.drifted


def test_the_list_is_searched_by_tag_digest_and_repository(browser: Client, operator: User) -> None:
    account = factories.make_account()
    repository = factories.make_repository(account, "team/app")
    image = factories.make_image(repository, "a", tags=["release-7"])
    factories.make_image(repository, "b", tags=["nightly"])
    function = factories.make_function(account, image_uri=f"{repository.uri}:nightly")
    for word in ("release", image.digest[7:19], "team release-7"):
        assert [choice.image.pk for choice in image_choices.choices(function, word)] == [image.pk]
    browser.force_login(operator)
    partial = browser.get(
        reverse("function-deploy", args=[function.pk]), {"q": "release"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "release-7" in partial
    assert "nightly" not in partial
    assert "<html" not in partial


def test_the_form_costs_a_constant_number_of_queries(
    browser: Client, operator: User, django_assert_max_num_queries: object
) -> None:
    account = factories.make_account()
    repository = factories.make_repository(account, "team/app")
    function = factories.make_function(account, image_uri=f"{repository.uri}:1")
    for number in range(30):
        image = factories.make_image(repository, number, tags=[f"t{number}"])
        factories.make_version(function, number + 1, image)
    for number in range(5):
        factories.make_alias(function, f"a{number}", number + 1)
    browser.force_login(operator)
    with django_assert_max_num_queries(18):  # type: ignore[operator]
        text(browser, reverse("function-deploy", args=[function.pk]))


def test_a_viewer_sees_the_form_and_why_the_button_is_off(browser: Client, stage: Stage, viewer: User) -> None:
    browser.force_login(viewer)
    shown = text(browser, address(stage))
    assert "Only operators may change functions" in shown
    assert browser.post(address(stage), {"image_typed": "2", "alias": "staging"}).status_code == 403
    assert not Plan.objects.exists()


def test_what_a_check_forbids_is_shown_and_has_no_button(
    browser: Client, stage: Stage, operator: User, push: Push
) -> None:
    push("app", make_index([python_image()]), ["multi"])
    browser.force_login(operator)
    answer = browser.post(address(stage), {"image_typed": "multi", "alias": "staging"})
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "This is an index" in shown
    assert "Nothing was changed" in shown
    assert "plan-apply" not in shown
    assert "Deploy and point" not in shown


@pytest.mark.parametrize(
    ("image", "alias", "status", "words"),
    [
        ("nowhere", "staging", 404, "'nowhere'"),
        ("", "staging", 400, "Choose an image from the list"),
        ("sha256:abc", "staging", 400, "'sha256:abc' is not a whole digest"),
        ("2", "", 400, "Choose an alias"),
    ],
)
def test_bad_input_is_explained(
    browser: Client, stage: Stage, operator: User, image: str, alias: str, status: int, words: str
) -> None:
    browser.force_login(operator)
    answer = browser.post(address(stage), {"image_typed": image, "alias": alias})
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == status
    assert words in shown
    assert 'role="alert"' in shown
    assert f'name="image_typed" value="{image}"' in shown
    assert ('<option value="staging" selected>' in shown) == bool(alias)
    assert not Plan.objects.exists()


def test_every_wrong_field_is_told_beside_it_and_the_first_has_the_focus(
    browser: Client, stage: Stage, operator: User
) -> None:
    browser.force_login(operator)
    shown = html.unescape(browser.post(address(stage), {}).content.decode())
    for field, words in (("image", "Choose an image from the list"), ("alias", "Choose an alias")):
        said = shown[shown.index(f'id="{field}-hint"') :]
        assert words in said[: said.index("</p>")]
        assert f'aria-describedby="{field}-hint"' in shown
    assert shown.count('aria-invalid="true"') == 2
    assert shown.count("autofocus") == 1
    assert shown.index("autofocus") < shown.index('id="alias"')


def test_a_tag_that_ecr_does_not_have_is_told_beside_the_image(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    shown = html.unescape(browser.post(address(stage), {"image_typed": "nowhere", "alias": "staging"}).content.decode())
    said = shown[shown.index('id="image-hint"') :]
    assert "'nowhere'" in said[: said.index("</p>")]
    assert shown.count('role="alert"') == 1


def test_twelve_digits_of_a_digest_are_understood_and_said_back(browser: Client, stage: Stage, operator: User) -> None:
    digest = stage.push("two", "2")
    stage.sync_all()
    browser.force_login(operator)
    listed = browser.get(address(stage), {"image_typed": digest[7:19]}, headers={"HX-Request": "true"})
    shown = html.unescape(listed.content.decode())
    assert "Understood as" in shown
    assert shown.count('type="radio"') == 1
    assert digest in text(browser, plan(browser, stage, image=digest[7:19]))


def test_the_form_begins_in_the_image_with_the_alias_that_is_there(
    browser: Client, stage: Stage, operator: User
) -> None:
    browser.force_login(operator)
    shown = text(browser, address(stage))
    field = shown[shown.index('id="image_typed"') :]
    assert "autofocus" in field[: field.index(">")]
    stage.sync()
    assert '<option value="staging" selected>' in text(browser, address(stage))


def test_what_the_function_could_not_run_is_shown_when_asked_for(browser: Client, operator: User) -> None:
    repository = factories.make_repository(factories.make_account(), "team/app")
    factories.make_image(repository, tags=["for-arm"], architecture="arm64")
    function = factories.make_function(repository.account, image_uri=f"{repository.uri}:1")
    browser.force_login(operator)
    form = reverse("function-deploy", args=[function.pk])
    assert "for-arm" not in text(browser, form)
    assert "For arm64: the function is x86_64" in text(browser, f"{form}?all=1")


def test_a_rollback_that_is_not_offered_is_explained_on_the_form(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    answer = browser.post(reverse("function-rollback", args=[stage.function.pk]), {"alias": "staging", "version": "77"})
    shown = html.unescape(answer.content.decode())
    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in shown
    assert "Plan the deployment" in shown


def test_a_wrong_confirmation_leaves_the_plan_on_the_page(browser: Client, stage: Stage, operator: User) -> None:
    stage.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    browser.force_login(operator)
    plan(browser, stage, alias="live")
    answer = browser.post(reverse("plan-apply", args=[Plan.objects.get().pk]), {"confirm": "lve"})
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 400
    assert 'role="alert"' in shown
    assert "Deploy and point live to it" in shown


def test_reload_and_back_after_a_refusal_lead_to_the_page_it_was_about(
    browser: Client, stage: Stage, operator: User
) -> None:
    browser.force_login(operator)
    plan = "/plans/00000000-0000-4000-8000-000000000000/"
    assert browser.get(f"{plan}apply/").headers["Location"] == plan
    form = f"/functions/{stage.function.pk}/"
    assert browser.get(f"{form}rollback/").headers["Location"] == f"{form}deploy/"


def test_production_asks_for_its_name(browser: Client, stage: Stage, operator: User) -> None:
    stage.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    browser.force_login(operator)
    shown = text(browser, plan(browser, stage, alias="live"))
    assert 'name="confirm"' in shown
    apply = reverse("plan-apply", args=[Plan.objects.get().pk])
    assert browser.post(apply, {"confirm": "staging"}).status_code == 400
    assert not Run.objects.exists()
    assert browser.post(apply, {"confirm": "live"}).status_code == 302


def test_an_expired_plan_has_no_button_and_cannot_be_applied(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    url = plan(browser, stage)
    Plan.objects.update(expires_at=clock.now())
    shown = text(browser, url)
    assert "This plan expired" in shown
    assert "Deploy and point" not in shown
    assert browser.post(reverse("plan-apply", args=[Plan.objects.get().pk])).status_code == 410
    assert not Run.objects.exists()


def test_a_second_deployment_names_the_first(browser: Client, stage: Stage, operator: User) -> None:
    browser.force_login(operator)
    first = plan(browser, stage)
    second = plan(browser, stage)
    browser.post(f"{first}apply/")
    answer = browser.post(f"{second}apply/")
    assert answer.status_code == 409
    assert f"Run {Run.objects.get().pk}" in answer.content.decode()


def test_a_version_that_was_live_can_be_rolled_back_to(browser: Client, stage: Stage, operator: User) -> None:
    stage.deploy("2")
    stage.sync_all()
    browser.force_login(operator)
    assert "Plan rollback to 1" in text(browser, address(stage))
    answer = browser.post(reverse("function-rollback", args=[stage.function.pk]), {"alias": "staging", "version": "1"})
    shown = text(browser, answer["Location"])
    assert "Point staging back to version 1" in shown
    browser.post(f"{answer['Location']}apply/")
    assert carry_out(Run.objects.get(kind="rollback")).status == Status.SUCCEEDED
    assert stage.read_alias() == ("1", {})


def test_a_plan_of_somebody_else_is_not_shown(browser: Client, stage: Stage, operator: User, viewer: User) -> None:
    browser.force_login(operator)
    url = plan(browser, stage)
    browser.force_login(viewer)
    assert browser.get(url).status_code == 403


def test_an_unknown_function_or_plan_is_not_found(browser: Client, operator: User) -> None:
    browser.force_login(operator)
    assert browser.get(reverse("function-deploy", args=[999_999])).status_code == 404
    assert browser.get("/plans/00000000-0000-0000-0000-000000000000/").status_code == 404
