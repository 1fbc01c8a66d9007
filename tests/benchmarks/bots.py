"""Bots before one web process: some that wait for a run, some that send commands; each with a token of its own."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event

import httpx

EACH = 50  # tokens that a person may have
USER = "U024BE7LH"  # of the chat, linked to whom each token acts for
READY_WITHIN = 60.0  # seconds


def make_tokens(count: int, *, administrators: bool = False) -> list[str]:
    """So many, of operators who are made for it, or of administrators."""
    from django.contrib.auth.models import Group, User

    from functions_app import clock
    from functions_app.domain.tokens import TokenScope
    from functions_app.models import ChatLink
    from functions_app.services.people import access, tokens
    from functions_app.services.people.actor import Actor
    from functions_app.services.people.tokens import Wanted

    texts: list[str] = []
    while len(texts) < count:
        name = f"bench-{User.objects.count()}"
        person, _ = User.objects.get_or_create(username=name, defaults={"is_superuser": administrators})
        person.groups.add(Group.objects.get(name=access.OPERATOR))
        scopes = [scope.value for scope in TokenScope if administrators or scope is not TokenScope.ADMIN]
        wanted = [Wanted(f"bot {number}", scopes) for number in range(EACH)]
        made = [tokens.make(each, Actor(person)) for each in wanted]
        ChatLink.objects.bulk_create(
            ChatLink(token=each.row, chat_user=USER, person=person, since=clock.now()) for each in made
        )
        texts += [each.text for each in made]
    return texts[:count]


def header(token: str) -> dict[str, str]:
    """What lets a bot in."""
    return {"Authorization": f"Bearer {token}"}


def request(path: str, token: str) -> bytes:
    """A GET as it goes over the wire."""
    return f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def _wait(port: int, run: int, token: str, *, streams: bool) -> None:
    """Follow a run for ever: over one stream, or by answers that are held one after the other."""
    path = f"/runs/{run}/events" if streams else f"/runs/{run}?wait=25"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(request(path, token))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise RuntimeError(f"{path} answered {head[:200]!r}")
        while streams:
            await reader.readuntil(b"\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))


def _hold(port: int, run: int, tokens: Sequence[str], ready: Event, stop: Event) -> None:
    async def story() -> None:
        waiting = [
            asyncio.create_task(_wait(port, run, token, streams=bool(number % 2)))
            for number, token in enumerate(tokens)
        ]
        await asyncio.sleep(3)  # by then all are admitted
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.1)
            if broken := next((task for task in waiting if task.done()), None):
                broken.result()
        for task in waiting:
            task.cancel()

    asyncio.run(story())


@contextmanager
def waiting(port: int, run: int, tokens: Sequence[str]) -> Iterator[None]:
    """While a bot for each token waits for a run: half of them over streams, half by answers that are held."""
    ready, stop = multiprocessing.Event(), multiprocessing.Event()
    bots = multiprocessing.Process(target=_hold, args=(port, run, tokens, ready, stop))
    bots.start()
    try:
        if not ready.wait(READY_WITHIN):
            raise RuntimeError("the bots do not wait")
        yield
    finally:
        stop.set()
        bots.join()
    if bots.exitcode:
        raise RuntimeError("a bot was not held")


def _send(
    port: int,
    tokens: Sequence[str],
    texts: Sequence[str],
    every: float,
    seconds: float,
    results: "multiprocessing.Queue[list[float]]",
) -> None:
    # Before the first is sent: to make one takes a client longer than a command takes the server.
    clients = [
        httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=header(token), timeout=60) for token in tokens
    ]
    begun = time.monotonic()

    def bot(number: int) -> list[float]:
        delays, begin = [], begun + every * number / len(tokens)
        for turn in range(int(seconds / every)):
            time.sleep(max(0.0, begin + turn * every - time.monotonic()))
            text = texts[(7 * number + turn) % len(texts)]
            start = time.perf_counter()
            answer = clients[number].post("/chat", json={"text": text, "user": USER, "channel": "#ops"})
            delays.append(time.perf_counter() - start)
            if answer.status_code not in (200, 202):
                raise RuntimeError(f"{text!r} answered {answer.status_code}: {answer.text[:200]}")
        return delays

    with ThreadPoolExecutor(len(tokens)) as pool:
        results.put([delay for delays in pool.map(bot, range(len(tokens))) for delay in delays])


def chat(port: int, tokens: Sequence[str], texts: Sequence[str], every: float, seconds: float) -> list[float]:
    """The seconds until each command was answered: a bot for each token sends one every so many seconds."""
    results: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    bots = multiprocessing.Process(target=_send, args=(port, tokens, texts, every, seconds, results))
    bots.start()
    delays = results.get(timeout=seconds * 5 + 60)
    bots.join()
    return delays
