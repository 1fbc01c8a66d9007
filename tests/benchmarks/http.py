"""The functions page over HTTP: eight clients on one web process."""

import http.client
import multiprocessing
import time

import django

from tests.benchmarks.figures import mark, percentile, table

CLIENTS, SECONDS, LIMIT = 8, 15, 80
PATHS = (
    "/functions/",
    "/functions/?page=2",
    "/functions/?freshness=stale",
    "/functions/?search=invoice",
    "/functions/?page=150",
)


def ask(port: int, cookie: str, results: "multiprocessing.Queue[list[float]]") -> None:
    """One process with all the clients as threads: the delays of every answer, in seconds."""
    from concurrent.futures import ThreadPoolExecutor

    def client(number: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        delays, end, turn = [], time.monotonic() + SECONDS, number
        while time.monotonic() < end:
            start = time.perf_counter()
            connection.request("GET", PATHS[turn % len(PATHS)], headers={"Cookie": cookie})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or b"</table>" not in body:
                raise RuntimeError(f"{PATHS[turn % len(PATHS)]} answered {answer.status}")
            delays.append(time.perf_counter() - start)
            turn += 1
        return delays

    with ThreadPoolExecutor(CLIENTS) as pool:
        results.put([delay for delays in pool.map(client, range(CLIENTS)) for delay in delays])


def main() -> None:
    """Fill, serve, ask, print."""
    django.setup()
    from tests.benchmarks import people, rows
    from tests.benchmarks.web import serve

    rows.fill()
    cookie = people.session_cookie()
    with serve() as (_, port):
        results: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
        asking = multiprocessing.Process(target=ask, args=(port, cookie, results))
        asking.start()
        delays = results.get()
        asking.join()
    rate = len(delays) / SECONDS
    p50, p95 = percentile(delays, 0.5) * 1000, percentile(delays, 0.95) * 1000
    print("## Functions page over HTTP\n")
    print(
        f"{CLIENTS} clients on one web process for {SECONDS} s, SQLite, 10,000 functions; promised: {LIMIT} a second.\n"
    )
    figures = [f"{rate:.0f}{mark(rate >= LIMIT)}", f"{p50:.0f}", f"{p95:.0f}"]
    print(table(["requests/s", "p50 ms", "p95 ms"], [figures]), "\n")


if __name__ == "__main__":
    main()
