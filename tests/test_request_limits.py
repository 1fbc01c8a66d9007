"""What may be sent: little by anybody, much where it is due and by who may, and nobody takes everybody's room."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.request_limits import Intake
from functions_app.domain import limits
from functions_app.streams.large_bodies import LargeBodies, is_door
from tests.factories import make_account, make_function
from tests.processes import web


class Sender:
    """Sends one body in pieces to an intake; `status` is what came back, 200 where it was passed on."""

    def __init__(self, intake: Intake, address: str, announced: int | None = None) -> None:
        self.pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        self.reads = 0
        length = [(b"content-length", str(announced).encode())] if announced is not None else []
        headers = length or [(b"transfer-encoding", b"chunked")]
        scope = {"type": "http", "method": "POST", "path": "/x/", "client": (address, 1), "query_string": b""}
        self.task = asyncio.create_task(intake({**scope, "headers": headers}, self._receive, self._send))

    async def send(self, length: int, *, more: bool = True) -> int:
        """Send so many bytes more; the status by now, 0 for none."""
        self.pieces.put_nowait({"type": "http.request", "body": b"x" * length, "more_body": more})
        for _ in range(20):
            await asyncio.sleep(0)
        return self.status

    async def _receive(self) -> dict[str, Any]:
        self.reads += 1
        return await self.pieces.get()

    async def _send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)


async def passed_on(_scope: Any, _receive: Any, send: Any) -> None:
    """The application behind the intake."""
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def may(_scope: Any) -> bool:
    """Large bodies are due, wherever."""
    return True


def running(story: Callable[[], Any]) -> None:
    """Run an async test."""
    asyncio.run(story())


class Test_a_body:
    @pytest.mark.parametrize(("length", "status"), [(0, 200), (limits.BODY, 200), (limits.BODY + 1, 413)])
    def test_of_a_form_has_a_limit(self, length: int, status: int) -> None:
        async def story() -> None:
            assert await Sender(Intake(passed_on), "1.1.1.1").send(length, more=False) == status

        running(story)

    @pytest.mark.parametrize(("length", "status"), [(limits.LARGE_BODY, 200), (limits.LARGE_BODY + 1, 413)])
    def test_where_much_is_due_has_another(self, length: int, status: int) -> None:
        async def story() -> None:
            assert await Sender(Intake(passed_on, may), "1.1.1.1").send(length, more=False) == status

        running(story)

    def test_that_announces_too_much_is_refused_before_a_byte_of_it_is_read(self) -> None:
        async def story() -> None:
            sender = Sender(Intake(passed_on), "1.1.1.1", announced=limits.BODY + 1)
            await asyncio.wait_for(sender.task, 10)
            assert (sender.status, sender.reads) == (413, 0)

        running(story)


class Test_who_holds_much:
    def test_from_one_address_leaves_room_for_all_others(self) -> None:
        async def story() -> None:
            intake = Intake(passed_on, may)
            hoarders = [Sender(intake, "6.6.6.6") for _ in range(15)]
            held = [await hoarder.send(limits.LARGE_BODY - 5) for hoarder in hoarders]
            assert held == [0] * (limits.ADDRESS_BODIES // limits.LARGE_BODY) + [503] * (
                15 - limits.ADDRESS_BODIES // limits.LARGE_BODY
            )
            assert await Sender(intake, "1.1.1.1").send(limits.LARGE_BODY - 5, more=False) == 200

        running(story)

    def test_by_addresses_of_one_subscriber_is_counted_together(self) -> None:
        async def story() -> None:
            intake = Intake(passed_on, may)
            for number in range(3):
                await Sender(intake, f"2001:db8::{number}").send(limits.ADDRESS_BODIES // 3)
            assert await Sender(intake, "2001:db8::9").send(limits.BODY, more=False) == 503

        running(story)

    def test_from_everywhere_never_keeps_a_form_of_daily_work_out(self) -> None:
        async def story() -> None:
            intake = Intake(passed_on, may)
            for number in range(limits.HELD_BODIES // limits.LARGE_BODY + 1):
                await Sender(intake, f"6.6.6.{number}").send(limits.LARGE_BODY - 5)
            assert await Sender(intake, "1.1.1.1").send(limits.SMALL_BODY, more=False) == 200
            assert await Sender(intake, "1.1.1.1").send(limits.LARGE_BODY, more=False) == 503

        running(story)

    @pytest.mark.parametrize(
        ("address", "held"), [("6.6.6.6", limits.HELD_BODIES + 1), ("1.1.1.1", limits.ADDRESS_BODIES + 1)]
    )
    def test_keeps_nothing_small_out_at_the_very_moment_in_which_no_room_is_left(self, address: str, held: int) -> None:
        async def story() -> None:
            intake = Intake(passed_on, may)
            intake.held[address] = held  # until who went beyond the limit is refused
            assert await Sender(intake, "1.1.1.1").send(limits.SMALL_BODY, more=False) == 200
            assert await Sender(intake, "1.1.1.1").send(limits.SMALL_BODY + 1, more=False) == 503

        running(story)

    def test_and_leaves_gives_all_of_it_back(self) -> None:
        async def story() -> None:
            intake = Intake(passed_on, may)
            sender = Sender(intake, "6.6.6.6")
            await sender.send(limits.LARGE_BODY - 5)
            assert intake.held == {"6.6.6.6": limits.LARGE_BODY - 5}
            sender.pieces.put_nowait({"type": "http.disconnect"})
            await asyncio.wait_for(sender.task, 10)
            assert (sender.status, intake.held) == (408, {})

        running(story)


class Test_much_is_due:
    @pytest.mark.parametrize(
        ("path", "due"),
        [("/functions/1/invoke/", True), ("/functions/1/invoke/check/", True), ("/login/", False), ("/nowhere", False)],
    )
    def test_only_where_a_payload_is_typed(self, path: str, due: bool) -> None:
        assert is_door(path) is due

    @pytest.mark.django_db(transaction=True)
    def test_only_from_operators(self, client: Client, operator: User, viewer: User) -> None:
        make_function(make_account(), "orders")

        def may_come(path: str, person: User | None) -> bool:
            client.logout()
            if person:
                client.force_login(person)
            cookie = client.cookies.output(header="", sep=";").strip().encode()
            scope = {"method": "POST", "path": path, "headers": [(b"cookie", cookie)]}
            return asyncio.run(LargeBodies().may_come(scope))

        invoke = "/functions/1/invoke/"
        assert [may_come(invoke, person) for person in (operator, viewer, None)] == [True, False, False]
        assert may_come("/login/", operator) is False


@pytest.mark.django_db(transaction=True)
def test_sixty_wrong_sign_ins_at_once_are_tried_one_by_one_and_beyond_a_short_line_told_when_to_come_again(
    process_environment: dict[str, str], tmp_path: Path
) -> None:
    with web(process_environment, tmp_path) as (_, port), httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
        page = browser.get("/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token is not None
        form = {"username": "nobody", "password": "wrong", "csrfmiddlewaretoken": token[1]}

        def wrong(_: int) -> httpx.Response:
            with httpx.Client(base_url=str(browser.base_url), cookies=browser.cookies, timeout=60) as another:
                return another.post("/login/", data=form)

        with ThreadPoolExecutor(60) as crowd:
            answers = list(crowd.map(wrong, range(60)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert statuses[429] > 30
    crowded = [answer for answer in answers if "Too many people sign in at this moment" in answer.text]
    assert {answer.headers["Retry-After"] for answer in crowded} == {"3"}
