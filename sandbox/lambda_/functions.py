"""Functions: create, read, list, update, delete, tag.

moto's functions are Active at once and have no RevisionId; AWS's are Pending first, refuse changes while one is in
progress, and get a new RevisionId with every change.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.clock import CLOCK
from sandbox.core.protocol import Call, Reply
from sandbox.lambda_ import image_rules
from sandbox.lambda_.configuration import changed
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import ACTIVE, LATEST, SUCCESSFUL, Function, Settings, Version, new_id
from sandbox.lambda_.rest_service import (
    LAMBDA,
    PAGE,
    check_revision,
    check_settled,
    conflict,
    find_function,
    find_target,
    listing,
    not_found,
    read_marker,
    split_name,
    write_marker,
)
from sandbox.lambda_.runtime.pool import ENVIRONMENTS
from sandbox.lambda_.spaces import space
from sandbox.lambda_.versions import publish

_ZIP_ONLY = ("Runtime", "Handler", "Layers")


@LAMBDA.operation("CreateFunction")
def create_function(call: Call) -> Mapping[str, Any]:
    """A new function from an image: Pending first, Active after CLOCK.create."""
    name, _ = split_name(call)
    here = space(call.account, call.region)
    if call.get("PackageType", "Zip") != "Image":
        raise invalid("The sandbox runs functions of PackageType Image only.")
    if zip_only := [field for field in _ZIP_ONLY if call.get(field)]:
        raise invalid(f"Please don't provide {', '.join(zip_only)} when the intended function PackageType is Image.")
    uri = call["Code"].get("ImageUri")
    if not uri:
        raise invalid("Please provide ImageUri when the intended function PackageType is Image.")
    architecture = call.get("Architectures", ["x86_64"])[0]
    settings = changed(Settings(call["Role"], architecture), call.parameters)
    with here.lock:
        if name in here.functions:
            raise conflict(f"Function already exist: {name}")
        code = image_rules.resolve(uri, call.account, call.region, architecture, name)
        latest = Version(LATEST, code, settings, pending_until=time.monotonic() + CLOCK.create)
        function = Function(call.account, call.region, name, latest, tags=dict(call.get("Tags", {})))
        here.add(function)
    # As measured on AWS, CreateFunction with Publish gives the version's number under an unqualified ARN.
    return function.configuration(publish(function) if call.get("Publish") else latest)


@LAMBDA.operation("GetFunction")
def get_function(call: Call) -> Mapping[str, Any]:
    """Configuration, code, tags and reserved concurrency."""
    target = find_target(call)
    function = target.function
    errors = function.errors
    document: dict[str, Any] = {
        "Configuration": function.configuration(target.version, target.qualifier),
        "Code": {"Error": dict(errors["Code"])} if "Code" in errors else target.version.code.document(),
    }
    if "TagsError" in errors:
        document["TagsError"] = dict(errors["TagsError"])
    elif function.tags:
        document["Tags"] = dict(function.tags)
    if function.reserved is not None:
        document["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
    return document


@LAMBDA.operation("GetFunctionConfiguration")
def get_function_configuration(call: Call) -> Mapping[str, Any]:
    """The configuration of a version."""
    target = find_target(call)
    return target.function.configuration(target.version, target.qualifier)


@LAMBDA.operation("ListFunctions")
def list_functions(call: Call) -> Mapping[str, Any]:
    """Functions by name, or with FunctionVersion=ALL every version of each; at most 50 a page."""
    here = space(call.account, call.region)
    every = call.get("FunctionVersion") == "ALL"
    name, position = read_marker(call) or ["", -1]
    size = min(call.get("MaxItems", PAGE), PAGE)
    found: list[dict[str, Any]] = []
    last: list[Any] = []
    # The first may be on the page before already, and one more tells that there is a next page.
    for function in here.functions_from(name, size + 2):
        for version in function.all_versions() if every else [function.latest]:
            if (function.name, version.order) <= (name, position):
                continue
            if len(found) == size:
                return listing("Functions", found, write_marker(last))
            last = [function.name, version.order]
            found.append(function.configuration(version, version.number if every else None, states=False))
    return listing("Functions", found, None)


@LAMBDA.operation("UpdateFunctionCode")
def update_function_code(call: Call) -> Mapping[str, Any]:
    """Point $LATEST to another image. With DryRun nothing changes; with Publish the new version is returned."""
    function = find_function(call)
    with function.lock:
        check_settled(function)
        check_revision(call.get("RevisionId"), function.latest.revision_id)
        if not call.get("ImageUri"):
            raise invalid("Please provide ImageUri when updating a function with packageType Image.")
        latest = function.latest
        architecture = call.get("Architectures", [latest.settings.architecture])[0]
        code = image_rules.resolve(call["ImageUri"], call.account, call.region, architecture, function.name)
        settings = replace(latest.settings, architecture=architecture)
        if call.get("DryRun"):
            return function.configuration(replace(latest, code=code, settings=settings))
        latest.code, latest.settings = code, settings
        _start_update(latest)
        if not call.get("Publish"):
            return function.configuration(latest)
        version = publish(function)
        return function.configuration(version, version.number)


@LAMBDA.operation("UpdateFunctionConfiguration")
def update_function_configuration(call: Call) -> Mapping[str, Any]:
    """Change the settings of $LATEST; the image stays what it was."""
    function = find_function(call)
    with function.lock:
        check_settled(function)
        check_revision(call.get("RevisionId"), function.latest.revision_id)
        if zip_only := [field for field in _ZIP_ONLY if call.get(field)]:
            raise invalid(f"Please don't provide {', '.join(zip_only)} when the function's PackageType is Image.")
        function.latest.settings = changed(function.latest.settings, call.parameters)
        _start_update(function.latest)
        return function.configuration(function.latest)


def _start_update(latest: Version) -> None:
    ENVIRONMENTS.retire(latest.generation)
    latest.generation = new_id()
    latest.condition, latest.update, latest.pending_until = ACTIVE, SUCCESSFUL, 0.0
    latest.updating_until = time.monotonic() + CLOCK.update
    latest.touch()


@LAMBDA.operation("DeleteFunction")
def delete_function(call: Call) -> Mapping[str, Any] | Reply:
    """A function with all versions and aliases, or one version that no alias needs."""
    function = find_function(call)
    _, qualifier = split_name(call)
    with function.lock:
        if qualifier is None:
            space(call.account, call.region).remove(function.name)
            for version in function.all_versions():
                ENVIRONMENTS.retire(version.generation)
            return Reply(204)
        if not re.fullmatch(r"\d+", qualifier):
            raise invalid("$LATEST version and aliases cannot be deleted with DeleteFunction.")
        version = find_target(call).version
        users = [alias.name for alias in function.aliases.values() if qualifier in alias.versions]
        if users:
            raise conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]")
        del function.versions[qualifier]
        function.provisioned.pop(qualifier, None)
        ENVIRONMENTS.retire(version.generation)
    return Reply(204)


def _tagged(call: Call) -> Function:
    name, qualifier = split_name(call, "Resource")
    function = space(call.account, call.region).functions.get(name)
    if function is None or qualifier:
        raise not_found(f"The resource does not exist or cannot be tagged: {call['Resource']}")
    return function


@LAMBDA.operation("ListTags")
def list_tags(call: Call) -> Mapping[str, Any]:
    """The tags of a function, by its ARN."""
    return {"Tags": dict(_tagged(call).tags)}


@LAMBDA.operation("TagResource")
def tag_resource(call: Call) -> None:
    """Add tags to a function."""
    _tagged(call).tags.update(call["Tags"])


@LAMBDA.operation("UntagResource")
def untag_resource(call: Call) -> None:
    """Take tags from a function."""
    function = _tagged(call)
    for key in call["TagKeys"]:
        function.tags.pop(key, None)
