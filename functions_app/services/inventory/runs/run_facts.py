"""What a run was planned with and what it found, and what an audit entry names, as labels and texts."""

from typing import Any

from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.undos import UndoPlan
from functions_app.domain.runs import Kind

# names of what a run was planned with and what it found, in people's words
LABELS = {
    "scopes read": "Accounts and regions read",
    "scopes failed": "Accounts and regions with problems",
    "functions": "Functions, by id",
    "functions read": "Functions read",
    "functions failed": "Functions not readable",
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


def plan_facts(kind: str, plan: dict[str, Any]) -> list[tuple[str, str]]:
    """What a run was planned with, as labels and texts: of a patch and its undo what matters of their plans."""
    if "place" not in plan:  # of no function
        return facts(plan)
    if kind == Kind.PATCH:
        found = _of_patch(PatchPlan.from_json(plan))
    elif kind == Kind.UNDO:
        found = _of_undo(UndoPlan.from_json(plan))
    else:
        return facts(plan)
    return [(name, text[:FACT_LENGTH]) for name, text in found if text]


def _of_patch(frozen: PatchPlan) -> list[tuple[str, str]]:
    base, golden = frozen.base, frozen.golden
    sentences = [each.rule.of_golden for one in golden for each in one.verdict.findings]
    return [
        ("Verdict", frozen.judgement.verdict),
        ("Found", "\n".join(dict.fromkeys((*sentences, *(each.rule.sentence for each in frozen.verdict.findings))))),
        *(
            (f"Golden image {one.name}", f"onto {one.base.stream} {one.base.to_label}: {one.image_uri}")
            for one in golden
        ),
        ("Base", f"{base.stream} {base.from_label} → {base.to_label}"),
        ("Image", frozen.app_image),
        ("Patched image", frozen.image_uri),
        ("Its tag", frozen.tag),
        *((f"Alias {one.alias}", f"{one.before} → {one.after()}") for one in frozen.aliases),
        ("$LATEST", "left as it was" if frozen.kept else ""),
        ("Smoke test", frozen.smoke.expects if frozen.smoke else ""),
        (LABELS["confirm"], frozen.confirm),
    ]


def _of_undo(frozen: UndoPlan) -> list[tuple[str, str]]:
    return [
        ("Undoes", f"Run {frozen.run_id}"),
        *((f"Alias {one.alias}", f"{one.now} → {one.to}") for one in frozen.aliases),
        ("$LATEST", f"gets back {frozen.image_uri}" if frozen.gives_back else ""),
        ("Stays", frozen.stays),
        (LABELS["confirm"], frozen.confirm),
    ]


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
