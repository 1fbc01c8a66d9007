"""docs/chat.md does what it says: the table, curl, Slack's bridge, and Errbot from nothing to its first answer."""

import fcntl
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from functions_app import clock
from functions_app.api.chat import ChatAnswer
from functions_app.domain.chat.grammar import GRAMMAR
from tests.api.chat_room import Room
from tests.conftest import Valkey
from tests.factories import make_account, make_function
from tests.free_ports import free_port
from tests.papers import blocks, paper
from tests.processes import eventually
from tests.receiving import Pipeline, receiving

ROOT = Path(settings.BASE_DIR)
CHAT, ERRBOT = "chat.md", "Errbot, from nothing to the first answer"
PAPER = paper(CHAT)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room(operator: User, valkey: Valkey) -> Room:
    """A chat, and one function to tell of."""
    make_function(make_account(), "billing-api")
    return Room.of(operator)


@pytest.fixture
def surroundings(room: Room, live_server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """What a bot has in its environment: nobody's home, and where Drydock is."""
    where = {"DRYDOCK_URL": live_server.url, "DRYDOCK_TOKEN": room.made.text}
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **where}


def test_its_table_is_the_grammar() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", PAPER.partition("## Who says it")[0], re.MULTILINE)
    assert [(usage.replace("\\|", "|"), does) for usage, does in rows] == [(verb.usage, verb.does) for verb in GRAMMAR]


def test_its_curl_gets_the_answers_it_shows(surroundings: dict[str, str]) -> None:
    (commands,), (shown,) = blocks(CHAT, "sh", "With curl"), blocks(CHAT, "json", "With curl")
    said = subprocess.run(["bash", "-ec", commands], env=surroundings, capture_output=True, text=True, check=True)
    reader = json.JSONDecoder()
    listed, end = reader.raw_decode(said.stdout)
    why, _ = reader.raw_decode(said.stdout[end:].strip())
    assert list(json.loads(shown)) == list(ChatAnswer.model_fields) == list(listed)
    assert listed["text"] == json.loads(shown)["text"]
    assert why["text"].startswith("billing-api: ")


