"""The command line as a program: signals, pipes, terminals, and text that would like to do something to them."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from drydock_cli.text import printable, table
from tests.cli.calling import TOKEN, at
from tests.cli.scripted import Answer, Script, problem
from tests.cli.test_following import DONE, END, RUN, line, state, stream
from tests.processes import ROOT

Serve = Callable[..., Script]
EVIL = "\x1b[2J\x1b]0;pwned\x07\r\x9b2K\u202e\u2066\u200b\u2028\ud83d"


@contextmanager
def started(
    url: str, home: Path, *words: str, err: int = subprocess.PIPE, given: bytes = b""
) -> Iterator[subprocess.Popen[bytes]]:
    """`drydock` with these words, as a shell would start it; `given` is its standard input."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DRYDOCK_URL": url, "DRYDOCK_TOKEN": TOKEN}
    command = [sys.executable, "-m", "drydock_cli", *words]
    file = home / "input"
    file.write_bytes(given)
    with (
        file.open() as stdin,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=err,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # what begins in a background ignores it
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_left_off_goes_on_and_that_is_said(
    script: Serve, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    quiet = stream(state(RUN), line(1, "one"), hangs=True)
    server = script(Answer(200, RUN), quiet)
    with started(server.url, tmp_path, "status", "7", "--wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"08:00:00.123 one\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err == b"drydock: Run 7 goes on. Follow it: drydock status 7 --wait. End it: drydock cancel 7\n"


def test_who_reads_no_further_is_told_nothing(script: Serve, tmp_path: Path) -> None:
    lines = [{"sequence": n, "at": "2026-11-29T08:00:00Z", "level": "info", "text": "x" * 1000} for n in range(1000)]
    server = script(Answer(200, {"text": "x", "last": 1000, "ended": True, "lines": lines}))
    with started(server.url, tmp_path, "logs", "7") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"08:00:00")
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_a_payload_that_is_no_text_is_not_sent(script: Serve, tmp_path: Path) -> None:
    server = script()
    with started(server.url, tmp_path, "invoke", "app", "-", given=b'{"a": "\xff"}') as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, server.asked) == (2, [])
    assert b"The payload is no JSON" in err


def test_on_a_terminal_its_step_is_shown_meanwhile_and_taken_away_again(script: Serve, tmp_path: Path) -> None:
    server = script(Answer(200, RUN), stream(state(RUN), line(1, "one"), END), Answer(200, DONE))
    mine, its = pty.openpty()
    with started(server.url, tmp_path, "status", "7", "--wait", err=its) as process:
        out, _ = process.communicate(timeout=60)
        os.close(its)
    shown = os.read(mine, 10_000).decode()
    os.close(mine)
    assert process.returncode == 0
    assert "Run 7 running, 1 of 2 steps done: Publish" in shown
    assert shown.endswith("\r\x1b[K")
    assert out.decode().splitlines() == ["08:00:00.123 one", "Run 7 succeeded: app runs 2."]


class Test_text_of_a_server:
    @pytest.mark.parametrize(
        "answers",
        [
            (Answer(200, {"text": EVIL, "name": EVIL, "aliases": []}),),
            (Answer(200, {"text": "x", "aliases": [{"alias": EVIL, "version": EVIL, "weight": 1, "digest": EVIL}]}),),
            (problem(409, EVIL, EVIL, next_step=EVIL, choices=[EVIL]),),
            (Answer(302, b"", {"Location": "http://a/\x9b2J"}),),
            (Answer(418, b"", {"X-Request-Id": "\x9b2K"}),),
        ],
    )
    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_does_nothing_to_a_terminal(
        self, script: Serve, tmp_path: Path, answers: tuple[Answer, ...], options: tuple[str, ...]
    ) -> None:
        said = at(script(*answers).url, str(tmp_path))("show", "app", *options)
        written = said.out + said.err
        assert written
        assert all(char.isprintable() or char == "\n" for char in written.replace("\u2028", "")), written
        assert not set(written) & set(EVIL) - set("2J[0;pwnedK]")

    def test_of_a_log_keeps_its_lines_and_tabs(self, script: Serve, tmp_path: Path) -> None:
        server = script(Answer(200, RUN), stream(line(1, f"a\tb\nc{EVIL}"), END), Answer(200, DONE))
        said = at(server.url, str(tmp_path))("status", "7", "--wait")
        assert said.out.startswith("08:00:00.123 a\tb\nc‹U+001B›[2J")

    def test_stays_as_it_is_where_it_does_no_harm(self) -> None:
        assert printable("Größe 7 → 8 · 日本語 🚢") == "Größe 7 → 8 · 日本語 🚢"

    def test_stands_in_columns(self) -> None:
        assert table([("a", "b\nb", "c"), ("aaa", "", "")]) == ["a    b b  c", "aaa"]
        assert table([]) == []


def test_a_document_is_the_same_whatever_is_in_it(script: Serve, tmp_path: Path) -> None:
    document = {"text": EVIL.replace("\ud83d", ""), "aliases": [], "name": "é"}
    said = at(script(Answer(200, document)).url, str(tmp_path))("show", "app", "--json")
    assert said.out.isascii()
    assert json.loads(said.out) == document
