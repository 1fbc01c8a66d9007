"""What a pasted text is read as: each form with its neighbours in other partitions, encodings and surroundings."""

import random

import pytest

from functions_app.domain.pasted.reading import LONGEST, brief, read
from functions_app.domain.pasted.things import (
    AccountNumber,
    DigestStart,
    FunctionNamed,
    ImageNamed,
    LogGroup,
    LogStream,
    OwnPage,
    RunNumber,
    Thing,
    Words,
)

ACCOUNT = "123456789012"
DIGEST = "sha256:" + "0123456789ab" + "c" * 52
ORDERS = FunctionNamed("orders", "", "eu-west-1", ACCOUNT)
LIVE = FunctionNamed("orders", "live", "eu-west-1", ACCOUNT)
ARN = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders"
CONSOLE = "https://eu-west-1.console.aws.amazon.com"
LOGS = f"{CONSOLE}/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group"
GROUP = LogGroup("/aws/lambda/orders", "", "eu-west-1")
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
SHOP = ImageNamed("shop/orders", "", "", "eu-west-1", ACCOUNT)

CERTAIN: dict[str, Thing] = {
    # functions
    ARN: ORDERS,
    f"{ARN}:live": LIVE,
    f"{ARN}:7": FunctionNamed("orders", "7", "eu-west-1", ACCOUNT),
    f"{ARN}:$LATEST": FunctionNamed("orders", "$LATEST", "eu-west-1", ACCOUNT),
    rf"{ARN}:\$LATEST": FunctionNamed("orders", "$LATEST", "eu-west-1", ACCOUNT),
    f"{ARN}:*": ORDERS,
    f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:orders": FunctionNamed("orders", "", "cn-north-1", ACCOUNT),
    f"arn:aws-us-gov:lambda:us-gov-west-1:{ACCOUNT}:function:orders:live": FunctionNamed(
        "orders", "live", "us-gov-west-1", ACCOUNT
    ),
    f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{ARN}:live/invocations": LIVE,
    f"User: x is not authorized to perform: lambda:InvokeFunction on resource: {ARN} because no policy allows": ORDERS,
    f"arn%3Aaws%3Alambda%3Aeu-west-1%3A{ACCOUNT}%3Afunction%3Aorders": ORDERS,
    f"{ACCOUNT}:function:orders:live": FunctionNamed("orders", "live", "", ACCOUNT),
    "function:orders": FunctionNamed("orders"),
    # the Lambda console
    f"{CONSOLE}/lambda/home?region=eu-west-1#/functions/orders?tab=code": FunctionNamed("orders", "", "eu-west-1"),
    f"{CONSOLE}/lambda/home?region=eu-west-1#/functions/orders/aliases/live?tab=monitoring": FunctionNamed(
        "orders", "live", "eu-west-1"
    ),
    f"{CONSOLE}/lambda/home?region=eu-west-1#/functions/orders/versions/7": FunctionNamed("orders", "7", "eu-west-1"),
    "https://console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/orders": FunctionNamed(
        "orders", "", "eu-west-1"
    ),
    f"https://{ACCOUNT}-ab12cd34.eu-west-1.console.aws.amazon.com/lambda/home#/functions/orders": ORDERS,
    "https://cn-north-1.console.amazonaws.cn/lambda/home?region=cn-north-1#/functions/orders": FunctionNamed(
        "orders", "", "cn-north-1"
    ),
    "https://us-gov-west-1.console.amazonaws-us-gov.com/lambda/home#/functions/orders": FunctionNamed(
        "orders", "", "us-gov-west-1"
    ),
    "https://eusc-de-east-1.console.amazonaws-eusc.eu/lambda/home#/functions/orders": FunctionNamed(
        "orders", "", "eusc-de-east-1"
    ),
    "https://console.c2shome.ic.gov/lambda/home?region=us-iso-east-1#/functions/orders": FunctionNamed(
        "orders", "", "us-iso-east-1"
    ),
    "eu-west-1.console.aws.amazon.com/lambda/home#/functions/orders": FunctionNamed("orders", "", "eu-west-1"),
    # log groups and streams
    "/aws/lambda/orders": LogGroup("/aws/lambda/orders"),
    "/aws/lambda/orders/": LogGroup("/aws/lambda/orders"),
    "$252Faws$252Flambda$252Forders": LogGroup("/aws/lambda/orders"),
    "%2Faws%2Flambda%2Forders": LogGroup("/aws/lambda/orders"),
    "/aws/lambda/orders 2026/11/28/[7]0123abcd": LogGroup("/aws/lambda/orders", "7"),
    "/aws/lambda/orders\n2026/11/28/[live]0123abcd": LogGroup("/aws/lambda/orders", "live"),
    f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/orders:*": LogGroup(
        "/aws/lambda/orders", "", "eu-west-1", ACCOUNT
    ),
    f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/orders:log-stream:2026/11/28/[7]01ab": LogGroup(
        "/aws/lambda/orders", "7", "eu-west-1", ACCOUNT
    ),
    "2026/11/28/[live]abc": LogStream("live", "2026/11/28/[live]abc"),
    "2026/11/28/[$LATEST]0123abcd": LogStream("$LATEST", "2026/11/28/[$LATEST]0123abcd"),
    "2026/11/28/orders[7]0123abcd": FunctionNamed("orders", "7"),
    # the CloudWatch console
    f"{LOGS}/$252Faws$252Flambda$252Forders": GROUP,
    f"{LOGS}/$252Faws$252Flambda$252Forders/log-events": GROUP,
    f"{LOGS}/$252Faws$252Flambda$252Forders/log-events/2026$252F11$252F28$252F$255B7$255D0123abcd": LogGroup(
        "/aws/lambda/orders", "7", "eu-west-1"
    ),
    f"{LOGS}/$252Faws$252Flambda$252Forders/log-events/2026$252F11$252F28$252F$255B$2524LATEST$255D01ab": LogGroup(
        "/aws/lambda/orders", "$LATEST", "eu-west-1"
    ),
    f"{LOGS}/$252Faws$252Flambda$252Forders/log-events$3FfilterPattern$3DERROR$26start$3D-3600000": GROUP,
    f"{LOGS}/$252Fplatform$252Fshared": LogGroup("/platform/shared", "", "eu-west-1"),
    f"{LOGS}/shared": LogGroup("shared", "", "eu-west-1"),
    f"{CONSOLE}/cloudwatch/home?region=eu-west-1#logEventViewer:group=/aws/lambda/orders;stream=2026/11/28/[7]01ab": (
        LogGroup("/aws/lambda/orders", "7", "eu-west-1")
    ),
    f"{CONSOLE}/cloudwatch/home?region=eu-west-1#logsV2:logs-insights$3FqueryDetail$3D~(end~0~start~-3600~"
    "source~(~'*2faws*2flambda*2forders))": GROUP,
    f"{CONSOLE}/cloudwatch/home?region=eu-west-1#logsV2:live-tail$3FlogGroupArns$3D~(~'arn*3aaws*3alogs*3aeu-west-1"
    f"*3a{ACCOUNT}*3alog-group*3a*2faws*2flambda*2forders)": GROUP,
    # images and repositories
    f"{HOST}/shop/orders": SHOP,
    f"https://{HOST}/shop/orders": SHOP,
    f"docker://{HOST}/shop/orders": SHOP,
    f"{HOST}/shop/orders:v1.2": ImageNamed("shop/orders", "v1.2", "", "eu-west-1", ACCOUNT),
    f"{HOST}/shop/orders:v1.2@{DIGEST}": ImageNamed("shop/orders", "v1.2", DIGEST, "eu-west-1", ACCOUNT),
    f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/orders": ImageNamed(
        "shop/orders", "", "", "cn-north-1", ACCOUNT
    ),
    f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com/shop/orders": ImageNamed(
        "shop/orders", "", "", "us-gov-west-1", ACCOUNT
    ),
    f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws/shop/orders": SHOP,
    f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/shop/orders": SHOP,
    f"{CONSOLE}/ecr/repositories/private/{ACCOUNT}/shop/orders?region=eu-west-1": SHOP,
    f"{CONSOLE}/ecr/repositories/private/{ACCOUNT}/shop%2Forders/?region=eu-west-1": SHOP,
    f"{CONSOLE}/ecr/repositories/private/{ACCOUNT}/shop/orders/_/image/{DIGEST}/details?region=eu-west-1": ImageNamed(
        "shop/orders", "", DIGEST, "eu-west-1", ACCOUNT
    ),
    f"{CONSOLE}/ecr/repositories/shop/orders/?region=eu-west-1": ImageNamed("shop/orders", "", "", "eu-west-1"),
    DIGEST: DigestStart(DIGEST.removeprefix("sha256:")),
    "sha256:0123456789ab": DigestStart("0123456789ab"),
    # runs
    "#123": RunNumber(123),
    "run 123": RunNumber(123),
    "Run #123": RunNumber(123),
    # Drydock's own pages
    "https://drydock.example.com/runs/123/?x=1": RunNumber(123),
    "https://drydock.example.com/functions/12/deploy/": OwnPage("functions", 12),
    "/functions/12/": OwnPage("functions", 12),
    "/repositories/3/": OwnPage("repositories", 3),
}
POSSIBLE: dict[str, tuple[Thing, ...]] = {
    "orders:live": (FunctionNamed("orders", "live"), ImageNamed("orders", "live"), Words("orders:live")),
    "orders:7": (FunctionNamed("orders", "7"), ImageNamed("orders", "7"), Words("orders:7")),
    "orders:$LATEST": (FunctionNamed("orders", "$LATEST"), Words("orders:$LATEST")),
    "Orders_Api:prod-eu": (FunctionNamed("Orders_Api", "prod-eu"), Words("Orders_Api:prod-eu")),
    "python:3.12": (ImageNamed("python", "3.12"), Words("python:3.12")),
    "/platform/shared": (LogGroup("/platform/shared"), Words("/platform/shared")),
    "shop/orders": (ImageNamed("shop/orders"), Words("shop/orders")),
    "shop/orders:v1.2": (ImageNamed("shop/orders", "v1.2"), Words("shop/orders:v1.2")),
    f"shop/orders@{DIGEST}": (ImageNamed("shop/orders", "", DIGEST), Words(f"shop/orders@{DIGEST}")),
    "0123456789ab": (DigestStart("0123456789ab"), Words("0123456789ab")),
    "0123456789AB…": (DigestStart("0123456789ab"), Words("0123456789AB")),
    "facade": (DigestStart("facade"), Words("facade")),
    "123": (RunNumber(123), Words("123")),
    ACCOUNT: (AccountNumber(ACCOUNT), RunNumber(int(ACCOUNT)), DigestStart(ACCOUNT), Words(ACCOUNT)),
    "orders": (Words("orders"),),
    "team payments": (Words("team payments"),),
    "v1.2.3": (Words("v1.2.3"),),
    "public.ecr.aws/lambda/python:3.12": (
        ImageNamed("public.ecr.aws/lambda/python", "3.12"),
        Words("public.ecr.aws/lambda/python:3.12"),
    ),
    "١٢٣": (Words("١٢٣"),),
    "https://example.com/lambda/home#/functions/orders": (Words("https://example.com/lambda/home#/functions/orders"),),
    "https://console.aws.amazon.com.evil.example/lambda/home#/functions/orders": (
        Words("https://console.aws.amazon.com.evil.example/lambda/home#/functions/orders"),
    ),
}
AROUND = ("  {}  ", "`{}`", "'{}'", '"{}"', "“{}”", "{}\n", "({})", "<{}>", "{},", "\u200b{}", "\u00a0{}", "*{}*")


