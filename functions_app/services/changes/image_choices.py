"""Images that can be deployed: the list to choose from (snapshot), and what a choice is now (AWS)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from functions_app.aws import ecr
from functions_app.aws.session import Target
from functions_app.domain.changes.planned_ways_back import Held, ImageNow
from functions_app.domain.ecr_hosts import ecr_host, meant_host
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.fitting import SYSTEM, Offered, go_architecture, why_not
from functions_app.domain.images.manifests import (
    ImageConfig,
    Index,
    Manifest,
    Platform,
    parse_config,
    parse_manifest,
)
from functions_app.domain.images.pull_failures import not_given, why_not_given
from functions_app.domain.images.roles import UNITS
from functions_app.domain.images.statuses import ACTIVE, read_status
from functions_app.domain.refs import ImageRef, repository_of
from functions_app.models import Account, BaseStream, Function, Image, Tag, Version
from functions_app.registry.client import CONFIG_LIMIT
from functions_app.services.changes.careful_steps import PASSING
from functions_app.services.changes.image_references import repository_uri
from functions_app.services.images.facts import stored_config
from functions_app.services.images.registries import open_registry
from functions_app.services.people import accounts

SHOWN = 40
TAGS_NAMED = 4


@dataclass(frozen=True)
class Choice:
    """One image to choose: `reference` is what is deployed, always by digest.

    A tag that happens to name it now may be a moving one, and was chosen by nobody; `tags` only name it, newest first.
    """

    reference: str
    repository: str
    tags: tuple[str, ...]
    image: Image
    current: bool  # it is what $LATEST runs
    own: bool  # in the repository the function is deployed from
    index: str = ""  # the digest of the index that it is the function's part of
    why_not: str = ""  # why the function can't run it, or nobody would


def choices(function: Function, search: str = "", *, every: bool = False) -> tuple[Choice, ...]:
    """The newest images of the region that the function could run, its own repository's first. Four queries.

    Artifacts and what can't be pulled are not among them. Of an index, which Lambda does not take, its image for the
    function's architecture stands there, by the tags of the index. `every`: after them what it could not run, each
    with the reason; four queries more.
    """
    found, golden = _newest(function, search), _golden(function)
    fits = Q(is_index=True) | Q(architecture__in=("", go_architecture(function.architecture)), os__in=("", SYSTEM))
    first = [row for row in _described(found.filter(fits & ~golden)[:SHOWN], function) if not row.why_not]
    if not every:
        return tuple(first)
    rest = _described(found.filter(~fits | golden | Q(is_index=True))[:SHOWN], function, _golden_keys(found, golden))
    return (*first, *(row for row in rest if row.why_not))


def _newest(function: Function, search: str) -> QuerySet[Image]:
    """Images of the function's region that can be pulled and fit the search, in the order they are listed."""
    own = repository_uri(function)
    found = (
        Image.objects.filter(repository__region=function.region, repository__gone_at=None, gone_at=None)
        .filter(role__in=UNITS, status__in=("", ACTIVE))
        .annotate(
            far=Case(
                When(repository__uri=own, then=Value(0)),
                When(repository__account=function.account_id, then=Value(1)),
                default=Value(2),
                output_field=IntegerField(),
            )
        )
        .select_related("repository__account")
        .order_by("far", "-pushed_at", "-pk")
    )
    for word in search.split():
        tagged = Tag.objects.filter(repository=OuterRef("repository"), digest=OuterRef("digest"), name__icontains=word)
        found = found.filter(Q(repository__uri__icontains=word) | Q(digest__icontains=word) | Exists(tagged))
    return found


def _golden(function: Function) -> Q:
    """Images of a repository that others' bases come from, and that no version runs. One query."""
    references = BaseStream.objects.filter(own=True).values_list("reference", flat=True)
    bases = {repository_of(reference) for reference in references} - {"", repository_uri(function)}
    return Q(~Exists(Version.objects.filter(image=OuterRef("pk"))), repository__uri__in=bases)


def _golden_keys(found: QuerySet[Image], golden: Q) -> frozenset[int]:
    return frozenset(found.filter(golden).values_list("pk", flat=True)[:SHOWN])


def _described(found: QuerySet[Image], function: Function, golden: Collection[int] = frozenset()) -> Iterator[Choice]:
    """Each as it is offered, an index as its part for the function where it has one. Three queries."""
    images = list(found)
    names, parts = _tags_of(images), _parts_of(images, function.architecture)
    for image in images:
        chosen = parts.get(image.pk, image)
        tags = names.get((image.repository_id, image.digest), ())
        listed = Offered(chosen.os, chosen.architecture, chosen.is_index, chosen.platforms, image.pk in golden)
        yield Choice(
            reference=f"{chosen.repository.uri}@{chosen.digest}",
            repository=chosen.repository.name,
            tags=tags,
            image=chosen,
            current=chosen.digest == function.digest,
            own=chosen.repository.uri == repository_uri(function),
            index=image.digest if chosen is not image else "",
            why_not=why_not(listed, function.architecture),
        )


def _parts_of(images: Sequence[Image], architecture: str) -> dict[int, Image]:
    """By index its image for Lambda's architecture. One query, none where there is no index."""
    wanted = str(Platform(SYSTEM, go_architecture(architecture)))
    indexes: dict[tuple[int, str], list[Image]] = defaultdict(list)  # several may share an image: attestations differ
    for image in images:
        for entry in (image.entries or ()) if image.is_index else ():
            if entry["platform"] == wanted:
                indexes[image.repository_id, entry["digest"]].append(image)
    if not indexes:
        return {}
    rows = Image.objects.filter(
        repository__in={repository for repository, _ in indexes}, digest__in={digest for _, digest in indexes},
        gone_at=None, status__in=("", ACTIVE),
    ).select_related("repository__account")  # fmt: skip
    return {index.pk: row for row in rows for index in indexes.get((row.repository_id, row.digest), ())}


