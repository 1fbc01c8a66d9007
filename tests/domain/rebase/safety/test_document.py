"""The manual explains each rule, and none that is not one."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from functions_app.domain.rebase.safety.findings import DOCUMENT, RULES, Level

TEXT = (Path(settings.BASE_DIR) / DOCUMENT).read_text(encoding="utf-8")
RULE = re.compile(
    r"^### (?P<code>[a-z-]+)\n\n\*\*(?P<level>[A-Z]+)\.\*\* (?P<text>.+?)(?=\n#|\Z)", re.MULTILINE | re.DOTALL
)
EXPLAINED = {match["code"]: match for match in RULE.finditer(TEXT)}


def test_the_manual_explains_every_rule_and_no_other_in_their_order() -> None:
    assert list(EXPLAINED) == list(RULES)


@pytest.mark.parametrize("code", RULES)
def test_the_manual_gives_a_rule_its_level_and_its_sentence(code: str) -> None:
    rule, explained = RULES[code], EXPLAINED[code]

    assert Level[explained["level"]] == rule.level
    assert " ".join(explained["text"].split()).startswith(rule.sentence)


@pytest.mark.parametrize("code", RULES)
def test_the_manual_says_what_to_do(code: str) -> None:
    assert "**What to do:**" in EXPLAINED[code]["text"]
