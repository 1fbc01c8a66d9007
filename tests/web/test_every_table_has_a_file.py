"""A list that a page shows as a table is to be had whole, as CSV and JSON; a table without a file says why."""

import re
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

HOME = Path(settings.BASE_DIR) / "templates"
TABLE = re.compile(r"<table\b")
FILES = re.compile(r"""_tables\.html["']|url ["'][\w-]+-csv["']""")  # the links to a list's files

# A part of a page whose files the page itself leads to.
ON_ITS_PAGE: Mapping[str, str] = {
    "bases/_releases.html": "bases/detail.html",
    "doctor/_findings.html": "doctor/doctor.html",
}
OF_A_FORM = "choices of a form, each with its button"
OF_A_PLAN = "what one plan changes, from and to: /plans/ID tells it"
OF_AN_IMAGE = "facts of one image: /images/ID and /images/ID/files tell them"
OF_TWO = "what differs between two releases or images: /bases/ID/comparison and /images/ID/comparison tell it"
# Tables that have no file of their own, each with the reason.
WITHOUT: Mapping[str, str] = {
    "bases/_groups.html": "sums of those who run a base, who are a file",
    "bases/_radius.html": "the few golden images on a base, each a base of its own in their list",
    "bases/list.html": "bases in use and the others are one file",
    "comparisons/_config.html": OF_TWO,
    "comparisons/_files.html": OF_TWO,
    "comparisons/_packages.html": OF_TWO,
    "deployments/_choices.html": OF_A_FORM,
    "deployments/_judgement.html": OF_A_PLAN,
    "deployments/_rollback_rows.html": OF_A_FORM,
    "functions/_start.html": "settings of one version: /functions/NAME/configuration tells them",
    "functions/_triggers.html": "what calls one function: /functions/NAME/triggers tells it",
    "functions/activity.html": "its runs and its audit are lists of their own (function=); moves are a file",
    "images/_contents.html": OF_AN_IMAGE,
    "images/_layers.html": OF_AN_IMAGE,
    "images/_scan.html": "counts of findings, which are a file",
    "images/_scan_pair.html": OF_TWO,
    "images/_tags.html": OF_AN_IMAGE,
    "overview/_burn_down.html": "the numbers that a chart draws, a row a day",
    "patches/_golden.html": OF_A_PLAN,
    "patches/_latest.html": OF_A_PLAN,
    "patches/_packages.html": OF_A_PLAN,
    "patches/plan.html": OF_A_PLAN,
    "repositories/_forecast.html": "what ECR's preview names: /repositories/ID/forecast; live ones: /at-risk, a file",
    "styleguide/styleguide.html": "a sample",
}


def text_of(name: str) -> str:
    """A template as it is written."""
    return (HOME / name).read_text(encoding="utf-8")


def short_of_files() -> set[str]:
    """The templates that have more tables than links to files."""
    names = [path.relative_to(HOME).as_posix() for path in HOME.rglob("*.html")]
    return {name for name in names if len(TABLE.findall(text_of(name))) > len(FILES.findall(text_of(name)))}


def test_every_table_of_a_page_has_a_file_or_says_why_not() -> None:
    assert sorted(short_of_files() - set(WITHOUT) - set(ON_ITS_PAGE)) == []


def test_a_page_leads_to_the_files_of_its_parts() -> None:
    assert [page for page in ON_ITS_PAGE.values() if not FILES.search(text_of(page))] == []


def test_no_row_is_left_over() -> None:
    assert sorted((set(WITHOUT) | set(ON_ITS_PAGE)) - short_of_files()) == []
