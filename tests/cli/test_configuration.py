"""Where Drydock is, and the token: from the environment or a file that nobody else reads; to its own server alone."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.calling import TOKEN, Caller, Said
from tests.cli.scripted import Answer, Script, problem

Serve = Callable[..., Script]
OTHER = "ddk_" + "b" * 38


@pytest.fixture
def shell(tmp_path: Path) -> Caller:
    """A shell whose file of the command line is below its home."""
    return Caller({"HOME": str(tmp_path)})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """That file."""
    path = tmp_path / ".config" / "drydock" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def write(file: Path, url: str, mode: int = 0o600, token: str = TOKEN) -> None:
    file.write_text(f'url = "{url}"\ntoken = "{token}"\n')
    file.chmod(mode)


def login(shell: Caller, url: str, typed: str = f"{TOKEN}\n") -> Said:
    return shell("login", url, typed=typed)


class Test_login:
    def test_keeps_address_and_token_for_their_owner_alone(self, shell: Caller, script: Serve, tmp_path: Path) -> None:
        server = script(Answer(200, {"text": "3 accounts."}), Answer())
        assert login(shell, server.url).code == 0
        file = tmp_path / ".config" / "drydock" / "config.toml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert shell("show", "app", "--json").code == 0
        assert {each.headers["authorization"] for each in server.asked} == {f"Bearer {TOKEN}"}

    def test_keeps_nothing_where_the_token_is_refused(self, shell: Caller, script: Serve, tmp_path: Path) -> None:
        assert login(shell, script(problem(401, "unauthenticated")).url).code == 3
        assert not (tmp_path / ".config").exists()

    @pytest.mark.parametrize("typed", ["", "\n", "two words\n", "tök\n"])
    def test_asks_nobody_with_what_is_no_token(self, shell: Caller, script: Serve, typed: str) -> None:
        server = script()
        assert login(shell, server.url, typed).code == 2
        assert server.asked == []

    def test_takes_the_place_of_what_was_kept(self, shell: Caller, script: Serve, file: Path) -> None:
        write(file, "https://old.example", 0o644)
        assert login(shell, script(Answer()).url).code == 0
        assert TOKEN in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


class Test_the_file:
    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o777])
    def test_that_others_can_read_is_refused_with_what_closes_it(
        self, shell: Caller, script: Serve, file: Path, mode: int
    ) -> None:
        server = script()
        write(file, server.url, mode)
        said = shell("list")
        assert (said.code, server.asked) == (2, [])
        assert said.err.rstrip().endswith(f"chmod 600 {file}")

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_of_ones_own_is_read(self, shell: Caller, script: Serve, file: Path, mode: int) -> None:
        server = script(Answer())
        write(file, server.url, mode)
        assert shell("show", "app", "--json").code == 0

    @pytest.mark.parametrize("text", ["url = ", "\xff", "[", "token = 7"])
    def test_that_nobody_understands_is_told(self, shell: Caller, file: Path, text: str) -> None:
        write(file, "x")
        file.write_bytes(text.encode("latin-1"))
        assert shell("list").code == 2

    def test_is_where_xdg_says(self, shell: Caller, script: Serve, tmp_path: Path) -> None:
        folder = tmp_path / "elsewhere" / "drydock"
        folder.mkdir(parents=True)
        server = script(Answer())
        write(folder / "config.toml", server.url)
        assert shell("show", "app", "--json", XDG_CONFIG_HOME=str(folder.parent)).code == 0


class Test_the_environment:
    def test_comes_first(self, shell: Caller, script: Serve, file: Path) -> None:
        kept, given = script(), script(Answer())
        write(file, kept.url)
        assert shell("show", "app", "--json", DRYDOCK_URL=given.url, DRYDOCK_TOKEN=OTHER).code == 0
        assert given.asked[0].headers["authorization"] == f"Bearer {OTHER}"

    def test_may_give_the_token_alone(self, shell: Caller, script: Serve, file: Path) -> None:
        server = script(Answer())
        write(file, server.url)
        assert shell("show", "app", "--json", DRYDOCK_TOKEN=OTHER).code == 0
        assert server.asked[0].headers["authorization"] == f"Bearer {OTHER}"

    def test_does_not_have_the_token_of_the_file_sent_to_another_server(
        self, shell: Caller, script: Serve, file: Path
    ) -> None:
        kept, other = script(Answer()), script()
        write(file, kept.url)
        said = shell("list", DRYDOCK_URL=other.url)
        assert (said.code, other.asked) == (2, [])
        assert f"There is no token for {other.url}" in said.err
        assert shell("show", "app", "--json", DRYDOCK_URL=f"{kept.url}/").code == 0

    def test_of_neither_says_what_to_do(self, shell: Caller) -> None:
        said = shell("list")
        assert said.code == 2
        assert "drydock login URL" in said.err


@pytest.mark.parametrize(
    "url",
    [
        "http://drydock.example.com",
        "http://10.0.0.7:8000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "https://olga:secret@drydock.example.com",
        "ftp://drydock.example.com",
        "drydock.example.com",
        "https://",
        "https://drydock.example.com/?a=b",
        "https://[::1",
    ],
)
def test_a_token_is_not_sent_to_what_is_no_safe_address(shell: Caller, url: str) -> None:
    said = shell("list", DRYDOCK_URL=url, DRYDOCK_TOKEN=TOKEN)
    assert said.code == 2
    assert "secret" not in said.err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9", "drydock.localhost"])
def test_what_does_not_leave_this_machine_need_not_be_encrypted(shell: Caller, host: str) -> None:
    said = shell("list", DRYDOCK_URL=f"http://{host}:1", DRYDOCK_TOKEN="bad token")
    assert "not_encrypted" not in said.err
