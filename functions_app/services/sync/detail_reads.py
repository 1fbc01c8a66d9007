"""GetFunction for functions and for versions, asked as soon as they are known; stored in portions."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from django.db.models import QuerySet

from functions_app.aws import lambdas
from functions_app.domain.fleet.functions import LATEST, AliasFact, FunctionDetail, FunctionFact
from functions_app.domain.fleet.parts import Part
from functions_app.models import Function, Version
from functions_app.services.snapshot.missed_parts import store_missed
from functions_app.services.snapshot.readers import Readers, Subject
from functions_app.services.snapshot.reading_progress import FUNCTIONS
from functions_app.services.snapshot.scope_reading import CHUNK, ScopeRead, chunks
from functions_app.services.sync import function_details, version_details
from functions_app.services.sync.function_details import Detail, store_details
from functions_app.services.sync.version_details import Due, store_problems, store_versions


class LatestReads:
    """Details of functions, that is of their $LATEST, which may be asked for while the listing still goes on."""

    def __init__(
        self, scope: ScopeRead, readers: Readers, pool: ThreadPoolExecutor, before: Mapping[str, Function]
    ) -> None:
        self._scope, self._readers, self._before = scope, readers, before
        self._subject = Subject("state and tags", pool, lambda: scope.progress.read(FUNCTIONS))
        self._oldest = frozenset() if scope.full else function_details.oldest(before)
        self._states = {} if scope.full else _states(scope)
        self._ids: Mapping[str, int] | None = None
        self._found: dict[str, Detail] = {}

    def ask(self, fact: FunctionFact) -> None:
        """Ask for one that was listed, if it is due."""
        name = fact.name
        due = self._scope.full or name in self._oldest
        if not due and not function_details.is_due(self._before.get(name), fact, self._states.get(name)):
            self._scope.progress.read(FUNCTIONS)  # what is not due is read as it is
            return
        call = partial(lambdas.get_function, self._scope.target, name)
        self._readers.ask(self._subject, name, call, partial(self._take, name))
        self._scope.counts["details"] = self._scope.counts.get("details", 0) + 1

    def begin(self, ids: Mapping[str, int]) -> None:
        """The functions have rows now (name -> key): what is told of them can be stored."""
        self._ids = ids

    def _take(self, name: str, read_at: datetime, detail: FunctionDetail) -> None:
        self._found[name] = read_at, detail
        if self._ids is not None and len(self._found) >= CHUNK:
            self.store()

    def store(self) -> None:
        """Store what was told until now. A function that somebody else read meanwhile is left out."""
        ids = self._ids or {}
        for names in chunks([name for name in self._found if name in ids]):
            store_details({ids[name]: self._found[name] for name in names})
        self._found = {}

    def end(self) -> None:
        """Store the last of it, and what could not be read."""
        self.store()
        ids = self._ids or {}
        failures = self._subject.failures
        store_missed(Part.DETAILS, {ids[name]: failure for name, failure in failures.items() if name in ids})
        self._subject.tell(self._scope)


def _states(scope: ScopeRead) -> dict[str, tuple[str, str]]:
    rows = Version.objects.filter(
        function__account=scope.account, function__region=scope.region, number=LATEST, detailed_at__isnull=False
    )
    return {name: (state, update) for name, state, update in rows.values_list(
        "function__name", "state", "last_update_status"
    )}  # fmt: skip


class VersionReads:
    """Details of the versions that aliases and weights name. What can't be read is told with the version alone."""

    def __init__(self, scope: ScopeRead, readers: Readers, pool: ThreadPoolExecutor) -> None:
        self._scope, self._readers = scope, readers
        self._subject = Subject("state and image URI", pool)
        self._keys: dict[str, tuple[int, int]] = {}  # of version and function, once the version has a row
        self._found: dict[str, Detail] = {}
        self._asked: set[str] = set()

    def ask_told(self, name: str, aliases: Iterable[AliasFact]) -> None:
        """Ask for what a function's aliases name before it has rows, where all that is named is read."""
        if self._scope.full:
            for number in {number for alias in aliases for number in (alias.version, alias.second_version)}:
                if number not in ("", LATEST):
                    self._ask(name, number)

    def ask_named(self, functions: Collection[int]) -> None:
        """Ask for what must be read of these functions, whose aliases are stored."""
        self._ask_due(version_details.due(_rows(functions), full=self._scope.full))

    def ask_rest(self, functions: Iterable[int]) -> None:
        """Ask for what must be read of functions whose aliases were not due, and for the states read longest ago."""
        if self._scope.full or self._scope.stopped():
            return
        for keys in chunks(sorted(functions)):
            self.ask_named(keys)
        self._ask_due(version_details.oldest(Function.objects.filter(
            account=self._scope.account, region=self._scope.region, gone_at=None
        )))  # fmt: skip

    def _ask_due(self, wanted: Iterable[Due]) -> None:
        for pk, owner, name, number in wanted:
            self._keys[_label(name, number)] = pk, owner
            self._ask(name, number)

    def _ask(self, name: str, number: str) -> None:
        label = _label(name, number)
        if label not in self._asked:
            self._asked.add(label)
            call = partial(lambdas.get_function, self._scope.target, name, number)
            self._readers.ask(self._subject, label, call, partial(self._take, label))

    def _take(self, label: str, read_at: datetime, detail: FunctionDetail) -> None:
        self._found[label] = read_at, detail
        if self._keys and len(self._found) >= CHUNK:
            self.store()

    def store(self) -> None:
        """Store what was told until now of versions that have rows."""
        told = [label for label in self._found if label in self._keys]
        store_versions(
            {self._keys[label][0]: self._found.pop(label) for label in told}, {self._keys[label][1] for label in told}
        )
        self._scope.counts["version details"] = self._scope.counts.get("version details", 0) + len(told)

    def end(self) -> None:
        """Store the last of it, and with each version why it could not be read."""
        self.store()
        failures = self._subject.failures.items()
        store_problems({self._keys[label][0]: problem for label, (_, problem) in failures if label in self._keys})
        self._subject.tell(self._scope)


def _label(name: str, number: str) -> str:
    return f"{name}:{number}"


def _rows(functions: Collection[int]) -> QuerySet[Function]:
    return Function.objects.filter(pk__in=functions)
