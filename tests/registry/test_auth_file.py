"""Logins from a docker config.json: every form that docker and podman write; errors that name the variable."""

import base64
import json
import os
from pathlib import Path

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.registry.auth import IdentityToken
from functions_app.registry.auth_file import FILE_LIMIT, VARIABLE, hosts, login_for

SECRET = "harbour-secret"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is; each test writes its own."""
    return tmp_path / "config.json"


def write(path: Path, **auths: object) -> str:
    path.write_text(json.dumps({"auths": {key.replace("__", "/"): entry for key, entry in auths.items()}}))
    return str(path)


def failure(path: Path | str, host: str = "ghcr.io") -> DrydockError:
    with pytest.raises(DrydockError) as caught:
        login_for(str(path), host)
    problem = caught.value.problem
    assert problem.code is Code.INVALID
    assert VARIABLE in problem.message
    assert SECRET not in str(problem.as_json())
    assert encoded(f"dockhand:{SECRET}") not in str(problem.as_json())
    return caught.value


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": encoded(f"dockhand:{SECRET}")},
        {"auth": encoded(f"dockhand:{SECRET}\0\0")},
        {"username": "dockhand", "password": SECRET},
    ],
)
def test_a_login_is_read_in_every_form(path: Path, entry: object) -> None:
    assert login_for(write(path, **{"ghcr.io": entry}), "ghcr.io") == Login("dockhand", SECRET)


def test_a_password_may_hold_colons(path: Path) -> None:
    file = write(path, **{"ghcr.io": {"auth": encoded("dockhand:a:b:c")}})

    assert login_for(file, "ghcr.io") == Login("dockhand", "a:b:c")


def test_an_identity_token_goes_before_the_user_beside_it(path: Path) -> None:
    entry = {"auth": encoded("00000000-0000-0000-0000-000000000000:"), "identitytoken": "long-lived"}

    assert login_for(write(path, **{"corp.azurecr.io": entry}), "corp.azurecr.io") == IdentityToken("long-lived")


@pytest.mark.parametrize("key", ["docker.io", "https://index.docker.io/v1/", "registry-1.docker.io", "index.docker.io"])
def test_docker_hub_is_known_by_all_its_names(path: Path, key: str) -> None:
    file = write(path, **{key: {"username": "dockhand", "password": SECRET}})

    assert login_for(file, "docker.io") == Login("dockhand", SECRET)
    assert hosts(file) == {"docker.io"}


def test_a_port_belongs_to_the_host(path: Path) -> None:
    file = write(path, **{"https://registry.corp:5000": {"username": "dockhand", "password": SECRET}})

    assert login_for(file, "registry.corp:5000") == Login("dockhand", SECRET)
    assert login_for(file, "registry.corp") is None
    assert hosts(file) == {"registry.corp:5000"}


def test_a_host_that_is_not_there_has_no_login(path: Path) -> None:
    assert login_for(write(path), "ghcr.io") is None
    path.write_text('{"credsStore": "desktop"}')
    assert login_for(str(path), "ghcr.io") is None


def test_the_file_is_read_at_every_use(path: Path) -> None:
    file = write(path, **{"ghcr.io": {"username": "dockhand", "password": "old"}})
    assert login_for(file, "ghcr.io") == Login("dockhand", "old")

    write(path, **{"ghcr.io": {"username": "dockhand", "password": "new"}})
    assert login_for(file, "ghcr.io") == Login("dockhand", "new")


def test_an_entry_left_to_a_credential_helper_says_that_it_is_not_supported(path: Path) -> None:
    assert "credential helpers" in str(failure(write(path, **{"ghcr.io": {}})))


def test_a_login_for_a_part_of_a_host_says_that_it_is_not_supported(path: Path) -> None:
    file = write(path, **{"ghcr.io__team": {"auth": encoded(f"dockhand:{SECRET}")}})

    assert "for parts of ghcr.io" in str(failure(file))
    assert login_for(file, "quay.io") is None


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        {"auth": "not base64!"},
        {"auth": encoded("nobody")},
        {"auth": base64.b64encode(b"\xff\xfe:x").decode()},
        {"username": "dockhand"},
        {"auth": encoded(":" + SECRET)},
        {"username": 7, "password": SECRET},
    ],
)
def test_an_entry_that_is_no_login_is_told(path: Path, entry: object) -> None:
    failure(write(path, **{"ghcr.io": entry}))


@pytest.mark.parametrize(
    "text",
    ["", "[]", f"{{{SECRET}", '{"auths": []}', f'"{SECRET}"', "[" * 100_000, '{"auths": {"ghcr.io": "\xff"'],
)
def test_a_malformed_file_is_told_without_what_is_in_it(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))

    failure(path)


def test_a_file_that_cannot_be_read_is_told(path: Path, tmp_path: Path) -> None:
    assert "No such file" in str(failure(path))
    assert "not a file" in str(failure(tmp_path))
    assert "not a path" in str(failure("a\0b"))
    os.mkfifo(path)
    assert "not a file" in str(failure(path))


def test_a_huge_file_is_not_read(path: Path) -> None:
    path.write_bytes(b" " * (FILE_LIMIT + 1))

    assert "larger than" in str(failure(path))
