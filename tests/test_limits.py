"""Every number of functions_app/domain/limits.py from both sides: what just fits is taken, what is beyond is told why.

A number without a line fails a test, and so does a line without a number.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.domain import limits
from functions_app.models import AuditEntry
from tests.conftest import Valkey
from tests.reaching_limits import (
    OTHERS,
    Place,
    after,
    ago,
    asked_by_token,
    asked_for,
    bots_stream,
    connected,
    event,
    filled,
    held_answer,
    known,
    plan_threads,
    planned,
    queued,
    taken_in,
    with_files,
)

MANY = "Too many attempts failed here"
LARGE = "The request is too large"
HELD = "Too many large requests at this moment"
CUT = "sent no whole head of a request in time"
# A number's name: how it is reached (beyond: by one more), and what is told then.
SIDES: dict[str, tuple[Callable[[Place, bool], str], str]] = {
    "HEAD": (lambda _, beyond: taken_in(0, head=limits.HEAD + beyond), "The address or the headers are too long"),
    "HEAD_WITHIN": (lambda place, beyond: connected(place, 0, limits.HEAD_WITHIN - (not beyond)), CUT),
    "ENDLESS": (
        lambda place, beyond: connected(place, 0, 0, limits.ENDLESS + beyond), "sent a head, or trailers, without end",
    ),
    "HEADLESS": (lambda place, beyond: connected(place, limits.HEADLESS - 1 + beyond, 0), CUT),
    "BODY": (lambda _, beyond: taken_in(limits.BODY + beyond), LARGE),
    "EVENT": (lambda _, beyond: event(limits.EVENT + beyond), "it has more than 262,144 bytes"),
    "LARGE_BODY": (lambda _, beyond: taken_in(limits.LARGE_BODY + beyond), LARGE),
    "SMALL_BODY": (
        lambda _, beyond: taken_in(limits.SMALL_BODY + beyond, held=limits.HELD_BODIES, by=OTHERS), HELD,
    ),
    "HELD_BODIES": (
        lambda _, beyond: taken_in(limits.BODY + beyond, held=limits.HELD_BODIES - limits.BODY, by=OTHERS), HELD,
    ),
    "ADDRESS_BODIES": (
        lambda _, beyond: taken_in(limits.BODY + beyond, held=limits.ADDRESS_BODIES - limits.BODY), HELD,
    ),
    "BODY_WITHIN": (
        lambda _, beyond: taken_in(9, wait=limits.BODY_WITHIN - (not beyond)), "The request did not arrive in time",
    ),
    "FORM": (lambda place, beyond: filled(place, "a=" + "x" * (limits.FORM - 2 + beyond)), "more than 8,388,608 bytes"),
    "FIELDS": (lambda place, beyond: filled(place, "&".join(["a=b"] * (limits.FIELDS + beyond))), "1,000 fields"),
    "QUERY_FIELDS": (lambda place, beyond: asked_for(place, limits.QUERY_FIELDS + beyond), "1,000 fields"),
    "FILES": (lambda place, beyond: with_files(place, limits.FILES + beyond), "no form of Drydock takes one"),
    "PERSONS_STREAMS": (
        lambda place, beyond: place.watch({place.person.pk: limits.PERSONS_STREAMS - 1 + beyond}), "Close some tabs",
    ),
    "TOKENS_STREAMS": (
        lambda place, beyond: bots_stream(place, limits.TOKENS_STREAMS - 1 + beyond), "This token has 50 streams open",
    ),
    "STREAMS": (lambda place, beyond: place.watch({0: limits.STREAMS - 1 + beyond}), "Too many live pages are open"),
    "PLAN_THREADS": (
        lambda place, beyond: planned(place, 2 * limits.PLAN_THREADS - 1 + beyond), "Try again in about 15 s",
    ),
    "MOST_PLAN_THREADS": (
        lambda place, beyond: plan_threads(place, limits.MOST_PLAN_THREADS + beyond), "expected 1 to 64",
    ),
    "SIGN_INS_IN_LINE": (
        lambda place, beyond: queued(place, 1, limits.SIGN_INS_IN_LINE, limits.SIGN_INS_IN_LINE + beyond, "/login/"),
        "Too many people sign in at this moment",
    ),
    "SIGN_IN_WINDOW": (
        lambda place, beyond: after(
            place, (limits.SIGN_INS - 1, ago(limits.SIGN_IN_WINDOW, within=beyond)), (1, 0)
        ), MANY,
    ),
    "SIGN_INS": (lambda place, beyond: after(place, (limits.SIGN_INS - 1 + beyond, 0)), "Wait 10 s"),
    "FIRST_WAIT": (
        lambda place, beyond: after(place, (limits.SIGN_INS, ago(limits.FIRST_WAIT, within=beyond))), MANY,
    ),
    "LONGEST_WAIT": (
        lambda place, beyond: after(place, (limits.SIGN_INS + 9, ago(limits.LONGEST_WAIT, within=beyond))), MANY,
    ),
    "ADDRESS_WINDOW": (
        lambda place, beyond: after(
            place, (limits.ADDRESS_SIGN_INS - 1, ago(limits.ADDRESS_WINDOW, within=beyond)), (1, 0), name="name {}"
        ), MANY,
    ),
    "ADDRESS_SIGN_INS": (
        lambda place, beyond: after(place, (limits.ADDRESS_SIGN_INS - 1 + beyond, 0), name="name {}"), "Wait 60 s",
    ),
    "ADDRESS_WAIT": (
        lambda place, beyond: after(
            place, (limits.ADDRESS_SIGN_INS, ago(limits.ADDRESS_WAIT, within=beyond)), name="name {}"
        ), MANY,
    ),
    "NAME_SIGN_INS": (
        lambda place, beyond: after(place, (limits.NAME_SIGN_INS - 1 + beyond, 0), address=OTHERS), "Wait 60 s",
    ),
    "NAME_WAIT": (
        lambda place, beyond: after(
            place, (limits.NAME_SIGN_INS, ago(limits.NAME_WAIT, within=beyond)), address=OTHERS
        ), MANY,
    ),
    "TOKEN_RATE": (lambda _, beyond: asked_by_token(20 + 10 * beyond, 20 / limits.TOKEN_RATE), "A token may ask 20"),
    "TOKEN_BURST": (
        lambda _, beyond: asked_by_token(limits.TOKEN_BURST + 10 * beyond, limits.TOKEN_BURST / limits.TOKEN_RATE),
        "times a second",
    ),
    "LONGEST_ANSWER": (
        lambda _, beyond: held_answer(limits.LONGEST_ANSWER + beyond, 0), "answered at once",
    ),
    "HELD_ANSWERS": (lambda _, beyond: held_answer(1, limits.HELD_ANSWERS - 1 + beyond), "answered at once"),
    "KNOWN_FOR": (lambda place, beyond: known(place, ago(limits.KNOWN_FOR, within=not beyond)), "Wait 60 s"),
}  # fmt: skip


@pytest.fixture
def place(client: Client, operator: User, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Place:
    """An installation that is used up to its limits."""
    return Place(client, operator, caplog, tmp_path)


def test_every_number_has_a_line_and_every_line_a_number() -> None:
    assert sorted(SIDES) == sorted(name for name in vars(limits) if name.isupper())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SIDES)
def test_what_just_fits_is_taken_and_what_is_beyond_is_told_why(place: Place, valkey: Valkey, name: str) -> None:
    reach, told = SIDES[name]
    assert reach(place, False) == ""
    AuditEntry.objects.all().delete()
    place.log.clear()
    place.client.logout()
    assert told in " ".join(reach(place, True).split())
