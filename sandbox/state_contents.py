"""What `--state DIR` keeps of the account, as plain copies: Lambda, ECR with its images, public base images, scans and
settings, CodeBuild's projects, STS's keys, and the roles of /_sandbox/roles.

Not kept: log groups, metrics, counts, recorded events, EventBridge's rules, builds, IAM's own roles, faults, denials,
quotas, the clock, uploads that have not ended, execution environments. What was in progress when the state was written
has ended when it is read.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from moto.ecr.models import ecr_backends

from sandbox.builds import codebuild
from sandbox.ecr import backend as ecr
from sandbox.ecr import layers
from sandbox.ecr import scans as ecr_scans
from sandbox.ecr.scans import Scan
from sandbox.iam import principals, roles
from sandbox.iam.principals import Principal
from sandbox.iam.roles import Role
from sandbox.lambda_.model import Alias, Code, Condition, Function, Provisioned, Settings, Version
from sandbox.lambda_.spaces import Space, space, spaces
from sandbox.store.content_store import STORE
from sandbox.store.contents import Contents, StoredManifest

_KEPT = (Alias, Code, Condition, Function, Principal, Provisioned, Role, Scan, Settings, StoredManifest, Version)
_REGISTRY = ("registry_policy", "replication_config", "registry_scanning_configuration")
_OF_THE_PROCESS = ("lock", "running")


def shape() -> str:
    """A fingerprint of what is kept: it changes with every field, so that no state is read that does not fit."""
    names = [f"{kept.__module__}.{kept.__name__}({', '.join(field.name for field in fields(kept))})" for kept in _KEPT]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def take() -> dict[str, Any]:
    """A copy of the account. Functions come first: the images that they run are then surely in the later copy."""
    return {
        "lambda": {place: _functions(kept) for place, kept in list(spaces().items())},
        "scans": (dict(ecr_scans._SCANS), dict(ecr_scans._FINDINGS)),
        "principals": dict(principals._PRINCIPALS),
        "roles": dict(roles._REGISTERED),
        "projects": copy.deepcopy(codebuild._PROJECTS),
        "settings": dict(layers._SETTINGS),
        "ecr": {place: _registry(*place) for place in _registries()},
        "store": {place: _contents(contents) for place, contents in STORE.all_contents()},
    }


def put_back(kept: Mapping[str, Any]) -> None:
    """Make a copy the account of this process, which has none yet; the blobs must be in the store."""
    for (name_space, repository), contents in kept["store"].items():
        _restore_contents(STORE.create(name_space, repository), contents)
    for (account, region), registry in kept["ecr"].items():
        backend = ecr_backends[account][region]
        vars(backend).update(registry["settings"])
        backend.tagger.tags = registry["tags"]
        for found in registry["repositories"]:
            ecr.adopt(account, region, found)
    scans, findings = kept["scans"]
    ecr_scans._SCANS.update(scans)
    ecr_scans._FINDINGS.update(findings)
    principals._PRINCIPALS.update(kept["principals"])
    roles._REGISTERED.update(kept["roles"])
    codebuild._PROJECTS.update(kept["projects"])
    layers._SETTINGS.update(kept["settings"])
    for (account, region), functions in kept["lambda"].items():
        _restore_functions(account, region, functions)


def _functions(kept: Space) -> dict[str, Any]:
    with kept.lock:
        functions = list(kept.functions.values())
        numbers = dict(kept.numbers)
    return {"numbers": numbers, "functions": [_function(function) for function in functions]}


def _function(function: Function) -> dict[str, Any]:
    names = [field.name for field in fields(Function) if field.name not in _OF_THE_PROCESS]
    with function.lock:
        # Published versions do not change but for their state; $LATEST does, field by field.
        return {name: copy.copy(getattr(function, name)) for name in names}


def _restore_functions(account: str, region: str, kept: Mapping[str, Any]) -> None:
    here = space(account, region)
    here.numbers.update(kept["numbers"])
    for values in kept["functions"]:
        function = Function(**values)
        for version in function.all_versions():
            # Deadlines are on a clock that ends with the process.
            version.pending_until = version.updating_until = 0.0
        for provisioned in function.provisioned.values():
            provisioned.ready_at = 0.0
        here.add(function)


def _registries() -> Iterable[tuple[str, str]]:
    return [(account, region) for account, regions in list(ecr_backends.items()) for region in list(regions)]


def _registry(account: str, region: str) -> dict[str, Any]:
    backend = ecr_backends[account][region]
    repositories = [copy.copy(repository) for repository in list(backend.repositories.values())]
    for repository in repositories:
        # moto's own lists of these, which the store replaces.
        repository.images, repository.uploads = [], {}
    return {
        "settings": {name: copy.deepcopy(getattr(backend, name)) for name in _REGISTRY},
        "tags": copy.deepcopy(backend.tagger.tags),
        "repositories": repositories,
    }


def _contents(contents: Contents) -> dict[str, Any]:
    names = [field.name for field in fields(StoredManifest)]
    manifests = list(contents.manifests.values())
    return {
        "manifests": [{name: getattr(manifest, name) for name in names} for manifest in manifests],
        "tags": dict(contents.tags),
        "blobs": set(contents.blobs),
        "pulled": dict(contents.pulled),
    }


def _restore_contents(contents: Contents, kept: Mapping[str, Any]) -> None:
    contents.manifests = {values["digest"]: StoredManifest(**values) for values in kept["manifests"]}
    contents.tags, contents.blobs, contents.pulled = kept["tags"], kept["blobs"], kept["pulled"]
