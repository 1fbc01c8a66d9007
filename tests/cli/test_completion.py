"""Completion of verbs and options, by the shells themselves."""

import subprocess
from pathlib import Path

import pytest

from drydock_cli.table import VERBS
from tests import packages
from tests.cli.calling import Caller


@pytest.fixture
def bash(tmp_path: Path) -> Path:
    """What `drydock completion bash` writes."""
    return written("bash", tmp_path)


def written(shell: str, folder: Path) -> Path:
    said = Caller({"HOME": str(folder)})("completion", shell)
    assert (said.code, said.err) == (0, "")
    (folder / "completion").write_text(said.out)
    return folder / "completion"


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    line = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _drydock; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "--norc", "-uc", line, "bash", str(script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_bash_offers_the_verbs(bash: Path) -> None:
    assert completed(bash, "drydock", "") == [verb.name for verb in VERBS]
    assert completed(bash, "drydock", "st") == ["stale", "status"]


def test_bash_offers_the_options_of_a_verb(bash: Path) -> None:
    assert completed(bash, "drydock", "deploy", "app", "--d") == ["--dry-run"]
    assert completed(bash, "drydock", "show", "--") == ["--json"]
    assert completed(bash, "drydock", "nothing", "--") == []


def test_zsh_offers_verbs_with_what_they_do_and_options(tmp_path: Path) -> None:
    script = written("zsh", tmp_path)
    line = (
        "autoload -Uz compinit; compinit -D -u; source $1; print -- $_comps[drydock];"
        "_describe() { print -rl -- ${(P)2} };"
        "words=(drydock ''); CURRENT=2; _drydock; words=(drydock logs ''); CURRENT=3; _drydock"
    )
    command = [packages.require("zsh"), "-fec", line, "zsh", str(script)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[0] == "_drydock"
    assert told[1 : 1 + len(VERBS)] == [f"{verb.name}:{verb.about}" for verb in VERBS]
    assert [each.partition(":")[0] for each in told[1 + len(VERBS) :]] == ["--wait", "--after", "--json"]


def test_another_shell_is_told_for_which_there_is_one(tmp_path: Path) -> None:
    said = Caller({"HOME": str(tmp_path)})("completion", "fish")
    assert (said.code, "For bash, zsh." in said.err) == (2, True)
