"""Which aliases only keep a way back: nobody calls what `previous` names, so that how it stands counts nowhere."""

from collections.abc import Collection

from functions_app.domain.changes.production import words_of

WORDS = frozenset({"previous", "prev", "prior", "rollback", "backup"})  # of names; "old" may well be called


def kept_aliases(names: Collection[str]) -> frozenset[str]:
    """Those of a function's aliases that only keep a way back; none where there is no other."""
    kept = frozenset(name for name in names if words_of(name) & WORDS)
    return kept if len(kept) < len(names) else frozenset()
