"""ListAliases for functions, asked while the listing goes on where the quota has room for both; stored in portions."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from functions_app.aws import lambdas, quota
from functions_app.domain.fleet.functions import AliasFact, FunctionFact
from functions_app.domain.fleet.parts import Part
from functions_app.models import Function
from functions_app.services.snapshot.missed_parts import store_missed
from functions_app.services.snapshot.readers import Readers, Subject
from functions_app.services.snapshot.reading_progress import FUNCTIONS
from functions_app.services.snapshot.scope_reading import ScopeRead, chunks
from functions_app.services.sync.aliases import Aliases, store_aliases
from functions_app.services.sync.detail_reads import VersionReads

PORTION = 100  # functions: the versions that their aliases name are asked for after each
BUDGET = 300  # functions whose aliases a scheduled sync reads without a reason, those read longest ago first


class AliasReads:
    """Aliases of functions; the versions that they name are asked for as soon as they are known."""

    def __init__(
        self,
        scope: ScopeRead,
        readers: Readers,
        pool: ThreadPoolExecutor,
        before: Mapping[str, Function],
        versions: VersionReads,
    ) -> None:
        self._scope, self._readers, self._before, self._versions = scope, readers, before, versions
        self._subject = Subject("aliases", pool, lambda: scope.progress.read(FUNCTIONS))
        self._ids: Mapping[str, int] = {}
        self._asked: set[str] = set()
        self._found: dict[str, Aliases] = {}

    def ask_beside(self, listed: Iterable[FunctionFact]) -> None:
        """Ask for those of functions just listed that are due in any case, if the listing need not wait for it."""
        due = [fact.name for fact in listed if self._is_due(fact)]
        if due and quota.has_room(self._scope.target, lambdas.CONTROL):
            self._ask(due)

    def ask_rest(self, ids: Mapping[str, int], listed: Mapping[str, FunctionFact]) -> None:
        """Ask for those of functions that have rows now (name -> key): new and changed ones, then those read longest
        ago. All, when a person asks.
        """
        self._ids = ids
        due = {name for name in ids if self._is_due(listed[name])}
        known = [(self._before[name].aliases_synced_at, name) for name in ids if name not in due]
        oldest = [name for _, name in sorted(known)[:BUDGET]]
        wanted = [*sorted(due - self._asked), *oldest]
        self._scope.progress.read(FUNCTIONS, len(listed) - len(self._asked) - len(wanted))  # the rest is read as it is
        self._ask(wanted)

    def _is_due(self, fact: FunctionFact) -> bool:
        row = self._before.get(fact.name)
        if self._scope.full or row is None or row.aliases_synced_at is None or row.gone_at is not None:
            return True
        return row.revision_id != fact.latest.revision_id

    def _ask(self, names: Iterable[str]) -> None:
        for name in names:
            self._asked.add(name)
            call = partial(lambdas.aliases, self._scope.target, name)
            self._readers.ask(self._subject, name, call, partial(self._take, name))

    def _take(self, name: str, read_at: datetime, aliases: Sequence[AliasFact]) -> None:
        self._found[name] = read_at, aliases
        self._scope.counts["aliases"] = self._scope.counts.get("aliases", 0) + len(aliases)
        self._versions.ask_told(name, aliases)
        if self._ids and len(self._found) >= PORTION:
            self.store()

    def store(self) -> None:
        """Store what was told until now, and ask for the versions. What somebody else read meanwhile is left out."""
        found = {self._ids[name]: aliases for name, aliases in self._found.items() if name in self._ids}
        self._found = {}
        for keys in chunks(list(found), PORTION):
            store_aliases({pk: found[pk] for pk in keys})
            self._versions.ask_named(keys)

    def end(self) -> None:
        """Keep what could not be read."""
        failures = self._subject.failures.items()
        store_missed(Part.ALIASES, {self._ids[name]: failure for name, failure in failures if name in self._ids})
        self._subject.tell(self._scope)
