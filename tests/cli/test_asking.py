"""What the command line asks of a server: again where that is safe, with one key, and nobody else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.cli.calling import TOKEN, at
from tests.cli.scripted import CUT, PROBLEM, Answer, Script, problem, serving

pytestmark = pytest.mark.usefixtures("hurried")
Serve = Callable[..., Script]
STARTED = Answer(202, {"id": 7, "status": "queued", "text": "Run 7: Invoke app (queued).", "url": "http://x/runs/7/"})


class Test_a_change_is_asked_for_again:
    @pytest.mark.parametrize(
        "first",
        [
            CUT,
            Answer(200, b'{"id":', cut=True),
            Answer(502, b"<html>", {"Content-Type": "text/html"}),
            Answer(503, b"", {"Retry-After": "0"}),
            problem(429, "throttled", headers={"Retry-After": "0"}),
            problem(503, "unavailable"),
            problem(409, "busy", headers={"Retry-After": "0"}),
        ],
        ids=["no answer", "half an answer", "a proxy's 502", "503", "429", "database away", "still being answered"],
    )
    def test_with_the_same_key(self, script: Serve, tmp_path: Path, first: Answer) -> None:
        server = script(first, first, STARTED)
        said = at(server.url, str(tmp_path))("invoke", "app")
        assert (said.code, said.out) == (0, "Run 7: Invoke app (queued).\n")
        assert len(server.asked) == 3
        assert len(set(server.keys)) == 1
        assert len(server.keys[0]) == 32
        assert said.err.count("Trying again in") == 2

    def test_until_that_is_tried_often_enough(self, script: Serve, tmp_path: Path) -> None:
        server = script(CUT, CUT, CUT, CUT)
        said = at(server.url, str(tmp_path))("invoke", "app")
        assert said.code == 4
        assert said.err.splitlines()[-2].startswith(f"drydock: unreachable: {server.url} gives no answer")
        assert said.err.splitlines()[-1] == "drydock: It may have begun: drydock runs tells."

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (problem(409, "busy"), 3),
            (problem(503, "throttled", headers={"Retry-After": "3600"}), 4),
            (problem(502, "failed"), 1),
            (problem(502, "unknown_outcome"), 1),
            (problem(502, "unreachable"), 4),
            (Answer(500, b"oops"), 1),
            (Answer(500, b"oops", {"Content-Type": PROBLEM}), 1),
        ],
    )
    def test_but_not_where_that_helps_nothing(self, script: Serve, tmp_path: Path, answer: Answer, code: int) -> None:
        server = script(answer)
        assert at(server.url, str(tmp_path))("invoke", "app").code == code
        assert len(server.asked) == 1

    @pytest.mark.parametrize(("answer", "told"), [(problem(409, "busy"), False), (problem(502, "unreachable"), True)])
    def test_and_only_what_may_have_begun_is_said_to(
        self, script: Serve, tmp_path: Path, answer: Answer, told: bool
    ) -> None:
        said = at(script(answer).url, str(tmp_path))("invoke", "app")
        assert ("It may have begun" in said.err) is told

    def test_each_change_has_a_key_of_its_own_or_the_callers(self, script: Serve, tmp_path: Path) -> None:
        server = script(STARTED, STARTED, STARTED)
        drydock = at(server.url, str(tmp_path))
        for words in (["invoke", "app"], ["invoke", "app"], ["invoke", "app", "--key", "build-417"]):
            assert drydock(*words).code == 0
        assert server.keys[2] == "build-417"
        assert len(set(server.keys)) == 3

    def test_a_plan_alone_leaves_the_callers_key_to_the_change(self, script: Serve, tmp_path: Path) -> None:
        server = script(STARTED, STARTED)
        drydock = at(server.url, str(tmp_path))
        for words in (["--dry-run"], []):
            assert drydock("deploy", "app", "1.8.3", "live", "--key", "build-417", *words).code == 0
        assert (server.keys[0] != "build-417", server.keys[1]) == (True, "build-417")

    def test_a_key_that_no_header_can_hold_is_refused(self, script: Serve, tmp_path: Path) -> None:
        server = script()
        assert at(server.url, str(tmp_path))("invoke", "app", "--key", "bäu").code == 2
        assert server.asked == []


class Test_the_token:
    def test_is_shown_to_its_own_server(self, script: Serve, tmp_path: Path) -> None:
        server = script(Answer())
        assert at(server.url, str(tmp_path))("show", "app", "--json").code == 0
        assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_does_not_follow_to_another(self, script: Serve, tmp_path: Path, status: int) -> None:
        other = script()
        server = script(Answer(status, b"", {"Location": f"{other.url}/api/v1/functions"}))
        said = at(server.url, str(tmp_path))("list")
        assert (said.code, other.asked) == (2, [])
        assert f"leads on to {other.url}" in said.err

    def test_is_not_read_by_a_proxy_where_nothing_is_encrypted(
        self, script: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy, server = script(), script(Answer())
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert at(server.url, str(tmp_path))("show", "app", "--json").code == 0
        assert (len(server.asked), proxy.asked) == (1, [])

    def test_is_in_nothing_that_is_written(self, script: Serve, tmp_path: Path) -> None:
        for answer in (problem(401, "unauthenticated"), CUT, Answer(302, b"", {"Location": "http://127.0.0.2/"})):
            server = script(*[answer] * 4)
            said = at(server.url, str(tmp_path))("list")
            assert TOKEN not in said.out + said.err

    def test_is_no_argument_of_any_verb(self, tmp_path: Path) -> None:
        said = at("http://127.0.0.1:1", str(tmp_path))("list", "--token", TOKEN)
        assert said.code == 2


class Test_what_goes_wrong:
    @pytest.mark.parametrize(
        ("status", "code", "exit_code"),
        [
            (400, "invalid", 2),
            (401, "unauthenticated", 3),
            (403, "denied", 3),
            (404, "not_found", 3),
            (409, "busy", 3),
            (410, "expired", 3),
            (412, "changed", 3),
            (422, "preflight", 3),
            (423, "frozen", 3),
            (429, "throttled", 4),
            (503, "unavailable", 4),
        ],
    )
    def test_is_told_in_one_line_with_what_to_do(
        self, script: Serve, tmp_path: Path, status: int, code: str, exit_code: int
    ) -> None:
        server = script(*[problem(status, code, "Why\nso.", aws_code="Throttling", request_id="aws-9")] * 4)
        said = at(server.url, str(tmp_path))("list")
        assert (said.code, said.out) == (exit_code, "")
        assert said.err.splitlines()[-1] == (f"drydock: {code}: Why so. (AWS: Throttling aws-9) Do that. (request r-1)")

    def test_is_a_document_too_where_one_is_asked_for(self, script: Serve, tmp_path: Path) -> None:
        said = at(script(problem(409, "busy", choices=["a", "b"])).url, str(tmp_path))("show", "app", "--json")
        assert (said.document["code"], said.document["choices"]) == ("busy", ["a", "b"])

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[]", b'{"hello": "world"}', b"\xff"])
    def test_is_that_something_else_answers(self, script: Serve, tmp_path: Path, body: bytes) -> None:
        said = at(script(Answer(200, body)).url, str(tmp_path))("list")
        assert said.code == 4
        assert "is not Drydock" in said.err


class Test_a_certificate:
    def test_that_nobody_trusts_is_refused_at_once_with_how_to_trust_it(self, tmp_path: Path) -> None:
        with serving([Answer()], self_signed(tmp_path / "both.pem")) as server:
            said = at(server.url, str(tmp_path))("show", "app")
        assert (said.code, len(server.answers)) == (4, 1)
        assert "SSL_CERT_FILE" in said.err
        assert "Trying again" not in said.err

    def test_that_the_environment_trusts_is_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        certificate = self_signed(tmp_path / "both.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with serving([Answer()], certificate) as server:
            assert at(server.url, str(tmp_path))("show", "app").code == 0


def test_a_name_is_a_part_of_the_address_whatever_is_in_it(script: Serve, tmp_path: Path) -> None:
    server = script(problem(404, "not_found"), problem(404, "not_found"))
    drydock = at(server.url, str(tmp_path))
    drydock("show", "../runs/7?x=#é")
    drydock("show", "arn:aws:lambda:eu-west-1:123456789012:function:app:$LATEST")
    assert [each.path for each in server.asked] == [
        "/api/v1/functions/..%2Fruns%2F7%3Fx%3D%23%C3%A9",
        "/api/v1/functions/arn:aws:lambda:eu-west-1:123456789012:function:app:$LATEST",
    ]


def test_drydock_may_stand_below_a_path(script: Serve, tmp_path: Path) -> None:
    server = script(Answer())
    assert at(f"{server.url}/tools/drydock/", str(tmp_path))("show", "app").code == 0
    assert server.asked[0].path == "/tools/drydock/api/v1/functions/app"


@pytest.mark.parametrize("variables", [{"HTTPS_PROXY": "gopher://a"}, {"SSL_CERT_FILE": "/nowhere"}])
def test_what_the_environment_says_wrongly_of_proxies_and_certificates_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = at("https://127.0.0.1:1", str(tmp_path))("show", "app")
    assert said.code == 2
    assert "Look at HTTPS_PROXY and SSL_CERT_FILE." in said.err


def test_a_payload_is_sent_as_it_is_typed_or_read(script: Serve, tmp_path: Path) -> None:
    server = script(STARTED, STARTED, STARTED)
    drydock = at(server.url, str(tmp_path))
    drydock("invoke", "app", '{"a": [1, "é"]}')
    drydock("invoke", "app", "-", typed='{"a": 2}\n')
    drydock("invoke", "app", '"\\ud83d"')  # half of a pair: the server says what it makes of it
    assert [json.loads(each.body)["payload"] for each in server.asked] == [{"a": [1, "é"]}, {"a": 2}, "\ud83d"]


def test_an_argument_that_is_no_text_is_refused(script: Serve, tmp_path: Path) -> None:
    server = script()
    for words in (["list", "\udcff"], ["show", "\udcff"], ["invoke", "app", '"\udcff"']):
        assert at(server.url, str(tmp_path))(*words).code == 2
    assert server.asked == []


@pytest.mark.parametrize("payload", ["{a: 1}", "{", "NaN", '{"a": -Infinity}'])
def test_what_is_no_json_is_not_sent(script: Serve, tmp_path: Path, payload: str) -> None:
    server = script()
    said = at(server.url, str(tmp_path))("invoke", "app", payload)
    assert (said.code, server.asked) == (2, [])
    assert "Nothing was sent" in said.err
