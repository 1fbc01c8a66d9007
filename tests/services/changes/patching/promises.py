"""What a patch promises whatever happens on the way, asked of AWS and of the registry."""

from collections.abc import Iterator

from functions_app import runlog
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.errors import DrydockError
from functions_app.domain.images.manifests import Manifest, parse_manifest
from functions_app.domain.runs import Status
from functions_app.models import AuditEntry, Run
from functions_app.services.images.registries import open_registry
from functions_app.services.people import accounts
from tests.sandbox.functions import REGION
from tests.services.changes.patching.patch_stage import PatchStage
from tests.services.changes.stage import log_of


def assert_kept(stage: PatchStage, run: Run) -> None:
    """It ended patched, undone or failed with the reason; nothing is anywhere that was not planned."""
    plan = PatchPlan.from_json(run.plan)
    assert Status(run.status).ended, log_of(run)
    assert (run.problem is not None) == (run.status == Status.FAILED), run.problem
    assert run.problem is None or "report them as a defect" not in run.problem["next_step"], log_of(run)
    assert_recorded_once(run)
    assert_whole(stage)
    digests = [stage.digest(number) for number in stage.versions()]
    assert len(digests) == len(set(digests)), "a version was published twice"
    assert stage.digest() == (plan.to_digest if run.status == Status.SUCCEEDED else plan.from_digest)
    for one in plan.aliases:
        version, weights = stage.read_alias(one.alias)
        assert weights == {}
        if run.status == Status.SUCCEEDED:
            assert stage.digest(one.alias) == plan.to_digest
        else:
            assert version == one.before.version


def assert_recorded_once(run: Run) -> None:
    """Its log has neither gap nor double, the audit one entry for its beginning and one for its end."""
    assert [line.sequence for line in runlog.read(run.pk, limit=10_000)] == list(range(1, run.line_count + 1))
    entries = AuditEntry.objects.filter(run=run, action__startswith=f"{run.kind}.")
    actions = entries.order_by("pk").values_list("action", flat=True)
    assert list(actions) == [f"{run.kind}.submit", f"{run.kind}.{run.status}"]


def assert_whole(stage: PatchStage) -> None:
    """No half image can be deployed."""
    assert list(halves(stage)) == []


def halves(stage: PatchStage) -> Iterator[str]:
    """What has a name in the function's repository, and can't be pulled to the last byte."""
    host = stage.functions.uri().partition("/")[0]
    with open_registry(host, target=accounts.target(stage.account, REGION)) as registry:
        for tag in stage.tags():
            described, data = registry.manifest(stage.name, tag)
            manifest = parse_manifest(data, described.media_type)
            assert isinstance(manifest, Manifest)
            for blob in (manifest.config, *manifest.layers):
                try:
                    with registry.stream(stage.name, blob.digest, size=blob.size) as pieces:
                        sum(map(len, pieces))
                except DrydockError as error:
                    yield f"{tag} lacks {blob.digest}: {error}"
