"""The box that finds anything: what a pasted text leads to, what may be done with it by whom, and what it costs."""

from collections.abc import Callable
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from functions_app import clock
from functions_app.models import Function, Image, Run
from tests.factories import (
    digest,
    make_account,
    make_alias,
    make_function,
    make_image,
    make_repository,
    make_stream,
    make_version,
)
from tests.web.people.test_sessions import signed_in

pytestmark = pytest.mark.django_db
NUMBER = "444455556666"
HOST = f"{NUMBER}.dkr.ecr.eu-west-1.amazonaws.com"
ARN = f"arn:aws:lambda:eu-west-1:{NUMBER}:function:orders"
Found = Callable[[str], list[tuple[str, list[str]]]]


@pytest.fixture
def fleet(db: None) -> Function:
    """One shop with functions, images of two repositories, a base and a run; the function that tests are about."""
    shop, other = make_account("shop", account_id=NUMBER), make_account("other")
    repository, second = make_repository(shop, "shop/orders"), make_repository(other, "shop/orders-base")
    image = make_image(repository, "orders image", tags=["v1.2"])
    make_image(second, "base image", tags=["v1.2"])
    make_stream("python:3.12")
    text = f"orders live team-blue python:3.12 {image.digest[7:19]} shop/orders v1.2"
    orders = make_function(shop, "orders", search_text=text, owner="team-blue", freshness="stale", arn=ARN)
    make_version(orders, 1, image)
    make_alias(orders, "live", 1)
    orders.aliases.update(rollback_targets=1)
    make_function(shop, "orders-api", search_text="orders-api live team-blue", owner="team-blue")
    make_function(other, "orders-api", search_text="orders-api team-red", owner="team-red")
    make_function(shop, "gone", search_text="gone", gone_at=clock.now())
    Run.objects.create(pk=77, kind="sync", status="succeeded", title="Read it all", created_at=clock.now())
    return orders


@pytest.fixture
def found(fleet: Function, viewer: User) -> Found:
    """What a viewer's box lists for a text: each heading with the labels below it."""
    client = signed_in("vera")

    def ask(text: str) -> list[tuple[str, list[str]]]:
        groups = client.get("/search/", {"q": text}).context["groups"]
        return [(group.title, [option.label for option in group.options]) for group in groups]

    return ask


@pytest.mark.parametrize(
    ("text", "title", "first"),
    [
        (ARN, "Functions", "orders"),
        (f"`{ARN}:live`", "Functions", "orders:live"),
        (f"{ARN}:7", "Functions", "orders:7"),
        ("/aws/lambda/orders 2026/11/28/[7]0123abcd", "Functions", "orders:7"),
        ("orders", "Functions", "orders"),
        ("orders:live", "Functions", "orders:live"),
        ("orders:gone", "Functions", "orders"),
        ("team-blue", "Functions", "orders"),
        ("/aws/lambda/gone", "Functions", "gone"),
        (f"{HOST}/shop/orders", "Repositories", "shop/orders"),
        ("shop/orders", "Repositories", "shop/orders"),
        (f"{HOST}/shop/orders:v1.2", "Images", digest("orders image")[7:19]),
        (f"shop/orders@{digest('orders image')}", "Images", digest("orders image")[7:19]),
        (digest("base image"), "Images", digest("base image")[7:19]),
        (digest("base image")[7:19], "Images", digest("base image")[7:19]),
        ("77", "Runs", "Run 77"),
        ("#77", "Runs", "Run 77"),
        ("run 77", "Runs", "Run 77"),
        (NUMBER, "Accounts", "Functions of shop"),
        ("https://drydock.example/repositories/0/", "", ""),
    ],
)
def test_the_right_thing_comes_first(found: Found, text: str, title: str, first: str) -> None:
    groups = found(text)
    assert (groups[0][0], groups[0][1][0]) == (title, first) if title else not groups


@pytest.mark.parametrize(
    ("text", "title", "labels"),
    [
        ("v1.2", "Images", {digest("orders image")[7:19], digest("base image")[7:19]}),
        ("team", "Owners", {"team-blue", "team-red"}),
        ("shop", "Accounts", {"Functions of shop"}),
        ("3.12", "Base images", {"python:3.12"}),
        ("shop", "Repositories", {"shop/orders", "shop/orders-base"}),
        ("orders-api", "Functions", {"orders-api"}),
    ],
)
def test_a_word_finds_everything_that_is_called_so(found: Found, text: str, title: str, labels: set[str]) -> None:
    assert set(dict(found(text))[title]) == labels


