"""What a function's tags tell of it: its owner, and which tool deploys it."""

from collections.abc import Mapping

_OWNER_TAGS = ("owner", "Owner", "team", "Team")
_MANAGED_BY = (
    # The serverless framework and SAM deploy through CloudFormation, so theirs are looked for first.
    ("STAGE", "serverless"),
    ("serverless", "serverless"),
    ("serverless:service", "serverless"),
    ("terraform", "terraform"),
    ("Terraform", "terraform"),
    ("aws:cloudformation:stack-name", "cloudformation"),
)


def owner_of(tags: Mapping[str, str]) -> str:
    """Whose function it is, by its tags owner or team; "" where they do not tell."""
    return next((tags[name] for name in _OWNER_TAGS if tags.get(name)), "")


def managed_by(tags: Mapping[str, str]) -> str:
    """Who else deploys it: terraform, cloudformation, serverless, or "" where tags do not tell."""
    named = next((tags[name].lower() for name in ("managed-by", "ManagedBy", "managed_by") if tags.get(name)), "")
    for tool in ("terraform", "serverless", "cloudformation"):
        if tool in named:
            return tool
    return next((tool for name, tool in _MANAGED_BY if name in tags), "")
