"""Whose a log stream is: Lambda writes the version into its name, and the function's into that of a shared group."""

import re
from collections.abc import Collection

# 2026/05/04/[3]0f1e… in the function's own group, 2026/05/04/orders[3]0f1e… in one that was chosen for it.
_NAME = re.compile(r"\d{4}/\d\d/\d\d/(?P<function>[\w-]*)\[(?P<version>[^\]]+)\]")


def may_be_written_by(stream: str, group: str, function: str, versions: Collection[str]) -> bool:
    """Whether the stream may be one of these versions of the function. A name in a form of its own tells nothing."""
    match = _NAME.match(stream)
    if match is None:
        return True
    # Without a name it is the stream of the function after which Lambda names the group.
    name = match["function"] or group.removeprefix("/aws/lambda/")
    return name == function and (not versions or match["version"] in versions)
