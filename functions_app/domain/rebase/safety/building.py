"""What the app's own build steps and proofs say about a rebase, and what Lambda takes of the result."""

import re
from collections.abc import Sequence
from datetime import timedelta

from functions_app.domain.images.code_order import commands_of
from functions_app.domain.images.lambda_rules import LAYER_LIMIT
from functions_app.domain.rebase.safety.findings import SHOWN, Finding
from functions_app.domain.rebase.safety.sides import Case, Target
from functions_app.domain.text import storable

SIZE_LIMIT = 10 * 1024**3  # bytes, uncompressed, all layers together
DETAIL = 160  # characters of a command that are shown
_SYSTEM = re.compile(
    r"(?:dnf5?|microdnf|tdnf|yum|apt(?:-get)?|aptitude|apk|zypper|amazon-linux-extras)(?=\s)"
    r"(?!\s(?:-\S+\s+)*(?:clean|list|info|search|makecache|check)\b)|"
    r"(?:rpm|dpkg)\s(?:.*\s)?(?:-[iUFer]\w*|--(?:install|upgrade|erase|remove|purge|configure|unpack))(?=\s|$)|"
    r"(?:useradd|adduser|usermod|userdel|deluser|groupadd|addgroup|groupmod|groupdel|delgroup|chpasswd|passwd|"
    r"ldconfig|update-alternatives|alternatives|update-ca-trust|update-ca-certificates|authselect|localedef|locale-gen"
    r")(?=\s|$)"
)


def system_commands(steps: Sequence[str]) -> tuple[str, ...]:
    """The commands of build steps (`created_by`) that change the operating system beneath the app."""
    return tuple(command for step in steps for command in commands_of(step) or () if _SYSTEM.match(command))


def history_findings(case: Case) -> list[Finding]:
    """Commands that a rebase does not run again."""
    commands = [storable(command, DETAIL) for command in system_commands(case.app.steps)]
    return [Finding("system-command", tuple(commands[:SHOWN]), len(commands))] if commands else []


def proof_findings(case: Case) -> list[Finding]:
    """Signatures and bills of materials, which are of the image as it is."""
    proofs = (("signature-lost", case.app.signatures), ("sbom-lost", case.app.boms))
    return [Finding(code, names[:SHOWN], len(names)) for code, names in proofs if names]


def limit_findings(case: Case) -> list[Finding]:
    """A result that Lambda does not take."""
    layers = (*case.new.layers, *case.app.layers)
    size = sum(layer.size_bytes for layer in layers)
    found = []
    if size > SIZE_LIMIT:
        found.append(f"{size:,} bytes uncompressed, where {SIZE_LIMIT:,} are the limit")
    if len(layers) > LAYER_LIMIT:
        found.append(f"{len(layers)} layers, where {LAYER_LIMIT} are the limit")
    return [Finding("image-too-large", detail="; ".join(found))] if found else []


def target_findings(target: Target) -> list[Finding]:
    """A release that was withdrawn, or that is too young to be trusted unseen."""
    if target.withdrawn:
        return [Finding("base-withdrawn")]
    if target.soak <= timedelta():
        return []
    hours = f"{target.soak.total_seconds() / 3600:g} h"
    if target.released is None or target.now is None:
        return [Finding("base-too-young", detail=f"since when it is there is not known; the soak time is {hours}")]
    if target.now - target.released >= target.soak:
        return []
    age = max(0, int((target.now - target.released).total_seconds() // 3600))
    return [Finding("base-too-young", detail=f"it is {age} h old; the soak time is {hours}")]
