"""What a function's tags tell of it: its owner, and which tool deploys it. Names of tags are read in any case."""

import re
from collections.abc import Iterator, Mapping

from functions_app.domain.text import storable

OWNER = ("owner", "team")
MANAGER = ("managedby", "managedwith", "provisioner", "provisionedby", "deployedby", "createdby", "iac")
_STACK = "aws:cloudformation:"
_STAGE = "STAGE"  # the Serverless Framework puts it on its functions, just so; others have a tag of that name too
TOOLS = {
    **{word: word for word in ("terraform", "terragrunt", "pulumi", "serverless", "cloudformation", "cdk", "sst")},
    **{
        word: word
        for word in ("chalice", "zappa", "crossplane", "ansible", "spacelift", "atlantis", "lambroll", "cdktf")
    },
    "opentofu": "opentofu",
    "tofu": "opentofu",
}
DENIED = ("false", "no", "none", "0")
_NO_WORD = re.compile(r"[\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OWN_NAME = re.compile(r"[:/.]")  # ansible-group may be anybody's, ansible:role is the tool's

_AWSS_OWN = "aws:"  # nobody may set one; mostly the names of stacks, each a function's own
LISTED = 400  # characters: AWS allows 128 and 256, and what can't be seen of them is written out


def listed_tags(tags: Mapping[str, str]) -> list[str]:
    """The tags that people set, as lists are filtered by them: team=red."""
    own = (f"{name}={value}" for name, value in tags.items() if not name.lower().startswith(_AWSS_OWN))
    return [storable(tag, LISTED) for tag in own]


def owner_of(tags: Mapping[str, str]) -> str:
    """Whose function it is, by its tags owner or team; "" where they do not tell."""
    return next((value for wanted in OWNER for name, value in tags.items() if name.lower() == wanted and value), "")


def managed_by(tags: Mapping[str, str]) -> str:
    """Who else deploys it (terraform, opentofu, pulumi, cloudformation, serverless ...), or "" where tags do not tell.

    A tag that says so comes first, then one that is a tool's own, and CloudFormation's last: others deploy through it.
    """
    if tool := next(_named(tags), "") or next(_own(tags), ""):
        return tool
    if any(name.lower().startswith(_STACK) for name in tags):
        return "serverless" if _STAGE in tags else "cloudformation"
    return ""


def _named(tags: Mapping[str, str]) -> Iterator[str]:
    """The tools that a tag names as the manager."""
    for wanted in MANAGER:
        for name, value in tags.items():
            if _NO_WORD.sub("", name.lower()) == wanted:
                yield from (TOOLS[word] for word in _words(value) if word in TOOLS)


def _own(tags: Mapping[str, str]) -> Iterator[str]:
    """The tools whose own tag there is: terraform, serverless:service; terraform=false says the contrary."""
    for name, value in tags.items():
        first = _OWN_NAME.split(name.lower())[0]
        if first in TOOLS and value.strip().lower() not in DENIED:
            yield TOOLS[first]


def _words(text: str) -> Iterator[str]:
    """The words of a value, whole; without a version behind them, and the parts of TerraformCloud too."""
    for word in _NO_WORD.split(text):
        yield word.lower().rstrip("0123456789")
        yield from (part.lower() for part in _HUMP.split(word))
