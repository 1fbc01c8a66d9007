"""`python -m sandbox --today`: the whole sandbox lives on that day, whatever the machine's clock and zone say."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from functions_app import clock
from tests.fixtures import REGION, Sandbox
from tests.sandbox.serving import refused, serving

pytestmark = pytest.mark.shows_dates
LEAP_DAY = datetime(2028, 2, 29, tzinfo=UTC)
ACCOUNT = "111111111111"
SECONDS = timedelta(seconds=30)  # that one of these tests may last


@pytest.fixture(scope="module")
def demo() -> Iterator[Sandbox]:
    """The demo's fleet on a leap day, started early enough for the day to last."""
    while (clock.now() + SECONDS).date() != clock.now().date():
        time.sleep(1)
    with serving("--today", f"{LEAP_DAY:%F}", "--fleet", "demo") as sandbox:
        yield sandbox


def test_the_date_header_tells_the_day_at_the_time_of_day_that_it_is(demo: Sandbox) -> None:
    told = parsedate_to_datetime(httpx.get(f"{demo.url}/v2/").headers["Date"])

    assert told.date() == LEAP_DAY.date()
    assert abs(datetime.combine(LEAP_DAY, clock.now().timetz()) - told) < SECONDS


def test_images_were_pushed_so_many_days_before_it(demo: Sandbox) -> None:
    details = demo.client("ecr", REGION, ACCOUNT).describe_images(repositoryName="platform/python-golden")
    pushed = {image["imageTags"][0]: image["imagePushedAt"] for image in details["imageDetails"]}

    ages = {tag: (LEAP_DAY.date() - moment.astimezone(UTC).date()).days for tag, moment in pushed.items()}
    assert sorted(ages.values()) == [24, 50, 80]
    assert "3.12.2028.02.20.13" in demo.admin("GET", "releases")["python:3.12"]


def test_what_is_logged_is_logged_on_it(demo: Sandbox) -> None:
    demo.client("lambda", REGION, ACCOUNT).invoke(FunctionName="orders-api", Payload=b"{}")
    logs = demo.client("logs", REGION, ACCOUNT)
    events = logs.filter_log_events(logGroupName="/aws/lambda/orders-api")["events"]

    assert events
    for event in events:
        assert datetime.fromtimestamp(event["timestamp"] / 1000, UTC).date() == LEAP_DAY.date()
        assert event["logStreamName"].startswith("2028/02/29/")


@pytest.mark.parametrize("day", ["tomorrow", "2027-02-29", "0001-01-01"])
def test_a_day_that_is_none_is_refused(day: str) -> None:
    assert refused("--today", day).endswith(
        f"error: argument --today: no day of 2000 to 2199: '{day}'; 2028-02-29 is one\n"
    )
