"""What others start Drydock by: docker-compose.yml as Debian's docker-compose reads it, and the systemd unit."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboard.env import ROOT, Environment, read
from dashboard.serving.programs import of_procfile
from tests import packages
from tests.serving.test_address import web_server

MINUTE = 60


def composed(folder: Path, **settings: str) -> dict[str, Any]:
    """What docker-compose makes of the file and of .env.example, filled in with these."""
    shutil.copy(ROOT / "docker-compose.yml", folder)
    example = (ROOT / ".env.example").read_text()
    for name, value in {"POSTGRES_PASSWORD": "s3cret", **settings}.items():
        example, found = re.subn(rf"^{name}=.*$", f"{name}={value}", example, flags=re.MULTILINE)
        assert found == 1, f"{name} is not in .env.example"
    (folder / ".env").write_text(example)
    command = [packages.require("docker-compose"), "config"]
    answer = subprocess.run(command, cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    return dict(yaml.safe_load(answer.stdout))


def environment(composition: dict[str, Any], folder: Path) -> Environment:
    """What the web server reads in there."""
    given = {name: str(value or "") for name, value in composition["services"]["web"]["environment"].items()}
    return read({**given, "DRYDOCK_DATA_DIR": str(folder / "data")})


def test_compose_has_every_process_of_the_procfile(tmp_path: Path) -> None:
    services = composed(tmp_path)["services"]
    programs = {program.name: program for program in of_procfile()}
    assert set(services) == {*programs, "postgres", "valkey"}
    for name in ("changes", "reading", "invocations", "tick"):
        assert services[name]["command"] == programs[name].command


def test_its_volumes_have_names_of_their_own(tmp_path: Path) -> None:
    volumes = composed(tmp_path)["volumes"]
    assert {name: volume["name"] for name, volume in volumes.items()} == {
        "data": "drydock_data",
        "postgres": "drydock_postgres",
        "valkey": "drydock_valkey",
    }


def test_as_it_comes_it_is_for_this_machine(tmp_path: Path) -> None:
    composition = composed(tmp_path)
    read_there = environment(composition, tmp_path)
    assert composition["services"]["web"]["ports"] == ["127.0.0.1:8000:8000/tcp"]
    assert (read_there.https, read_there.allowed_hosts) == (False, ("localhost", "127.0.0.1", "[::1]"))
    assert read_there.database_url == "postgres://drydock:s3cret@postgres:5432/drydock"


def test_one_line_puts_it_behind_a_proxy(tmp_path: Path) -> None:
    composition = composed(tmp_path, DRYDOCK_TRUSTED_ORIGINS="https://drydock.example.com")
    read_there = environment(composition, tmp_path)
    assert read_there.https
    assert read_there.trusted_origins == ("https://drydock.example.com",)
    assert "drydock.example.com" in read_there.allowed_hosts
    trusted = composition["services"]["web"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert trusted == "127.0.0.1,172.16.0.0/12"  # the gateways of Docker's own networks


def test_a_proxy_elsewhere_is_named(tmp_path: Path) -> None:
    services = composed(tmp_path, FORWARDED_ALLOW_IPS="10.1.2.3")["services"]
    assert services["web"]["environment"]["FORWARDED_ALLOW_IPS"] == "10.1.2.3"


@pytest.fixture
def unit() -> configparser.SectionProxy:
    """The unit's section of the service."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment]  # systemd minds capitals
    parser.read(ROOT / "docs" / "drydock.service")
    return parser["Service"]


def test_the_unit_starts_the_command_that_serves(unit: configparser.SectionProxy) -> None:
    assert unit["ExecStart"].endswith("/.venv/bin/python manage.py serve")
    assert (ROOT / "functions_app" / "management" / "commands" / "serve.py").exists()
    assert (unit["UMask"], unit["StateDirectoryMode"]) == ("0077", "0700")


def test_the_unit_waits_longer_than_drydock_does(unit: configparser.SectionProxy) -> None:
    longest = max(program.patience for program in of_procfile())
    assert int(unit["TimeoutStopSec"].removesuffix("min")) * MINUTE > longest
    assert unit["KillMode"] == "mixed"  # SIGTERM is for the one that tells the others


def test_the_check_of_the_web_servers_health_asks_no_proxy_that_leads_to_aws(tmp_path: Path) -> None:
    check = composed(tmp_path)["services"]["web"]["healthcheck"]["test"]
    with web_server(200) as url:
        command = [sys.executable, *(word.replace("http://127.0.0.1:8000", url) for word in check[2:])]
        asked = subprocess.run(command, env={"http_proxy": "http://127.0.0.1:1"}, check=False)
    assert asked.returncode == 0
