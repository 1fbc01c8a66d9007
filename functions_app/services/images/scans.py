"""Scans of images: what each listing tells of them, and the findings of the images in use, a part at every sync.

DescribeImages summarises the scans of all images in the calls that a sync makes anyhow; findings cost a call per image.
ECR's present basic scanning is told by that call alone, so that images without a summary are asked for, too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from functions_app import clock
from functions_app.aws import ecr_scans, quota
from functions_app.aws.ecr import ImageFact
from functions_app.aws.ecr_scans import ScanFact, ScanSummary
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images.scans import NOT_SCANNED, ScanState, state
from functions_app.domain.redaction import redact
from functions_app.domain.text import storable
from functions_app.models import Image, ImageScan, Repository, Version
from functions_app.services.people import accounts
from functions_app.services.snapshot.scope_reading import GIVE_UP, ScopeRead, chunks

PER_SYNC = 100  # images whose findings are read per account, region and sync
ASK_AGAIN = timedelta(hours=24)  # no listing tells every change: at the latest then
READERS = 32  # nothing else of a scope is read beside them
SUMMARY = ("status", "description", "completed_at", "severities", "read_at")
FINDINGS = ("findings", "findings_at", "enhanced")


@dataclass(frozen=True)
class _Wanted:
    """An image whose findings are to be read."""

    pk: int
    repository: str
    digest: str


def store_listed(repository: Repository, facts: Sequence[ImageFact], read_at: datetime) -> None:
    """Keep what a listing tells of scans, where it is new. A query, and two statements per 500 images changed."""
    told = {fact.digest: fact.scan for fact in facts if fact.scan is not None}
    if not told:
        return
    known = Image.objects.filter(repository=repository).values_list(
        "digest", "pk", "scan__status", "scan__completed_at", "scan__severities"
    )
    news = []
    for digest, pk, status, completed_at, severities in known:
        scan = told.get(digest)
        if scan is None or (status, _second(completed_at), severities) == (
            scan.status,
            _second(scan.completed_at),
            dict(scan.severities),
        ):
            continue
        news.append((pk, scan, state(scan.status, scan.severities)))
    for part in chunks(news):
        ImageScan.objects.bulk_create(
            [_summary_row(pk, scan, read_at, due=judged is ScanState.FOUND) for pk, scan, judged in part],
            update_conflicts=True,
            unique_fields=["image"],
            update_fields=[*SUMMARY, "due"],
        )
        clean = [pk for pk, _, judged in part if judged is ScanState.CLEAN]
        ImageScan.objects.filter(image__in=clean).update(findings=[], findings_at=read_at, problem=None)


def read_scans(scope: ScopeRead) -> None:
    """Read the findings of images in use: those that a listing says are new, then those that were read longest ago.

    Never fails the sync: what goes wrong is kept with the images and told once in the scope's notes.
    """
    wanted, errors = _wanted(scope), 0
    for answers in _ask(scope, wanted):
        found = {each.pk: (read_at, outcome) for each, read_at, outcome in answers if isinstance(outcome, ScanFact)}
        _store(found)
        scope.counts["scans"] = scope.counts.get("scans", 0) + len(found)
        for each, read_at, outcome in answers:
            if isinstance(outcome, ScanFact) or outcome.code is Code.NOT_FOUND:
                continue
            scope.note(outcome)
            if outcome.code is Code.DENIED:
                # It would be the same for all the rest, of which it is told.
                _store_problem([one.pk for one in wanted], outcome, read_at)
                return
            _store_problem([each.pk], outcome, read_at)
            errors += 1
            if errors >= GIVE_UP:
                return


def read_one(image: Image) -> ScanState:
    """Ask ECR about one image now, while somebody waits, and keep the answer. Needs `repository.account`.

    Raises DrydockError.
    """
    repository, read_at = image.repository, clock.now()
    target = accounts.target(repository.account, repository.region)
    with quota.patience(quota.PERSONS_WAIT):
        fact = ecr_scans.findings(target, repository.name, image.digest)
    _store({image.pk: (read_at, fact)})
    return state(fact.summary.status, fact.summary.severities, len(fact.findings))


def _wanted(scope: ScopeRead) -> list[_Wanted]:
    used = Version.objects.filter(image=OuterRef("pk"), function__gone_at=None)
    images = Image.objects.filter(
        repository__account=scope.account, repository__region=scope.region, gone_at=None, is_index=False
    ).filter(Exists(used))
    old = Q(scan__read_at__lt=scope.now - ASK_AGAIN) | Q(scan__read_at__gt=clock.latest())
    waiting = images.filter(Q(scan=None) | Q(scan__due=True) | old)
    first = Case(When(Q(scan=None) | Q(scan__due=True), then=Value(0)), default=Value(1))
    rows = waiting.order_by(first, F("scan__read_at").asc(nulls_first=True), "pk")
    return [_Wanted(*row) for row in rows.values_list("pk", "repository__name", "digest")[:PER_SYNC]]


def _ask(scope: ScopeRead, wanted: Sequence[_Wanted]) -> Iterator[list[tuple[_Wanted, datetime, ScanFact | Problem]]]:
    """Answers that are there, together: what was asked for, when the asking began, and the answer. Threads read AWS,
    never rows.
    """

    def ask(one: _Wanted) -> tuple[datetime, ScanFact | Problem]:
        read_at = clock.now()
        try:
            return read_at, ecr_scans.findings(scope.target, one.repository, one.digest)
        except DrydockError as error:
            return read_at, error.problem

    with ThreadPoolExecutor(READERS, thread_name_prefix="scans") as pool:
        asked: dict[Future[tuple[datetime, ScanFact | Problem]], _Wanted] = {}
        try:
            asked = {pool.submit(ask, one): one for one in wanted}
            while asked and not scope.stopped():
                there = wait(asked, return_when=FIRST_COMPLETED).done
                yield [(asked.pop(future), *future.result()) for future in there]
        finally:
            for future in asked:
                future.cancel()


def _store(found: Mapping[int, tuple[datetime, ScanFact]]) -> None:
    """Keep what was read of images (by key). A scan that brings no findings any more leaves those of the last one that
    did.
    """
    bringing: list[ImageScan] = []
    others: list[ImageScan] = []
    for image_id in sorted(found):
        read_at, fact = found[image_id]
        row = _summary_row(image_id, fact.summary, read_at, due=False)
        row.findings = [finding.as_json() for finding in fact.findings]
        row.findings_at, row.enhanced = read_at, fact.enhanced
        brings = fact.summary.status in ("COMPLETE", "ACTIVE", NOT_SCANNED)
        (bringing if brings else others).append(row)
    for rows, more in ((bringing, FINDINGS), (others, ())):
        ImageScan.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["image"],
            update_fields=[*SUMMARY, "due", "problem", *more],
        )


def _store_problem(images: Collection[int], problem: Problem, read_at: datetime) -> None:
    """Keep why these could not be read; they are asked for again at the next sync."""
    rows = [ImageScan(image_id=pk, status="", read_at=read_at, due=True, problem=problem.as_json()) for pk in images]
    for part in chunks(rows):
        ImageScan.objects.bulk_create(
            part, update_conflicts=True, unique_fields=["image"], update_fields=["read_at", "due", "problem"]
        )


def _summary_row(image_id: int, scan: ScanSummary, read_at: datetime, *, due: bool) -> ImageScan:
    return ImageScan(
        image_id=image_id,
        status=storable(scan.status, 40),
        description=storable(redact(scan.description), 500),
        completed_at=scan.completed_at,
        severities=dict(scan.severities),
        read_at=read_at,
        due=due,
    )


def _second(time: datetime | None) -> datetime | None:
    return time.replace(microsecond=0) if time else None