class Test_the_bridge_of_slack:
    @pytest.fixture
    def slack(self) -> Iterator[Pipeline]:
        """The address that Slack gives for answers."""
        with receiving() as pipeline:
            yield pipeline

    @pytest.fixture
    def bridge(self, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
        """The application that the document names."""
        path = re.search(r"`(examples/slack/\w+\.py)`", PAPER)
        assert path is not None
        for name, value in {**surroundings, "SLACK_SIGNING_SECRET": "its own"}.items():
            monkeypatch.setenv(name, value)
        spec = spec_from_file_location("bridge", ROOT / path[1])
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def sent(self, bridge: Any, slack: Pipeline, text: str, key: str = "its own", age: int = 0) -> str:
        """The status of what Slack sends when somebody uses the command."""
        form = {
            "command": "/drydock",
            "text": text,
            "team_id": "T1",
            "user_id": "U1",
            "channel_id": "C1",
            "trigger_id": text,
            "response_url": slack.url,
        }
        body, stamp = urlencode(form).encode(), str(int(clock.now().timestamp()) - age)
        signature = hmac.new(key.encode(), b"v0:%b:%b" % (stamp.encode(), body), hashlib.sha256).hexdigest()
        environ = {
            "REQUEST_METHOD": "POST",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "HTTP_X_SLACK_REQUEST_TIMESTAMP": stamp,
            "HTTP_X_SLACK_SIGNATURE": f"v0={signature}",
        }
        setup_testing_defaults(environ)
        statuses: list[str] = []
        bridge.application(environ, lambda status, headers: statuses.append(status))
        return statuses[0]

    def test_answers_at_the_address_that_slack_gives(self, bridge: Any, slack: Pipeline) -> None:
        assert self.sent(bridge, slack, "list billing").startswith("200")
        eventually(lambda: len(slack.messages) == 1, "the answer")
        told = json.loads(slack.messages[0].body)
        assert told["response_type"] == "ephemeral"
        assert told["text"].startswith("1 function, 0 stale: billing-api\n")

    def test_calls_no_channel_by_a_name_and_tells_what_is_refused(self, bridge: Any, slack: Pipeline) -> None:
        self.sent(bridge, slack, "<!channel>")
        eventually(lambda: len(slack.messages) == 1, "the answer")
        assert "There is no command “&lt;!channel&gt;”." in json.loads(slack.messages[0].body)["text"]

    def test_tells_that_there_is_no_answer(self, bridge: Any, slack: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiving() as proxy:
            proxy.status = 502  # without a word of JSON
            monkeypatch.setenv("DRYDOCK_URL", proxy.url)
            self.sent(bridge, slack, "list")
            eventually(lambda: len(slack.messages) == 1, "the answer of nobody behind a proxy")
        monkeypatch.setenv("DRYDOCK_URL", f"http://127.0.0.1:{free_port()}")
        self.sent(bridge, slack, "list")
        eventually(lambda: len(slack.messages) == 2, "the answer of no server at all")
        assert {json.loads(each.body)["text"].partition("\n")[0] for each in slack.messages} == {
            "Drydock gives no answer."
        }

    @pytest.mark.parametrize("wrong", [{"key": "another"}, {"age": 400}])
    def test_takes_nothing_that_slack_has_not_just_signed(self, bridge: Any, slack: Pipeline, wrong: Any) -> None:
        assert self.sent(bridge, slack, "list", **wrong).startswith("401")


EXAMPLE = ROOT / "examples" / "errbot"


def installed() -> Path:
    """The environment of Errbot as the document makes it; once for a machine, until its commands change."""
    commands = blocks(CHAT, "sh", ERRBOT)[0]
    wanted = hashlib.sha256(f"{commands}{(EXAMPLE / 'requirements.txt').read_text()}".encode()).hexdigest()
    kept = ROOT / "var" / f"errbot-{wanted[:12]}"
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (kept / "done").exists():
            shutil.copy(EXAMPLE / "requirements.txt", kept)
            python = Path(sys.executable).resolve().parent
            surroundings = {**os.environ, "HOME": str(kept), "PATH": f"{python}:{os.environ['PATH']}"}
            subprocess.run(["sh", "-ec", commands], cwd=kept, env=surroundings, check=True)
            (kept / "done").touch()
    return kept / "environment"


CONVERSATION = {
    "!drydock list billing": "1 function, 0 stale: billing-api",
    "!drydock cancel 77": "There is no run 77.",
    "!drydock pathc billing-api": "Did you mean “patch”?",
}


@pytest.mark.timeout(600)  # the first time its packages are fetched
def test_errbot_hands_on_what_is_said_and_says_what_is_answered(
    room: Room, operator: User, surroundings: dict[str, str], tmp_path: Path
) -> None:
    room.link(operator, "@you")
    folder = shutil.copytree(EXAMPLE, tmp_path / "errbot")
    (folder / "data").mkdir()
    (folder / "environment").symlink_to(installed())
    written = tmp_path / "said"
    with written.open("w") as output:
        bot = subprocess.Popen(
            ["sh", "-c", blocks(CHAT, "sh", ERRBOT)[1]],
            cwd=folder,
            env=surroundings,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    with bot:
        assert bot.stdin is not None
        for said, answered in CONVERSATION.items():
            bot.stdin.write(f"{said}\n")
            bot.stdin.flush()
            eventually(partial(told, bot, written, answered), f"{said}: {answered}", within=120)
        bot.stdin.close()  # that ends it


def told(bot: subprocess.Popen[str], written: Path, words: str) -> bool:
    """Whether the bot, which still runs, has said this."""
    assert bot.poll() is None, written.read_text()
    return words in written.read_text()
