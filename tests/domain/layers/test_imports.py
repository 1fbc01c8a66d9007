"""Modules that code imports: statements of Python and Node, and what only looks like one."""

import pytest

from functions_app.domain.layers.imports import source_reader_of


def modules(path: str, text: str) -> set[str]:
    reader = source_reader_of(path)
    assert reader
    return set(reader.modules(text.encode()))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("import boto3", {"boto3"}),
        ("import os.path", {"os"}),
        ("import urllib3 as web, json, a.b.c as d", {"urllib3", "json", "a"}),
        ("from botocore.config import Config", {"botocore"}),
        ("from six import (\n    moves,\n)", {"six"}),
        ("    import late", {"late"}),
        ("\tfrom late import x", {"late"}),
        ("import first; import second", {"first"}),
        ("import one  # import two", {"one"}),
        ("from . import sibling", set()),
        ("from .sibling import x", set()),
        ("important = 1", set()),
        ("# import comment", set()),
        ("x = 'import text'", set()),
        ("import " + "a" * 5_000, set()),
        ("import größe", set()),
        ("from größe import x", set()),
    ],
)
def test_statements_of_python_name_modules(line: str, names: set[str]) -> None:
    assert modules("var/task/app.py", f"x = 1\n{line}\r\ny = 2\n") == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("const s3 = require('@aws-sdk/client-s3');", {"@aws-sdk/client-s3"}),
        ('require( "sharp/lib/x.js" )', {"sharp"}),
        ("import sharp from 'sharp'", {"sharp"}),
        ('import{a as b}from"lodash/fp";', {"lodash"}),
        ("import 'source-map-support/register'", {"source-map-support"}),
        ("await import('uuid')", {"uuid"}),
        ("export * from 'late'", {"late"}),
        ("require('./own'); require('../own'); require('/var/x')", set()),
        ("require(name); from(x); important('y')", set()),
        ("require('a\")", set()),
    ],
)
@pytest.mark.parametrize("suffix", ["js", "mjs", "cjs"])
def test_statements_of_node_name_packages(text: str, names: set[str], suffix: str) -> None:
    assert modules(f"var/task/index.{suffix}", f"'use strict';{text}\n") == names


@pytest.mark.parametrize(
    "path",
    ["var/task/app.py", "app/main.py", "usr/src/app/index.js", "usr/app/x.mjs", "opt/python/x.py", "library/x.py"],
)
def test_code_is_read_where_people_put_theirs(path: str) -> None:
    assert source_reader_of(path)


@pytest.mark.parametrize(
    "path",
    [
        "var/lang/lib/python3.12/os.py",
        "var/runtime/index.mjs",
        "usr/lib/python3/dist-packages/x.py",
        "usr/local/lib/python3.12/site-packages/x.py",
        "lib/x.py",
        "var/task/app.pyc",
        "var/task/data.json",
        "py",
    ],
)
def test_neither_a_distributions_nor_a_runtimes_code_is_read_nor_what_is_none(path: str) -> None:
    assert source_reader_of(path) is None
