"""The map is kept true: every path that the documents name exists."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import JSONField

ROOT = Path(settings.BASE_DIR)
PAPERS = [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PATH = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?)`")
QUERIES = {"filter", "exclude", "get", "Q", "When"}
ROW = re.compile(r"^\| (?P<behaviour>[^|]+) \| `(?P<path>[^`]+)` \|$", re.MULTILINE)


def there(path: str) -> bool:
    """Whether it exists, from the root or within the product."""
    return (ROOT / path).exists() or (ROOT / "functions_app" / path).exists()


def behaviours() -> dict[str, str]:
    """The table "Where to find it": behaviour and file."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    part = text.partition("## Where to find it")[2].partition("\n## ")[0]
    return {row["behaviour"]: row["path"] for row in ROW.finditer(part)}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_path_in_the_documents_exists(paper: Path) -> None:
    named = PATH.findall(paper.read_text(encoding="utf-8"))

    assert [path for path in named if not there(path)] == []


def test_the_table_of_behaviours_names_thirty_files_that_exist() -> None:
    table = behaviours()

    assert len(table) >= 30
    assert [path for path in table.values() if not there(path)] == []


def test_no_query_asks_a_json_column_for_none() -> None:
    """`column=None` asks for JSON's null, which no row has: empty columns are SQL's NULL, `column__isnull=True`."""
    json = {field.name for model in apps.get_models() for field in model._meta.fields if isinstance(field, JSONField)}
    asked = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / "functions_app").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in QUERIES
        for word in call.keywords
        if word.arg and word.arg.rpartition("__")[2] in json
        if isinstance(word.value, ast.Constant) and word.value.value is None
    ]

    assert json >= {"problem", "layers"}
    assert asked == []


def test_how_many_there_are_of_a_thing_is_said_by_one_rule() -> None:
    """An ending put behind a number by hand was wrong at none here and there: `domain.text.counted` knows."""
    by_hand = re.compile(r"""\{(['"])(?:e?s)?\1 if [^}]+ else (['"])(?:e?s)?\2\}""")
    rooms = [ROOT / "functions_app" / room for room in ("web", "api", "services", "streams", "aws")]
    found = [
        str(path.relative_to(ROOT)) for room in rooms for path in room.rglob("*.py") if by_hand.search(path.read_text())
    ]

    assert found == []
