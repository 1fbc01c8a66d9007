"""People who watch a run's log, go away and come back, and must have seen each line once in the end."""

import random
import re
import threading
from contextlib import suppress

import httpx

NUMBER = re.compile(r'data-n="(\d+)"')
AGAIN = 0.3  # seconds


class Watcher:
    """Reads `/events/runs/<id>` until its end, on as many connections as it takes."""

    def __init__(self, url: str, cookie: str, run_id: int, chance: random.Random) -> None:
        self.run_id, self.seen, self.over = run_id, list[int](), False
        self._url, self._cookie, self._chance = url, cookie, chance
        self._last, self._end = "", threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Until the stream has ended; whether it has."""
        self._thread.join(seconds)
        self._end.set()
        return self.over

    def _work(self) -> None:
        while not self.over and not self._end.is_set():
            with suppress(httpx.HTTPError):  # of a server that was killed: as a browser does, come again
                self._watch()
            self._end.wait(AGAIN)

    def _watch(self) -> None:
        headers = {"Cookie": self._cookie, **({"Last-Event-ID": self._last} if self._last else {})}
        stays = self._chance.choice((3, 10, 10_000))  # events, then it goes away by itself
        address = f"{self._url}/events/runs/{self.run_id}"
        with httpx.stream("GET", address, headers=headers, timeout=httpx.Timeout(10, read=30)) as response:
            if response.status_code != 200:
                return
            name, identity, data = "", "", list[str]()
            for line in response.iter_lines():
                if line:
                    field, _, value = line.partition(": ")
                    name = value if field == "event" else name
                    identity = value if field == "id" else identity
                    data += [value] if field == "data" else []
                    continue
                if data and not name:
                    self.seen += map(int, NUMBER.findall("\n".join(data)))
                    self._last = identity or self._last
                    stays -= 1
                self.over = self.over or name == "eof"
                name, identity, data = "", "", []
                if self.over or stays <= 0 or self._end.is_set():
                    return
