"""One function that is patched and taken back in turn while things break, and what is to come of each."""

from dataclasses import dataclass

from functions_app.models import Run
from functions_app.services.changes.patching import undo as undoing
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import PatchStage, make_patch_stages

PATCHED = "patched"


@dataclass(frozen=True)
class Patch:
    """A patch or an undo; `alias` and `latest` are what ran before, `planned` what both are to run: "sha256:..."."""

    run: Run
    stage: PatchStage
    alias: str
    latest: str
    versions: frozenset[str]
    planned: str


class Patching:
    """The function on an old base, all of whose layers were read."""

    def __init__(self, functions: Functions, sandbox: Sandbox, actor: object) -> None:
        self.stage = make_patch_stages(functions, sandbox, actor, (PATCHED,))[0]  # type: ignore[arg-type]
        self._original = self.stage.digest()

    def begin(self) -> Patch:
        """The undo of the last patch where there is one, else a patch."""
        stage = self.stage
        stage.sync()
        last = undoing.last_patch(stage.function.pk)
        if last is not None and not undoing.why_not(last):
            stored, planned = stage.plan_undo(last), self._original
        else:
            self._mend()
            stored = stage.plan_patch()
            planned = stored.body["to_digest"]
        before = stage.digest(stage.alias), stage.digest(), frozenset(stage.versions())
        return Patch(stage.confirm(stored, stored.confirmation), stage, *before, planned)

    def _mend(self) -> None:
        """Somebody puts by hand what a run that failed has left."""
        stage = self.stage
        if stage.digest() != self._original:
            uri = stage.functions.uri(f"{stage.name}@{self._original}")
            stage.api.update_function_code(FunctionName=stage.name, ImageUri=uri)
            stage.functions.settled(stage.name)
        if stage.digest(stage.alias) != self._original:
            stage.api.update_alias(FunctionName=stage.name, Name=stage.alias, FunctionVersion="1", RoutingConfig={})
        stage.sync()