@pytest.mark.parametrize(("text", "thing"), CERTAIN.items())
def test_what_is_nothing_else_is_read_as_that_alone(text: str, thing: Thing) -> None:
    assert read(text) == (thing,)


@pytest.mark.parametrize(("text", "things"), POSSIBLE.items())
def test_what_may_be_several_things_is_read_as_each_the_likeliest_first(text: str, things: tuple[Thing, ...]) -> None:
    assert read(text) == things


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("text", [ARN, "/aws/lambda/orders", f"{HOST}/shop/orders:v1.2", "orders:live", "#123"])
def test_what_chats_and_shells_put_around_it_does_not_count(text: str, around: str) -> None:
    assert read(around.format(text)) == read(text)


def test_a_link_of_slack_is_read_as_its_address() -> None:
    address = f"{CONSOLE}/lambda/home?region=eu-west-1#/functions/orders"
    assert read(f"<{address}|the function>") == (FunctionNamed("orders", "", "eu-west-1"),)


@pytest.mark.parametrize("text", ["", "   ", "``", "\u200b", "...", "://"])
def test_nothing_is_read_as_nothing(text: str) -> None:
    assert read(text) == ()


# A stream's version is no part of its group, and of an image's region alone no reference can tell.
WRITTEN = [thing for thing in CERTAIN.values() if not (isinstance(thing, LogGroup) and thing.version)]
WRITTEN = [thing for thing in WRITTEN if not (isinstance(thing, ImageNamed) and thing.region and not thing.account)]


