"""The papers in docs/, whose commands are tried as they stand there."""

import re

from tests.processes import ROOT


def paper(name: str) -> str:
    """A paper's text."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(name: str, language: str, heading: str = "") -> list[str]:
    """The blocks of a language in a paper: those beneath a heading, or all."""
    text = paper(name)
    if heading:
        text = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
