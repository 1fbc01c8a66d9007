"""What an alias runs and what it is to run: versions with their images, whether ECR has those, and their bases."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from functions_app import clock
from functions_app.aws.lambda_comparisons import VersionsRead
from functions_app.aws.session import Target
from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.changes.aliases import AliasState
from functions_app.domain.changes.base_changes import Base, BaseChange, base_change
from functions_app.domain.changes.judgements import Running
from functions_app.domain.changes.planned_ways_back import Behind, Held, ImageNow
from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.images.manifests import ImageConfig
from functions_app.domain.refs import repository_of
from functions_app.models import BaseRelease, BaseStream, Function, Image
from functions_app.services.bases.verdicts import VERDICT, Bench, Facts
from functions_app.services.changes import image_choices
from functions_app.services.snapshot.live_on_bases import label

TWINS = 3  # published versions with the digest of $LATEST that are asked for


@dataclass(frozen=True)
class AliasRuns:
    """The versions an alias runs, the largest share first, and what ECR says of the image behind each."""

    runs: tuple[Running, ...]
    behind: tuple[Behind, ...]


def uri_of(detail: FunctionDetail) -> str:
    """HOST/NAME@DIGEST of what a version runs."""
    return detail.resolved_uri or f"{repository_of(detail.image_uri)}@{detail.fact.latest.digest}"


def runs_of(own: Target, before: AliasState, details: Mapping[str, FunctionDetail]) -> AliasRuns:
    """What an alias runs, by GetFunction's answers for its versions; ECR is asked for each image."""
    shares = sorted(before.shares().items(), key=lambda share: -share[1])
    found = [(number, share, details[number]) for number, share in shares if number in details]
    bases = bases_of([detail.fact.latest.digest for _, _, detail in found])
    images = {number: image_behind(own, detail) for number, _, detail in found}
    return AliasRuns(
        tuple(
            Running(
                number,
                detail.fact.latest.digest,
                uri_of(detail),
                bases.get(detail.fact.latest.digest, NOT_READ),
                share,
                images[number].held,
            )
            for number, share, detail in found
        ),
        tuple(Behind(number, detail.fact.latest.digest, images[number], share) for number, share, detail in found),
    )


def twins_of(function: Function, digest: str) -> list[str]:
    """The newest published versions that run this digest, by the snapshot."""
    found = function.versions.filter(digest=digest, ordinal__gt=0).order_by("-ordinal")
    return list(found.values_list("number", flat=True)[:TWINS])


def twins_behind(own: Target, numbers: Sequence[str], read: VersionsRead) -> tuple[Behind, ...]:
    """What ECR says of the images behind versions that were read."""
    details = [(number, read.details[number]) for number in numbers if number in read.details]
    return tuple(Behind(number, one.fact.latest.digest, image_behind(own, one)) for number, one in details)


def image_behind(own: Target, detail: FunctionDetail) -> ImageNow:
    """What ECR says of the image behind a version. That it can't be asked is an answer too: not known."""
    try:
        return image_choices.image_now(uri_of(detail), own)
    except DrydockError as error:
        return ImageNow(Held.UNKNOWN, str(error))


def ran_from(function: Function, details: Collection[FunctionDetail]) -> frozenset[str]:
    """The repositories (HOST/NAME) that a function is known to have run from, by what AWS said of its versions."""
    told = [uri_of(detail) for detail in details if detail.resolved_uri or detail.image_uri]
    kept = function.versions.exclude(image_uri="").values_list("image_uri", flat=True).distinct()
    return frozenset(filter(None, map(repository_of, (*told, function.image_uri, *kept))))


NOT_READ = Base(reason="Its image was not read: sync, then plan again.")


def bases_of(digests: Collection[str]) -> dict[str, Base]:
    """The bases of images that Drydock has read, by digest. One query."""
    rows = Image.objects.filter(digest__in=set(digests)).select_related("base_release", "base_stream")
    found: dict[str, Base] = {}
    for row in rows.defer("layers", "diff_ids", "history", "base_release__config", "base_release__layers"):
        base = _base(row.base_stream, row.base_release, row.freshness, row.freshness_reason)
        if row.digest not in found or not found[row.digest].stream:
            found[row.digest] = base
    return found


def base_of_read(config: ImageConfig | None, annotations: Mapping[str, str]) -> Base:
    """The base of an image that was read right now, judged as a sync would judge it."""
    if config is None:
        return Base(reason="Its config could not be read.")
    platform = config.platform
    facts = Facts(
        0,
        platform.os,
        platform.architecture,
        platform.variant,
        list(config.diff_ids),
        dict(annotations),
        dict(config.labels),
        is_index=False,
        platforms=[],
        gone_at=None,
        inspected_at=clock.now(),
        inspect_problem=None,
    )
    verdict = dict(zip(VERDICT, Bench.prepare(clock.now()).judge([facts])[0], strict=True))
    releases = BaseRelease.objects.defer("config", "layers", "diff_ids")
    release = releases.filter(pk=verdict["base_release_id"] or 0).first()
    stream = BaseStream.objects.filter(pk=verdict["base_stream_id"] or 0).first()
    return _base(stream, release, verdict["freshness"], verdict["freshness_reason"])


def _base(stream: BaseStream | None, release: BaseRelease | None, freshness: str, reason: str) -> Base:
    if stream is None:
        return Base(freshness=Freshness.UNKNOWN.value, reason=reason)
    return Base(stream.name, release.pk if release else None, label(release) if release else "", freshness, reason)


def base_changes(runs: Sequence[Running], goal: Running) -> tuple[BaseChange, ...]:
    """What becomes of the base, against each version that runs now. Two queries at most."""
    places = _places(goal.base.release_id)
    return tuple(base_change(run.base, goal.base, places) for run in runs)


def _places(release_id: int | None) -> dict[int, int]:
    """The order of the releases of this one's stream for its platform, the oldest first; the same layers, one place."""
    one = BaseRelease.objects.filter(pk=release_id or 0).values_list("stream_id", "platform").first()
    if one is None:
        return {}
    rows = BaseRelease.objects.filter(stream_id=one[0], platform=one[1]).order_by("created_at", "-pk")
    chains: dict[str, int] = {}
    return {pk: chains.setdefault(chain, len(chains)) for pk, chain in rows.values_list("pk", "chain_id")}