@pytest.mark.parametrize("thing", WRITTEN)
def test_a_thing_is_read_again_from_what_it_is_written_as(thing: Thing) -> None:
    assert read(str(thing))[0] == thing


def test_a_long_address_becomes_what_it_names_and_a_short_text_stays() -> None:
    address = f"{CONSOLE}/lambda/home?region=eu-west-1#/functions/orders?tab={'x' * 500}"
    assert brief(address, 400) == "arn:aws:lambda:eu-west-1::function:orders"
    assert brief("orders", 400) == "orders"
    assert len(brief("x" * 1000, 400)) == 400


HOSTILE = (
    "a" * 100_000,
    "a:" * 50_000,
    "/" * 100_000,
    "%25" * 30_000,
    "$25" * 30_000,
    "arn:aws" * 10_000,
    "arn:aws-" + "a-" * 50_000,
    "/aws/lambda/" * 10_000,
    "2026/11/28/" * 10_000,
    "[" * 100_000,
    "https://[" + "a" * 10_000,
    "https://console.aws.amazon.com/ecr/repositories/" + "a/" * 50_000,
    "https://console.aws.amazon.com/cloudwatch/home#logsV2:log-groups/log-group/" + "$2525" * 20_000,
    "https://console.aws.amazon.com/lambda/home?" + "region=x&" * 10_000 + "#/functions/a",
    "\u202e\u0000\ud800" * 10_000,
    "run " + " " * 50_000 + "1",
    "9" * 100_000,
    "sha256:" + "f" * 100_000,
    "((((" * 20_000 + "a" + "))))" * 20_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_pasted_is_read_within_bounds(text: str) -> None:
    assert all(len(str(thing)) <= LONGEST + 100 for thing in read(text))


def test_no_mixture_of_signs_is_too_much_for_it() -> None:
    signs = random.Random(7)  # noqa: S311
    pieces = (
        "arn:aws: lambda: :function: /aws/lambda/ [ ] %2F $25 https:// console. @ sha256: # ? 2026/11/28/ a 7 : / é"
    )
    every = [*pieces.split(), "|", "~(~'", " ", "\x00", "\\", "`"]
    for _ in range(3_000):
        for thing in read("".join(signs.choices(every, k=signs.randint(1, 30)))):
            assert thing.said
