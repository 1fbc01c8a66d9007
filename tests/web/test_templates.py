"""What holds for every template: short lines, short files, nothing inline, and no name that leads nowhere."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from functions_app.web.people.last_seen import BY_ITSELF

ROOT = Path(settings.BASE_DIR)
HOME = ROOT / "templates"
TEMPLATES = sorted(path.relative_to(HOME).as_posix() for path in HOME.rglob("*.html"))
WIDTH, HEIGHT = 160, 150
NAMED = re.compile(r"""\{% (?:include|extends) ["']([^"']+)["']""")
CHOSEN = re.compile(r"[\w/]+\.html(?=$|#)")  # with the part that is drawn alone behind a #
INLINE = {
    "a style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a handler": re.compile(r"\s(on[a-z]+|hx-on[\w:-]*)\s*=", re.IGNORECASE),
    "a style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "a script": re.compile(r"<script\b(?:(?![^>]*\bsrc=)|[^>]*>\s*[^\s<])", re.IGNORECASE),
    "an address that is a script": re.compile(r"""=\s*["']\s*javascript:""", re.IGNORECASE),
}


def text_of(name: str) -> str:
    """A template as it is written."""
    return (HOME / name).read_text()


def named_by_templates() -> set[str]:
    """Every template that another includes or extends."""
    return {found for name in TEMPLATES for found in NAMED.findall(text_of(name))}


def named_by_code() -> set[str]:
    """Every template that a text in the code names."""
    files = [path for room in ("functions_app", "dashboard") for path in (ROOT / room).rglob("*.py")]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text())))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {found[0] for text in texts if (found := CHOSEN.match(text))}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_line_is_too_long_to_read(name: str) -> None:
    long = [number for number, line in enumerate(text_of(name).splitlines(), 1) if len(line) > WIDTH]
    assert long == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_is_too_long_to_read(name: str) -> None:
    assert len(text_of(name).splitlines()) <= HEIGHT


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_stands_inline_that_the_content_security_policy_forbids(name: str) -> None:
    text = text_of(name)
    assert [what for what, sign in INLINE.items() if sign.search(text)] == []


@pytest.mark.parametrize(
    ("what", "markup"),
    [
        ("a style", '<p class="sub" style="color: red">'),
        ("a handler", '<a href="/"\n   onclick="go()">'),
        ("a handler", '<a hx-on:click="go()">'),
        ("a style sheet", "<style>p { color: red }</style>"),
        ("a script", '<script type="module">go()</script>'),
        ("a script", '<script src="/static/app.js">go()</script>'),
        ("an address that is a script", '<a href="javascript:go()">'),
    ],
)
def test_what_is_forbidden_would_be_seen(what: str, markup: str) -> None:
    assert INLINE[what].search(markup)


def test_a_script_of_its_own_file_is_allowed() -> None:
    assert not INLINE["a script"].search('<script src="/static/app.js" defer></script>')


def test_every_template_that_is_named_is_there() -> None:
    assert (named_by_templates() | named_by_code()) - set(TEMPLATES) == set()


def test_every_template_is_used() -> None:
    assert set(TEMPLATES) - named_by_templates() - named_by_code() == set()


def test_no_two_stylesheets_give_one_class_its_looks() -> None:
    sheets: dict[str, set[str]] = {}
    for sheet in sorted((ROOT / "static").glob("*.css")):
        for name in re.findall(r"(?:^|[},])\s*(\.[a-z-]+)\s*(?=[{,])", sheet.read_text(encoding="utf-8"), re.MULTILINE):
            sheets.setdefault(name, set()).add(sheet.name)
    assert {name: found for name, found in sheets.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_asks_by_itself_says_so_or_it_would_keep_somebodys_session_alive(name: str) -> None:
    asking = re.findall(r"hx-trigger=\"[^\"]*\bevery \d[^>]*", text_of(name))
    assert [each for each in asking if f'"{BY_ITSELF}": "true"' not in each] == []
