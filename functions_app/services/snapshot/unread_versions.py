"""Why the state of a version, and what it was deployed by, are not known: never told as if all were well."""

from functions_app.domain.errors import Problem
from functions_app.models import Version

NOT_NAMED = "Not read: no alias names this version."
NOT_YET = "Not known yet: neither state nor image URI of this version was read; the next sync reads them."
NO_URI = "Not known: AWS did not tell which image URI this version was deployed by."


def unread_reason(version: Version, *, named: bool = True) -> str:
    """The sentence; "" where they are known, though the last reading of them may have failed."""
    if version.detailed_at is not None and version.image_uri:
        return ""
    if version.detail_problem:
        return f"Not known: {Problem.from_json(version.detail_problem).message}"
    if version.detailed_at is not None:
        return NO_URI
    return NOT_YET if named else NOT_NAMED
