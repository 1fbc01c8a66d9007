"""The line of other tools' code that has a function's image."""

import pytest

from functions_app.domain.changes.deploying_tools import tools_line
from functions_app.domain.fleet.tags import TOOLS, managed_by
from tests.factories import digest

IMAGE = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/app@{digest('new')}"


@pytest.mark.parametrize(
    ("tags", "line"),
    [
        ({"ManagedBy": "Terraform"}, f'image_uri = "{IMAGE}"'),
        ({"ManagedBy": "OpenTofu"}, f'image_uri = "{IMAGE}"'),
        ({"aws:cloudformation:stack-name": "app"}, f"ImageUri: {IMAGE}"),
        ({"managed-by": "cdk"}, f'code: DockerImageCode.fromEcr(repository, {{ tagOrDigest: "{digest("new")}" }}),'),
        ({"aws:cloudformation:stack-name": "app", "STAGE": "prod"}, f"image: {IMAGE}"),
        ({"managed-by": "pulumi"}, f'imageUri: "{IMAGE}",'),
        ({"managed-by": "lambroll"}, f'"Code": {{ "ImageUri": "{IMAGE}" }},'),
    ],
)
def test_each_tool_has_a_line_of_its_own(tags: dict[str, str], line: str) -> None:
    found = tools_line(managed_by(tags), IMAGE)
    assert found is not None
    assert found.line == line


def test_whom_nobody_manages_needs_no_line() -> None:
    assert tools_line("", IMAGE) is None


@pytest.mark.parametrize("tool", sorted({*TOOLS.values(), "a tool of tomorrow"}))
def test_every_tool_is_named_whether_its_line_is_known_or_not(tool: str) -> None:
    found = tools_line(tool, IMAGE)
    assert found is not None
    assert found.tool == tool
    assert not found.line or digest("new") in found.line
