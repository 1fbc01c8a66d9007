"""moto is pinned exactly: the sandbox's corrections fit one version."""

from importlib.metadata import version
from pathlib import Path

from sandbox.core import pinned_moto
from tests.fixtures import ROOT
from tests.sandbox.serving import refused


def test_the_installed_moto_is_the_one_that_the_sandbox_corrects() -> None:
    found = version("moto")
    assert found == pinned_moto.MOTO, (
        f"moto {found} is installed, but the sandbox corrects {pinned_moto.MOTO}: "
        "pip install -r requirements-sandbox.txt, or look at every correction anew and move the pin in "
        "sandbox/core/pinned_moto.py and requirements-sandbox.txt"
    )


def test_the_requirements_ask_for_the_same_moto() -> None:
    assert f"moto=={pinned_moto.MOTO}" in (ROOT / "requirements-sandbox.txt").read_text().splitlines()


def test_the_sandbox_refuses_to_start_with_another_moto_and_names_both(tmp_path: Path) -> None:
    other = tmp_path / "moto-5.2.6.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: moto\nVersion: 5.2.6\n")
    said = refused(environment={"PYTHONPATH": str(tmp_path)})
    assert "moto 5.2.5" in said
    assert "5.2.6" in said