def test_namesakes_are_told_with_account_and_region_and_no_verb_guesses_which(found: Found, client: Client) -> None:
    groups = found("orders-api")
    assert dict(groups)["Functions"] == ["orders-api", "orders-api"]
    assert not [title for title, _ in groups if title.startswith("With")]
    text = " ".join(strip_tags(signed_in("vera").get("/search/?q=orders-api").content.decode()).split())
    assert "orders-api other eu-west-1" in text
    assert "orders-api shop eu-west-1" in text


def test_the_page_of_a_function_is_read_as_that_function(found: Found, fleet: Function) -> None:
    assert found(f"/functions/{fleet.pk}/image/")[0] == ("Functions", ["orders"])


def test_a_viewer_is_offered_what_changes_nothing(found: Found) -> None:
    assert dict(found(f"{ARN}:live"))["With orders"] == [
        "Copy its ARN",
        "Open it in the AWS console",
        "Open its log group in the AWS console",
    ]


def test_an_operator_is_offered_what_makes_sense(fleet: Function, operator: User) -> None:
    client = signed_in("olga")

    def offered() -> dict[str, str]:
        groups = client.get("/search/", {"q": f"{ARN}:live"}).context["groups"]
        return {option.label: option.href for group in groups[1:2] for option in group.options}

    page = f"/functions/{fleet.pk}"
    assert list(offered())[:4] == ["Deploy an image to live", "Patch its base", "Roll back live", "Invoke"]
    assert offered()["Deploy an image to live"] == f"{page}/deploy/?alias=live"
    assert offered()["Invoke"] == f"{page}/invoke/?qualifier=live"
    fleet.aliases.update(rollback_targets=0)
    Function.objects.filter(pk=fleet.pk).update(freshness="current")
    assert list(offered())[:2] == ["Deploy an image to live", "Invoke"]


def test_an_image_is_deployed_by_operators_alone(found: Found, operator: User) -> None:
    text = f"{HOST}/shop/orders:v1.2"
    assert found(text)[1][1] == ["Copy its reference", "Open it in the AWS console"]
    first = signed_in("olga").get("/search/", {"q": text}).context["groups"][1].options[0]
    assert first.label == "Deploy it to ..."
    assert first.href.endswith("/deploy/")
    Image.objects.update(role="artifact")
    assert "Deploy it to ..." not in signed_in("olga").get("/search/", {"q": text}).content.decode()


def test_an_alias_that_a_function_does_not_have_is_said(found: Found) -> None:
    answer = signed_in("vera").get("/search/?q=orders:gone").content.decode()
    assert "no alias gone" in answer


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (ARN.replace("orders", "nothing"), "the function nothing in eu-west-1", "Settings, Accounts"),
        ("2026/11/28/[7]0123abcd", "a log stream of some function's version 7", "paste its log group"),
        ("nothing-is-called-so", "a name, a tag, an owner", "a part of the name"),
        ("#999999", "the run 999999", "tidied away"),
        ("<script>alert(1)</script>", "a name, a tag", "a part of the name"),
    ],
)
def test_where_nothing_is_found_it_says_what_was_understood_and_what_to_try(
    fleet: Function, viewer: User, text: str, said: str, hint: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = signed_in("vera").get("/search/", {"q": text}, headers=headers).content.decode()
        assert said in unescape(answer)
        assert hint in unescape(answer)
        assert "<script>alert" not in answer


def test_without_a_text_it_says_what_may_be_pasted(viewer: User) -> None:
    assert "ARN" in signed_in("vera").get("/search/").content.decode()


def test_the_box_gets_the_options_alone(fleet: Function, viewer: User) -> None:
    answer = signed_in("vera").get("/search/?q=orders", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer
    assert 'role="listbox"' in answer
    assert 'data-q="orders"' in answer


@pytest.mark.parametrize("text", ["orders", ARN, "orders:live", "v1.2", NUMBER, "cafe12345678", "shop/orders:v1.2"])
def test_whatever_is_asked_costs_a_bounded_number_of_queries(
    fleet: Function, operator: User, django_assert_max_num_queries: DjangoAssertNumQueries, text: str
) -> None:
    client = signed_in("olga")
    client.get("/search/")
    for number in range(30):
        make_function(fleet.account, f"orders-{number}", search_text=f"orders-{number} orders live v1.2 shop/orders")
    with django_assert_max_num_queries(16):  # two of them for the session and the frame
        client.get("/search/", {"q": text})
