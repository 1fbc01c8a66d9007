"""Stands between the product and the sandbox: answers pass through, unless a test holds, changes or replaces one."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from tests.http_server import Server

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "host", "accept-encoding"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of AWS."""

    status: int
    headers: dict[str, str]
    body: bytes


Rule = Callable[[Answer], Answer]  # gets the true answer, gives the one that is sent
Guard = Callable[[], Answer | None]  # called before the sandbox is asked; what it gives is sent, None lets it through


def error(status: int, name: str, message: str) -> Answer:
    """An error as Lambda and ECR send it (STS takes it from `sts_error`)."""
    headers = {"Content-Type": "application/json", "x-amzn-errortype": name, "x-amzn-requestid": "between"}
    return Answer(status, headers, json.dumps({"__type": name, "message": message, "Message": message}).encode())


def sts_error(status: int, name: str, message: str) -> Answer:
    """An error as STS sends it."""
    text = f"<ErrorResponse><Error><Code>{name}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Answer(status, {"Content-Type": "text/xml"}, text.encode())


class Between:
    """Forwards to the sandbox. `rules`: what happens to the answers of an operation, by its name (see `operation`), or
    by name and query, "GET /functions/app?Qualifier=3", which counts first; `guards`: what happens before it is asked.
    """

    def __init__(self, target: str) -> None:
        self.rules: dict[str, Rule] = {}
        self.guards: dict[str, Guard] = {}
        self.seen: list[str] = []
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                name = operation(self.command, self.path, dict(self.headers), body)
                between.seen.append(name)
                qualified = f"{name}?{self.path.partition('?')[2]}"
                guard = between.guards.get(qualified) or between.guards.get(name)
                answer = guard() if guard else None
                if answer is None:
                    answer = _ask(target + self.path, self.command, dict(self.headers), body)
                    if rule := between.rules.get(qualified) or between.rules.get(name):
                        answer = rule(answer)
                self.send_response(answer.status)
                for header, value in answer.headers.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _forward

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def operation(method: str, path: str, headers: dict[str, str], body: bytes) -> str:
    """ "ecr.DescribeImages", "sts.AssumeRole", or of Lambda method and path: "GET /functions/app/aliases"."""
    target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")
    if target:
        return f"ecr.{target.rpartition('.')[2]}"
    if b"Action=" in body:
        return f"sts.{body.decode().partition('Action=')[2].partition('&')[0]}"
    return f"{method} {path.partition('?')[0].replace('/2015-03-31', '').rstrip('/')}"


def _ask(url: str, method: str, headers: dict[str, str], body: bytes) -> Answer:
    kept = {name: value for name, value in headers.items() if name.lower() not in HOP}
    request = urllib.request.Request(url, body or None, kept, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return _answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as failed:
        return _answer(failed.code, dict(failed.headers), failed.read())


def _answer(status: int, headers: dict[str, str], body: bytes) -> Answer:
    return Answer(status, {name: value for name, value in headers.items() if name.lower() not in HOP}, body)


def once(rule: Rule) -> Rule:
    """The rule for the first answer only."""
    left = [rule]

    def first(answer: Answer) -> Answer:
        return left.pop()(answer) if left else answer

    return first
