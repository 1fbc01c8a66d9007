"""What a run was planned with and what it found, and what an audit entry names, as labels and texts."""

from typing import Any

# names of what a run was planned with and what it found, in people's words
LABELS = {
    "scopes read": "Accounts and regions read",
    "scopes failed": "Accounts and regions with problems",
    "streams read": "Base streams read",
    "streams changed": "Base streams changed",
    "streams unread": "Base streams not read",
    "streams partly": "Base streams read only in part",
    "repositories read": "Policies previewed",
    "repositories without": "Repositories without a policy",
    "repositories failed": "Repositories not readable",
    "endangered live": "Live uses of images that would go",
    "endangered others": "Other uses of images that would go",
    "place arn": "Function",
    "place name": "Name",
    "place account id": "Account",
    "place region": "Region",
    "before version": "Version before",
    "before second version": "Second version before",
    "before second weight": "Second weight before",
    "before revision id": "Revision before",
    "to digest": "Digest",
    "from digest": "Digest of $LATEST before",
    "before digest": "Digest before",
    "image uri": "Image by digest",
    "bytes": "Payload bytes",
    "sha256": "Payload SHA-256",
    "confirm": "Typed to confirm",
}
TOLD_ELSEWHERE = {"title", "function id", "target", "lock"}
FACT_LENGTH = 2000


def facts(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A JSON object as labels and texts, nested names joined; long texts are cut. Private members stay private."""
    found: list[tuple[str, str]] = []
    for key, item in value.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if key.startswith("_") or name in TOLD_ELSEWHERE or _says_nothing(item):
            continue
        if isinstance(item, dict):
            found += facts(item, f"{name} ")
        else:
            text = "\n".join(_fact_text(one) for one in item) if isinstance(item, list) else _fact_text(item)
            found.append((LABELS.get(name, name[:1].upper() + name[1:]), text[:FACT_LENGTH]))
    return found


def _says_nothing(item: Any) -> bool:
    return item in ("", None, [], {}) or item is False or (isinstance(item, float) and not item)


def _fact_text(item: Any) -> str:
    if isinstance(item, dict):
        known = [item[key] for key in ("name", "text") if key in item]
        return ": ".join(str(part) for part in known or item.values())
    return "yes" if item is True else str(item)