def _tags_of(images: Sequence[Image]) -> dict[tuple[int, str], tuple[str, ...]]:
    found: dict[tuple[int, str], tuple[str, ...]] = {}
    rows = Tag.objects.filter(
        repository__in={image.repository_id for image in images}, digest__in={image.digest for image in images}
    ).order_by("-since", "-name")
    for repository, digest, name in rows.values_list("repository_id", "digest", "name"):
        found[repository, digest] = (*found.get((repository, digest), ()), name)
    return found


def tags_now(reference: ImageRef) -> tuple[str, ...]:
    """The names that an image chosen by digest has in the snapshot, newest first; none for a tag, which is its own."""
    if not reference.digest:
        return ()
    rows = Tag.objects.filter(repository__uri=reference.name, repository__gone_at=None, digest=reference.digest)
    return tuple(rows.order_by("-since", "-name").values_list("name", flat=True)[:TAGS_NAMED])


@dataclass(frozen=True)
class ResolvedImage:
    """What ECR holds under a reference, read now. Config None: it could not be read, `config_problem` says why."""

    reference: ImageRef  # as it was given
    digest: str
    manifest: Manifest | Index
    config: ImageConfig | None
    config_problem: str
    size_bytes: int  # compressed: config and layers

    @property
    def uri(self) -> str:
        """HOST/NAME@DIGEST: what Lambda is given."""
        return str(self.reference.with_digest(self.digest))


def registry_target(host: str, own: Target) -> tuple[Target, str]:
    """How to reach an ECR registry: its account's own credentials where Drydock has them, else the function's.

    The second value is the account that owns the registry. Raises INVALID for a registry that is not ECR.
    """
    known = ecr_host(host)
    if known is None:
        meant = meant_host(host)
        raise DrydockError(
            Code.PREFLIGHT,
            f"{host} is not an ECR registry, and Lambda pulls from ECR alone. Nothing was changed.",
            next_step=f"Did you mean {meant}?"
            if meant
            else "Copy the image into an ECR repository of the function's region.",
        )
    account = Account.objects.filter(account_id=known.account, enabled=True).first()
    target = accounts.target(account, known.region) if account else own
    return target, known.account


def resolve(reference: ImageRef, target: Target, owner: str) -> ResolvedImage:
    """Ask ECR once what the tag or digest is now. Raises NOT_FOUND where there is no such image."""
    wanted = reference.reference
    found = ecr.manifests(target, reference.repository, [wanted], registry_id=owner)
    held = found.found.get(wanted)
    if held is None:
        raise not_given(reference, found.failures.get(wanted, ""))
    manifest = parse_manifest(held.data, held.media_type)
    if manifest.digest != held.digest and held.digest.startswith("sha256:"):
        raise DrydockError(Code.FAILED, f"ECR gave another manifest than that of {held.digest[:19]}.")
    if isinstance(manifest, Index):
        return ResolvedImage(reference, held.digest, manifest, None, "", 0)
    config, problem = _config(reference, manifest, target)
    size = manifest.config.size + sum(layer.size for layer in manifest.layers)
    return ResolvedImage(reference, held.digest, manifest, config, problem, size)


def image_now(uri: str, own: Target) -> ImageNow:
    """Whether ECR has an image (HOST/NAME@DIGEST) so that Lambda can pull it. Raises only what may pass: THROTTLED,
    UNREACHABLE. Any other error tells nothing about the image.
    """
    try:
        reference = ImageRef.parse(uri)
        target, owner = registry_target(reference.registry, own)
        digest = reference.digest
        answer = ecr.manifests(target, reference.repository, [digest], registry_id=owner)
        if digest in answer.found:
            return ImageNow(Held.THERE)
        # BatchGetImage has no image that is archived: what became of it DescribeImages tells.
        word = ecr.image_status(target, reference.repository, digest, registry_id=owner)
        return kept_as(word, reference, answer.failures.get(digest, ""))
    except DrydockError as error:
        if error.problem.code is Code.NOT_FOUND:
            return ImageNow(Held.GONE, f"Its repository is no longer in ECR. {error.problem.message}")
        if error.problem.code in PASSING:
            raise
        return ImageNow(Held.UNKNOWN, f"Whether ECR has its image could not be asked. {error}")


def kept_as(word: str, reference: ImageRef, failure: str = "") -> ImageNow:
    """What ECR's word for an image means that BatchGetImage did not give; `failure` is the code that it gave."""
    if not word:
        return ImageNow(Held.GONE, f"Its image {reference.digest[7:19]} was deleted from {reference.name}.")
    status = read_status(word)
    its_image = f"Its image {reference.digest[7:19]} in {reference.name} {status.state}."
    if status.pullable is False:
        return ImageNow(Held.ARCHIVED, f"{its_image} {status.next_step}".strip())
    return ImageNow(Held.UNKNOWN, f"{its_image} {why_not_given(reference, failure)}")


def _config(reference: ImageRef, manifest: Manifest, target: Target) -> tuple[ImageConfig | None, str]:
    """The image's config: from the snapshot where it was read before (a digest never changes), else the registry."""
    known = (
        Image.objects.filter(digest=manifest.digest, repository__uri=reference.name, inspect_problem__isnull=True)
        .exclude(inspected_at=None)
        .first()
    )
    if known is not None:
        return stored_config(known), ""
    try:
        with open_registry(reference.registry, target=target) as registry:
            return parse_config(registry.blob(reference.repository, manifest.config.digest, CONFIG_LIMIT)), ""
    except DrydockError as error:
        return None, str(error)
