"""Where long names go on in the next line."""

import pytest
from django.template import Context, Template
from django.utils.safestring import SafeString

from functions_app.web.html.breaks import breakable


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("public.ecr.aws/lambda/python:3.12", ["public.", "ecr.", "aws/", "lambda/", "python:3.12"]),
        ("arn:aws:iam::111111111111:role/x", ["arn:", "aws:", "iam::", "111111111111:", "role/", "x"]),
        ("https://git.example.com/orders", ["https://", "git.", "example.", "com/", "orders"]),
        ("orders@harbour.example", ["orders@", "harbour.", "example"]),
        ("shop/orders@sha256:4f2a1c9b0d3e is read", ["shop/", "orders@", "sha256:4f2a1c9b0d3e is read"]),
        ("/aws/lambda/orders-api", ["/aws/", "lambda/", "orders-api"]),
        ("Built on python:3.12.2026.10.27.13: stale", ["Built on python:3.12.2026.10.27.13: stale"]),
        ("aws:cloudformation:logical-id", ["aws:", "cloudformation:", "logical-id"]),
        ("Shift live to 8, 10 % first. Then wait.", ["Shift live to 8, 10 % first. Then wait."]),
    ],
)
def test_a_line_ends_behind_a_separator_and_within_no_word_nor_number(text: str, parts: list[str]) -> None:
    assert breakable(text) == "<wbr>".join(parts)


def test_what_others_named_is_escaped_and_the_breaks_are_not() -> None:
    page = Template("{% load drydock %}{{ name|breakable }}")
    assert page.render(Context({"name": "<b>/&lt;"})) == "&lt;b&gt;/&amp;lt;"
    assert page.render(Context({"name": "a/<b>"})) == "a/<wbr>&lt;b&gt;"


def test_what_is_markup_already_stays_as_it_is() -> None:
    assert breakable(SafeString('<a href="/runs/1/">a/b</a>')) == '<a href="/runs/1/">a/b</a>'
