"""What the app's own build steps and proofs say about a rebase, and what Lambda takes of the result."""

import re
from collections.abc import Sequence
from datetime import timedelta

from functions_app.domain.images.code_order import commands_of
from functions_app.domain.images.lambda_rules import LAYER_LIMIT
from functions_app.domain.rebase.safety.findings import SHOWN, Finding
from functions_app.domain.rebase.safety.sides import Case, Target
from functions_app.domain.redaction import redact
from functions_app.domain.secret_shapes import MASK
from functions_app.domain.text import storable

SIZE_LIMIT = 10 * 1024**3  # bytes, uncompressed, all layers together
_PASSWORD = re.compile(r"(^(?:user|group)(?:add|mod)\s(?:.*\s)?-\w*p[\s=]*)(?:'[^']*'|\"[^\"]*\"|[^\s-]\S*)")
READ, DETAIL = 2_000, 160  # characters of a command that are looked at for secrets, and that are shown
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
    commands = system_commands(case.app.steps)
    shown = tuple(storable(_told(command[:READ]), DETAIL) for command in commands[:SHOWN])
    return [Finding("system-command", shown, len(commands))] if commands else []


def _told(command: str) -> str:
    """Redacted before it is cut, of an account without the password that its option gives."""
    return redact(_PASSWORD.sub(rf"\1{MASK}", command))


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
