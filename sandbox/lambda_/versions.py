"""Published versions: what $LATEST was at a moment, kept for ever under a number that is never used again.

moto ignores the guards of PublishVersion and gives a deleted version's number again; AWS checks CodeSha256 and
RevisionId, and uses no number twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.core.protocol import Call
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import PUBLISHED_LATEST, Function, Version, new_id, timestamp
from sandbox.lambda_.rest_service import LAMBDA, check_revision, check_settled, find_function, listing, page
from sandbox.lambda_.spaces import space


def publish(function: Function, description: str | None = None) -> Version:
    """Publish $LATEST, or give the last version when neither code nor settings have changed since. Needs the lock."""
    latest = function.latest
    numbered = [version for version in function.versions.values() if version.number != PUBLISHED_LATEST]
    last = numbered[-1] if numbered else None
    if last is not None and last.code == latest.code and _same_settings(last, latest):
        return last
    settings = latest.settings if description is None else replace(latest.settings, description=description)
    number = space(function.account, function.region).next_number(function.name)
    # A version published while $LATEST is created or updated can be invoked when that has ended.
    ready_at = max(latest.pending_until, latest.updating_until)
    version = Version(number, latest.code, settings, latest.modified, latest.condition, pending_until=ready_at)
    version.revision = version.settled_revision = new_id()
    function.versions[number] = version
    return version


def republish(function: Function) -> Version:
    """$LATEST.PUBLISHED, made anew from $LATEST: what unqualified calls of Managed Instances reach. Needs the lock.

    Source: "$LATEST.PUBLISHED version in Lambda Managed Instances", Lambda developer guide.
    """
    if not function.latest.settings.is_managed:
        raise invalid("PublishTo is supported for functions with a capacity provider only.")
    latest = function.latest
    ready_at = max(latest.pending_until, latest.updating_until)
    version = Version(PUBLISHED_LATEST, latest.code, latest.settings, timestamp(), pending_until=ready_at)
    function.versions[PUBLISHED_LATEST] = version
    return version


def _same_settings(last: Version, latest: Version) -> bool:
    # PublishVersion can give the version a description of its own, which is no change of the function.
    return replace(last.settings, description="") == replace(latest.settings, description="")


@LAMBDA.operation("PublishVersion")
def publish_version(call: Call) -> Mapping[str, Any]:
    """Publish $LATEST, guarded by CodeSha256 and RevisionId where they are given."""
    function = find_function(call)
    with function.lock:
        check_settled(function)
        check_revision(call.get("RevisionId"), function.latest.revision_id)
        wanted, current = call.get("CodeSha256"), function.latest.code.sha256
        if wanted not in (None, current):
            raise invalid(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({current}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        if call.get("PublishTo") == "LATEST_PUBLISHED":
            version = republish(function)
        else:
            version = publish(function, call.get("Description"))
        return function.configuration(version, version.number)


@LAMBDA.operation("ListVersionsByFunction")
def list_versions_by_function(call: Call) -> Mapping[str, Any]:
    """$LATEST, then the published versions in order; at most 50 a page."""
    function = find_function(call)
    versions, marker = page(call, function.all_versions(), lambda version: version.order)
    documents = [function.configuration(version, version.number, states=False) for version in versions]
    return listing("Versions", documents, marker)
